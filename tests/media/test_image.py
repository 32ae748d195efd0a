import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from src.core.errors import MediaError
from src.media import image as image_module
from src.media.image import decode_image, read_image, write_jpeg


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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_every_orientation_is_undone(tmp_path, pixels, orientation, suffix):
    as_stored = [pixels, pixels[:, ::-1], pixels[::-1, ::-1], pixels[::-1]]
    as_stored += [
        array.transpose(1, 0, 2) for array in (pixels, pixels[:, ::-1], pixels[::-1, ::-1], pixels[::-1])
    ]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(as_stored[orientation - 1]))
    stored.save(tmp_path / f"a.{suffix}", exif=exif, **({"quality": 95} if suffix == "jpg" else {}))
    decoded = decode_image(tmp_path / f"a.{suffix}")
    assert (decoded.height_pixels, decoded.width_pixels) == (40, 60)
    assert np.abs(decoded.pixels.astype(int) - pixels).mean() < (4 if suffix == "jpg" else 1e-9)


def test_exif_that_cannot_be_read_turns_nothing(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*nonsense")
    assert read_image(tmp_path / "a.jpg").shape == (40, 60, 3)


def test_what_is_transparent_lies_on_white(tmp_path):
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 3] = [255, 0, 51]  # opaque, transparent and a fifth of black
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0, :, 0].tolist() == [0, 255, 204]
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 0, 0, 0])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "p.png", transparency=1)
    assert read_image(tmp_path / "p.png").tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_16_bits_are_read_by_their_upper_8(tmp_path):
    values = np.array([[0, 256, 32_768, 65_535]], np.uint16)
    for name in ("a.png", "a.tiff"):
        Image.fromarray(values).save(tmp_path / name)
        assert read_image(tmp_path / name)[0, :, 1].tolist() == [0, 1, 128, 255]


def test_numbers_without_an_agreed_range_are_stretched(tmp_path):
    Image.fromarray(np.array([[-1.0, 0.0, 1.0]], np.float32)).save(tmp_path / "f.tiff")
    assert read_image(tmp_path / "f.tiff")[0, :, 2].tolist() == [0, 128, 255]
    Image.fromarray(np.full((2, 2), 7, np.int32)).save(tmp_path / "i.tiff")
    assert not read_image(tmp_path / "i.tiff").any()


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_the_first_frame_of_an_animation_is_read(tmp_path, suffix):
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], **options)
    assert np.array_equal(read_image(tmp_path / f"a.{suffix}"), np.asarray(frames[0]))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.jpg", {"quality": 90}),
        ("a.jpg", {"quality": 90, "progressive": True}),
        ("a.webp", {"quality": 90}),
        ("a.bmp", {}),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_are_those_that_pillow_decodes(tmp_path, pixels, name, options, mode):
    Image.fromarray(pixels).convert(mode).save(tmp_path / name, **options)
    with Image.open(tmp_path / name) as image:
        assert np.array_equal(read_image(tmp_path / name), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("name", ["a.jpg", "c.jpg", "a.png", "p.png", "i.png", "a.webp"])
@pytest.mark.parametrize(("bound", "reduction"), [(400, 1), (200, 2), (100, 4), (99, 8), (1, 8)])
def test_large_images_are_decoded_reduced(tmp_path, monkeypatch, name, bound, reduction):
    monkeypatch.setattr(image_module, "_BAND_PIXELS", 2_000)
    ramp = np.linspace(0, 250, 301 * 400).reshape(301, 400).astype(np.uint8)
    image = Image.fromarray(ramp)
    mode = {"a.jpg": "RGB", "c.jpg": "CMYK", "p.png": "P", "i.png": "L"}.get(name, "RGB")
    image = Image.fromarray(ramp.astype(np.uint16) * 256) if name == "i.png" else image.convert(mode)
    image.save(tmp_path / name)
    decoded = decode_image(tmp_path / name, bound)
    assert (decoded.height_pixels, decoded.width_pixels) == (301, 400)
    assert decoded.pixels.shape == (-(-301 // reduction), -(-400 // reduction), 3)
    assert decoded.scale[0] == pytest.approx(reduction, rel=0.03)
    expected = [250 * row / 301 for row in (30, 150, 270)]
    rows = decoded.pixels[[30 // reduction, 150 // reduction, 270 // reduction]]
    assert rows.mean(axis=(1, 2)) == pytest.approx(expected, abs=5)


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"\xff\xd8\xff\xe0", b"%!PS-Adobe-3.0 EPSF-3.0"])
def test_what_is_no_image_is_refused(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(MediaError, match=r"a\.jpg") as caught:
        read_image(tmp_path / "a.jpg")
    assert caught.value.reason == "unreadable_image"


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.jpg", {}), ("a.jpg", {"progressive": True}), ("a.png", {}), ("a.gif", {}), ("a.bmp", {})],
)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_image_is_refused(tmp_path, name, options, share):
    noise = np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / name, **options)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(MediaError, match=name) as caught:
        read_image(tmp_path / name)
    assert caught.value.reason == "truncated_image"


def test_what_follows_the_end_of_a_jpeg_does_not_matter(tmp_path, pixels):
    write_jpeg(tmp_path / "a.jpg", pixels)
    whole = read_image(tmp_path / "a.jpg")
    with (tmp_path / "a.jpg").open("ab") as stream:
        stream.write(b"\xff\xda a video that a phone put behind its photograph")
    assert np.array_equal(read_image(tmp_path / "a.jpg"), whole)


@given(
    place=st.floats(0, 1),
    noise=st.binary(min_size=1, max_size=40),
    suffix=st.sampled_from(["png", "webp", "gif", "tiff"]),
)
def test_damage_is_an_image_or_a_reason(tmp_path_factory, place, noise, suffix):
    path = tmp_path_factory.mktemp("damage") / f"a.{suffix}"
    Image.fromarray(np.arange(30 * 40, dtype=np.uint8).reshape(30, 40)).convert("RGB").save(path)
    content = bytearray(path.read_bytes())
    start = int(place * len(content))
    content[start : start + len(noise)] = noise
    path.write_bytes(content)
    try:
        assert decode_image(path, 1_000).pixels.ndim == 3
    except MediaError as error:
        assert error.reason in {"unreadable_image", "truncated_image", "too_large"}


def test_one_pixel_and_unicode_and_long_names_are_read(tmp_path):
    for name in ("Bjørk 猫 \u0301.png", "n" * 251 + ".png"):
        Image.new("L", (1, 1), 77).save(tmp_path / name)
        assert read_image(tmp_path / name).tolist() == [[[77, 77, 77]]]


@pytest.mark.parametrize("size", [(20_000, 6_001), (60_000, 60_000)])
def test_a_bomb_is_refused_by_its_declared_size(tmp_path, monkeypatch, size):
    header = Image.new("1", (8, 8))
    header.save(tmp_path / "a.bmp")
    content = bytearray((tmp_path / "a.bmp").read_bytes())
    content[18:26] = size[0].to_bytes(4, "little") + size[1].to_bytes(4, "little")
    (tmp_path / "a.bmp").write_bytes(content)
    with pytest.raises(MediaError) as caught:
        read_image(tmp_path / "a.bmp")
    assert caught.value.reason == "too_large"


def test_a_missing_image_is_refused(tmp_path):
    with pytest.raises(MediaError) as caught:
        read_image(tmp_path / "none.jpg")
    assert caught.value.reason == "missing"
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(MediaError) as caught:
        read_image(tmp_path / "folder.jpg")
    assert caught.value.reason == "missing"
