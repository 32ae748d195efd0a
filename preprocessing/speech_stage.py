"""The speech stage: raw recordings in, the clean speech of their keynote speaker out, every decision recorded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, groupby
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from preprocessing.conditioning import clean_recording, set_level, trim_silence
from preprocessing.diarizers import make_diarizer
from preprocessing.keynote import KeptSegment, choose_segments, join_segments
from preprocessing.speaker_frames import Diarizer, SpeakerFrames
from preprocessing.speech_settings import SpeechSettings
from src.artifacts.sources import SOURCE_FIELDS, SourceRecord, output_path
from src.artifacts.turns import write_turns
from src.core.config import config_mapping
from src.core.device import choose_device
from src.core.errors import MediaError
from src.core.stage import DONE, FAILED, PartTables, PartWorker
from src.media.audio import SAMPLE_RATE_HZ, write_audio
from src.media.frames import FRAMES_PER_SECOND, frames_of
from src.media.guarded import read_audio

VOICE_FOLDER = "voice"
CLEAN_FOLDER = "voice/clean"
TURNS_FOLDER = "voice/turns"
TOO_SHORT, NO_SPEECH, NO_KEYNOTE_SPEECH = "too_short", "no_speech", "no_keynote_speech"

MANIFEST_SCHEMA = pa.schema(
    [
        *SOURCE_FIELDS,
        ("status", pa.string()),
        ("reason", pa.string()),
        ("output", pa.string()),
        ("duration_seconds", pa.float64()),
        ("speech_seconds", pa.float64()),
        ("kept_seconds", pa.float64()),
        ("speakers", pa.int32()),
    ]
)
SEGMENT_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("start_seconds", pa.float64()),
        ("end_seconds", pa.float64()),
        ("position_seconds", pa.float64()),
    ]
)
_BLOCK_SECONDS = 600  # recordings that go through the networks together: 19 MB of samples
_LONG_SECONDS = 3600  # what is longer is cleaned in half precision too, whose noise lies 66 dB down


@dataclass(frozen=True)
class _Recording:
    """samples: in half precision, which is enough to tell who speaks, and halves what hours of sound take; what
    is kept of the recording is cut from the file once more."""

    record: SourceRecord
    samples: np.ndarray

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


def make_speech_worker(
    settings: SpeechSettings, dataset: Path, work: Path, encoder_name: str, weights: Path | None, device: str
) -> PartWorker[SourceRecord]:
    """The worker of the speech stage, with its networks loaded; called once in each process.

    encoder_name, weights: as `make_diarizer` takes them. Raises WeightsError where weights are missing.
    """
    diarizer = make_diarizer(settings, encoder_name, weights, choose_device(device))
    return SpeechWorker(settings, dataset, work, diarizer)


def speech_provenance(settings: SpeechSettings, diarizer: Diarizer) -> dict[str, Any]:
    """Everything that decides the output of the stage, ready for JSON."""
    return {
        "diarizer": diarizer.description(),
        "keynote": config_mapping(settings.keynote),
        "cleaning": config_mapping(settings.cleaning),
        "shortest_file_seconds": settings.shortest_file_seconds,
    }


class SpeechWorker:
    """Turns the voice records of one part into the tables `manifest` and `segments`, and writes clean speech and turns.

    All recordings of one video folder share their main speaker; a recording without a video, as test media
    are, stands alone. Records of one video must lie side by side.
    """

    def __init__(self, settings: SpeechSettings, dataset: Path, work: Path, diarizer: Diarizer) -> None:
        self.settings = settings
        self.dataset = dataset
        self.work = work
        self.diarizer = diarizer

    def __call__(self, records: Sequence[SourceRecord]) -> PartTables:
        """Process one part; a recording that cannot be used becomes a row with its reason."""
        rows: dict[str, dict[str, Any]] = {}
        segments: dict[str, list[dict[str, Any]]] = {}
        for block in self._blocks(records, rows):
            self._process(block, rows, segments)
        keys = [record.key for record in records]
        return {
            "manifest": pa.Table.from_pylist([rows[key] for key in keys], schema=MANIFEST_SCHEMA),
            "segments": pa.Table.from_pylist(
                [row for key in keys for row in segments.get(key, [])], schema=SEGMENT_SCHEMA
            ),
        }

    def _process(
        self,
        block: Sequence[list[_Recording]],
        rows: dict[str, dict[str, Any]],
        segments: dict[str, list[dict[str, Any]]],
    ) -> None:
        found = self.diarizer([[recording.samples for recording in group] for group in block])
        recordings = list(chain(*block))
        durations_seconds = [recording.seconds for recording in recordings]
        records = [recording.record for recording in recordings]
        for group in block:
            group.clear()
        recordings.clear()  # the samples make room
        for record, seconds, speakers in zip(records, durations_seconds, chain(*found), strict=True):
            rows[record.key], segments[record.key] = self._extract(record, seconds, speakers)

    def _blocks(
        self, records: Sequence[SourceRecord], rows: dict[str, dict[str, Any]]
    ) -> Iterator[list[list[_Recording]]]:
        """Groups of recordings, as many at a time as memory allows; unreadable recordings go to `rows`."""
        block: list[list[_Recording]] = []
        for _, group in groupby(records, key=_group_of):
            readable = list(filter(None, (self._read(record, rows) for record in group)))
            if readable:
                block.append(readable)
            if sum(recording.seconds for group in block for recording in group) >= _BLOCK_SECONDS:
                yield block
                block = []
        if block:
            yield block

    def _read(self, record: SourceRecord, rows: dict[str, dict[str, Any]]) -> _Recording | None:
        try:
            recording = _Recording(record, read_audio(self.dataset / record.key, dtype=np.float16))
        except MediaError as error:
            rows[record.key] = _manifest_row(record, reason=error.reason)
            return None
        if recording.seconds < self.settings.shortest_file_seconds:
            rows[record.key] = _manifest_row(
                record, {"duration_seconds": recording.seconds}, reason=TOO_SHORT
            )
            return None
        return recording

    def _extract(
        self, record: SourceRecord, duration_seconds: float, speakers: SpeakerFrames
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Write the turns and the clean speech of one recording; its manifest row and its segment rows."""
        turns = speakers.turns()
        write_turns(self.work / output_path(TURNS_FOLDER, record.key, ".rttm"), record.key, turns)
        measured: dict[str, float] = {
            "duration_seconds": duration_seconds,
            "speech_seconds": float(speakers.speech.sum()) / FRAMES_PER_SECOND,
            "speakers": len({turn.speaker for turn in turns}),
        }
        if not turns:
            return _manifest_row(record, measured, reason=NO_SPEECH), []
        spans = choose_segments(speakers, self.settings.keynote)
        if not len(spans):
            return _manifest_row(record, measured, reason=NO_KEYNOTE_SPEECH), []
        try:
            samples = read_audio(
                self.dataset / record.key,
                dtype=np.float16 if duration_seconds > _LONG_SECONDS else np.float32,
            )
        except MediaError as error:  # gone or changed since it was read before
            return _manifest_row(record, measured, reason=error.reason), []
        joined, segments = self._clean(samples, spans)
        if not segments:
            return _manifest_row(record, measured, reason=NO_KEYNOTE_SPEECH), []
        output = output_path(CLEAN_FOLDER, record.key, ".wav")
        write_audio(self.work / output, joined)
        measured["kept_seconds"] = len(joined) / SAMPLE_RATE_HZ
        row = _manifest_row(record, measured, output=output)
        return row, [{"key": record.key, **asdict(segment)} for segment in segments]

    def _clean(self, samples: np.ndarray, spans: np.ndarray) -> tuple[np.ndarray, list[KeptSegment]]:
        """Clean a recording and join what is kept of it, all in its own memory."""
        cleaning, cross_fade_seconds = self.settings.cleaning, self.settings.keynote.cross_fade_seconds
        cleaned = clean_recording(samples, cleaning, out=samples)
        if cleaning.trim:
            spans = trim_silence(cleaned, spans, cleaning.silence_db)
            spans = spans[spans[:, 1] - spans[:, 0] > frames_of(2 * cross_fade_seconds)]
        joined, segments = join_segments(cleaned, spans, cross_fade_seconds)
        return set_level(joined, cleaning.level_db, cleaning.peak_db, out=joined), segments


def lost_speech_rows(records: Sequence[SourceRecord], reason: str) -> pa.Table:
    """Manifest rows of recordings over which the worker was lost."""
    return pa.Table.from_pylist(
        [_manifest_row(record, reason=reason) for record in records], schema=MANIFEST_SCHEMA
    )


def _group_of(record: SourceRecord) -> str:
    """The folder of a video's recordings; a recording without a video is a group of its own."""
    return str(PurePosixPath(record.key).parent) if record.video else record.key


def _manifest_row(
    record: SourceRecord,
    measured: Mapping[str, float] = MappingProxyType({}),
    *,
    reason: str = "",
    output: str = "",
) -> dict[str, Any]:
    status = FAILED if reason else DONE
    return {**asdict(record), "status": status, "reason": reason, "output": output, **measured}
