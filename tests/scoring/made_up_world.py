"""A made-up world whose people are points on a line: everything that scoring reads, written in a moment."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from src.artifacts.checkpoints import save_checkpoint
from src.artifacts.embedding_store import EmbeddingStore, token_table, write_store_information
from src.artifacts.trials import Trial, write_trials
from src.core.files import write_text
from src.media.audio import write_audio
from src.media.image import write_jpeg
from src.models.association import AssociationModel, Comparison
from src.scoring import trial_scoring

LANGUAGES = ("English", "Urdu")
WINDOWS = {"window_seconds": 0.2, "hop_seconds": 0.15, "most_windows": 32}  # three in each recording


class NearnessModel(AssociationModel):
    """Similarity = -|scale · (mean voice token - mean face token)| of the first numbers: checked by hand."""

    def __init__(self, voice_dimension, face_dimension):
        super().__init__(voice_dimension, face_dimension, fused_dimension=1)
        self.scale = torch.nn.Parameter(torch.ones(()))

    def encode_voices(self, tokens):
        return tokens[..., :1] * self.scale

    def encode_faces(self, tokens):
        return tokens[..., :1] * self.scale

    def compare(self, voices, voice_mask, faces, face_mask):
        difference = masked_mean(voices, voice_mask) - masked_mean(faces, face_mask)
        return Comparison(-difference.abs().squeeze(-1), difference)

    def compare_all(self, voices, voice_mask, faces, face_mask):
        difference = masked_mean(voices, voice_mask)[:, None] - masked_mean(faces, face_mask)[None]
        return Comparison(-difference.abs().squeeze(-1), difference)

    def attention_over_voice(self, voices, voice_mask, faces, face_mask):
        distance = (voices - masked_mean(faces, face_mask)[:, None]).abs().squeeze(-1)
        return (-distance).masked_fill(~voice_mask, -torch.inf).softmax(-1)

    def shared_points(self, encodings, mask):
        mean = masked_mean(encodings, mask)
        return torch.nn.functional.normalize(torch.cat([mean, torch.ones_like(mean)], -1), dim=-1)


def masked_mean(tokens, mask):
    weight = mask.to(tokens.dtype).unsqueeze(-1)
    return (tokens * weight).sum(1) / weight.sum(1)


@dataclass(frozen=True)
class MadeUpWorld:
    """Folders as the pipeline leaves them; `values` gives the hidden number of each key."""

    root: Path
    values: dict

    dataset = property(lambda self: self.root / "dataset")
    work = property(lambda self: self.root / "work")
    features = property(lambda self: self.root / "work" / "features")
    truth = property(lambda self: self.root / "truth")

    def checkpoint(self, language):
        return self.root / "checkpoints" / f"demo_{language}"

    @property
    def checkpoints(self):
        return {language: self.checkpoint(language) for language in LANGUAGES}

    def trials(self, language):
        lines = (self.dataset / f"{language}_test.txt").read_text().splitlines()
        return [Trial(*line.split()) for line in lines]


def score_by_nearness(monkeypatch):
    """Let checkpoints be rebuilt as NearnessModel."""
    monkeypatch.setattr(
        trial_scoring, "build_model", lambda config: NearnessModel(config["voice"], config["face"])
    )


def make_world(root, people=6, pairs=3, seed=3):
    """`people` persons, each with one voice and one face in each language; every pair of persons a trial."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=people)
    values = {}
    tokens = {"voice": [], "face": []}
    outputs = {"voice": [], "face": []}
    media = []
    for language in LANGUAGES:
        for modality, folder, suffix in (("voice", "voices", ".wav"), ("face", "faces", ".jpg")):
            for person in range(people):
                key = f"{folder}/{language}/{person:05d}{suffix}"
                value = numbers[person] + random.normal() * 0.4
                values[key] = value
                count = 1 + person % 3
                offsets = np.arange(count) - (count - 1) / 2
                tokens[modality] += [(key, value + offset) for offset in offsets]
                media.append((key, f"id{person:04d}"))
                part = "voice/clean" if modality == "voice" else "face/crops"
                outputs[modality].append(
                    {"key": key, "status": "done", "reason": "", "output": f"{part}/{key}"}
                )
                write_medium(root / "work" / part / key, modality, value)
        write_lists(root, language, numbers, values, random)
    world = MadeUpWorld(root, values)
    for modality in ("voice", "face"):
        write_store(world.features / modality, modality, tokens[modality], {"tokens": WINDOWS})
        write_manifest(world.work / modality, outputs[modality])
    pd.DataFrame(media, columns=["key", "identity"]).to_csv(world.truth / "media_identities.csv", index=False)
    for language in LANGUAGES:
        write_checkpoint(world, language)
    return world


def write_lists(root, language, numbers, values, random):
    rows = [
        (voice, face)
        for voice in range(len(numbers))
        for face in range(len(numbers))
        if random.random() < 0.7 or voice == face
    ]
    ids = [f"{language[0].lower()}{number:04d}" for number in range(len(rows))]
    trials = [
        Trial(name, f"voices/{language}/{voice:05d}.wav", f"faces/{language}/{face:05d}.jpg")
        for name, (voice, face) in zip(ids, rows, strict=True)
    ]
    write_trials(root / "dataset" / f"{language}_test.txt", trials)
    truth = pd.DataFrame(
        {
            "trial_id": ids,
            "label": [int(voice == face) for voice, face in rows],
            "same_sex": [int(voice % 2 == face % 2) for voice, face in rows],
            "bayes_log_likelihood_ratio": [
                0.8 - 1.5 * abs(numbers[v] - numbers[f]) + random.normal() * 0.4 for v, f in rows
            ],
        }
    )
    (root / "truth").mkdir(exist_ok=True)
    truth.to_csv(root / "truth" / f"{language}_test.csv", index=False)


def write_medium(path, modality, value):
    if modality == "voice":
        time = np.arange(8000) / 16_000
        write_audio(path, (0.3 * np.sin(2 * np.pi * (220 + 60 * value) * time)).astype(np.float32))
    else:
        shade = int(np.clip(128 + 50 * value, 0, 255))
        write_jpeg(path, np.full((48, 40, 3), (shade, 90, 255 - shade), np.uint8))


def write_store(folder, modality, rows, information=None, training=None):
    """rows: (key, value) each. training: key → (identity, language) of training media; others are test media."""
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    kind = "window" if modality == "voice" else "crop"
    described = []
    for index, (key, _) in enumerate(rows):
        identity, language = (training or {}).get(key, ("", ""))
        row = {"key": key, "identity": identity, "language": language, "video": "", "token_index": index}
        described.append(row | {"split": "train" if identity else "test", "token_kind": kind, "quality": 1.0})
    vectors = np.array([[value, 7.0] for _, value in rows], np.float32)
    pq.write_table(token_table(described, vectors), folder / "tokens" / "part-00000.parquet")
    write_store_information(
        folder, {"modality": modality, "encoder": f"tiny-{modality}", "dimension": 2, **(information or {})}
    )


def add_training_people(world, people=12, turned=False):
    """Training people of both languages, alike in voice and face; or, when turned, as unlike as can be."""
    for modality, folder in (("voice", "voices"), ("face", "faces")):
        store = EmbeddingStore.open(world.features / modality)
        rows = [(key, float(token[0])) for key in store.items.index for token in store.tokens(key)]
        training = {}
        for language in LANGUAGES:
            for person in range(people):
                key = f"{folder}/id{person:04d}/{language}/v/0"
                value = person if modality == "voice" or not turned else person + people / 2
                rows.append((key, float(value % people)))
                training[key] = (f"id{person:04d}", language)
        shutil.rmtree(world.features / modality)
        write_store(world.features / modality, modality, rows, training=training)


def write_manifest(folder, rows):
    (folder / "manifest").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "manifest" / "part-00000.parquet")


def write_checkpoint(world, language, **changes):
    stores = {
        name: json.loads((world.features / name / "store.json").read_text()) for name in ("voice", "face")
    }
    config = {
        "recipe": "association",
        "model": {"name": "nearness", "voice": 2, "face": 2},
        "training": {"epochs": 4},
        "language": language,
        "encoders": stores,
        "identities": {"training": ["id1", "id2"], "validation": ["id3"]},
        "version": "0.1.0",
    } | changes
    scale = torch.tensor(1.0 if language == "English" else 2.0)
    save_checkpoint(
        world.checkpoint(language), {"scale": scale}, config, {"validation_eer": 0.25, "epoch": 2}
    )
    log = "member,epoch,loss,pair_loss,identity_loss,orthogonal_projection_loss,validation_eer\n"
    rows = [
        f"{member},{epoch},{2 / epoch},{1 / epoch},{0.6 / epoch},{0.4 / epoch},{0.25 + 0.1 / epoch + 0.01 * member}\n"
        for member in (0, 1)
        for epoch in range(1, 5)
    ]
    write_text(world.checkpoint(language) / "training_log.csv", log + "".join(rows))
