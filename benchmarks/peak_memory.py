"""Run `python -m preprocessing` in this process and print, as the last line, the most memory that it held, in bytes.

    python -m benchmarks.peak_memory DATASET --out WORK …

A process of its own, since the peak is one of the process as a whole.
"""

import sys
from pathlib import Path

from preprocessing.__main__ import main as preprocess
from src.core.command_line import run_command


def peak_bytes() -> int:
    """The largest resident memory of this program so far.

    VmHWM of Linux, not ru_maxrss: the latter counts what the calling process held before this program was loaded.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status: no VmHWM; this measurement needs Linux")


if __name__ == "__main__":
    status = run_command(preprocess)
    print(peak_bytes())
    sys.exit(status)
