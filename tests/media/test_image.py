import numpy as np
import pytest
from PIL import Image

from src.core.errors import MediaError
from src.media import image as image_module
from src.media.image import read_image, write_jpeg


@pytest.fixture
def pixels():
    ramp = np.linspace(0, 255, 40 * 60).reshape(40, 60)
    return np.stack([ramp, 255 - ramp, np.full_like(ramp, 90)], axis=-1).astype(np.uint8)


def test_a_jpeg_comes_back_nearly_the_same(tmp_path, pixels):
    write_jpeg(tmp_path / "a.jpg", pixels)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - pixels).mean() < 2


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1"])
def test_every_mode_becomes_rgb(tmp_path, pixels, mode):
    suffix = "tiff" if mode in ("CMYK", "LA") else "png"
    Image.fromarray(pixels).convert("RGB").convert("L" if mode == "LA" else "RGB").convert(mode).save(
        tmp_path / f"a.{suffix}"
    )
    read = read_image(tmp_path / f"a.{suffix}")
    assert read.shape == (40, 60, 3)
    assert read.dtype == np.uint8


def test_exif_orientation_turns_the_image_upright(tmp_path, pixels):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), np.rot90(pixels, -1))


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"\xff\xd8\xff\xe0"])
def test_what_is_no_image_is_refused(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(MediaError) as caught:
        read_image(tmp_path / "a.jpg")
    assert caught.value.reason == "unreadable_image"


def test_a_truncated_jpeg_is_refused(tmp_path, pixels):
    write_jpeg(tmp_path / "whole.jpg", pixels)
    content = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(MediaError, match=r"a\.jpg"):
        read_image(tmp_path / "a.jpg")


def test_a_missing_and_a_too_large_image_are_refused(tmp_path, pixels, monkeypatch):
    with pytest.raises(MediaError) as caught:
        read_image(tmp_path / "none.jpg")
    assert caught.value.reason == "missing"
    monkeypatch.setattr(image_module, "LARGEST_IMAGE_PIXELS", 100)
    write_jpeg(tmp_path / "a.jpg", pixels)
    with pytest.raises(MediaError) as caught:
        read_image(tmp_path / "a.jpg")
    assert caught.value.reason == "image_too_large"
