"""The only code that reads the pictures of videos; their sound is read by `src.media.audio`.

Frames are decoded towards the times that are wanted, and as few as possible:

- what lies before the last key frame ahead of a wanted time is not decoded, only passed over;
- frames that no other is predicted from are not decoded where wanted times are far apart, so that a picture may be up to a
  few frames older than its time;
- a key frame within a quarter of their distance before a wanted time stands for it.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from src.core.errors import MediaError
from src.media.container import open_container

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

LARGEST_FRAME_PIXELS = 40_000_000  # 8K
_LAST_FRAME_SECONDS = 1.0  # for so long the last frame stands, since sound often goes on a little longer
_FAR_APART_FRAMES = 8
_KEY_FRAME_SHARE = 0.25
_ROUNDING_SECONDS = 0.001  # keys tell times in milliseconds


@dataclass(frozen=True, kw_only=True)
class VideoInformation:
    """What the header of a video says.

    duration_seconds: from the start of the file to the end of its pictures.
    has_sound: whether there is a sound stream.
    """

    duration_seconds: float
    has_sound: bool


def probe_video(path: Path) -> VideoInformation:
    """Read the header of a video; where it tells no duration, as in recordings of browsers, all packets are passed over.

    Raises MediaError with reason `missing`, `unreadable_video`, `no_video` (sound alone) or `too_large`.
    """
    import av

    if not path.is_file():
        raise MediaError("missing", f"{path}: no such file")
    try:
        with open_container(path) as container:
            stream = _picture_stream(container, path)
            return VideoInformation(
                duration_seconds=_duration_seconds(container, stream),
                has_sound=bool(container.streams.audio),
            )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError("unreadable_video", f"{path}: not decodable as a video: {error}") from error


def read_frames(
    path: Path, times_seconds: Sequence[float]
) -> Iterator[tuple[float, np.ndarray | MediaError]]:
    """For each of the ascending times: the time, and the picture shown then or why there is none.

    A picture is RGB uint8 (height, width, 3), turned upright as the file says, with square pixels. Before the first
    frame the first is given. The file stays open, and is decoded, only as far as the iterator is advanced.
    Reasons: those of `probe_video`; `unreadable_video` also for times after the end of what can be decoded.
    """
    import av

    wanted = deque(times_seconds)
    try:
        if not path.is_file():
            raise MediaError("missing", f"{path}: no such file")
        with open_container(path) as container:
            reader = _FrameReader(container, _picture_stream(container, path), times_seconds)
            while wanted:
                frame = reader.frame_at(wanted[0])
                picture = _ended(path, wanted[0]) if frame is None else _picture(frame, reader.stream, path)
                yield wanted.popleft(), picture
    except MediaError as error:
        yield from ((seconds, error) for seconds in wanted)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        refusal = MediaError("unreadable_video", f"{path}: not decodable as a video: {error}")
        yield from ((seconds, refusal) for seconds in wanted)


class _FrameReader:
    """Walks once through a video stream."""

    def __init__(
        self, container: "InputContainer", stream: "VideoStream", times_seconds: Sequence[float]
    ) -> None:
        self.stream = stream
        self._start_seconds = _start_seconds(container)
        self._unit_seconds = float(stream.time_base or 0)
        self._packets = container.demux(stream)
        self._waiting: deque[Packet] = deque()  # read from the file, not decoded
        self._ahead: deque[VideoFrame] = deque()  # decoded, later than the last wanted time
        self._shown: VideoFrame | None = None
        self._earliest_seconds = -inf  # what a decoder gives before its key frame is damaged
        self._at_key_frame = False  # the first of the waiting packets is one that decoding starts anew from
        self._exhausted = self._drained = False
        gap_seconds = min((later - earlier for earlier, later in pairwise(times_seconds)), default=0.0)
        self._tolerance_seconds = gap_seconds * _KEY_FRAME_SHARE
        if gap_seconds * float(stream.average_rate or 0) >= _FAR_APART_FRAMES:
            stream.codec_context.skip_frame = "NONREF"

    def frame_at(self, seconds: float) -> "VideoFrame | None":
        """The frame for a time that is no earlier than the last one; None where the video has ended."""
        seconds += _ROUNDING_SECONDS
        self._pass_over(seconds)
        if self._at_key_frame:
            key_seconds = self._seconds_of(self._waiting[0])
            self._restart(key_seconds)
            if key_seconds >= seconds - self._tolerance_seconds:
                alone = self._decode(self._waiting[0]) + self._decode(None)
                self._restart(key_seconds)
                if alone:
                    return alone[0]
            self._at_key_frame = False
        return self._decoded_until(seconds)

    def _pass_over(self, seconds: float) -> None:
        """Read packets up to a time, and drop those before the last key frame that is no later."""
        passed = len(self._waiting)
        for number, waiting in enumerate(self._waiting):
            if waiting.is_keyframe and self._seconds_of(waiting) <= seconds:
                passed = number
        if passed < len(self._waiting):
            self._start_at_key_frame(passed)
        while not self._waiting or self._decoding_seconds(self._waiting[-1]) <= seconds:
            packet = self._next_packet()
            if packet is None:
                return
            self._waiting.append(packet)
            if packet.is_keyframe and self._seconds_of(packet) <= seconds:
                self._start_at_key_frame(len(self._waiting) - 1)

    def _start_at_key_frame(self, place: int) -> None:
        for _ in range(place):
            self._waiting.popleft()
        self._at_key_frame = True

    def _restart(self, key_seconds: float) -> None:
        self.stream.codec_context.flush_buffers()
        self._ahead.clear()
        self._shown = None
        self._earliest_seconds = key_seconds

    def _decoded_until(self, seconds: float) -> "VideoFrame | None":
        while True:
            while self._ahead and self._seconds_of(self._ahead[0]) <= seconds:
                self._shown = self._ahead.popleft()
            if self._ahead:
                return self._shown or self._ahead[0]
            if self._drained:
                break
            packet = self._waiting.popleft() if self._waiting else self._next_packet()
            self._drained = packet is None
            self._ahead.extend(self._decode(packet))
        if self._shown is None or seconds > self._seconds_of(self._shown) + _LAST_FRAME_SECONDS:
            return None
        return self._shown

    def _decode(self, packet: "Packet | None") -> "list[VideoFrame]":
        """Whole frames that come out of the decoder; None empties it. What is damaged is passed over."""
        import av

        try:
            frames = self.stream.codec_context.decode(packet)
        except av.error.FFmpegError:
            return []
        return [
            frame
            for frame in frames
            if not frame.is_corrupt and self._seconds_of(frame) >= self._earliest_seconds
        ]

    def _next_packet(self) -> "Packet | None":
        import av

        while not self._exhausted:
            try:
                packet = next(self._packets)
            except (StopIteration, av.error.FFmpegError):
                self._exhausted = True
                break
            if packet.size:
                return packet
        return None

    def _seconds_of(self, item: "Packet | VideoFrame") -> float:
        """When a packet or frame is shown, since the start of the file."""
        moment = item.dts if item.pts is None else item.pts
        return inf if moment is None else moment * self._unit_seconds - self._start_seconds

    def _decoding_seconds(self, packet: "Packet") -> float:
        """When a packet is decoded; none that is decoded later is shown earlier."""
        if packet.dts is None:
            return self._seconds_of(packet)
        return packet.dts * self._unit_seconds - self._start_seconds


def _picture_stream(container: "InputContainer", path: Path) -> "VideoStream":
    """The first stream of moving pictures; a cover of a record is none. Raises MediaError."""
    from av.stream import Disposition

    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:
            continue
        if stream.codec_context is None:
            raise MediaError("unreadable_video", f"{path}: its pictures are of an unknown kind")
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > LARGEST_FRAME_PIXELS:
            raise MediaError(
                "too_large",
                f"{path}: frames of {width} × {height} pixels; at most {LARGEST_FRAME_PIXELS:,} are read",
            )
        stream.codec_context.thread_count = 1  # stages run a process on each core
        return stream
    if not container.streams.audio:
        raise MediaError("unreadable_video", f"{path}: holds neither pictures nor sound")
    raise MediaError("no_video", f"{path}: holds no moving pictures")


def _start_seconds(container: "InputContainer") -> float:
    import av

    return (container.start_time or 0) / av.time_base


def _duration_seconds(container: "InputContainer", stream: "VideoStream") -> float:
    import av

    start_seconds, unit_seconds = _start_seconds(container), float(stream.time_base or 0)
    if stream.duration and unit_seconds:
        return max(0.0, ((stream.start_time or 0) + stream.duration) * unit_seconds - start_seconds)
    if container.duration:
        return container.duration / av.time_base
    moments = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
    return max(moments, default=0) * unit_seconds - start_seconds


def _picture(frame: "VideoFrame", stream: "VideoStream", path: Path) -> np.ndarray | MediaError:
    """RGB pixels, with square pixels and upright."""
    ratio = float(stream.sample_aspect_ratio or 1)
    width, height = max(1, round(frame.width * ratio)), frame.height
    if max(width, frame.width) * height > LARGEST_FRAME_PIXELS:
        return MediaError("too_large", f"{path}: a frame of {width} × {height} pixels")
    pixels = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    quarter_turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns))


def _ended(path: Path, seconds: float) -> MediaError:
    return MediaError(
        "unreadable_video", f"{path}: shows nothing at {seconds:.3f} s, its pictures end before"
    )
