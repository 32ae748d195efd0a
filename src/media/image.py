"""The only code that reads and writes image files.

Pillow reads headers and decodes; ordinary JPEGs and WebPs are decoded by OpenCV, whose pixels are the same and which
takes less time and memory. What is read:

- kinds: JPEG, PNG, WebP, GIF, BMP, TIFF, PPM. Other formats that Pillow knows are refused, since some start programs.
- the first picture of an animated or many-paged file.
- grey, palette, CMYK and 1-bit images as the colours that they stand for; colour profiles are not applied.
- what is transparent lies on white, as on a page: the colours that files keep beneath are never meant to be seen.
- 16 bits by their upper 8. Formats without an agreed range (32-bit, floating point) from their lowest to their highest value.
- turned upright by the EXIF orientation; an EXIF block that cannot be read turns nothing.

A large image can be decoded reduced: a JPEG from fewer coefficients, so that it is never there as a whole; other formats are
decoded in the file's own colours and reduced afterwards.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin, WebPImagePlugin

from src.core.errors import MediaError
from src.core.files import atomic_path

LARGEST_IMAGE_PIXELS = 120_000_000  # what 100-megapixel cameras deliver, with their margins
_READERS = (TiffImagePlugin.TiffImageFile, WebPImagePlugin.WebPImageFile)  # others are always at hand
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "DIB", "PPM", *(reader.format for reader in _READERS))
_JPEG_FORMATS = ("JPEG", "MPO")  # the second: JPEGs that phones append others to
_ORIENTATION_TAG = 0x0112
_REDUCED_FLAGS = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_LARGEST_REDUCTION = max(_REDUCED_FLAGS)
_BAND_PIXELS = 1 << 20
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"


@dataclass(frozen=True)
class DecodedImage:
    """An upright image, perhaps at a reduced size.

    pixels: RGB uint8 (height, width, 3).
    height_pixels, width_pixels: of the full image.
    """

    pixels: np.ndarray
    height_pixels: int
    width_pixels: int

    @property
    def scale(self) -> tuple[float, float]:
        """What takes (x, y) in `pixels` to the full image."""
        height, width = self.pixels.shape[:2]
        return self.width_pixels / width, self.height_pixels / height


def read_image(path: Path) -> np.ndarray:
    """Decode an image at its full size to RGB uint8 of shape (height, width, 3); see `decode_image`."""
    return decode_image(path).pixels


def decode_image(path: Path, longest_side_pixels: int | None = None) -> DecodedImage:
    """Decode an image, turned upright, in memory that the reduced size decides where that is possible.

    longest_side_pixels: an image with a longer side is decoded at a half, a quarter or an eighth of its size, the first
        at which no side is longer.
    Raises MediaError with reason `missing`, `unreadable_image` (no image of a kind that is read, or damaged),
    `truncated_image` (its end is missing) or `too_large` (declares more than LARGEST_IMAGE_PIXELS; nothing is decoded).
    """
    if not path.is_file():
        raise MediaError("missing", f"{path}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes and of tags that do not matter here
            with Image.open(path, formats=_FORMATS) as image:
                return _decode(image, path, longest_side_pixels)
    except (MediaError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise MediaError("too_large", f"{path}: {error}") from error
    except Exception as error:  # decoders raise whatever their parsing stumbles on
        raise _refusal(path, error) from error


def write_jpeg(path: Path, pixels: np.ndarray, quality: int = 95) -> None:
    """Write RGB uint8 pixels of shape (height, width, 3) as a JPEG without chroma subsampling, atomically."""
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="JPEG", quality=quality, subsampling=0)


def _decode(image: Image.Image, path: Path, longest_side_pixels: int | None) -> DecodedImage:
    width, height = image.size
    if width * height > LARGEST_IMAGE_PIXELS:
        raise MediaError(
            "too_large", f"{path}: {width} × {height} pixels; at most {LARGEST_IMAGE_PIXELS:,} are read"
        )
    reduction = _reduction(max(width, height), longest_side_pixels)
    orientation = _orientation(image)
    pixels = _by_opencv(image, path, reduction)
    if pixels is None:
        pixels = _by_pillow(image, reduction)
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return DecodedImage(_upright(pixels, orientation), height, width)


def _reduction(side_pixels: int, longest_side_pixels: int | None) -> int:
    reduction = 1
    while (
        longest_side_pixels
        and side_pixels > longest_side_pixels * reduction < _LARGEST_REDUCTION * longest_side_pixels
    ):
        reduction *= 2
    return reduction


def _by_opencv(image: Image.Image, path: Path, reduction: int) -> np.ndarray | None:
    """An ordinary JPEG or WebP; None where Pillow shall decode, or say what is wrong."""
    is_jpeg = image.format in _JPEG_FORMATS and image.mode in ("RGB", "L")
    is_webp = image.format == "WEBP" and image.mode == "RGB" and not getattr(image, "is_animated", False)
    if not is_jpeg and not is_webp:
        return None
    content = path.read_bytes()
    if is_jpeg and content.rfind(_END_OF_IMAGE) < content.rfind(_START_OF_SCAN):
        return None  # without its end
    flags = cv2.IMREAD_IGNORE_ORIENTATION | (_REDUCED_FLAGS[reduction] if is_jpeg else cv2.IMREAD_COLOR_RGB)
    try:
        pixels: np.ndarray | None = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.STS_NO_MEM:
            raise MemoryError(str(error)) from error
        return None
    if pixels is None or reduction == 1:
        return pixels
    if is_jpeg:
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    size = (-(-image.width // reduction), -(-image.height // reduction))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _by_pillow(image: Image.Image, reduction: int) -> np.ndarray:
    """Any image, as RGB uint8: beside the decoded file and the result, one band of rows at a time is in memory."""
    full_size = image.size
    image.draft(None, (max(1, image.width // reduction), max(1, image.height // reduction)))
    image.load()
    if image.size != full_size:
        reduction = 1  # a JPEG, decoded from fewer coefficients
    extremes = image.getextrema() if image.mode in ("I", "F") else None
    pixels = np.empty((-(-image.height // reduction), -(-image.width // reduction), 3), np.uint8)
    band_rows = max(1, _BAND_PIXELS // image.width // reduction) * reduction
    for top in range(0, image.height, band_rows):
        band = image.crop((0, top, image.width, min(top + band_rows, image.height)))
        band = _in_colour(band) if extremes is None else _ranged(band, *extremes)
        reduced = np.asarray(band.reduce(reduction) if reduction > 1 else band)
        pixels[top // reduction : top // reduction + len(reduced)] = reduced
    return pixels


def _in_colour(band: Image.Image) -> Image.Image:
    """RGB of what has an agreed meaning."""
    if band.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(band) >> 8).astype(np.uint8)).convert("RGB")
    if band.has_transparency_data:
        coloured = band.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", band.size, "white"), coloured).convert("RGB")
    return band.convert("RGB")


def _ranged(band: Image.Image, darkest: float, brightest: float) -> Image.Image:
    """RGB of numbers whose range only the image itself tells."""
    values = (np.asarray(band, np.float64) - darkest) * (255 / max(brightest - darkest, 1e-12))
    return Image.fromarray(values.round().astype(np.uint8)).convert("RGB")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # a damaged block of notes is no reason to refuse the picture
        return 1


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undo an EXIF orientation (1 to 8; others turn nothing)."""
    if orientation in (5, 7):
        pixels = cv2.transpose(pixels)
    match orientation:
        case 2:
            return cv2.flip(pixels, 1)
        case 3 | 7:
            return cv2.rotate(pixels, cv2.ROTATE_180)
        case 4:
            return cv2.flip(pixels, 0)
        case 6:
            return cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)
        case 8:
            return cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return pixels


def _refusal(path: Path, error: Exception) -> MediaError:
    if path.stat().st_size == 0:
        return MediaError("unreadable_image", f"{path}: the file is empty")
    if "truncated" in str(error).lower():
        return MediaError("truncated_image", f"{path}: the end of the image is missing: {error}")
    return MediaError("unreadable_image", f"{path}: not decodable as an image: {error}")
