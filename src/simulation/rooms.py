"""Shoebox rooms: impulse responses by the image-source method (Allen & Berkley, JASA 65, 1979)."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import oaconvolve

from src.media.audio import SAMPLE_RATE_HZ

_SPEED_OF_SOUND = 343.0  # metres a second
_HIGHEST_ORDER = 6
_DIRECT_SAMPLES = 40


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room with a microphone: size and position in metres, reverberation time in seconds."""

    size_metres: np.ndarray
    microphone_metres: np.ndarray
    reverberation_seconds: float


def draw_room(stream: np.random.Generator) -> Room:
    """A living room, an office or a small hall."""
    size = np.array([stream.uniform(3, 8), stream.uniform(3, 7), stream.uniform(2.4, 3.5)])
    return Room(
        size_metres=size,
        microphone_metres=size * stream.uniform(0.3, 0.7, 3),
        reverberation_seconds=float(stream.uniform(0.15, 0.6)),
    )


def place_speaker(room: Room, distance_metres: float, stream: np.random.Generator) -> np.ndarray:
    """A position about `distance_metres` from the microphone, inside the room."""
    angle = stream.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), np.sin(angle), 0.1])
    return np.clip(room.microphone_metres + distance_metres * direction, 0.2, room.size_metres - 0.2)


def impulse_response(room: Room, source_metres: np.ndarray) -> np.ndarray:
    """Response from a source to the microphone at 16 kHz, without the delay of the direct sound.

    float32 of shape (taps,), scaled so that the direct sound is 1: speech keeps its level and its times.
    """
    length = int((room.reverberation_seconds + 0.05) * SAMPLE_RATE_HZ)
    reflection = _wall_reflection(room)
    orders = np.arange(-_HIGHEST_ORDER, _HIGHEST_ORDER + 1)
    cells = np.stack(np.meshgrid(orders, orders, orders, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    mirrored = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(1, -1, 3)
    paths = (1 - 2 * mirrored) * source_metres - room.microphone_metres + 2 * cells * room.size_metres
    distances = np.sqrt((paths**2).sum(axis=-1)).ravel()
    bounces = (np.abs(cells - mirrored) + np.abs(cells)).sum(axis=-1).ravel()
    arrival = distances / _SPEED_OF_SOUND * SAMPLE_RATE_HZ
    arrival -= arrival.min()
    audible = (bounces <= 2 * _HIGHEST_ORDER) & (arrival < length - 2)
    arrival, gain = arrival[audible], reflection ** bounces[audible] / np.maximum(distances[audible], 0.1)
    first_tap = arrival.astype(np.int64)
    share = arrival - first_tap
    response = np.bincount(first_tap, gain * (1 - share), length)
    response += np.bincount(first_tap + 1, gain * share, length)
    return (response / np.abs(response[:_DIRECT_SAMPLES]).max()).astype(np.float32)


def reverberate(samples: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Dry speech as the microphone hears it, at the same length."""
    return np.asarray(oaconvolve(samples, response)[: len(samples)], dtype=np.float32)


def _wall_reflection(room: Room) -> float:
    """Pressure reflection of the walls for the wanted reverberation time (Sabine's formula)."""
    length, width, height = room.size_metres
    surface = 2 * (length * width + length * height + width * height)
    absorption = 0.161 * length * width * height / (surface * room.reverberation_seconds)
    return float(np.sqrt(1 - min(0.95, absorption)))
