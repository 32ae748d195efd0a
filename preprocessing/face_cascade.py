"""MTCNN: a cascade of three small networks, batched over images of different sizes.

K. Zhang, Z. Zhang, Z. Li, Y. Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks", IEEE Signal Processing Letters 23(10), 2016. Networks and weights are those of
facenet-pytorch, which ship in its wheel; the steps between them follow its detector, so that boxes agree.

Here the first network sees all images of one size at once, the second and third see the candidates of all
images at once, and candidates that lie outside an image are dropped instead of shifting the others.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision.ops import batched_nms

from preprocessing.face_detection import FaceDetection
from preprocessing.face_networks import ProposalNetwork, load_output_network, load_refinement_network
from preprocessing.face_pixels import SummedImages, sum_images
from preprocessing.face_settings import FaceSettings

WINDOW_PIXELS = 12  # what the first network looks at, at each place of the pyramid
_STRIDE_PIXELS = 2
_REFINEMENT_SIDE, _OUTPUT_SIDE = 24, 48
_OVERLAP_IN_SCALE, _OVERLAP = 0.5, 0.7
_PROPOSAL_BATCH_PIXELS = 1 << 18  # on a CPU small batches win, because their activations stay in its cache
_CANDIDATE_BATCH = 64
_GPU_BATCH_FACTOR = 32


@dataclass
class _Candidates:
    """Boxes on the way through the cascade: float32 (n, 4), (n,), and the image that each lies in (n,)."""

    boxes: Tensor
    scores: Tensor
    images: Tensor

    def __getitem__(self, rows: Tensor) -> "_Candidates":
        return _Candidates(self.boxes[rows], self.scores[rows], self.images[rows])

    def __len__(self) -> int:
        return len(self.boxes)

    def without_overlaps(self, threshold: float) -> Tensor:
        """Rows that survive non-maximum suppression within each image."""
        return batched_nms(self.boxes, self.scores, self.images, threshold)


class MtcnnDetector:
    """The detector of the default settings; see the module's docstring."""

    def __init__(self, settings: FaceSettings, device: torch.device) -> None:
        """Load the three networks onto `device`."""
        self.settings = settings
        self.device = device
        self._batch_factor = _GPU_BATCH_FACTOR if device.type == "cuda" else 1
        self.proposal = _ready(ProposalNetwork(), device)
        self.refinement = _ready(load_refinement_network(), device)
        self.output = _ready(load_output_network(), device)

    @torch.inference_mode()
    def detect(self, images: Sequence[np.ndarray]) -> list[list[FaceDetection]]:
        """Faces of each image, the most probable first (the contract of FaceDetector)."""
        found: list[list[FaceDetection]] = [[] for _ in images]
        if not images:
            return found
        summed = sum_images([self._bounded(image) for image in images], self.device)
        candidates, landmarks = self._finish(summed, self._refine(summed, self._propose(summed)))
        order = torch.argsort(candidates.scores, descending=True, stable=True).tolist()
        for row in order:
            index = int(candidates.images[row])
            height, width = images[index].shape[:2]
            small_height, small_width = summed.sizes[index]
            scale = np.array([width / small_width, height / small_height], dtype=np.float32)
            corners = candidates.boxes[row].numpy().reshape(2, 2) * scale
            found[index].append(
                FaceDetection(
                    box=tuple(float(edge) for edge in corners.reshape(-1)),  # type: ignore[arg-type]
                    landmarks=landmarks[row].numpy() * scale,
                    probability=float(candidates.scores[row]),
                )
            )
        return found

    def _bounded(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        scale = self.settings.detection_side_pixels / max(height, width)
        if scale >= 1:
            return image
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)

    def _propose(self, summed: SummedImages) -> _Candidates:
        """First stage, image pyramid by image pyramid, for all images of one size at once."""
        by_size: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, size in enumerate(summed.sizes):
            by_size[size].append(index)
        found = [self._no_candidates()]
        for (height, width), indices in by_size.items():
            count = max(1, self._batch_factor * _PROPOSAL_BATCH_PIXELS // (height * width))
            found += [
                self._propose_in_block(summed, indices[first : first + count])
                for first in range(0, len(indices), count)
            ]
        return _concatenate(found)

    def _propose_in_block(self, summed: SummedImages, indices: list[int]) -> _Candidates:
        """Squared candidates in images of one size."""
        height, width = summed.sizes[indices[0]]
        found, moves = [self._no_candidates()], [torch.zeros(0, 4, device=self.device)]
        for scale in pyramid_scales(height, width, self.settings):
            pixels = summed.scaled(indices, int(height * scale + 1), int(width * scale + 1))
            probability, offset = self.proposal(pixels)
            image, row, column = (probability >= self.settings.proposal_threshold).nonzero().unbind(1)
            corner = torch.stack([column, row], dim=1) * _STRIDE_PIXELS
            boxes = torch.cat([(corner + 1) / scale, (corner + WINDOW_PIXELS) / scale], dim=1).floor()
            candidates = _Candidates(boxes, probability[image, row, column], image)
            kept = candidates.without_overlaps(_OVERLAP_IN_SCALE)
            found.append(candidates[kept])
            moves.append(offset[image, row, column][kept])
        candidates = _concatenate(found)
        kept = candidates.without_overlaps(_OVERLAP)
        candidates, move = candidates[kept], torch.cat(moves)[kept]
        sides = candidates.boxes[:, 2:] - candidates.boxes[:, :2]
        images = torch.tensor(indices, device=self.device)[candidates.images]
        return _Candidates(_squared(candidates.boxes + move * sides.repeat(1, 2)), candidates.scores, images)

    def _refine(self, summed: SummedImages, candidates: _Candidates) -> _Candidates:
        """Second stage: drop most candidates and mend the boxes of the rest."""
        candidates, places = _within_images(summed, candidates)
        if not len(candidates):
            return candidates
        offset, probability = self._run(self.refinement, summed, candidates, places, _REFINEMENT_SIDE)
        rows = (probability[:, 1] > self.settings.refinement_threshold).nonzero()[:, 0]
        candidates = _Candidates(candidates.boxes[rows], probability[rows, 1], candidates.images[rows])
        kept = candidates.without_overlaps(_OVERLAP)
        candidates = candidates[kept]
        candidates.boxes = _squared(_calibrated(candidates.boxes, offset[rows][kept]))
        return candidates

    def _finish(self, summed: SummedImages, candidates: _Candidates) -> tuple[_Candidates, Tensor]:
        """Third stage: final boxes, and landmarks float32 (n, 5, 2), both on the CPU."""
        candidates, places = _within_images(summed, candidates)
        if not len(candidates):
            return candidates, torch.zeros(0, 5, 2)
        offset, points, probability = self._run(self.output, summed, candidates, places, _OUTPUT_SIDE)
        rows = (probability[:, 1] > self.settings.output_threshold).nonzero()[:, 0]
        boxes = candidates.boxes[rows]
        sides = boxes[:, 2:] - boxes[:, :2] + 1
        relative = points[rows].reshape(-1, 2, 5).transpose(1, 2)
        landmarks = (relative * sides[:, None, :] + boxes[:, None, :2] - 1).cpu()
        boxes = _calibrated(boxes, offset[rows]).cpu()
        candidates = _Candidates(boxes, probability[rows, 1].cpu(), candidates.images[rows].cpu())
        kept = _without_contained(candidates, _OVERLAP)
        return candidates[kept], landmarks[kept]

    def _run(
        self,
        network: torch.nn.Module,
        summed: SummedImages,
        candidates: _Candidates,
        places: Tensor,
        side: int,
    ) -> list[Tensor]:
        count = self._batch_factor * _CANDIDATE_BATCH
        blocks = zip(candidates.images.split(count), places.split(count), strict=True)
        outputs = [network(summed.cut(images, block, side)) for images, block in blocks]
        return [torch.cat(parts) for parts in zip(*outputs, strict=True)]

    def _no_candidates(self) -> _Candidates:
        return _Candidates(
            torch.zeros(0, 4, device=self.device),
            torch.zeros(0, device=self.device),
            torch.zeros(0, dtype=torch.long, device=self.device),
        )


def pyramid_scales(height: int, width: int, settings: FaceSettings) -> list[float]:
    """Factors of the image pyramid, from the one at which the smallest wanted face fills the window."""
    shorter = min(height, width)
    smallest_face = max(settings.smallest_face_pixels, settings.smallest_face_share * shorter)
    scale = WINDOW_PIXELS / smallest_face
    scales = []
    while shorter * scale >= WINDOW_PIXELS:
        scales.append(scale)
        scale *= settings.pyramid_factor
    return scales


def _ready(network: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().to(device)


def _concatenate(parts: Sequence[_Candidates]) -> _Candidates:
    return _Candidates(
        torch.cat([part.boxes for part in parts]),
        torch.cat([part.scores for part in parts]),
        torch.cat([part.images for part in parts]),
    )


def _squared(boxes: Tensor) -> Tensor:
    """Squares around the centres of the boxes, with their longer sides."""
    sides = boxes[:, 2:] - boxes[:, :2]
    side = sides.amax(dim=1, keepdim=True)
    corner = boxes[:, :2] + (sides - side) / 2
    return torch.cat([corner, corner + side], dim=1)


def _calibrated(boxes: Tensor, offset: Tensor) -> Tensor:
    """Boxes moved by what a network says, in units of their sides."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + offset * sides.repeat(1, 2)


def _within_images(summed: SummedImages, candidates: _Candidates) -> tuple[_Candidates, Tensor]:
    """Candidates that touch their image, and the part of it that they show: whole pixels (n, 4).

    Boxes count pixels from 1, as the networks were trained.
    """
    sizes = torch.tensor(summed.sizes, device=candidates.boxes.device)[candidates.images].flip(1)
    corners = candidates.boxes.trunc().long()
    places = torch.cat([(corners[:, :2] - 1).clamp(min=0), torch.minimum(corners[:, 2:], sizes)], dim=1)
    kept = (places[:, 2:] > places[:, :2]).all(dim=1).nonzero()[:, 0]
    return candidates[kept], places[kept]


def _without_contained(candidates: _Candidates, threshold: float) -> Tensor:
    """Rows that survive suppression by the share of the *smaller* box that is covered, within each image."""
    order = torch.argsort(candidates.scores, descending=True, stable=True)
    corners, far = candidates.boxes[:, :2], candidates.boxes[:, 2:]
    area = (far - corners + 1).clamp(min=0).prod(dim=1)
    common = (
        torch.minimum(far[:, None], far[None]) - torch.maximum(corners[:, None], corners[None]) + 1
    ).clamp(min=0)
    covered = common.prod(dim=2) / torch.minimum(area[:, None], area[None])
    rivals = (covered > threshold) & (candidates.images[:, None] == candidates.images[None])
    kept: list[int] = []
    for row in order.tolist():
        if not rivals[row, kept].any():
            kept.append(row)
    return torch.tensor(kept, dtype=torch.long)
