"""Area-averaged views of many images, by summed-area tables.

F. C. Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984. Each view averages whole pixels, with the
same bins as PyTorch's `interpolate(mode="area")`, which the detector's networks are used with.

Views are float32 tensors (views, 3, height, width), 0 to 255, channels-last in memory.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor


class SummedImages(Protocol):
    """Summed-area tables of RGB images of different sizes."""

    sizes: list[tuple[int, int]]

    def scaled(self, indices: Sequence[int], height: int, width: int) -> Tensor:
        """Images of one size, shrunk to (height, width)."""
        ...

    def cut(self, images: Tensor, boxes: Tensor, side: int) -> Tensor:
        """What boxes show, each stretched to a square.

        images: index of each box's image, (boxes,).
        boxes: left, top, right, bottom, whole pixels within the image, right > left, bottom > top; (boxes, 4).
        """
        ...


def sum_images(images: Sequence[np.ndarray], device: torch.device) -> SummedImages:
    """Sum up uint8 images (height, width, 3), no side longer than face_settings.LARGEST_SIDE_PIXELS."""
    return SummedOnCpu(images) if device.type == "cpu" else SummedOnDevice(images, device)


class SummedOnCpu:
    """One view after the other: each stays in the processor's cache."""

    def __init__(self, images: Sequence[np.ndarray]) -> None:
        self.sizes = [image.shape[:2] for image in images]
        self._tables = [cv2.integral(image) for image in images]

    def scaled(self, indices: Sequence[int], height: int, width: int) -> Tensor:
        """See SummedImages."""
        views = np.empty((len(indices), height, width, 3), np.float32)
        for view, index in zip(views, indices, strict=True):
            _average(self._tables[index], view)
        return torch.from_numpy(views).permute(0, 3, 1, 2)

    def cut(self, images: Tensor, boxes: Tensor, side: int) -> Tensor:
        """See SummedImages."""
        views = np.empty((len(boxes), side, side, 3), np.float32)
        for view, index, (left, top, right, bottom) in zip(
            views, images.tolist(), boxes.tolist(), strict=True
        ):
            _average(self._tables[index][top : bottom + 1, left : right + 1], view)
        return torch.from_numpy(views).permute(0, 3, 1, 2)


def _average(table: np.ndarray, view: np.ndarray) -> None:
    """Fill `view` (rows, columns, 3) with averages of what a table (height + 1, width + 1, 3) sums up."""
    rows, columns = view.shape[:2]
    top, bottom = _bins(table.shape[0] - 1, rows)
    left, right = _bins(table.shape[1] - 1, columns)
    bands = table[bottom]
    bands -= table[top]
    sums = bands.take(right, axis=1)
    sums -= bands.take(left, axis=1)
    share = _share_of_sum(table.shape[0] - 1, table.shape[1] - 1, rows, columns)
    np.multiply(sums, share, out=view, dtype=np.float32, casting="unsafe")


@lru_cache(maxsize=4096)
def _bins(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """First pixel and end of each of `count` bins over `length` pixels, each (count,)."""
    numbers = np.arange(count)
    return numbers * length // count, ((numbers + 1) * length + count - 1) // count


@lru_cache(maxsize=1024)
def _share_of_sum(height: int, width: int, rows: int, columns: int) -> np.ndarray:
    """1 / pixels of each bin, float32 (rows, columns, 1)."""
    top, bottom = _bins(height, rows)
    left, right = _bins(width, columns)
    return np.asarray(1 / ((bottom - top)[:, None, None] * (right - left)[:, None]), dtype=np.float32)


class SummedOnDevice:
    """All views at once, by indices: what an accelerator is good at."""

    def __init__(self, images: Sequence[np.ndarray], device: torch.device) -> None:
        self.sizes = [image.shape[:2] for image in images]
        tables = [cv2.integral(image).reshape(-1, 3) for image in images]
        self._first = [0, *np.cumsum([len(table) for table in tables]).tolist()]
        self._sums = torch.from_numpy(np.concatenate(tables)).to(device)
        self._device = device

    def scaled(self, indices: Sequence[int], height: int, width: int) -> Tensor:
        """See SummedImages."""
        full_height, full_width = self.sizes[indices[0]]
        tables = torch.stack(
            [
                self._sums[self._first[index] : self._first[index + 1]].view(
                    full_height + 1, full_width + 1, 3
                )
                for index in indices
            ]
        )
        top, bottom = self._bins(torch.tensor(full_height), height)
        left, right = self._bins(torch.tensor(full_width), width)
        bands = tables[:, bottom] - tables[:, top]
        sums = bands[:, :, right] - bands[:, :, left]
        area = (bottom - top)[:, None] * (right - left)
        return (sums / area[:, :, None]).permute(0, 3, 1, 2)

    def cut(self, images: Tensor, boxes: Tensor, side: int) -> Tensor:
        """See SummedImages."""
        left, top, right, bottom = boxes.long().unbind(1)
        row_start, row_end = self._bins(bottom - top, side)
        column_start, column_end = self._bins(right - left, side)
        first = torch.tensor(self._first, device=self._device)[images]
        pitch = torch.tensor([width + 1 for _, width in self.sizes], device=self._device)[images]

        def sums_at(rows: Tensor, columns: Tensor) -> Tensor:
            place = (first[:, None] + (top[:, None] + rows) * pitch[:, None])[:, :, None]
            return self._sums[place + (left[:, None] + columns)[:, None, :]]

        upper = sums_at(row_start, column_end) - sums_at(row_start, column_start)
        lower = sums_at(row_end, column_end) - sums_at(row_end, column_start)
        area = (row_end - row_start)[:, :, None] * (column_end - column_start)[:, None, :]
        return ((lower - upper) / area[..., None]).permute(0, 3, 1, 2)

    def _bins(self, lengths: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """First pixel and end of each of `count` bins over `lengths` pixels, of shape (*lengths, count)."""
        numbers = torch.arange(count, device=self._device)
        lengths = lengths.to(self._device)[..., None]
        return numbers * lengths // count, ((numbers + 1) * lengths + count - 1) // count
