import json

import numpy as np
import torch

from preprocessing import pyannote_diarizer
from preprocessing.diarizers import make_diarizer
from preprocessing.embedded_diarizer import EmbeddedDiarizer
from preprocessing.pyannote_diarizer import PyannoteDiarizer
from preprocessing.speech_settings import DiarizationSettings, SpeechSettings
from src.media.frames import FRAME_SAMPLES

ANNA, BEN = 1.0, -1.0


def find_sound(recordings):
    return [samples.reshape(-1, FRAME_SAMPLES).any(axis=1) for samples in recordings]


def embed_sign(batch):
    """Two people, told apart by the sign of their samples."""
    mean = batch.mean(dim=1)
    return torch.stack([mean.clamp(min=0), (-mean).clamp(min=0)], dim=1) + 1e-3


def talk(*turns):
    """Turns of (who, seconds), half a second of silence between them."""
    pause = np.zeros(8000, np.float32)
    return np.concatenate(
        [piece for who, seconds in turns for piece in (np.full(16000 * seconds, who, np.float32), pause)]
    )


def test_the_recordings_of_a_group_share_their_speakers_and_groups_do_not():
    diarizer = EmbeddedDiarizer(DiarizationSettings(), find_sound, embed_sign, None, {})
    ((first, second), (alone,)) = diarizer(
        [[talk((ANNA, 2), (BEN, 3)), talk((BEN, 4))], [talk((BEN, 2), (ANNA, 3))]]
    )
    assert [turn.speaker for turn in first.turns()] == ["speaker01", "speaker00"]
    assert [turn.speaker for turn in second.turns()] == ["speaker00"]
    assert [turn.speaker for turn in alone.turns()] == ["speaker01", "speaker00"]
    assert first.active.shape == (600, 2)
    assert first.active[:, 1].nonzero()[0].tolist() == list(range(200))


def test_the_description_holds_what_decides_the_output():
    diarizer = make_diarizer(SpeechSettings(), "ecapa-compact", None, torch.device("cpu"))
    described = json.loads(json.dumps(diarizer.description()))
    assert described["name"] == "embedded"
    assert described["diarization"]["window_seconds"] == 1.5
    assert described["activity"]["probability"] == 0.5
    assert len(described["speaker_encoder"]["weights_sha256"]) == 64


def test_another_diarizer_needs_no_speaker_encoder(monkeypatch):
    made = PyannoteDiarizer(None, {})
    monkeypatch.setattr(pyannote_diarizer, "load_pyannote_diarizer", lambda settings, device: made)
    settings = SpeechSettings(diarizer="pyannote")
    assert make_diarizer(settings, "no encoder", None, torch.device("cpu")) is made
