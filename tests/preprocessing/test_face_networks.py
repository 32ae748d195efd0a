import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from preprocessing.face_networks import ProposalNetwork, load_output_network, load_refinement_network


def pixels(count, side):
    values = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0)) * 255
    return values.to(memory_format=torch.channels_last)


@torch.inference_mode()
@pytest.mark.parametrize("side", [12, 31, 40])
def test_proposals_are_those_of_the_published_network(side):
    images = pixels(2, side)
    offset, probability = PNet()((images - 127.5) / 128)
    found_probability, found_offset = ProposalNetwork()(images)
    torch.testing.assert_close(found_probability, probability[:, 1], atol=1e-5, rtol=0)
    torch.testing.assert_close(found_offset, offset.permute(0, 2, 3, 1), atol=1e-5, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize(
    ("load", "published", "side"), [(load_refinement_network, RNet, 24), (load_output_network, ONet, 48)]
)
def test_candidates_get_what_the_published_networks_give(load, published, side):
    crops = pixels(3, side)
    for found, expected in zip(load()(crops), published()((crops - 127.5) / 128), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
