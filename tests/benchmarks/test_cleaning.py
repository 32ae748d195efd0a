import numpy as np
import pytest
import soundfile

from benchmarks.cleaning import add_noise, clean_plainly, measure, pink_noise, signal_to_distortion_db
from preprocessing.conditioning import clean_recording, set_level
from preprocessing.speech_settings import CleaningSettings
from src.core.errors import DatasetError
from src.media.audio import read_audio

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*slated for removal:DeprecationWarning"
)  # librosa.load's imports


def bursts():
    time = np.arange(32_000) / 16_000
    noise = 0.01 * np.random.default_rng(0).normal(size=len(time))
    return (0.3 * np.sin(2 * np.pi * 440 * time) * (np.sin(4 * np.pi * time) > 0) + noise).astype(np.float32)


def test_the_ratio_by_hand():
    reference = np.array([1.0, -1.0, 1.0, -1.0])
    distortion = np.array([0.1, 0.1, -0.1, -0.1])
    assert signal_to_distortion_db(3 * (reference + distortion), reference) == pytest.approx(20)


def test_noise_has_the_ratio_that_was_asked_for():
    clean = bursts()
    noise = add_noise(clean, pink_noise(len(clean), np.random.default_rng(1)), 5) - clean
    assert 10 * np.log10((clean @ clean) / (noise @ noise)) == pytest.approx(5, abs=1e-3)


@pytest.mark.parametrize("kind", ["tracked", "percentile"])
def test_the_plain_loop_does_the_same(tmp_path, kind):
    soundfile.write(tmp_path / "a.wav", bursts(), 16_000)
    (tmp_path / "out").mkdir()
    settings = CleaningSettings(wiener=kind)
    clean_plainly(tmp_path / "a.wav", tmp_path / "out", settings)
    ours = set_level(clean_recording(read_audio(tmp_path / "a.wav"), settings), -25, -1)
    assert np.abs(read_audio(tmp_path / "out" / "a.wav") - ours).max() < 1e-4


def test_all_figures_are_measured(tmp_path):
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", bursts(), 16_000)
    results = measure(tmp_path, recordings=1, speed_files=2, workers=1)
    assert results["speed"]["files"] == 3
    assert results["speed"]["tracked"]["largest_difference"] < 1e-3
    assert len(results["distortion"]["by_filter"]) == 8


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="holds no"):
        measure(tmp_path)
