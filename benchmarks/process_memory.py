"""Memory of this process as Linux counts it."""

from pathlib import Path


def resident_bytes() -> int:
    """What is resident now."""
    return _status_bytes("VmRSS")


def peak_bytes() -> int:
    """The most that was resident so far.

    VmHWM of Linux, not ru_maxrss: the latter counts what the calling process held before this program was loaded.
    """
    return _status_bytes("VmHWM")


def _status_bytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status: no {name}; this measurement needs Linux")
