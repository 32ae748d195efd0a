"""A small work folder, as preprocessing leaves it, and small encoders whose weights are drawn."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from src.artifacts.clean_media import PREPROCESSING_FILE
from src.artifacts.sources import SOURCE_SCHEMA
from src.core.files import write_json
from src.encoders.registry import load_encoder
from src.encoders.trained_folder import save_trained_folder
from src.media.audio import write_audio
from src.media.image import write_jpeg
from src.models.face_encoder import CompactFaceEncoder, FaceEncoderConfig
from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig

RATE_HZ = 16_000
SCHEMA = pa.schema(
    [*SOURCE_SCHEMA, ("status", pa.string()), ("reason", pa.string()), ("output", pa.string())]
)
SMALL_VOICE = SpeakerEncoderConfig(
    channels=(32, 32, 32, 32, 96), attention_channels=8, squeeze_channels=8, res2net_scale=2, dimension=12
)
SMALL_FACE = FaceEncoderConfig(
    input_pixels=32,
    stem_channels=8,
    stage_channels=(8, 16),
    stage_blocks=(1, 1),
    neck_channels=4,
    dimension=10,
)


def write_work(work, people=9, items=3, seed=0):
    """Each person is a pitch and a colour, and speaks two languages; two more are test people.

    The work folder's files of one person and language: WORK/voice/clean/PERSON/LANGUAGE/ITEM.wav, WORK/face/crops/….jpg.
    """
    stream = np.random.default_rng(seed)
    rows = {"voice": [], "face": []}
    for person in range(people + 2):
        split = "train" if person < people else "test"
        for language in ("English", "Urdu"):
            for item in range(items):
                name = f"id{person:02d}/{language}/{item}"
                _write_media(work, name, person, people + 2, stream, seconds=0.7 + 0.5 * item)
                for modality, output, suffix in (
                    ("voice", f"voice/clean/{name}.wav", ".wav"),
                    ("face", f"face/crops/{name}.jpg", ".jpg"),
                ):
                    rows[modality].append(
                        {
                            "key": f"{modality}s/{name}{suffix}",
                            "modality": modality,
                            "identity": f"id{person:02d}" if split == "train" else "",
                            "language": language,
                            "video": f"v{item % 2}" if split == "train" else "",
                            "split": split,
                            "size_bytes": 1,
                            "time_seconds": None,
                            "modified_ns": 0,
                            "status": "done",
                            "reason": "",
                            "output": output,
                        }
                    )
    for modality, own in rows.items():
        own.append({**own[0], "key": f"{modality}s/failed", "status": "failed", "reason": "no", "output": ""})
        folder = work / modality / "manifest"
        folder.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(own, schema=SCHEMA), folder / "part-00000.parquet")
    stages = {modality: {"settings": {"crop": "square"}} for modality in rows}
    write_json(work / PREPROCESSING_FILE, {"generated_world": True, "stages": stages})


def _write_media(work, name, person, people, stream, seconds):
    time_seconds = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pitch = 90 * 2 ** (2 * person / people)
    voice = 0.2 * np.sign(np.sin(2 * np.pi * pitch * time_seconds)) + 0.01 * stream.standard_normal(
        len(time_seconds)
    )
    write_audio(work / f"voice/clean/{name}.wav", voice.astype(np.float32))
    colours = np.array([person, people - 1 - person, people // 2]) * (220 // people)
    face = colours.astype(np.uint8) + stream.integers(0, 20, (40, 40, 3), dtype=np.uint8)
    write_jpeg(work / f"face/crops/{name}.jpg", face)


def write_small_encoders(folder, seed=0, **details):
    """FOLDER/voice and FOLDER/face: the compact encoders' networks, narrow, with random weights."""
    torch.manual_seed(seed)
    networks = {
        "voice": ("ecapa-compact", SpeakerEncoder(SMALL_VOICE)),
        "face": ("face-compact", CompactFaceEncoder(SMALL_FACE)),
    }
    for modality, (name, network) in networks.items():
        encoder = replace(load_encoder(name), network=network)
        save_trained_folder(folder / modality, encoder, network.state_dict(), details, {})
