"""Face encoders from files of the published names, keys and shapes."""

import pickle
from pathlib import Path

import pytest
import torch
from facenet_pytorch import fixed_image_standardization

from src.core.errors import WeightsError
from src.encoders.registry import load_encoder
from src.models.iresnet import IRESNET18, IResNet
from src.models.vggface2_resnet import VggFace2Resnet


def crops(pixels, batch=1):
    stream = torch.Generator().manual_seed(2)
    return torch.randint(256, (batch, 3, pixels, pixels), dtype=torch.uint8, generator=stream)


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(3)
    return VggFace2Resnet().eval()


@pytest.fixture(scope="module")
def iresnet():
    torch.manual_seed(4)
    return IResNet(IRESNET18).eval()


class CarriesCode:
    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def test_published_vggface2_weights_load_by_their_real_names(published):
    path = published / "20180402-114759-vggface2.pt"
    encoder = load_encoder("vggface2", "cpu", path)
    inception = encoder.network.network
    given = torch.load(path, weights_only=True)
    assert all(torch.equal(value, given[name]) for name, value in inception.state_dict().items())
    images = crops(160, batch=2)
    vectors = encoder.embed(images)
    assert vectors.shape == (2, 512)
    with torch.inference_mode():  # the published recipe, step by step
        expected = inception(fixed_image_standardization(images.float()))
    torch.testing.assert_close(vectors, expected, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))


def test_the_pickle_of_vggface2_pytorch_reads_blue_first(resnet, tmp_path):
    """Keys and shapes of resnet50_ft_weight.pkl: torchvision's, 8631 classes, no counters, NumPy arrays."""
    state = resnet.network.state_dict()
    arrays = {
        name: value.numpy() for name, value in state.items() if not name.endswith("num_batches_tracked")
    }
    arrays["conv1.weight"] = arrays["conv1.weight"][:, ::-1]
    arrays |= {"fc.weight": torch.zeros(8631, 1).numpy(), "fc.bias": torch.zeros(8631).numpy()}
    path = tmp_path / "resnet50_ft_weight.pkl"
    path.write_bytes(pickle.dumps(arrays, protocol=2))
    encoder = load_encoder("vggface2-resnet50", "cpu", tmp_path)
    images = crops(224)
    with torch.inference_mode():
        torch.testing.assert_close(encoder.embed(images), resnet(images), rtol=1e-4, atol=1e-4)
    assert encoder.dimension == 2048

    trace = tmp_path / "trace"
    path.write_bytes(pickle.dumps({**arrays, "bad": CarriesCode(trace)}, protocol=2))
    with pytest.raises(WeightsError, match="carries code"):
        load_encoder("vggface2-resnet50", "cpu", tmp_path)
    assert not trace.exists()


def test_the_matconvnet_conversion_reads_red_first(resnet, tmp_path):
    """Keys and shapes of resnet50_ft_dag.pth: Caffe's layer names, the classes as a 1x1 convolution."""
    layers = {"conv1": "1x1_reduce", "conv2": "3x3", "conv3": "1x1_increase"}
    layers |= {name.replace("conv", "bn"): f"{layer}_bn" for name, layer in layers.items()}
    state = {
        "classifier.weight": torch.zeros(1).expand(8631, 2048, 1, 1),
        "classifier.bias": torch.zeros(8631),
    }
    for name, value in resnet.network.state_dict().items():
        place = name.split(".")
        if len(place) == 2:
            renamed = {"conv1": "conv1_7x7_s2", "bn1": "conv1_7x7_s2_bn"}[place[0]]
        else:
            stage, block = int(place[0].removeprefix("layer")) + 1, int(place[1]) + 1
            layer = layers.get(place[2]) or {"0": "1x1_proj", "1": "1x1_proj_bn"}[place[3]]
            renamed = f"conv{stage}_{block}_{layer}"
        state[f"{renamed}.{place[-1]}"] = value
    path = tmp_path / "resnet50_ft_dag.pth"
    torch.save(state, path)
    images = crops(224)
    encoder = load_encoder("vggface2-resnet50", "cpu", path)
    with torch.inference_mode():
        torch.testing.assert_close(encoder.embed(images), resnet(images), rtol=1e-4, atol=1e-4)


def test_insightface_weights_read_red_first_and_mfv_s_blue_first(iresnet, tmp_path):
    torch.save(iresnet.state_dict(), tmp_path / "backbone.pth")
    whole = {f"face_encoder.{name}": value for name, value in iresnet.state_dict().items()}
    torch.save({**whole, "speaker_encoder.fc6.bias": torch.zeros(192)}, tmp_path / "face18.pt")
    images = crops(112)
    vectors = load_encoder("iresnet18", "cpu", tmp_path).embed(images)
    turned = load_encoder("iresnet18-mfv", "cpu", tmp_path).embed(images[:, [2, 1, 0]])
    with torch.inference_mode():
        expected = iresnet.embed_scaled((images.float() - 127.5) / 127.5)
    torch.testing.assert_close(vectors, expected, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(turned, expected, rtol=1e-3, atol=1e-4)
    assert vectors.shape == (1, 512)


def test_weights_of_another_depth_are_refused(iresnet, tmp_path):
    state = {name: value for name, value in iresnet.state_dict().items() if not name.startswith("layer3.1.")}
    torch.save(state, tmp_path / "backbone.pth")
    with pytest.raises(WeightsError, match=r"missing: layer3\.1\.bn1\.weight"):
        load_encoder("iresnet18", "cpu", tmp_path)


def test_truncated_weights_are_refused(iresnet, tmp_path):
    path = tmp_path / "backbone.pth"
    torch.save(iresnet.state_dict(), path)
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)
    with pytest.raises(WeightsError, match="cut short"):
        load_encoder("iresnet18", "cpu", path)
