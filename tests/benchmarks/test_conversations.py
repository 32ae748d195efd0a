import numpy as np
import pytest

from benchmarks.conversations import ConversationCounts, ConversationMaker, unseen_speakers
from benchmarks.keynote_measures import named_speakers
from benchmarks.single_voices import Voice
from preprocessing.scan import scan_dataset
from src.artifacts.turns import read_turns
from src.core.errors import CheckpointError, DatasetError
from src.core.files import write_json
from src.media.audio import read_audio
from src.simulation.conversation import speech_share

RATE = 16_000
COUNTS = ConversationCounts(
    short=3, short_seconds=20.0, long=0, videos=1, files_in_video=2, file_seconds=20.0
)


@pytest.fixture(scope="module")
def maker():
    time = np.arange(6 * RATE) / RATE
    voices = {}
    for number, name in enumerate(("anna", "ben", "clara")):
        tone = (0.2 * np.sin(2 * np.pi * (300 + 400 * number) * time) * (np.sin(3 * time) > -0.7)).astype(
            np.float32
        )
        voices[name] = Voice([tone, np.roll(tone, 4000)])
    return ConversationMaker(voices=voices, seed=3)


def test_a_set_is_a_data_set_with_its_truth(maker, tmp_path):
    assert maker.write(tmp_path, COUNTS) == 5
    records = scan_dataset(tmp_path / "dataset").of("voice")
    owners = named_speakers(tmp_path / "truth")
    assert {record.key: record.identity for record in records} == owners
    assert sorted(record.video for record in records) == [
        "short000",
        "short001",
        "short002",
        "video000",
        "video000",
    ]
    for key, owner in owners.items():
        turns = read_turns((tmp_path / "truth/rttm" / key).with_suffix(".rttm"))
        assert 0.5 < speech_share(turns, owner) <= 0.75
        assert 2 <= len({turn.speaker for turn in turns}) <= 3
        assert len(read_audio(tmp_path / "dataset" / key)) == 20 * RATE
    with pytest.raises(DatasetError, match="not empty"):
        maker.write(tmp_path, COUNTS)


def test_a_conversation_depends_on_its_name_and_seed_alone(maker):
    first, again, other = (maker.mix("anna", key, 20.0)[0] for key in ("a", "a", "b"))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pauses_hold_noise_from_10_to_20_db_below_the_main_speaker(maker):
    for key in ("a", "b", "c", "d"):
        samples, turns = maker.mix("ben", key, 20.0)
        speaking, main = np.zeros(len(samples), bool), np.zeros(len(samples), bool)
        for turn in turns:
            where = slice(int((turn.start_seconds - 0.05) * RATE), int((turn.end_seconds + 0.05) * RATE))
            speaking[where] = True
            main[where] |= turn.speaker == "ben"
        ratio_db = 10 * np.log10(np.mean(samples[main] ** 2) / np.mean(samples[~speaking] ** 2))
        assert 8 < ratio_db < 22


def test_unseen_speakers_are_those_of_the_checkpoint_that_are_there(tmp_path):
    for name in ("103-1-0000.flac", "7-1-0000.flac"):
        (tmp_path / name).touch()
    write_json(tmp_path / "model/config.json", {"identities": {"validation": ["103", "99"]}})
    assert unseen_speakers(tmp_path / "model", tmp_path) == ["103"]
    write_json(tmp_path / "other/config.json", {"identities": {"validation": ["99"]}})
    with pytest.raises(CheckpointError, match="nobody"):
        unseen_speakers(tmp_path / "other", tmp_path)
    with pytest.raises(CheckpointError, match="validation identities"):
        unseen_speakers(tmp_path, tmp_path)
