"""Progress bars that appear only on work that lasts."""

from typing import Any

from tqdm import tqdm


def progress_bar(*, total: int, description: str, unit: str, **options: Any) -> "tqdm[Any]":
    """A bar on standard error that shows itself after two seconds of work."""
    return tqdm(total=total, desc=description, unit=unit, delay=2, dynamic_ncols=True, **options)
