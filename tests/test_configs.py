"""Every shipped YAML is read, checked against its recipe, and headed by its command."""

from pathlib import Path

import pytest

from src.core.config import load_config, read_yaml_mapping
from src.models.registry import model_config
from src.training.association_config import AssociationConfig
from src.training.encoder_config import (
    FaceEncoderTrainingConfig,
    SpeakerEncoderTrainingConfig,
    SpeakerWhiteningConfig,
)
from src.training.keynote_config import KeynoteTrainingConfig
from src.training.recipes import RECIPES

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
KINDS = {
    "association": AssociationConfig,
    "speaker_encoder": SpeakerEncoderTrainingConfig,
    "speaker_whitening": SpeakerWhiteningConfig,
    "face_encoder": FaceEncoderTrainingConfig,
    "keynote": KeynoteTrainingConfig,
}
PATHS = sorted(CONFIGS.rglob("*.yaml"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path):
    config = load_config(KINDS[read_yaml_mapping(path)["recipe"]], path)
    assert config.recipe == read_yaml_mapping(path)["recipe"]
    if isinstance(config, AssociationConfig):
        model_config({**config.model, "voice_dimension": 192, "face_dimension": 512}, str(path))


def test_every_recipe_has_a_configuration():
    assert {read_yaml_mapping(path)["recipe"] for path in PATHS} == set(RECIPES) == set(KINDS)


def test_a_head_s_configuration_states_its_command():
    assert "python train.py configs/cafnet.yaml --features" in (CONFIGS / "cafnet.yaml").read_text("utf-8")
