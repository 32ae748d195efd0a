import pytest

from preprocessing.speech_settings import SpeechSettings
from src.core.config import config_mapping, parse_config
from src.core.errors import ConfigError


def test_the_settings_survive_the_way_through_a_file():
    mapping = config_mapping(SpeechSettings())
    assert parse_config(SpeechSettings, mapping, "here") == SpeechSettings()


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("activity", {"probability": 1.5}),
        ("activity", {"floor_percentile": -1}),
        ("diarization", {"window_seconds": 0.4}),
        ("diarization", {"hop_seconds": 0}),
        ("diarization", {"most_clustered_windows": 1}),
        ("diarization", {"lowest_merge_similarity": 0.9}),
        ("keynote", {"cross_fade_seconds": 0.2}),
        ("keynote", {"padding_seconds": 0.5}),
        ("cleaning", {"clean": "magic"}),
        ("cleaning", {"lowest_hz": 9000}),
        ("cleaning", {"smoothing": 1}),
        ("cleaning", {"noise_percentile": 0}),
        ("cleaning", {"gain_floor_db": 3}),
        ("cleaning", {"no_such_key": 1}),
    ],
)
def test_contradictions_and_unknown_keys_are_errors(section, wrong):
    with pytest.raises(ConfigError, match=f"here.*\n.*{section}"):
        parse_config(SpeechSettings, {section: wrong}, "here")
