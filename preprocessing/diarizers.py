"""The diarizers by name: all of them answer the contract of `preprocessing.speaker_frames.Diarizer`."""

from pathlib import Path

import torch

from preprocessing.speaker_frames import Diarizer
from preprocessing.speech_settings import SpeechSettings


def make_diarizer(
    settings: SpeechSettings, voice_encoder: str, voice_weights: Path | None, device: torch.device
) -> Diarizer:
    """The diarizer that the settings name, with its networks loaded on `device`.

    voice_encoder, voice_weights: what `embedded` tells speakers apart with, as `load_encoder` takes them;
        the others have their own networks.
    Raises WeightsError where weights are missing. Each one's libraries are imported only when it is asked for.
    """
    if settings.diarizer == "pyannote":
        from preprocessing.pyannote_diarizer import load_pyannote_diarizer

        return load_pyannote_diarizer(settings.pyannote, device)
    if settings.diarizer == "keynote":
        from preprocessing.keynote_diarizer import KeynoteDiarizer

        return KeynoteDiarizer(settings.keynote_diarizer, device)
    from preprocessing.embedded_diarizer import load_embedded_diarizer

    return load_embedded_diarizer(settings, voice_encoder, voice_weights, device)
