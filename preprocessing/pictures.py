"""The pictures that face records stand for: photographs, and frames of videos."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from src.artifacts.sources import SourceRecord
from src.core.errors import MediaError
from src.media.guarded import decode_image, read_frames
from src.media.image import DecodedImage


def read_pictures(
    dataset: Path, records: Sequence[SourceRecord], longest_side_pixels: int
) -> Iterator[tuple[SourceRecord, DecodedImage | MediaError]]:
    """Each record with its upright picture, or with why there is none, one at a time and in order.

    longest_side_pixels: photographs with a longer side are decoded reduced, see `decode_image`.
    Frames of one video that stand together by time
    (`SourceRecord.order`) are decoded in one pass over it.
    """
    for (file_key, is_frame), group in groupby(
        records, key=lambda record: (record.file_key, record.time_seconds is not None)
    ):
        path, members = dataset / file_key, list(group)
        if is_frame:
            times = [record.time_seconds or 0.0 for record in members]
            for record, (_, frame) in zip(members, read_frames(path, times), strict=True):
                yield record, _whole(frame) if isinstance(frame, np.ndarray) else frame
            continue
        for record in members:
            try:
                picture: DecodedImage | MediaError = decode_image(path, longest_side_pixels)
            except MediaError as error:
                picture = error
            yield record, picture


def _whole(frame: np.ndarray) -> DecodedImage:
    return DecodedImage(frame, *frame.shape[:2])
