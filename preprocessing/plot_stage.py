"""The plot stage: a picture of each preprocessed recording, from what the speech stage left on disk."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from preprocessing.conversation_plot import Span, plot_conversation
from preprocessing.speech_stage import TURNS_FOLDER, VOICE_FOLDER
from src.artifacts.sources import output_path
from src.artifacts.turns import SpeakerTurn, read_turns
from src.core.errors import DatasetError, MediaError
from src.core.run_log import LOGS_FOLDER
from src.core.stage import DONE, FAILED, PartTables, Stage, read_parts, split_into_parts
from src.media.guarded import read_audio

PLOTS_FOLDER = "voice/plots"
_PART_PLOTS = 32
_SCHEMA = pa.schema(
    [("key", pa.string()), ("status", pa.string()), ("reason", pa.string()), ("output", pa.string())]
)


@dataclass(frozen=True)
class PlotRecord:
    """A recording to draw: its key, what became of it, and what is kept of it, in seconds."""

    key: str
    outcome: str
    kept: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class PlotWorker:
    """Draws the recordings of one part.

    diarizer: name of what found the turns.
    truth: folder of the true turns, `<key>.rttm` or the key with `.rttm` in place of its suffix.
    """

    dataset: Path
    work: Path
    diarizer: str
    truth: Path | None

    def __call__(self, records: Sequence[PlotRecord]) -> PartTables:
        """Write one PNG a record; a source that is not readable any more is a row with its reason."""
        rows = [self._draw(record) for record in records]
        return {"manifest": pa.Table.from_pylist(rows, schema=_SCHEMA)}

    def _draw(self, record: PlotRecord) -> dict[str, str]:
        try:
            samples = read_audio(self.dataset / record.key)
        except MediaError as error:
            return {"key": record.key, "status": FAILED, "reason": error.reason, "output": ""}
        truth = true_turns(self.truth, record.key) if self.truth else []
        opinions = {"truth": truth} if truth else {}
        opinions[self.diarizer] = read_turns(self.work / output_path(TURNS_FOLDER, record.key, ".rttm"))
        output = output_path(PLOTS_FOLDER, record.key, ".png")
        title = f"{record.key}  ·  {record.outcome}" if record.outcome else record.key
        plot_conversation(self.work / output, title, samples, opinions, record.kept)
        return {"key": record.key, "status": DONE, "reason": "", "output": output}


def _lost_rows(records: Sequence[PlotRecord], reason: str) -> pa.Table:
    rows = [{"key": record.key, "status": FAILED, "reason": reason, "output": ""} for record in records]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def true_turns(folder: Path, key: str) -> list[SpeakerTurn]:
    """The true turns of a recording; none where the folder has no file of it."""
    for path in (folder / f"{key}.rttm", (folder / key).with_suffix(".rttm")):
        if path.is_file():
            return read_turns(path)
    return []


def make_plot_stage(
    dataset: Path, work: Path, settings: dict[str, Any], truth: Path | None
) -> Stage[PlotRecord]:
    """The stage over all recordings that were diarized. Raises DatasetError when the truth's folder is not there.

    settings: those of the speech stage; a plot that was drawn with others is drawn anew.
    """
    if truth is not None and not truth.is_dir():
        raise DatasetError(f"--truth-turns {truth}: no such folder")
    kept: dict[str, list[Span]] = defaultdict(list)
    for row in read_parts(work / VOICE_FOLDER / "segments").to_pylist():
        kept[row["key"]].append((row["start_seconds"], row["end_seconds"]))
    records = [
        PlotRecord(row["key"], row["reason"], tuple(kept[row["key"]]))
        for row in read_parts(work / VOICE_FOLDER / "manifest").to_pylist()
        if (work / output_path(TURNS_FOLDER, row["key"], ".rttm")).is_file() and row["speakers"] is not None
    ]
    return Stage(
        name="plots",
        folder=work / PLOTS_FOLDER,
        parts=split_into_parts([[record] for record in records], _PART_PLOTS),
        make_worker=partial(
            PlotWorker, dataset=dataset, work=work, diarizer=settings["diarizer"]["name"], truth=truth
        ),
        settings={"voice": settings, "truth": str(truth)},
        unit="plot",
        lost_rows=_lost_rows,
        logs=work / LOGS_FOLDER,
    )
