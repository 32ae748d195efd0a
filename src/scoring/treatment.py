"""What may be done to scores beyond the model's own answer, and the record that tells of it.

Rescoring over clusters uses the test set as a whole: who appears how often in it bears on every score. So it is off
unless asked for, and whatever it made carries a record (`OUT.scoring.json`) that says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from src.core.errors import ListError
from src.core.files import read_json, write_json

Normalisation = Literal["none", "z", "t", "s", "adaptive"]
TRANSDUCTIVE = "transductive"


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """How scores are made.

    average_tokens: mean over single windows and crops (src/models/token_average.py).
    normalisation: by a cohort of training people (src/metrics/score_normalisation.py): z by the voice's scores with
        strangers, t by the face's, s by both, adaptive by both items' `nearest` strangers.
    transductive: pool scores over clusters of the test voices and of the test faces.
    """

    average_tokens: bool = False
    normalisation: Normalisation = "none"
    nearest: int = 50
    transductive: bool = False

    def __post_init__(self) -> None:
        if self.nearest < 2:
            raise ValueError(f"nearest {self.nearest} must be at least 2")

    @property
    def is_plain(self) -> bool:
        """Whether scores are the model's own answers."""
        return not (self.average_tokens or self.transductive) and self.normalisation == "none"

    def mapping(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        content = asdict(self)
        if self.normalisation != "adaptive":
            del content["nearest"]
        return content


def record_path(output: Path) -> Path:
    """Where the record of `output` lies: its name with `.scoring.json` added."""
    return output.with_name(output.name + ".scoring.json")


def write_record(output: Path, content: Mapping[str, Any] | None) -> None:
    """Write how `output` was scored; None removes the record of a former run, of plain scores."""
    if content is None:
        record_path(output).unlink(missing_ok=True)
    else:
        write_json(record_path(output), content)


def read_record(output: Path) -> dict[str, Any]:
    """How `output` was scored; empty for plain scores. Raises ListError for a record that is damaged."""
    path = record_path(output)
    if not path.is_file():
        return {}
    try:
        return dict(read_json(path))
    except (ValueError, TypeError) as error:
        raise ListError(f"{path}: damaged ({error}), so nothing says how {output} was scored") from error


def is_transductive(output: Path) -> bool:
    """Whether scores, or any of those that they were fused from, used the test set as a whole."""
    return bool(read_record(output).get(TRANSDUCTIVE))


def fused_record(method: str, systems: Sequence[Path]) -> dict[str, Any]:
    """The record of a fusion, which tells of what was done to any of its systems."""
    return {
        "fusion": method,
        TRANSDUCTIVE: any(map(is_transductive, systems)),
        "systems": [{"file": system.name, **read_record(system)} for system in systems],
    }
