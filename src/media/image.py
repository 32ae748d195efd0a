"""The only code that reads and writes image files."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from src.core.errors import MediaError
from src.core.files import atomic_path

LARGEST_IMAGE_PIXELS = 100_000_000


def read_image(path: Path) -> np.ndarray:
    """Decode an image to RGB uint8 of shape (height, width, 3), turned upright by its EXIF orientation.

    Raises MediaError with reason `missing`, `unreadable_image` or `image_too_large`.
    """
    if not path.is_file():
        raise MediaError("missing", f"{path}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes that the next lines refuse themselves
            with Image.open(path) as image:
                if image.width * image.height > LARGEST_IMAGE_PIXELS:
                    raise MediaError(
                        "image_too_large",
                        f"{path}: {image.width} × {image.height} pixels; at most {LARGEST_IMAGE_PIXELS:,} are read",
                    )
                return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MediaError("unreadable_image", f"{path}: not decodable as an image: {error}") from error


def write_jpeg(path: Path, pixels: np.ndarray, quality: int = 95) -> None:
    """Write RGB uint8 pixels of shape (height, width, 3) as a JPEG without chroma subsampling, atomically."""
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="JPEG", quality=quality, subsampling=0)
