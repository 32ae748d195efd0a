"""How the published training loops feed their networks, written anew: what the training benchmark compares with.

CAFNet: a Python dataset gives one pair at a time, a DataLoader puts 64 of them together, the loss is fetched every step.
FOP: NumPy slices of double precision, converted and copied every step, three losses fetched every step.

CAFNet's network is built as released, with PyTorch's multi-head attention over one key; the project's computes the same
function without it (src/models/cafnet_published.py). Losses, and FOP's network, are the project's. Sources: the releases of
CAFNet (FAME 2026) and of the FAME challenges' baseline.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from src.losses.cafnet_published import CafNetPublishedLoss
from src.losses.fop import FopLoss
from src.models.fop import Fop

CAFNET_BATCH, FOP_BATCH = 64, 32  # as released
_PROJECTION_WEIGHT = 0.02
_NEGATIVES_EACH = 1  # the released ratio of 1.5, rounded down by its code


class PairDataset(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Pairs of vectors drawn in advance, given one at a time as tensors.

    voices, faces: float32 (identities, items, dimension). pairs: number of pairs of one person.
    """

    def __init__(
        self, voices: np.ndarray, faces: np.ndarray, pairs: int, stream: np.random.Generator
    ) -> None:
        self.voices, self.faces = voices, faces
        self.pairs: list[tuple[int, int, int, int, int]] = []
        people = len(voices)
        for _ in range(pairs):
            person, voice = int(stream.integers(people)), int(stream.integers(voices.shape[1]))
            self.pairs.append((person, voice, person, int(stream.integers(faces.shape[1])), 1))
            for _ in range(_NEGATIVES_EACH):
                other = (person + 1 + int(stream.integers(people - 1))) % people
                self.pairs.append((person, voice, other, int(stream.integers(faces.shape[1])), 0))

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        person, voice, other, face, label = self.pairs[index]
        return (
            torch.tensor(self.voices[person][voice]).float(),
            torch.tensor(self.faces[other][face]).float(),
            torch.tensor(label).long(),
        )


class ReleasedCafNet(nn.Module):
    """The released network, layer by layer; names as in its state dict.

    voice_dimension, face_dimension: D. width: d.
    """

    def __init__(self, voice_dimension: int, face_dimension: int, width: int = 512) -> None:
        super().__init__()
        self.a_proj, self.v_proj = nn.Linear(voice_dimension, width), nn.Linear(face_dimension, width)
        self.cross1, self.cross2 = (nn.MultiheadAttention(width, 4, batch_first=True) for _ in range(2))
        self.norm_a, self.norm_v = nn.LayerNorm(width), nn.LayerNorm(width)
        self.fuse = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.classifier = nn.Linear(width, 2)

    def forward(self, voices: Tensor, faces: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(n, D) and (n, D) → logits (n, 2), attended voices, attended faces and fused embeddings, (n, d) each."""
        voice = self.a_proj(F.normalize(voices, dim=1))[:, None]
        face = self.v_proj(F.normalize(faces, dim=1))[:, None]
        for_voice, _ = self.cross1(voice, face, face)
        for_face, _ = self.cross2(face, voice, voice)
        attended_voice = self.norm_a(voice + for_voice)[:, 0]
        attended_face = self.norm_v(face + for_face)[:, 0]
        fused = self.fuse(attended_voice + attended_face)
        return self.classifier(fused), attended_voice, attended_face, fused


def train_cafnet_as_published(
    model: ReleasedCafNet, voices: np.ndarray, faces: np.ndarray, steps: int, device: torch.device
) -> Iterator[float]:
    """Take `steps` steps, giving the loss of each; one before them is for warming up."""
    dataset = PairDataset(voices, faces, (steps + 1) * CAFNET_BATCH // 2, np.random.default_rng(0))
    loader = DataLoader(dataset, batch_size=CAFNET_BATCH, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4, weight_decay=1e-4)
    loss_of = CafNetPublishedLoss()
    model.train()
    for voice, face, label in loader:
        voice, face, label = voice.to(device), face.to(device), label.to(device)
        optimizer.zero_grad()
        logits, attended_voice, attended_face, fused = model(voice, face)
        terms = loss_of(attended_voice, attended_face, fused)
        loss = F.cross_entropy(logits, label) + _PROJECTION_WEIGHT * terms.projection
        loss.backward()
        optimizer.step()
        yield loss.item()


def train_fop_as_published(
    model: Fop,
    loss_of: FopLoss,
    voices: np.ndarray,
    faces: np.ndarray,
    labels: np.ndarray,
    steps: int,
    device: torch.device,
) -> Iterator[float]:
    """Take `steps` steps, giving the loss of each; one before them is for warming up.

    voices, faces: float64 (rows, dimension), shuffled once. labels: integers (rows,).
    """
    optimizer = torch.optim.Adam([*model.parameters(), *loss_of.parameters()], lr=1e-3, weight_decay=0.01)
    for step in range(steps + 1):
        start = step * FOP_BATCH % (len(labels) - FOP_BATCH + 1)
        rows = slice(start, start + FOP_BATCH)
        model.train()
        face = torch.from_numpy(np.asarray(faces[rows])).float().to(device)
        voice = torch.from_numpy(np.asarray(voices[rows])).float().to(device)
        label = torch.from_numpy(np.asarray(labels[rows])).to(device)
        fused = model.fuse(model.embed_voices(voice), model.embed_faces(face))
        terms = loss_of(fused, label)
        loss = terms.identity + terms.orthogonal_projection
        optimizer.zero_grad()
        loss.backward()
        total, _, _ = loss.item(), terms.orthogonal_projection.item(), terms.identity.item()
        optimizer.step()
        yield total
