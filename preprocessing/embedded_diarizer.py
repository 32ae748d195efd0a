"""The embedded diarizer: voice activity, windows through a speaker encoder, clustering, assignment of frames,
and resegmentation with overlap."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from preprocessing.resegmentation import resegment
from preprocessing.speaker_assignment import assign_speakers
from preprocessing.speaker_frames import Recordings, SpeakerFrames
from preprocessing.speaker_windows import Embed, embed_windows, place_windows
from preprocessing.speech_settings import DiarizationSettings, SpeechSettings
from preprocessing.target_speaker import TargetSpeakerMarker
from preprocessing.voice_activity import SpeechFinder, load_silero
from src.core.config import config_mapping
from src.encoders.keynote_weights import load_keynote
from src.encoders.registry import load_encoder

FindSpeech = Callable[[Recordings], Sequence[np.ndarray]]
"""Recordings to masks of the frames in which somebody speaks, (frames,) each."""

Resegment = Callable[[Recordings, Sequence[SpeakerFrames]], list[SpeakerFrames]]
"""Recordings of one group and who speaks in them, to the same more precisely."""


class EmbeddedDiarizer:
    """Finds the speakers of each group by clustering the vectors of all windows of its recordings together.

    find_speech: see `FindSpeech`. embed: see `preprocessing.speaker_windows.Embed`.
    resegment: see `Resegment`; None leaves every frame to one speaker at most.
    networks: what the three are, for `description`.
    """

    def __init__(
        self,
        settings: DiarizationSettings,
        find_speech: FindSpeech,
        embed: Embed,
        resegment: Resegment | None,
        networks: dict[str, Any],
    ) -> None:
        self.settings = settings
        self.find_speech = find_speech
        self.embed = embed
        self.resegment = resegment
        self.networks = networks

    def __call__(self, groups: Sequence[Recordings]) -> list[list[SpeakerFrames]]:
        """The speakers of each group; the networks see the windows of all groups together."""
        recordings = [samples for group in groups for samples in group]
        speech = self.find_speech(recordings)
        windows = [place_windows(mask, self.settings) for mask in speech]
        vectors = embed_windows(recordings, windows, self.embed, self.settings.batch_windows)
        found, first = [], 0
        for group in groups:
            members = slice(first, first + len(group))
            speakers = assign_speakers(speech[members], windows[members], vectors[members], self.settings)
            found.append(self.resegment(group, speakers) if self.resegment else speakers)
            first += len(group)
        return found

    def description(self) -> dict[str, Any]:
        """Settings and networks."""
        return {"name": "embedded", "diarization": config_mapping(self.settings), **self.networks}


def load_embedded_diarizer(
    settings: SpeechSettings, voice_encoder: str, voice_weights: Path | None, device: torch.device
) -> EmbeddedDiarizer:
    """The diarizer with silero-vad, the named speaker encoder and the embedded keynote network.

    Raises WeightsError where weights are missing.
    """
    encoder = load_encoder(voice_encoder, device, voice_weights)
    networks = {"activity": config_mapping(settings.activity), "speaker_encoder": encoder.description()}
    resegment_group: Resegment | None = None
    if settings.resegmentation.enabled:
        keynote = load_keynote(None, device)
        marker = TargetSpeakerMarker(
            keynote, settings.resegmentation.chunk_seconds, settings.resegmentation.overlap_seconds
        )
        resegment_group = partial(resegment, marker=marker, settings=settings.resegmentation)
        networks["resegmentation"] = {
            **config_mapping(settings.resegmentation),
            "weights_sha256": keynote.weights_sha256,
        }
    return EmbeddedDiarizer(
        settings.diarization,
        SpeechFinder(load_silero(device), settings.activity),
        encoder.embed,
        resegment_group,
        networks,
    )
