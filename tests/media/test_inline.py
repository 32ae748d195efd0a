import base64
import io

import numpy as np
import soundfile
from PIL import Image

from src.media.inline import audio_data_address, image_data_address


def content_of(address, media_type):
    head, _, body = address.partition(",")
    assert head == f"data:{media_type};base64"
    return io.BytesIO(base64.b64decode(body, validate=True))


def test_sound_comes_back_without_loss_and_clipped():
    samples = np.concatenate([np.linspace(-0.9, 0.9, 1000), [1.7, -1.7]]).astype(np.float32)
    heard, rate = soundfile.read(
        content_of(audio_data_address(samples, 16_000), "audio/flac"), dtype="float32"
    )
    assert rate == 16_000
    assert np.abs(heard - np.clip(samples, -1, 1)).max() < 2 / 32768


def test_an_image_is_made_smaller_but_never_larger():
    wide = np.full((100, 400, 3), (200, 40, 90), np.uint8)
    with Image.open(content_of(image_data_address(wide, 160), "image/jpeg")) as image:
        assert image.size == (160, 40)
        assert np.abs(np.asarray(image).astype(int) - (200, 40, 90)).max() <= 4
    with Image.open(content_of(image_data_address(wide[:20, :30], 160), "image/jpeg")) as image:
        assert image.size == (30, 20)
