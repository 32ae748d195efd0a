"""Run `python -m preprocessing` in this process and print, as the last line, the most memory that it held, in bytes.

    python -m benchmarks.peak_memory DATASET --out WORK …

A process of its own, since the peak is one of the process as a whole.
"""

import sys

from benchmarks.process_memory import peak_bytes
from preprocessing.__main__ import main as preprocess
from src.core.command_line import run_command

if __name__ == "__main__":
    status = run_command(preprocess)
    print(peak_bytes())
    sys.exit(status)
