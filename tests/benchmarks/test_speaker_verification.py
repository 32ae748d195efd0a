import numpy as np
import pytest

from benchmarks.speaker_verification import encoder_error, pair_error_rate
from src.media.audio import write_audio

VECTORS = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])


def test_pairs_of_one_person_are_told_from_others():
    assert pair_error_rate(VECTORS, ["a", "a", "b", "b"]) == 0
    # both same pairs score 0, of the different ones two score 1 and two 0: the curve runs from (0.5, 0) to (1, 1)
    assert pair_error_rate(VECTORS, ["a", "b", "a", "b"]) == pytest.approx(2 / 3)


def test_pieces_of_one_recording_are_no_pair():
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.6, 0.8]])
    people, sources = ["a", "a", "a", "b"], ["x", "x", "y", "z"]
    # left are a-a with 1 and 0, a-b with 0.6, 0.8 and 0.6: half of the former beats all of the latter, half none
    assert pair_error_rate(vectors, people, sources) == pytest.approx(0.5)


class MeanEncoder:
    """Gives the sign of the mean sample, as one of two directions."""

    def embed(self, waveforms):
        return np.stack([[mean > 0, mean <= 0] for mean in waveforms.numpy().mean(axis=1)]).astype(np.float32)


def test_people_with_one_utterance_are_measured_by_its_halves_and_only_those_who_are_named(tmp_path):
    for name, level in (("1", 0.5), ("2", -0.5), ("3", 0.5), ("4", 0.5)):
        write_audio(tmp_path / name / "a.wav", np.full(16_000, level, np.float32))
    figures = encoder_error(MeanEncoder(), tmp_path, ["1", "2"])
    assert figures == {"equal_error_rate": 0, "speakers": 2, "utterances": 4}
    assert encoder_error(MeanEncoder(), tmp_path)["equal_error_rate"] > 0  # 1, 3 and 4 sound alike
