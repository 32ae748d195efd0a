"""What the embedding benchmark runs: encoders of the published shapes, plain loops over the published classes, media.

Weights are random, since published ones are no part of the project: speed does not depend on them.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from facenet_pytorch import InceptionResnetV1, fixed_image_standardization
from torch import nn

from benchmarks.face_pictures import draw_photographs
from src.encoders.contract import CropInput, Encoder, Provenance, WaveformInput
from src.models.inception_face_encoder import DIMENSION, INPUT_PIXELS, InceptionFaceEncoder
from src.models.speaker_encoder import PUBLISHED_ECAPA, SpeakerEncoder

SPEECH_FOLDER = "librispeech/test"
_NOISE_RECORDINGS, _SHORTEST_SECONDS, _LONGEST_SECONDS = 60, 2.0, 20.0
_PHOTOGRAPHS = 32


def published_ecapa() -> Encoder:
    """SpeechBrain's ECAPA-TDNN at its published width on the CPU; the same weights at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = SpeakerEncoder(PUBLISHED_ECAPA)
    return Encoder(
        name="ecapa",
        modality="voice",
        dimension=PUBLISHED_ECAPA.dimension,
        input=WaveformInput(),
        provenance=_RANDOM,
        network=network.eval().requires_grad_(False),
        device=torch.device("cpu"),
    )


def published_inception() -> Encoder:
    """facenet-pytorch's InceptionResnetV1 on the CPU; the same weights at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = InceptionFaceEncoder()
    return Encoder(
        name="vggface2",
        modality="face",
        dimension=DIMENSION,
        input=CropInput(pixels=INPUT_PIXELS),
        provenance=_RANDOM,
        network=network.eval().requires_grad_(False),
        device=torch.device("cpu"),
    )


_RANDOM = Provenance(weights_path="", weights_sha256="", source="random weights")


@torch.inference_mode()
def embed_recordings_plainly(
    network: nn.Module, recordings: Sequence[np.ndarray], device: torch.device
) -> np.ndarray:
    """One recording after the other through the published class."""
    return np.concatenate(
        [network(torch.from_numpy(one)[None].to(device)).cpu().numpy() for one in recordings]
    )


@torch.inference_mode()
def embed_crops_plainly(network: nn.Module, crops: Sequence[np.ndarray], device: torch.device) -> np.ndarray:
    """One crop (3, pixels, pixels) uint8 after the other through the published class."""
    return np.concatenate(
        [
            network(fixed_image_standardization(torch.from_numpy(one)[None].to(device).float())).cpu().numpy()
            for one in crops
        ]
    )


def plain_inception() -> nn.Module:
    """facenet-pytorch's class as it comes, with the weights of `published_inception`."""
    network = InceptionResnetV1(pretrained=None, classify=False)
    published = published_inception().network
    assert isinstance(published, InceptionFaceEncoder)
    network.load_state_dict(published.network.state_dict())
    return network.eval().requires_grad_(False)


def speech_files(data: Path) -> list[Path]:
    """Real utterances, in the order of their names; none where the folder does not hold them."""
    return sorted((data / SPEECH_FOLDER).rglob("*.flac"))


def draw_recordings() -> list[np.ndarray]:
    """Noise of mixed lengths, in place of speech."""
    stream = np.random.default_rng(0)
    lengths = stream.uniform(_SHORTEST_SECONDS, _LONGEST_SECONDS, _NOISE_RECORDINGS) * 16_000
    return [0.1 * stream.standard_normal(int(length), dtype=np.float32) for length in lengths]


def draw_crops(count: int) -> list[np.ndarray]:
    """Photographs of the generated world as crops for the face encoder: uint8 (3, 160, 160) each."""
    drawn = [
        np.ascontiguousarray(
            cv2.resize(photograph, (INPUT_PIXELS, INPUT_PIXELS), interpolation=cv2.INTER_AREA).transpose(
                2, 0, 1
            )
        )
        for photograph in draw_photographs(_PHOTOGRAPHS)
    ]
    return [drawn[number % _PHOTOGRAPHS] for number in range(count)]
