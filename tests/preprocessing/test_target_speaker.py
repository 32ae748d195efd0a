"""Chunks, prompts and their joining; the networks are small and untrained, or made by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.keynote_diarizer import different_speakers
from preprocessing.resegmentation import resegment
from preprocessing.speaker_frames import SpeakerFrames
from preprocessing.speech_settings import ResegmentationSettings
from preprocessing.target_speaker import Chunk, TargetSpeakerMarker, join_speakers, mean_vector
from src.encoders.keynote_weights import LoadedKeynote
from src.models.keynote_network import KeynoteNetwork, KeynoteNetworkConfig
from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig


def untrained():
    torch.manual_seed(0)
    sizes = SpeakerEncoderConfig(
        mel_bands=20,
        channels=(8, 8, 8, 8, 24),
        attention_channels=4,
        squeeze_channels=4,
        res2net_scale=2,
        dimension=6,
    )
    network = KeynoteNetwork(
        KeynoteNetworkConfig(width=8, layers=1, heads=2, detail_channels=4),
        bands=20,
        channels=24,
        dimension=6,
    )
    return LoadedKeynote(network.eval(), SpeakerEncoder(sizes).eval(), torch.device("cpu"), "")


@pytest.fixture(scope="module")
def marker():
    return TargetSpeakerMarker(untrained(), chunk_seconds=2.0, overlap_seconds=0.5)


def one_hot_chunk(recording, first_frame, talkers):
    """A chunk whose local vectors say who talks: one index a token, -1 for nobody."""
    vectors = torch.zeros(1, len(talkers), 3)
    for token, talker in enumerate(talkers):
        if talker >= 0:
            vectors[0, token, talker] = 1
    return Chunk(recording, first_frame, np.zeros(1600 * len(talkers)), torch.zeros(1, 1, 1), vectors)


@given(st.integers(0, 90_000))
def test_chunks_cover_every_whole_token_of_a_recording(samples):
    marker = TargetSpeakerMarker(untrained(), chunk_seconds=2.0, overlap_seconds=0.5)
    frames = -(-samples // 160)
    covered = np.zeros(frames, bool)
    for first in marker.first_frames(frames):
        assert 0 <= first <= max(0, frames - 200)
        covered[first : first + 200] = True
    assert covered.all()


def test_recordings_get_probabilities_of_their_own_length(marker):
    stream = np.random.default_rng(0)
    lengths = [72_345, 16_000, 700]
    recordings = [0.1 * stream.standard_normal(length).astype(np.float32) for length in lengths]
    chunks = marker.read(recordings)
    assert {chunk.recording for chunk in chunks} == {0, 1}  # 44 ms are less than a token
    marks = marker.mark(chunks, torch.zeros(len(chunks), 6))
    alone = marker.mark(chunks[-1:], torch.zeros(1, 6))
    assert np.allclose(marks[-1], alone[0], atol=1e-5)
    joined = marker.join(chunks, marks, [453, 100, 5])
    assert [one.shape for one in joined] == [(453, 2), (100, 2), (5, 2)]
    assert not joined[2].any()
    assert (joined[0][:450] > 0).all()
    assert (joined[0] < 1).all()


def test_all_speakers_at_once_get_what_each_gets_alone(marker):
    stream = np.random.default_rng(1)
    recordings = [0.1 * stream.standard_normal(length).astype(np.float32) for length in (72_345, 16_000, 700)]
    chunks, counts = marker.read(recordings), [453, 100, 5]
    prompts = torch.nn.functional.normalize(
        torch.randn(9, 6, generator=torch.Generator().manual_seed(0)), dim=1
    )
    together = join_speakers(chunks, marker.mark_speakers(chunks, prompts), counts, 9)
    assert [found.shape for found in together] == [(9, 453, 2), (9, 100, 2), (9, 5, 2)]
    for speaker, prompt in enumerate(prompts):
        alone = marker.join(chunks, marker.mark(chunks, prompt.expand(len(chunks), -1)), counts)
        for found, one in zip(together, alone, strict=True):
            assert np.allclose(found[speaker], one, atol=2e-3)  # half precision


def test_where_chunks_overlap_the_nearer_one_counts_more(marker):
    chunks = [one_hot_chunk(0, 0, [0] * 10), one_hot_chunk(0, 50, [0] * 10)]
    joined = marker.join(chunks, [np.zeros((100, 2)), np.ones((100, 2))], [150])[0][:, 0]
    assert (joined[:50] == 0).all()
    assert joined[100:] == pytest.approx(1.0, abs=1e-5)
    assert (np.diff(joined[50:100]) > 0).all()
    assert joined[74:76].mean() == pytest.approx(0.5, abs=0.02)


def test_the_mean_vector_is_of_whole_tokens_alone():
    chunk = one_hot_chunk(0, 0, [0, 1, 1, 2])
    wanted = np.zeros(40, bool)
    wanted[5:30] = True
    vector, tokens = mean_vector(chunk, wanted)
    assert tokens == 2
    assert vector.tolist() == [0, 1, 0]
    assert mean_vector(chunk, np.zeros(40, bool))[1] == 0


def test_chunks_that_name_one_person_are_one_candidate():
    vectors = np.array([[1, 0, 0.1], [0, 1, 0], [0.9, 0.1, 0], [0, 0, 0]], np.float32)
    found = different_speakers(vectors, np.array([30.0, 50.0, 40.0, 0.0]), similarity=0.5)
    assert [prompt.argmax() for prompt in found] == [0, 1]  # 70 tokens in two chunks, 50 in one
    assert [np.linalg.norm(prompt) for prompt in found] == pytest.approx([1, 1], abs=1e-6)


UNSMOOTHED = ResegmentationSettings(smoothing_seconds=0.01)


class OneHotMarker:
    """Marks the tokens whose vector is the prompt's, and those in which others speak."""

    def __init__(self, chunks):
        self.chunks = chunks

    def read(self, recordings):
        return self.chunks

    def mark_speakers(self, chunks, prompts):
        for chunk in chunks:
            vectors = chunk.vectors[0].numpy()
            own = np.asarray(prompts) @ vectors.T
            others = vectors.sum(axis=1) - own
            yield np.repeat(np.stack([own, others], axis=2).clip(0, 1), 10, axis=1)


def clustered(labels):
    active = np.zeros((len(labels), max(labels) + 1), bool)
    for frame, label in enumerate(labels):
        if label >= 0:
            active[frame, label] = True
    return SpeakerFrames(active=active, certain=np.ones(len(labels), bool))


def test_resegmentation_finds_overlap_and_borders_within_speech():
    chunk = one_hot_chunk(0, 0, [0] * 6 + [1] * 4 + [-1])
    chunk.vectors[0, 5] = torch.tensor([1.0, 1.0, 0.0])  # both talk
    before = clustered([0] * 70 + [1] * 30 + [-1] * 10)  # the border is 0.1 s late
    (after,) = resegment([np.zeros(110 * 160, np.float32)], [before], OneHotMarker([chunk]), UNSMOOTHED)
    assert after.active[:50].tolist() == [[True, False]] * 50
    assert after.active[50:60].all()
    assert after.active[60:100].tolist() == [[False, True]] * 40
    assert not after.active[100:].any()


def test_a_speaker_without_a_clean_token_stays_as_clustering_said():
    chunk = one_hot_chunk(0, 0, [0] * 9 + [1])
    before = clustered([0] * 93 + [1] * 7)
    (after,) = resegment(
        [np.zeros(16_000, np.float32)], [before], OneHotMarker([chunk]), ResegmentationSettings()
    )
    assert after.active[93:, 1].all()


def test_two_clusters_of_one_person_are_joined():
    chunk = one_hot_chunk(0, 0, [0] * 8 + [1] * 4)
    before = clustered([0] * 40 + [2] * 40 + [1] * 40)
    (after,) = resegment(
        [np.zeros(19_200, np.float32)], [before], OneHotMarker([chunk]), ResegmentationSettings()
    )
    assert after.active.shape[1] == 2
    assert after.active[:80].tolist() == [[True, False]] * 80
    assert after.active[80:].tolist() == [[False, True]] * 40


@pytest.mark.parametrize(
    ("own", "doubted", "speakers"),
    [
        (0.6, 0.6, 2),  # the network is sure of neither, but both prompts mark the same
        (1.0, 0.5, 2),  # correlation 0.50 of (1, 0.5, 0) and (0.5, 1, 0)
        (1.0, 0.3, 3),  # 0.13
    ],
)
def test_clusters_whose_marks_go_together_are_joined_and_others_are_not(own, doubted, speakers):
    chunk = one_hot_chunk(0, 0, [0] * 8 + [1] * 4)
    before = clustered([0] * 40 + [2] * 40 + [1] * 40)
    asked = []

    class Doubtful(OneHotMarker):
        """Of the two clusters of the first person, each is marked less in the talk of the other."""

        def mark_speakers(self, chunks, prompts):
            (marks,) = super().mark_speakers(chunks, prompts)
            if not asked:
                marks[0, :80, 0] = [own] * 40 + [doubted] * 40
                marks[2, :80, 0] = [doubted] * 40 + [own] * 40
            asked.append(len(prompts))
            return [marks]

    resegment([np.zeros(19_200, np.float32)], [before], Doubtful([chunk]), ResegmentationSettings())
    assert asked[:2] == [3, speakers]


def test_the_second_prompt_is_of_what_was_decided_first():
    # clustering has given half a second of the second person to the first
    chunk = one_hot_chunk(0, 0, [0] * 8 + [1] * 12)
    before = clustered([0] * 130 + [1] * 70)
    prompts_of_first = []

    class Watching(OneHotMarker):
        def mark_speakers(self, chunks, prompts):
            prompts_of_first.append(prompts[0].tolist())
            return super().mark_speakers(chunks, prompts)

    (after,) = resegment([np.zeros(32_000, np.float32)], [before], Watching([chunk]), UNSMOOTHED)
    mixed = np.array([8, 5, 0]) / np.hypot(8, 5)
    assert prompts_of_first[0] == pytest.approx(mixed.tolist())
    assert [0, 1, 0] in prompts_of_first[-1:]  # who talks most is now the other, and pure
    assert after.active[:, 0].tolist() == [False] * 80 + [True] * 120


def test_speech_that_voice_activity_missed_is_the_likeliest_speakers():
    chunk = one_hot_chunk(0, 0, [0] * 6 + [1] * 6)
    chunk.vectors[0, 11] *= 0.3  # hardly anybody
    before = clustered([0] * 60 + [1] * 40 + [-1] * 20)
    (after,) = resegment([np.zeros(19_200, np.float32)], [before], OneHotMarker([chunk]), UNSMOOTHED)
    assert after.active[60:110].tolist() == [[False, True]] * 50
    assert not after.active[110:].any()


def test_a_recording_without_a_chunk_is_nobodys():
    (found,) = join_speakers([], [], [5], 2)
    assert found.shape == (2, 5, 2)
    assert not found.any()
