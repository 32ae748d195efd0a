from dataclasses import dataclass, field

import pytest

from src.core.config import STRICT, config_mapping, load_config, parse_config
from src.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 0.5
    __pydantic_config__ = STRICT


@dataclass(frozen=True, kw_only=True)
class Outer:
    steps: int
    inner: Inner = field(default_factory=Inner)
    __pydantic_config__ = STRICT

    def __post_init__(self):
        if self.steps < 1:
            raise ValueError("steps must be at least 1")


def test_a_yaml_file_becomes_a_dataclass_and_overrides_win(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("steps: 3\ninner: {rate: 1}\n")
    assert load_config(Outer, path) == Outer(steps=3, inner=Inner(rate=1.0))
    assert load_config(Outer, path, ["inner.rate=0.25", "steps=7"]) == Outer(steps=7, inner=Inner(rate=0.25))


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        ({"steps": 3, "stepps": 3}, "stepps: unknown key"),
        ({"steps": 3, "inner": {"rat": 1}}, "inner.rat: unknown key"),
        ({}, "steps: missing"),
        ({"steps": "many"}, "steps: "),
        ({"steps": 0}, "at least 1"),
    ],
)
def test_what_is_wrong_is_named(mapping, place):
    with pytest.raises(ConfigError, match=place):
        parse_config(Outer, mapping, "here.yaml")


@pytest.mark.parametrize("override", ["rate", "=3", "steps.deep=1"])
def test_malformed_overrides_are_refused(tmp_path, override):
    path = tmp_path / "a.yaml"
    path.write_text("steps: 3\n")
    with pytest.raises(ConfigError, match="--set"):
        load_config(Outer, path, [override])


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no such"):
        load_config(Outer, tmp_path / "absent.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match="mapping"):
        load_config(Outer, tmp_path / "list.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1\n")
    with pytest.raises(ConfigError, match="YAML"):
        load_config(Outer, tmp_path / "bad.yaml")


def test_a_configuration_survives_a_round_trip():
    config = Outer(steps=2, inner=Inner(rate=0.125))
    assert parse_config(Outer, config_mapping(config), "round trip") == config
