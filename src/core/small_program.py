"""Small programs of this package in processes of their own, which import no more than they need."""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def small_program(statements: str, *arguments: object) -> list[str]:
    """The command line of a Python that carries out `statements`; `arguments` are in its sys.argv[1:].

    What they import lies in this package, not in the folder that happens to be the current one.
    """
    program = f"import sys; sys.path[0] = {str(_ROOT)!r}; {statements}"
    return [sys.executable, "-B", "-c", program, *map(str, arguments)]
