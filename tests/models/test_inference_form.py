import pytest
import torch
from torch import nn

from src.models.face_encoder import CompactFaceEncoder, FaceEncoderConfig
from src.models.inception_face_encoder import InceptionFaceEncoder
from src.models.inference_form import LowerPrecision, fold_batch_norms


def with_random_norms(network):
    stream = torch.Generator().manual_seed(4)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            layer.running_mean.normal_(0, 0.1, generator=stream)
            layer.running_var.uniform_(0.5, 2, generator=stream)
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=stream)
            nn.init.normal_(layer.bias, 0, 0.1, generator=stream)
    return network.eval().requires_grad_(False)


def norms_of(network):
    return sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())


@pytest.fixture(scope="module", params=["compact", "inception"])
def face_network(request):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        compact = request.param == "compact"
        network = CompactFaceEncoder(FaceEncoderConfig()) if compact else InceptionFaceEncoder()
    pixels = 96 if compact else 160
    crops = torch.randint(256, (2, 3, pixels, pixels), generator=torch.Generator().manual_seed(6))
    return with_random_norms(network), crops.to(torch.uint8)


def test_folding_changes_nothing(face_network):
    network, crops = face_network
    before = norms_of(network)
    folded = fold_batch_norms(network)
    assert before > 0
    assert norms_of(folded) == 0
    assert norms_of(network) == before
    with torch.inference_mode():
        torch.testing.assert_close(folded(crops), network(crops), rtol=1e-5, atol=1e-5)


def test_bfloat16_stays_close(face_network):
    network, crops = face_network
    with torch.inference_mode():
        expected, found = network(crops), LowerPrecision(fold_batch_norms(network))(crops)
    assert found.dtype == torch.float32
    assert torch.cosine_similarity(found, expected).min() >= 0.999
    assert not torch.equal(found, expected)
    assert {value.dtype for value in network.parameters()} == {torch.float32}


class Shared(nn.Module):
    """A convolution whose result is also used without the norm, and one that is called twice."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.norm, self.last = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, maps):
        maps = self.first(maps)
        maps = maps + self.norm(maps)
        return self.last(self.second(self.second(maps)))


def test_only_convolutions_that_serve_one_norm_are_folded():
    network, maps = with_random_norms(Shared()), torch.randn(2, 3, 4, 4)
    folded = fold_batch_norms(network)
    assert norms_of(folded) == 2
    torch.testing.assert_close(folded(maps), network(maps))


class LooksAtNumbers(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))

    def forward(self, maps):
        return self.layers(maps) if maps.mean() > 0 else maps


def test_a_network_that_looks_at_numbers_stays_as_it_is():
    network = with_random_norms(LooksAtNumbers())
    folded = fold_batch_norms(network)
    for maps in (torch.ones(1, 3, 2, 2), -torch.ones(1, 3, 2, 2)):
        torch.testing.assert_close(folded(maps), network(maps))
