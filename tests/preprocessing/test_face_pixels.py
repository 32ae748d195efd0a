import numpy as np
import pytest
import torch
from torch.nn import functional as F

from preprocessing.face_pixels import SummedOnCpu, SummedOnDevice, sum_images
from preprocessing.face_settings import LARGEST_SIDE_PIXELS

CPU = torch.device("cpu")


@pytest.fixture
def images():
    generator = np.random.default_rng(0)
    return [
        generator.integers(0, 256, size, dtype=np.uint8) for size in ((31, 47, 3), (20, 20, 3), (31, 47, 3))
    ]


@pytest.fixture(params=[SummedOnCpu, lambda images: SummedOnDevice(images, CPU)], ids=["cpu", "device"])
def summed(request, images):
    return request.param(images)


def area(pixels, size):
    batch = torch.from_numpy(pixels).permute(2, 0, 1)[None].double()
    return F.interpolate(batch, size=size, mode="area").float()


def test_scaling_is_pytorchs_area_interpolation(images, summed):
    scaled = summed.scaled([0, 2], 13, 9)
    assert torch.allclose(scaled, torch.cat([area(images[0], (13, 9)), area(images[2], (13, 9))]), atol=1e-3)


def test_cuts_of_several_images_are_pytorchs_area_interpolation(images, summed):
    boxes = torch.tensor([[3, 5, 40, 30], [0, 0, 20, 20], [18, 2, 20, 9]])
    cuts = summed.cut(torch.tensor([0, 1, 1]), boxes, 12)
    for cut, index, (left, top, right, bottom) in zip(cuts, (0, 1, 1), boxes.tolist(), strict=True):
        assert torch.allclose(cut[None], area(images[index][top:bottom, left:right], (12, 12)), atol=1e-3)


def test_no_cut_gives_no_crop(summed):
    cuts = summed.cut(torch.zeros(0, dtype=torch.long), torch.zeros(0, 4), 24)
    assert cuts.shape == (0, 3, 24, 24)


def test_the_largest_searched_image_does_not_overflow():
    white = np.full((LARGEST_SIDE_PIXELS, LARGEST_SIDE_PIXELS, 3), 255, np.uint8)
    torch.testing.assert_close(sum_images([white], CPU).scaled([0], 5, 3), torch.full((1, 3, 5, 3), 255.0))
