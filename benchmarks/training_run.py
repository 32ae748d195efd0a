"""A whole training of FOP by the command line's own way, from embedding stores to a checkpoint, timed."""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from benchmarks.embeddings_speed import CORES
from benchmarks.training_speed import FOP_DIMENSIONS, ITEMS, MadeUpPeople
from src.artifacts.embedding_store import CROP, WHOLE, token_table, write_store_information
from src.artifacts.sources import Modality
from src.training.association_training import train_association

CONFIG = Path(__file__).resolve().parent.parent / "configs" / "fop.yaml"
EPOCHS, BATCH_IDENTITIES, ROWS_EACH = 50, 32, 4  # two voices and two faces of a person make four rows
_KINDS: dict[Modality, str] = {"voice": WHOLE, "face": CROP}


def measure_fop_run(people: MadeUpPeople | None = None, epochs: int = EPOCHS) -> dict[str, Any]:
    """Seconds of a training of `epochs` times all rows, validated after each; it does not end early."""
    people = people or MadeUpPeople(*FOP_DIMENSIONS)
    rows = people.identities * ITEMS
    steps_an_epoch = -(-rows // (BATCH_IDENTITIES * ROWS_EACH))
    overrides = [
        f"steps={epochs * steps_an_epoch}",
        f"validation.every_steps={steps_an_epoch}",
        f"validation.patience={epochs}",
        f"batch.identities={BATCH_IDENTITIES}",
        "batch.voices_per_identity=2",
        "batch.faces_per_identity=2",
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(CORES)
    try:
        with tempfile.TemporaryDirectory() as folder:
            features, out = Path(folder, "features"), Path(folder, "out")
            write_stores(people, features)
            started = time.perf_counter()
            metrics = train_association(
                CONFIG, overrides, features=features, language="English", out=out, device_name="cpu"
            )
            seconds = time.perf_counter() - started
    finally:
        torch.set_num_threads(threads)
    return {
        "rows": rows,
        "epochs": epochs,
        "seconds": seconds,
        "training_seconds": metrics["training_seconds"],
        "epochs_trained": metrics["epochs_trained"],
    }


def write_stores(people: MadeUpPeople, folder: Path) -> None:
    """Embedding stores of made-up people, a token an item."""
    sides: dict[Modality, np.ndarray] = {"voice": people.voices, "face": people.faces}
    for modality, vectors in sides.items():
        dimension = vectors.shape[-1]
        rows = [
            {
                "key": f"{modality}/{row}",
                "identity": f"id{person:04}",
                "language": "English",
                "video": f"v{video:05}",
                "split": "train",
                "token_index": 0,
                "token_kind": _KINDS[modality],
                "quality": 1.0,
            }
            for row, (person, video) in enumerate(zip(people.labels, people.videos, strict=True))
        ]
        tokens = folder / modality / "tokens"
        tokens.mkdir(parents=True)
        pq.write_table(token_table(rows, vectors.reshape(-1, dimension)), tokens / "part-00000.parquet")
        write_store_information(
            folder / modality, {"modality": modality, "encoder": "made-up", "dimension": dimension}
        )
