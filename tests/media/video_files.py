"""Small videos whose frames tell their number by their brightness."""

import av
import numpy as np

FRAMES_PER_SECOND = 10


def frame_number(pixels):
    """The number of the frame that is shown, as far as compression leaves it readable."""
    height, width = pixels.shape[:2]
    return (float(pixels[height * 3 // 4 :, width * 3 // 4 :].mean()) - 20) / 5


def write_video(
    path, codec="libx264", *, frames=40, gop=250, size=(64, 48), rotation=0, aspect=None, sound=False
):
    """Frame n is grey, 20 + 5 n, so there are at most 48; the upper left quarter of each is a little darker."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=FRAMES_PER_SECOND)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = gop
        if rotation:
            stream.set_display_rotation(rotation)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        voice = (
            container.add_stream("aac" if codec == "libx264" else "libopus", rate=48_000) if sound else None
        )
        for number in range(frames):
            pixels = np.full((size[1], size[0], 3), 20 + 5 * number, np.uint8)
            pixels[: size[1] // 2, : size[0] // 2] -= 10
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
        if voice:
            tone = 0.1 * np.sin(np.arange(48_000 * frames // FRAMES_PER_SECOND)[None] / 20)
            frame = av.AudioFrame.from_ndarray(tone.astype(np.float32), format="fltp", layout="mono")
            frame.sample_rate = 48_000
            for piece in av.AudioResampler(voice.format, voice.layout, 48_000).resample(frame):
                container.mux(voice.encode(piece))
            container.mux(voice.encode())
