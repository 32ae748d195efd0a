"""Speaker turns on disk: RTTM, seconds, one file a recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.core.errors import ListError
from src.core.files import write_text


@dataclass(frozen=True, order=True)
class SpeakerTurn:
    """Somebody speaks from `start_seconds` to `end_seconds` of a recording."""

    start_seconds: float
    end_seconds: float
    speaker: str

    @property
    def duration_seconds(self) -> float:
        """Length of the turn."""
        return self.end_seconds - self.start_seconds


def write_turns(path: Path, recording: str, turns: Sequence[SpeakerTurn]) -> None:
    """Write turns as RTTM (NIST), ordered by start; white space in the recording's name becomes `_`."""
    name = "_".join(recording.split())
    lines = [
        f"SPEAKER {name} 1 {turn.start_seconds:.3f} {turn.duration_seconds:.3f} <NA> <NA> {turn.speaker} <NA> <NA>\n"
        for turn in sorted(turns)
    ]
    write_text(path, "".join(lines))


def read_turns(path: Path) -> list[SpeakerTurn]:
    """Read the SPEAKER lines of an RTTM file. Raises ListError naming the line that is malformed."""
    turns = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: not a text file in UTF-8") from error
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        try:
            start_seconds, duration_seconds, speaker = float(fields[3]), float(fields[4]), fields[7]
        except (IndexError, ValueError) as error:
            raise ListError(f"{path}, line {number}: not an RTTM SPEAKER line: {line!r}") from error
        turns.append(SpeakerTurn(start_seconds, start_seconds + duration_seconds, speaker))
    return sorted(turns)
