"""Small whole files of every kind that is read, made on the spot: what damaged media are grown from."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import soundfile
from PIL import Image

if TYPE_CHECKING:
    from av.container import OutputContainer

_RATE_HZ = 16_000
_SOUND_BY_LIBSNDFILE = (
    ("pcm16.wav", "WAV", "PCM_16"),
    ("float.wav", "WAV", "FLOAT"),
    ("adpcm.wav", "WAV", "IMA_ADPCM"),
    ("pcm24.flac", "FLAC", "PCM_24"),
    ("vorbis.ogg", "OGG", "VORBIS"),
    ("opus.opus", "OGG", "OPUS"),
    ("pcm16.aiff", "AIFF", "PCM_16"),
    ("ulaw.au", "AU", "ULAW"),
    ("alac.caf", "CAF", "ALAC_16"),
    ("pcm16.w64", "W64", "PCM_16"),
)
_SOUND_BY_FFMPEG = (
    ("mp3.mp3", "libmp3lame", 44_100),
    ("aac.m4a", "aac", 44_100),
    ("alac.m4a", "alac", 44_100),
    ("aac.aac", "aac", 44_100),
    ("sound.mkv", "libopus", 48_000),
)
_IMAGES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("plain.jpg", "RGB", {}),
    ("progressive.jpg", "RGB", {"progressive": True}),
    ("grey.jpg", "L", {}),
    ("cmyk.jpg", "CMYK", {}),
    ("colour.png", "RGB", {}),
    ("palette.png", "P", {}),
    ("alpha.png", "RGBA", {}),
    ("bits.png", "1", {}),
    ("deep.png", "I;16", {}),
    ("lossy.webp", "RGB", {}),
    ("lossless.webp", "RGBA", {"lossless": True}),
    ("animated.webp", "RGB", {"save_all": True, "append_images": 2}),
    ("animated.gif", "P", {"save_all": True, "append_images": 2}),
    ("plain.bmp", "RGB", {}),
    ("palette.bmp", "P", {}),
    ("plain.tiff", "RGB", {}),
    ("deflate.tiff", "RGB", {"compression": "tiff_adobe_deflate"}),
    ("lzw.tiff", "L", {"compression": "tiff_lzw"}),
    ("jpeg.tiff", "RGB", {"compression": "jpeg"}),
    ("float.tiff", "F", {}),
    ("plain.ppm", "RGB", {}),
)
_VIDEOS = (
    ("h264.mp4", "libx264", True),
    ("mpeg4.avi", "mpeg4", False),
    ("vp8.webm", "libvpx", False),
    ("h264.mkv", "libx264", True),
    ("mpeg4.mov", "mpeg4", True),
)


def sound_seeds(folder: Path) -> dict[str, bytes]:
    """Name → content of a third of a second in every container and codec."""
    tone = (0.3 * np.sin(np.arange(_RATE_HZ // 3) / 7)).astype(np.float32)
    for name, form, subtype in _SOUND_BY_LIBSNDFILE:
        soundfile.write(folder / name, np.stack([tone, -tone], axis=1), _RATE_HZ, subtype, format=form)
    for name, codec, rate_hz in _SOUND_BY_FFMPEG:
        with av.open(str(folder / name), "w") as container:
            _add_sound(container, container.add_stream(codec, rate=rate_hz, layout="mono"))
    names = [name for name, _, _ in (*_SOUND_BY_LIBSNDFILE, *_SOUND_BY_FFMPEG)]
    return {name: (folder / name).read_bytes() for name in names}


def image_seeds() -> dict[str, bytes]:
    """Name → content of small images in every format and mode."""
    ramp = np.linspace(0, 255, 48 * 64).reshape(48, 64)
    picture = Image.fromarray(np.stack([ramp, 255 - ramp, ramp / 2], axis=-1).astype(np.uint8))
    seeds = {}
    for name, mode, options in _IMAGES:
        image = Image.fromarray((ramp * 257).astype(np.uint16)) if mode == "I;16" else picture.convert(mode)
        more = (
            {"append_images": [image.rotate(9)] * options["append_images"]}
            if "append_images" in options
            else {}
        )
        buffer = io.BytesIO()
        image.save(buffer, Image.registered_extensions()[Path(name).suffix], **{**options, **more})
        seeds[name] = buffer.getvalue()
    return seeds


def video_seeds(folder: Path) -> dict[str, bytes]:
    """Name → content of videos of a second in every container."""
    for name, codec, has_sound in _VIDEOS:
        with av.open(str(folder / name), "w") as container:
            pictures = container.add_stream(codec, rate=10)
            sound = container.add_stream("aac", rate=44_100, layout="mono") if has_sound else None
            _add_pictures(container, pictures)
            if sound:
                _add_sound(container, sound)
    return {name: (folder / name).read_bytes() for name, _, _ in _VIDEOS}


def _add_sound(container: "OutputContainer", stream: Any) -> None:
    tone = (0.3 * np.sin(np.arange(stream.rate // 3) / 9)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
    frame.sample_rate = stream.rate
    for piece in av.AudioResampler(stream.format, stream.layout, stream.rate).resample(frame):
        container.mux(stream.encode(piece))
    container.mux(stream.encode())


def _add_pictures(container: "OutputContainer", stream: Any) -> None:
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for number in range(10):
        pixels = np.full((48, 64, 3), 20 * number, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
    container.mux(stream.encode())
