"""JPEGs in memory: small pictures that wait until it is decided whether they become files."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from src.core.files import atomic_path


def encode_jpeg(pixels: np.ndarray, quality: int = 95) -> bytes:
    """RGB uint8 pixels of shape (height, width, 3) as a JPEG without chroma subsampling."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def decode_jpeg(content: bytes) -> np.ndarray:
    """What `encode_jpeg` made: RGB uint8 (height, width, 3)."""
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        return np.asarray(image.convert("RGB"))


def write_encoded_jpeg(path: Path, content: bytes) -> None:
    """Write what `encode_jpeg` made as a file, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
