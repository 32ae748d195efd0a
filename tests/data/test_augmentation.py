"""What augmentation does to speech and to faces."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.face_augmentation import FaceAugmentationConfig, augment_faces
from src.data.speech_augmentation import (
    SpeechAugmentationConfig,
    add_noise,
    augment_speech,
    change_speed,
    limit_band,
    suppress_noise,
)

RATE_HZ = 16_000


def tone(frequency_hz, seconds=1.0):
    return torch.sin(2 * torch.pi * frequency_hz * torch.arange(round(RATE_HZ * seconds)) / RATE_HZ)


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_speech_keeps_its_shape_and_stays_finite(seed):
    waveforms = torch.randn(4, 3200, generator=torch.Generator().manual_seed(seed))
    config = SpeechAugmentationConfig(suppression_probability=0.5)
    changed = augment_speech(waveforms, config, np.random.default_rng(seed))
    assert changed.shape == waveforms.shape
    assert torch.isfinite(changed).all()
    again = augment_speech(waveforms, config, np.random.default_rng(seed))
    assert torch.equal(changed, again)


@pytest.mark.parametrize("ratio_db", [0.0, 10.0, 20.0])
def test_noise_has_the_ratio_that_was_asked_for(ratio_db):
    config = SpeechAugmentationConfig(signal_to_noise_db=(ratio_db, ratio_db), babble_share=0.0)
    waveforms = tone(440)[None].repeat(3, 1)
    noise = add_noise(waveforms, waveforms, config, np.random.default_rng(1)) - waveforms
    measured_db = 10 * torch.log10(waveforms.square().mean(1) / noise.square().mean(1))
    assert measured_db.tolist() == pytest.approx([ratio_db] * 3, abs=0.01)


def test_a_band_limit_takes_what_lies_outside():
    config = SpeechAugmentationConfig(low_cut_hz=(300, 300), high_cut_hz=(3000, 3000))
    power = {
        hz: limit_band(tone(hz)[None], config, np.random.default_rng(0)).square().mean().item()
        for hz in (60, 1000, 7000)
    }
    assert power[1000] == pytest.approx(0.5, rel=0.1)
    assert power[60] < 0.01
    assert power[7000] < 0.01


def test_a_tilt_is_a_slope_around_one_kilohertz():
    config = SpeechAugmentationConfig(
        low_cut_hz=(1, 1), high_cut_hz=(1e6, 1e6), tilt_db_per_octave=(-3.0, -3.0)
    )
    level_db = {
        hz: 10 * torch.log10(2 * limit_band(tone(hz)[None], config, np.random.default_rng(0)).square().mean())
        for hz in (500, 1000, 4000)
    }
    assert [level_db[hz].item() for hz in (500, 1000, 4000)] == pytest.approx([3, 0, -6], abs=0.1)


def test_suppression_takes_noise_from_pauses_and_keeps_speech():
    stream = np.random.default_rng(3)
    speech = torch.cat([tone(700, 0.5), torch.zeros(8000), tone(700, 0.5), torch.zeros(8000)])[None]
    noisy = speech + 0.05 * torch.from_numpy(stream.standard_normal(speech.shape, dtype=np.float32))
    config = SpeechAugmentationConfig(suppression_floor_db=(-15.0, -15.0))
    cleaned = suppress_noise(noisy, config, stream)
    pause = slice(9000, 15000)
    assert cleaned[:, pause].square().mean() < 0.2 * noisy[:, pause].square().mean()
    assert cleaned[:, 2000:6000].square().mean() > 0.9 * speech[:, 2000:6000].square().mean()
    assert torch.equal(suppress_noise(torch.zeros(1, 4000), config, stream), torch.zeros(1, 4000))


@pytest.mark.parametrize("name", ["room_probability", "suppression_probability"])
def test_chances_lie_between_0_and_1(name):
    with pytest.raises(ValueError, match=name):
        SpeechAugmentationConfig(**{name: 1.5})


def test_another_speed_moves_the_pitch():
    faster = change_speed(tone(440, 1.1)[None], RATE_HZ)
    assert faster.shape == (1, RATE_HZ)
    assert torch.fft.rfft(faster[0]).abs().argmax().item() == pytest.approx(484, abs=1)


def test_faces_keep_their_kind_and_vary():
    crops = torch.randint(
        0, 256, (6, 3, 112, 112), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    changed, again, other = (
        augment_faces(crops, 96, FaceAugmentationConfig(), np.random.default_rng(seed)) for seed in (2, 2, 3)
    )
    assert changed.shape == (6, 3, 96, 96)
    assert 0 <= changed.min() < changed.max() <= 255
    assert torch.equal(changed, again)
    assert not torch.equal(changed, other)
