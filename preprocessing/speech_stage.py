"""The speech stage: raw recordings in, the clean speech of their keynote speaker out, every decision recorded."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from preprocessing.conditioning import clean_recording, set_level
from preprocessing.diarization import SpeakerFrames, assign_speakers
from preprocessing.frames import FRAMES_PER_SECOND
from preprocessing.keynote import choose_segments, join_segments
from preprocessing.speaker_windows import Embed, embed_windows, place_windows
from preprocessing.speech_settings import SpeechSettings
from preprocessing.voice_activity import find_speech, load_silero, speech_probabilities
from src.artifacts.sources import SOURCE_FIELDS, SourceRecord, output_path
from src.artifacts.turns import write_turns
from src.core.device import choose_device
from src.core.errors import MediaError
from src.core.stage import DONE, FAILED, PartTables, PartWorker
from src.encoders.registry import load_encoder
from src.media.audio import SAMPLE_RATE_HZ, read_audio, write_audio

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
_BLOCK_SECONDS = 600  # recordings that go through the networks together: 38 MB of samples

FindSpeech = Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]
"""Recordings (samples,) at 16 kHz to masks of the frames in which somebody speaks (frames,)."""


@dataclass(frozen=True)
class _Recording:
    record: SourceRecord
    samples: np.ndarray

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


def make_speech_worker(
    settings: SpeechSettings, dataset: Path, work: Path, encoder_name: str, weights: Path | None, device: str
) -> PartWorker[SourceRecord]:
    """The worker of the speech stage, with its networks loaded; called once in each process.

    encoder_name, weights: as `load_encoder` takes them. Raises WeightsError where weights are missing.
    """
    chosen_device = choose_device(device)
    encoder = load_encoder(encoder_name, chosen_device, weights)
    silero = load_silero(chosen_device)

    def speech_of(recordings: Sequence[np.ndarray]) -> list[np.ndarray]:
        levelled = [set_level(samples, settings.activity.level_db, peak_db=0) for samples in recordings]
        found = zip(levelled, speech_probabilities(silero, levelled), strict=True)
        return [find_speech(samples, probabilities, settings.activity) for samples, probabilities in found]

    return SpeechWorker(settings, dataset, work, speech_of, encoder.embed)


class SpeechWorker:
    """Turns the voice records of one part into the tables `manifest` and `segments`, and writes clean speech and turns.

    All recordings of one video folder share their main speaker; a recording without a video, as test media
    are, stands alone. Records of one video must lie side by side.
    """

    def __init__(
        self, settings: SpeechSettings, dataset: Path, work: Path, find_speech: FindSpeech, embed: Embed
    ) -> None:
        self.settings = settings
        self.dataset = dataset
        self.work = work
        self.find_speech = find_speech
        self.embed = embed

    def __call__(self, records: Sequence[SourceRecord]) -> PartTables:
        """Process one part; a recording that cannot be used becomes a row with its reason."""
        rows: dict[str, dict[str, Any]] = {}
        segments: dict[str, list[dict[str, Any]]] = {}
        for block in self._blocks(records, rows):
            for recording, speech, speakers in self._diarize(block):
                key = recording.record.key
                rows[key], segments[key] = self._extract(recording, speech, speakers)
        keys = [record.key for record in records]
        return {
            "manifest": pa.Table.from_pylist([rows[key] for key in keys], schema=MANIFEST_SCHEMA),
            "segments": pa.Table.from_pylist(
                [row for key in keys for row in segments.get(key, [])], schema=SEGMENT_SCHEMA
            ),
        }

    def _blocks(
        self, records: Sequence[SourceRecord], rows: dict[str, dict[str, Any]]
    ) -> Iterator[list[list[_Recording]]]:
        """Groups of recordings, as many at a time as memory allows; unreadable recordings go to `rows`."""
        block: list[list[_Recording]] = []
        for _, group in groupby(records, key=_group_of):
            readable = [recording for record in group if (recording := self._read(record, rows))]
            if readable:
                block.append(readable)
            if sum(recording.seconds for group in block for recording in group) >= _BLOCK_SECONDS:
                yield block
                block = []
        if block:
            yield block

    def _read(self, record: SourceRecord, rows: dict[str, dict[str, Any]]) -> _Recording | None:
        try:
            recording = _Recording(record, read_audio(self.dataset / record.key))
        except MediaError as error:
            rows[record.key] = _manifest_row(record, reason=error.reason)
            return None
        if recording.seconds < self.settings.shortest_file_seconds:
            rows[record.key] = _manifest_row(
                record, {"duration_seconds": recording.seconds}, reason=TOO_SHORT
            )
            return None
        return recording

    def _diarize(
        self, block: Sequence[Sequence[_Recording]]
    ) -> Iterator[tuple[_Recording, np.ndarray, SpeakerFrames]]:
        """Each recording of a block with its speech and its speakers; the networks see the block at once."""
        recordings = [recording for group in block for recording in group]
        samples = [recording.samples for recording in recordings]
        speech = self.find_speech(samples)
        windows = [place_windows(mask, self.settings.diarization) for mask in speech]
        vectors = embed_windows(samples, windows, self.embed, self.settings.diarization.batch_windows)
        first = 0
        for group in block:
            of_group = slice(first, first + len(group))
            speakers = assign_speakers(
                speech[of_group], windows[of_group], vectors[of_group], self.settings.diarization
            )
            yield from zip(group, speech[of_group], speakers, strict=True)
            first += len(group)

    def _extract(
        self, recording: _Recording, speech: np.ndarray, speakers: SpeakerFrames
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Write the turns and the clean speech of one recording; its manifest row and its segment rows."""
        record = recording.record
        turns = speakers.turns()
        write_turns(self.work / output_path(TURNS_FOLDER, record.key, ".rttm"), record.key, turns)
        measured: dict[str, float] = {
            "duration_seconds": recording.seconds,
            "speech_seconds": float(speech.sum()) / FRAMES_PER_SECOND,
            "speakers": len({turn.speaker for turn in turns}),
        }
        if not speech.any():
            return _manifest_row(record, measured, reason=NO_SPEECH), []
        spans = choose_segments(speakers, self.settings.keynote)
        if not len(spans):
            return _manifest_row(record, measured, reason=NO_KEYNOTE_SPEECH), []
        cleaning = self.settings.cleaning
        cleaned = clean_recording(recording.samples, cleaning)
        joined, segments = join_segments(cleaned, spans, self.settings.keynote.cross_fade_seconds)
        output = output_path(CLEAN_FOLDER, record.key, ".wav")
        write_audio(self.work / output, set_level(joined, cleaning.level_db, cleaning.peak_db))
        measured["kept_seconds"] = len(joined) / SAMPLE_RATE_HZ
        row = _manifest_row(record, measured, output=output)
        return row, [{"key": record.key, **asdict(segment)} for segment in segments]


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
