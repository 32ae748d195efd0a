import pytest
import torch

from src.core.config import parse_config
from src.core.errors import ConfigError
from src.models.face_encoder import CompactFaceEncoder, FaceEncoderConfig

TINY = FaceEncoderConfig(
    input_pixels=32,
    stem_channels=4,
    stage_channels=(8, 12),
    stage_blocks=(1, 2),
    neck_channels=4,
    dimension=10,
)


def crops(batch, pixels, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (batch, 3, pixels, pixels), generator=generator, dtype=torch.uint8)


@torch.inference_mode()
def test_a_batch_changes_nothing_and_bytes_and_floats_agree():
    torch.manual_seed(0)
    encoder = CompactFaceEncoder(TINY).eval()
    images = crops(5, 32)
    together = encoder(images)
    assert together.shape == (5, 10)
    torch.testing.assert_close(together, torch.cat([encoder(image[None]) for image in images]))
    torch.testing.assert_close(together, encoder(images.float()))


def test_where_a_feature_sits_stays_in_the_vector():
    torch.manual_seed(0)
    encoder = CompactFaceEncoder(TINY).eval()
    image = torch.full((1, 3, 32, 32), 100.0)
    image[:, :, 4:8, 4:8] = 255
    with torch.inference_mode():
        moved = encoder(image.roll(16, dims=-1))
        assert (moved - encoder(image)).abs().max() > 1e-3


def test_gradients_reach_every_weight():
    torch.manual_seed(0)
    encoder = CompactFaceEncoder(TINY).train()
    (encoder(crops(6, 32)) * torch.randn(6, 10)).sum().backward()
    still = [
        name for name, weight in encoder.named_parameters() if weight.grad is None or not weight.grad.any()
    ]
    assert not still


@pytest.mark.parametrize("mapping", [{"input_pixels": 100}, {"stage_blocks": [1]}, {"pixels": 96}])
def test_impossible_widths_are_refused(mapping):
    with pytest.raises(ConfigError, match=next(iter(mapping))):
        parse_config(FaceEncoderConfig, mapping, "test")
