import numpy as np
import pytest
import torch
from torch.nn import functional as F

from preprocessing.face_pixels import SummedImages

CPU = torch.device("cpu")


@pytest.fixture
def images():
    generator = np.random.default_rng(0)
    return [
        generator.integers(0, 256, size, dtype=np.uint8) for size in ((31, 47, 3), (20, 20, 3), (31, 47, 3))
    ]


def area(pixels, size):
    batch = torch.from_numpy(pixels).permute(2, 0, 1)[None].double()
    return F.interpolate(batch, size=size, mode="area").float()


def test_scaling_is_pytorchs_area_interpolation(images):
    scaled = SummedImages(images, CPU).scaled([0, 2], 13, 9)
    assert torch.allclose(scaled, torch.cat([area(images[0], (13, 9)), area(images[2], (13, 9))]), atol=1e-3)


def test_cuts_of_several_images_are_pytorchs_area_interpolation(images):
    boxes = torch.tensor([[3, 5, 40, 30], [0, 0, 20, 20], [18, 2, 20, 9]])
    cuts = SummedImages(images, CPU).cut(torch.tensor([0, 1, 1]), boxes, 12)
    for cut, index, (left, top, right, bottom) in zip(cuts, (0, 1, 1), boxes.tolist(), strict=True):
        assert torch.allclose(cut[None], area(images[index][top:bottom, left:right], (12, 12)), atol=1e-3)


def test_no_cut_gives_no_crop(images):
    cuts = SummedImages(images, CPU).cut(torch.zeros(0, dtype=torch.long), torch.zeros(0, 4), 24)
    assert cuts.shape == (0, 3, 24, 24)
