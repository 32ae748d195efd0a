"""Media as `data:` addresses, for pages that must hold everything they show."""

import base64
import io

import numpy as np
import soundfile
from PIL import Image


def audio_data_address(samples: np.ndarray, sample_rate_hz: int) -> str:
    """Mono samples (full scale = 1, clipped beyond) as MP3: every browser plays it, in a quarter of the bytes of FLAC."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), sample_rate_hz, subtype="MPEG_LAYER_III", format="MP3")
    return _data_address("audio/mpeg", buffer.getvalue())


def image_data_address(pixels: np.ndarray, largest_side_pixels: int, quality: int = 82) -> str:
    """RGB uint8 pixels (height, width, 3) as a JPEG, made smaller where a side is longer than asked."""
    image = Image.fromarray(pixels)
    image.thumbnail((largest_side_pixels, largest_side_pixels))
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=quality)
    return _data_address("image/jpeg", buffer.getvalue())


def _data_address(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
