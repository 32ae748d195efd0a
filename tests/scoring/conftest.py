"""Fixtures of the scoring tests: a made-up world, scored by a model that can be checked by hand."""

import pytest

from tests.scoring.made_up_world import make_world, score_by_nearness


@pytest.fixture(autouse=True)
def nearness_model(monkeypatch):
    score_by_nearness(monkeypatch)


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path / "made-up")
