"""Models by name: what a checkpoint's mapping builds, and what is refused."""

import pytest
import torch

from src.artifacts.checkpoints import load_checkpoint, load_weights, save_checkpoint
from src.core.config import config_mapping
from src.core.errors import ConfigError
from src.models.registry import build_model, model_config

MAPPING = {
    "name": "cafnet",
    "voice_dimension": 6,
    "face_dimension": 5,
    "aligned_width": 3,
    "width": 8,
    "heads": 2,
    "hidden": 4,
    "dropout": 0.1,
    "members": 2,
}


def test_a_model_survives_a_checkpoint(tmp_path):
    torch.manual_seed(0)
    model = build_model(MAPPING).eval()
    config = {"model": config_mapping(model_config(MAPPING))}
    save_checkpoint(tmp_path, model.state_dict(), config, {})
    checkpoint = load_checkpoint(tmp_path)
    rebuilt = build_model(checkpoint.config["model"]).eval()
    load_weights(rebuilt, checkpoint)
    tokens = torch.randn(3, 2, 6), torch.ones(3, 2, dtype=torch.bool), torch.randn(3, 1, 5)
    arguments = (*tokens, torch.ones(3, 1, dtype=torch.bool))
    torch.testing.assert_close(rebuilt.similarity(*arguments), model.similarity(*arguments))
    assert (rebuilt.voice_dimension, rebuilt.face_dimension) == (6, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "cafnot"}, "not a model; there are: aasm, cafnet"),
        ({"widht": 8}, "widht: unknown key"),
        ({"heads": 3}, "not a multiple of heads"),
        ({"dropout": 1.0}, "below 1"),
        ({"aligned_width": 6}, "aligned_width must be"),
        ({"members": 0}, "members must be at least 1"),
        ({"comparison": "difference"}, "comparison"),
    ],
)
def test_contradictions_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        build_model({**MAPPING, **change})
