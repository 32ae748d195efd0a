"""How fast faces are found, beside facenet-pytorch's detector called one image at a time in the same run.

Beside each speed stands what bounds it: the multiply-adds of the three networks, and the rate of decoding alone.
Wall times are the best of several alternating rounds; processor times show what a busy machine did to them.
"""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN

from benchmarks.face_boxes import boxes_of, overlap
from preprocessing.face_cascade import MtcnnDetector
from preprocessing.face_settings import FaceSettings
from src.media.image import decode_image, read_image

WORKERS = 2
LARGEST_DIFFERENCE_PIXELS = 2.0
READING_SIDE_PIXELS = 1280  # a file of 1080p is decoded at a half of its size: more than the search needs
_SAME_FACE_OVERLAP = 0.5
_TASK_IMAGES = 32
_ROUNDS = 2

Picture = np.ndarray | Path


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Boxes (n, 4) of each image, and what it took: wall and processor seconds of all processes together."""

    boxes: list[np.ndarray]
    wall_seconds: float
    processor_seconds: float


def measure_small(photographs: Sequence[np.ndarray], settings: FaceSettings) -> dict[str, Any]:
    """Photographs of one small size, in memory."""
    smallest_face = _smallest_face(settings, min(photographs[0].shape[:2]))
    ours, published = _compare(photographs, settings, smallest_face)
    differences = [_largest_difference(*pair) for pair in zip(published.boxes, ours.boxes, strict=True)]
    same = [one is not None and one <= LARGEST_DIFFERENCE_PIXELS for one in differences]
    return {
        **_speeds(ours, published),
        "images_with_same_boxes": sum(same),
        "largest_difference_pixels": max((one for one in differences if one is not None), default=0.0),
        "multiply_adds_per_image": _multiply_adds(photographs, settings),
    }


def measure_large(files: Sequence[Path], settings: FaceSettings) -> dict[str, Any]:
    """Large files, decoding included: searched at a bounded size here, at their own by the published detector."""
    settings = replace(settings, reading_side_pixels=READING_SIDE_PIXELS)
    sizes = [read_image(path).shape[:2] for path in files]
    smallest_face = _smallest_face(settings, min(sizes[0]))
    ours, published = _compare(files, settings, smallest_face)
    found = lost = 0
    for expected, boxes in zip(published.boxes, ours.boxes, strict=True):
        hits = (overlap(expected, boxes) >= _SAME_FACE_OVERLAP).any(axis=1)
        found, lost = found + int(hits.sum()), lost + int((~hits).sum())
    return {
        **_speeds(ours, published),
        "smallest_face_pixels": smallest_face,
        "published_faces_found": found,
        "published_faces_lost": lost,
        "faces": sum(len(boxes) for boxes in ours.boxes),
        "published_faces": sum(len(boxes) for boxes in published.boxes),
        "decoding_alone_per_second": _decoding_rate(files, None),
        "reduced_decoding_alone_per_second": _decoding_rate(files, READING_SIDE_PIXELS),
    }


def measure_on_gpu(photographs: Sequence[np.ndarray], settings: FaceSettings) -> dict[str, Any]:
    """The cascade on a GPU against the published detector on it, one image at a time; or why there is none."""
    if not torch.cuda.is_available():
        return {"unavailable": "no GPU on this machine"}
    device = torch.device("cuda")
    detector = MtcnnDetector(settings, device)
    published = _published_detector(_smallest_face(settings, min(photographs[0].shape[:2])), settings, device)
    detector.detect(photographs)
    published(photographs[0])
    ours = _timed(lambda: [boxes_of(faces) for faces in detector.detect(photographs)])
    others = _timed(lambda: [published(image) for image in photographs])
    return _speeds(ours, others)


def _compare(
    pictures: Sequence[Picture], settings: FaceSettings, smallest_face: float
) -> tuple[Timing, Timing]:
    """The best rounds of this detector in worker processes, and of the published one with one thread and with all."""
    published = _published_detector(smallest_face, settings, torch.device("cpu"))
    threads = torch.get_num_threads()
    ours, others = [], []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, context, _start, (settings,)) as pool:
        list(pool.map(_detect, [pictures[:2]] * 4 * WORKERS))  # starts both and warms them up
        for _ in range(_ROUNDS):
            for count in {1, WORKERS}:
                torch.set_num_threads(count)
                published(_read(pictures[0], None)[0])
                others.append(_timed(lambda: [published(_read(picture, None)[0]) for picture in pictures]))
            ours.append(_in_processes(pool, pictures))
    torch.set_num_threads(threads)
    return min(ours, key=lambda one: one.wall_seconds), min(others, key=lambda one: one.wall_seconds)


def _in_processes(pool: ProcessPoolExecutor, pictures: Sequence[Picture]) -> Timing:
    size = max(1, min(_TASK_IMAGES, len(pictures) // (2 * WORKERS)))
    tasks = [pictures[first : first + size] for first in range(0, len(pictures), size)]
    started = time.perf_counter()
    results = list(pool.map(_detect, tasks))
    return Timing(
        boxes=[boxes for found, _ in results for boxes in found],
        wall_seconds=time.perf_counter() - started,
        processor_seconds=sum(seconds for _, seconds in results),
    )


_detector: MtcnnDetector | None = None  # of this worker process


def _start(settings: FaceSettings) -> None:
    global _detector
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _detector = MtcnnDetector(settings, torch.device("cpu"))


def _detect(pictures: Sequence[Picture]) -> tuple[list[np.ndarray], float]:
    """Boxes in pixels of the full pictures, and processor seconds."""
    assert _detector is not None
    started = time.process_time()
    images = [_read(picture, _detector.settings.reading_side_pixels) for picture in pictures]
    found = _detector.detect([pixels for pixels, _ in images])
    boxes = [boxes_of(faces) * np.array(scale * 2) for (_, scale), faces in zip(images, found, strict=True)]
    return boxes, time.process_time() - started


def _read(picture: Picture, longest_side_pixels: int | None) -> tuple[np.ndarray, tuple[float, float]]:
    """The pixels, and what takes (x, y) in them to the full picture."""
    if isinstance(picture, np.ndarray):
        return picture, (1.0, 1.0)
    image = decode_image(picture, longest_side_pixels)
    return image.pixels, image.scale


def _timed(detect: Callable[[], list[np.ndarray]]) -> Timing:
    started, processor_started = time.perf_counter(), time.process_time()
    boxes = detect()
    return Timing(
        boxes=boxes,
        wall_seconds=time.perf_counter() - started,
        processor_seconds=time.process_time() - processor_started,
    )


def _published_detector(
    smallest_face: float, settings: FaceSettings, device: torch.device
) -> Callable[[np.ndarray], np.ndarray]:
    published = MTCNN(
        keep_all=True,
        min_face_size=smallest_face,
        thresholds=[
            settings.proposal_threshold,
            settings.refinement_threshold,
            settings.output_threshold,
        ],
        factor=settings.pyramid_factor,
        device=device,
    )

    def detect(image: np.ndarray) -> np.ndarray:
        boxes, _, _ = published.detect(image, landmarks=True)
        return np.zeros((0, 4)) if boxes is None else np.asarray(boxes, dtype=np.float64)

    return detect


def _smallest_face(settings: FaceSettings, shorter_side: int) -> float:
    return max(settings.smallest_face_pixels, settings.smallest_face_share * shorter_side)


def _speeds(ours: Timing, published: Timing) -> dict[str, Any]:
    count = len(ours.boxes)
    return {
        "images": count,
        "workers": WORKERS,
        "images_per_second": count / ours.wall_seconds,
        "published_per_second": count / published.wall_seconds,
        "times_faster": published.wall_seconds / ours.wall_seconds,
        "processor_seconds_per_image": ours.processor_seconds / count,
        "published_processor_seconds_per_image": published.processor_seconds / count,
    }


def _largest_difference(expected: np.ndarray, boxes: np.ndarray) -> float | None:
    """Largest distance between the edges of the same faces; None where the faces are not the same."""
    if len(expected) != len(boxes):
        return None
    if not len(expected):
        return 0.0
    partners = overlap(expected, boxes).argmax(axis=1)
    if len(set(partners.tolist())) < len(partners):
        return None
    return float(np.abs(expected - boxes[partners]).max())


def _decoding_rate(files: Sequence[Path], longest_side_pixels: int | None) -> float:
    """Files a second of decoding alone, in one process."""
    started = time.perf_counter()
    for path in files:
        decode_image(path, longest_side_pixels)
    return len(files) / (time.perf_counter() - started)


def _multiply_adds(photographs: Sequence[np.ndarray], settings: FaceSettings) -> float:
    """Of the three networks, a photograph."""
    detector = MtcnnDetector(settings, torch.device("cpu"))
    total = 0

    def count(layer: torch.nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        total += output.numel() * layer.weight[0].numel()  # type: ignore[index]

    for network in (detector.proposal, detector.refinement, detector.output):
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
                layer.register_forward_hook(count)
    detector.detect(photographs)
    return total / len(photographs)
