"""Area-averaged views of many images at once, by summed-area tables.

F. C. Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984. Each view averages whole pixels, with the
same bins as PyTorch's `interpolate(mode="area")`, which the detector's networks are used with.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor


class SummedImages:
    """Summed-area tables of RGB images of different sizes."""

    def __init__(self, images: Sequence[np.ndarray], device: torch.device) -> None:
        """Sum up uint8 images (height, width, 3), no side longer than face_settings.LARGEST_SIDE_PIXELS."""
        self.sizes = [image.shape[:2] for image in images]
        tables = [cv2.integral(image).reshape(-1, 3) for image in images]
        self._first = [0, *np.cumsum([len(table) for table in tables]).tolist()]
        self._sums = torch.from_numpy(np.concatenate(tables)).to(device)
        self._device = device

    def scaled(self, indices: Sequence[int], height: int, width: int) -> Tensor:
        """Images of one size, shrunk to (height, width): float32 (images, 3, height, width), 0 to 255."""
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
        """What boxes show, each stretched to a square: float32 (boxes, 3, side, side), 0 to 255.

        images: index of each box's image, (boxes,).
        boxes: left, top, right, bottom, whole pixels within the image, right > left, bottom > top; (boxes, 4).
        """
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
