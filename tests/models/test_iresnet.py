import pytest
import torch

from src.models.iresnet import IRESNET18, IRESNET50, IRESNET100, MFV_IRESNET18, IResNet


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return IResNet(MFV_IRESNET18).eval()


@torch.inference_mode()
def test_it_is_the_published_network(golden, fill_from_seed):
    arrays = golden("mfv_iresnet18")
    network = fill_from_seed(IResNet(MFV_IRESNET18), arrays)
    vectors = network.embed_scaled(torch.from_numpy(arrays["image"]))
    torch.testing.assert_close(vectors, torch.from_numpy(arrays["embedding"]), rtol=1e-4, atol=1e-7)


def weights_of_block(channels_in, channels, first):
    """Two 3x3 convolutions, three norms and a PReLU; a shortcut of a 1x1 convolution and a norm in the first one."""
    convolutions = 9 * channels_in * channels + 9 * channels * channels
    return convolutions + 2 * channels_in + 5 * channels + first * (channels_in + 2) * channels


@pytest.mark.parametrize(
    ("config", "blocks"),
    [(IRESNET18, (2, 2, 2, 2)), (IRESNET50, (3, 4, 14, 3)), (IRESNET100, (3, 13, 30, 3))],
    ids=["18", "50", "100"],
)
def test_depths_by_the_number_of_weights(config, blocks):
    expected = (
        (27 * 64 + 3 * 64) + 2 * 512 + (512 * 7 * 7 * 512 + 512) + 2 * 512
    )  # first layer, norm, fc, norm
    for channels_in, channels, count in zip((64, 64, 128, 256), (64, 128, 256, 512), blocks, strict=True):
        expected += weights_of_block(channels_in, channels, first=True)
        expected += (count - 1) * weights_of_block(channels, channels, first=False)
    with torch.device("meta"):
        network = IResNet(config)
    assert sum(weight.numel() for weight in network.parameters()) == expected


@torch.inference_mode()
def test_pixels_are_scaled_and_colours_turned_only_where_the_weights_want_it(network):
    crops = torch.randint(256, (1, 3, 112, 112), dtype=torch.uint8)
    blue_first = crops[:, [2, 1, 0]].double() / 255 * 2 - 1
    torch.testing.assert_close(network(crops), network.embed_scaled(blue_first.float()), rtol=1e-3, atol=1e-5)
    other = IResNet(IRESNET18).eval()
    other.load_state_dict(network.state_dict())
    torch.testing.assert_close(other(crops[:, [2, 1, 0]]), network(crops), rtol=1e-3, atol=1e-5)
