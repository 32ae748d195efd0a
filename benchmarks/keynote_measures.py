"""How much of the kept speech is the keynote speaker's, how much of theirs is kept, and the diarization error."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from src.artifacts.sources import output_path
from src.artifacts.turns import SpeakerTurn, read_turns
from src.core.errors import DatasetError
from src.core.stage import DONE, read_parts

FRAMES_PER_SECOND = 100


@dataclass(frozen=True, kw_only=True)
class FileMeasures:
    """Frames of 10 ms of one recording: kept, the main speaker's, both, and kept ones without anybody's speech.

    main_alone, both_alone: the main speaker's frames in which nobody else talks, and those of them that are kept.
    speakers_found, speakers_true: how many people speak.
    """

    kept: int
    main: int
    both: int
    kept_silence: int
    main_alone: int
    both_alone: int
    speakers_found: int = 0
    speakers_true: int = 0


def measure_file(
    kept: Iterable[tuple[float, float]],
    truth: Sequence[SpeakerTurn],
    main: str,
    duration_seconds: float,
    found: Sequence[SpeakerTurn] = (),
) -> FileMeasures:
    """Compare kept spans (seconds) and the found turns with the true turns of one recording."""
    frames = round(duration_seconds * FRAMES_PER_SECOND)
    kept_frames = _mask(kept, frames)
    main_frames = _mask(_spans(truth, main), frames)
    anybody = _mask(_spans(truth, None), frames)
    others = [turn for turn in truth if turn.speaker != main]
    alone = main_frames & ~_mask(_spans(others, None), frames)
    return FileMeasures(
        kept=int(kept_frames.sum()),
        main=int(main_frames.sum()),
        both=int((kept_frames & main_frames).sum()),
        kept_silence=int((kept_frames & ~anybody).sum()),
        main_alone=int(alone.sum()),
        both_alone=int((kept_frames & alone).sum()),
        speakers_found=len({turn.speaker for turn in found}),
        speakers_true=len({turn.speaker for turn in truth}),
    )


def _spans(turns: Sequence[SpeakerTurn], speaker: str | None) -> list[tuple[float, float]]:
    return [(turn.start_seconds, turn.end_seconds) for turn in turns if speaker in (None, turn.speaker)]


def _mask(spans: Iterable[tuple[float, float]], frames: int) -> np.ndarray:
    mask = np.zeros(frames, bool)
    for start, end in spans:
        mask[round(start * FRAMES_PER_SECOND) : round(end * FRAMES_PER_SECOND)] = True
    return mask


def main_speaker(truth: Sequence[SpeakerTurn]) -> str:
    """Who talks most; nobody's name, the empty one, where nobody talks."""
    talk: dict[str, float] = defaultdict(float)
    for turn in truth:
        talk[turn.speaker] += turn.duration_seconds
    return max(talk, key=talk.__getitem__, default="")


def annotation(turns: Sequence[SpeakerTurn]) -> Annotation:
    """The turns as pyannote.metrics takes them."""
    found = Annotation()
    for number, turn in enumerate(turns):
        found[Segment(turn.start_seconds, turn.end_seconds), number] = turn.speaker
    return found


def named_speakers(truth: Path) -> dict[str, str]:
    """The main speaker of each recording that TRUTH/media_identities.csv names."""
    path = truth / "media_identities.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["key"]: row["identity"] for row in csv.DictReader(lines) if row["modality"] == "voice"}


def measure(work: Path, truth: Path, split: str | None = None) -> dict[str, Any]:
    """All figures over the recordings of WORK that TRUTH knows. Raises DatasetError where it knows none.

    work: a work folder whose voices are preprocessed. truth: a folder with `rttm/<key>.rttm` (suffix of the key
    replaced) and, where the main speaker is not simply who talks most, `media_identities.csv`.
    """
    try:
        manifest = read_parts(work / "voice/manifest").to_pylist()
        segments = read_parts(work / "voice/segments").to_pylist()
    except FileNotFoundError as error:
        raise DatasetError(
            f"{work}: no preprocessed voices there. Run python -m preprocessing first."
        ) from error
    kept: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in segments:
        kept[row["key"]].append((row["start_seconds"], row["end_seconds"]))
    named = named_speakers(truth)
    diarization_error = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    files: list[FileMeasures] = []
    reasons: Counter[str] = Counter()
    for row in manifest:
        path = (truth / "rttm" / row["key"]).with_suffix(".rttm")
        if split not in (None, row["split"]) or row["duration_seconds"] is None or not path.is_file():
            continue
        turns = read_turns(path)
        main = named.get(row["key"]) or main_speaker(turns)
        found = read_turns(work / output_path("voice/turns", row["key"], ".rttm"))
        files.append(measure_file(kept[row["key"]], turns, main, row["duration_seconds"], found))
        reasons[row["reason"] if row["status"] != DONE else DONE] += 1
        whole = Timeline([Segment(0, row["duration_seconds"])])
        diarization_error(annotation(turns), annotation(found), uem=whole)
    if not files:
        raise DatasetError(f"{truth}: holds no turns of the recordings of {work}")
    return _summary(files, reasons, diarization_error)


def _summary(
    files: Sequence[FileMeasures], reasons: Counter[str], error: DiarizationErrorRate
) -> dict[str, Any]:
    kept, main, both = (sum(getattr(file, name) for file in files) for name in ("kept", "main", "both"))
    parts: dict[str, float] = error.accumulated_
    total = parts["total"]
    surplus = np.array([file.speakers_found - file.speakers_true for file in files])
    return {
        "files": len(files),
        "outcomes": dict(reasons),
        "purity": both / max(kept, 1),
        "recall": both / max(main, 1),
        "recall_alone": sum(file.both_alone for file in files)
        / max(sum(file.main_alone for file in files), 1),
        "kept_silence_share": sum(file.kept_silence for file in files) / max(kept, 1),
        "files_mostly_wrong": sum(file.both < 0.5 * file.kept for file in files),
        "diarization_error": abs(error),
        "missed": parts["missed detection"] / total,
        "false_alarm": parts["false alarm"] / total,
        "confusion": parts["confusion"] / total,
        "speakers_right_share": float(np.mean(surplus == 0)),
        "speakers_surplus": float(np.mean(surplus)),
    }
