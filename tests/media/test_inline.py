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


def test_sound_comes_back_nearly_as_it_was_and_clipped():
    seconds = np.arange(32_000) / 16_000
    samples = (1.4 * np.sin(2 * np.pi * 440 * seconds) * (seconds < 1)).astype(np.float32)
    heard, rate = soundfile.read(content_of(audio_data_address(samples, 16_000), "audio/mpeg"))
    assert rate == 16_000
    assert abs(len(heard) - len(samples)) < 3_000
    assert np.abs(heard).max() < 1.2
    middle = heard[4_000:12_000]
    frequencies = np.fft.rfftfreq(len(middle), 1 / rate)
    assert abs(frequencies[np.abs(np.fft.rfft(middle)).argmax()] - 440) < 4
    assert np.abs(heard[20_000:]).max() < 0.01


def test_an_image_is_made_smaller_but_never_larger():
    wide = np.full((100, 400, 3), (200, 40, 90), np.uint8)
    with Image.open(content_of(image_data_address(wide, 160), "image/jpeg")) as image:
        assert image.size == (160, 40)
        assert np.abs(np.asarray(image).astype(int) - (200, 40, 90)).max() <= 4
    with Image.open(content_of(image_data_address(wide[:20, :30], 160), "image/jpeg")) as image:
        assert image.size == (30, 20)
