"""Small whole files of every other kind that is read — lists, tables, configurations, stores, weights — and their readers."""

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from preprocessing.dataset_lists import read_dataset_lists
from preprocessing.settings import PreprocessingSettings
from src.artifacts.checkpoints import (
    CONFIG_FILE,
    METRICS_FILE,
    WEIGHTS_FILE,
    load_checkpoint,
    save_checkpoint,
)
from src.artifacts.embedding_store import (
    MANIFEST_SCHEMA,
    EmbeddingStore,
    token_table,
    write_store_information,
)
from src.artifacts.feature_arrays import read_feature_arrays, write_feature_arrays
from src.artifacts.feature_csv import read_cafnet, read_fop, write_cafnet, write_fop
from src.artifacts.key_list import read_listed_media
from src.artifacts.media_identities import read_media_identities
from src.artifacts.scores import read_scores, write_scores
from src.artifacts.store_check import check_store
from src.artifacts.trials import (
    TrainingPair,
    Trial,
    read_training_pairs,
    read_trials,
    write_training_pairs,
    write_trials,
)
from src.artifacts.truths import read_truth
from src.artifacts.turns import SpeakerTurn, read_turns, write_turns
from src.core.config import config_mapping, load_config
from src.data.identity_folders import read_attributes
from src.encoders.state_files import read_state
from src.scoring.submission import read_submission
from src.training.training_progress import STATE_FILE, TrainingProgress

_DIMENSION = 3


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """One kind of file. seed: path of a whole one. read: reads it, or the folder that it lies in."""

    name: str
    seed: Path
    read: Callable[[Path], object]


def file_kinds(folder: Path) -> list[FileKind]:
    """Every kind, each with a seed below `folder`."""
    return [*_lists(folder), *_tables(folder), *_stores(folder), *_weights(folder)]


def _lists(folder: Path) -> list[FileKind]:
    pairs = [TrainingPair(f"id{n}/English/v{n}/0.wav", f"id{n}/English/w{n}/0.jpg") for n in range(4)]
    trials = [Trial(f"t{n}", f"voices/English/{n}.wav", f"faces/English/{n}.jpg") for n in range(4)]
    write_training_pairs(folder / "English_train.txt", pairs)
    write_trials(folder / "English_test.txt", trials)
    (folder / "keys.txt").write_text("".join(f"voices/{n}.wav\n" for n in range(4)), encoding="utf-8")
    write_scores(folder / "scores.txt", {f"t{n}": n / 4 for n in range(4)})
    (folder / "truth.txt").write_text("t0 1\nt1 0\nt2 1\n", encoding="utf-8")
    (folder / "truth.csv").write_text("trial_id,label,same_sex\nt0,1,1\nt1,0,0\n", encoding="utf-8")
    write_turns(folder / "a.rttm", "a", [SpeakerTurn(n, n + 0.5, f"speaker{n}") for n in range(4)])
    readers: dict[str, Callable[[Path], object]] = {
        "English_train.txt": read_training_pairs,
        "English_test.txt": read_trials,
        "keys.txt": lambda path: read_listed_media(path, "voice"),
        "scores.txt": read_scores,
        "truth.txt": read_truth,
        "truth.csv": read_truth,
        "a.rttm": read_turns,
    }
    kinds = [FileKind(name=name, seed=folder / name, read=read) for name, read in readers.items()]
    lists = FileKind(
        name="lists of a data set",
        seed=folder / "English_train.txt",
        read=lambda path: read_dataset_lists(path.parent, path.parent),
    )
    return [*kinds, lists]


def _tables(folder: Path) -> list[FileKind]:
    vectors = np.arange(4 * _DIMENSION, dtype=np.float32).reshape(4, _DIMENSION)
    write_fop(folder / "fop.csv", vectors, ["0", "1", "2", "3"])
    write_cafnet(folder / "cafnet.csv", vectors, ["a", "b", "c", "d"])
    (folder / "media.csv").write_text("key,identity\na.wav,id1\nb.wav,id2\n", encoding="utf-8")
    (folder / "people.csv").write_text("identity,age,sex\nid1,30,f\nid2,40,m\n", encoding="utf-8")
    settings = json.dumps(config_mapping(PreprocessingSettings()), indent=1)
    (folder / "settings.yaml").write_text(settings, encoding="utf-8")
    (folder / "aliases.yaml").write_text("speech: &a {keynote: {}}\nface: {}\n", encoding="utf-8")
    readers: dict[str, Callable[[Path], object]] = {
        "fop.csv": read_fop,
        "cafnet.csv": read_cafnet,
        "media.csv": read_media_identities,
        "people.csv": lambda path: read_attributes(path, ["id1", "id2"], ["age"], ["sex"]),
        "settings.yaml": lambda path: load_config(PreprocessingSettings, path),
        "aliases.yaml": lambda path: load_config(PreprocessingSettings, path),
    }
    return [FileKind(name=name, seed=folder / name, read=read) for name, read in readers.items()]


def _stores(folder: Path) -> list[FileKind]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    store = folder / "store"
    rows = [
        {
            "key": f"voices/{n}.wav",
            "identity": f"id{n}",
            "language": "English",
            "video": "v",
            "split": "train",
        }
        for n in range(4)
    ]
    tokens = [{**row, "token_index": 0, "token_kind": "whole", "quality": 1.0} for row in rows]
    vectors = np.eye(4, _DIMENSION, dtype=np.float32)
    (store / "tokens").mkdir(parents=True)
    (store / "manifest").mkdir()
    pq.write_table(token_table(tokens, vectors), store / "tokens/part-00000.parquet")
    manifest = [
        {**row, "modality": "voice", "size_bytes": 1, "status": "done", "reason": "", "tokens": 1}
        for row in rows
    ]
    pq.write_table(
        pa.Table.from_pylist(manifest, schema=MANIFEST_SCHEMA), store / "manifest/part-00000.parquet"
    )
    write_store_information(store, {"modality": "voice", "encoder": "any", "dimension": _DIMENSION})
    write_feature_arrays(store, folder / "arrays.npz")
    return [
        FileKind(name="store.json", seed=store / "store.json", read=lambda path: _open(path.parent)),
        *(
            FileKind(
                name=f"{table} of a store",
                seed=store / table / "part-00000.parquet",
                read=lambda path: _open(path.parent.parent),
            )
            for table in ("tokens", "manifest")
        ),
        FileKind(
            name="arrays.npz",
            seed=folder / "arrays.npz",
            read=lambda path: read_feature_arrays(path, "voice", "English", "train"),
        ),
    ]


def _open(store: Path) -> None:
    check_store(store)
    EmbeddingStore.open(store)


def _weights(folder: Path) -> list[FileKind]:
    state = {"weight": torch.ones(3, 2), "bias": torch.zeros(3)}
    checkpoint = folder / "checkpoint"
    save_checkpoint(
        checkpoint, state, {"recipe": "association", "model": {"width": 3}}, {"validation_eer": 0.1}
    )
    torch.save(state, folder / "weights.pt")
    torch.save(state, folder / "old.pt", _use_new_zipfile_serialization=False)
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    (folder / "arrays.pkl").write_bytes(pickle.dumps(arrays, protocol=2))
    TrainingProgress(folder, {}).save(state)
    _write_submission(folder / "submission.zip")
    return [
        *(
            FileKind(
                name=f"checkpoint, {name}",
                seed=checkpoint / name,
                read=lambda path: load_checkpoint(path.parent),
            )
            for name in (WEIGHTS_FILE, CONFIG_FILE, METRICS_FILE)
        ),
        *(
            FileKind(name=name, seed=folder / name, read=read_state)
            for name in ("weights.pt", "old.pt", "arrays.pkl")
        ),
        FileKind(
            name="state of a stopped training",
            seed=folder / STATE_FILE,
            read=lambda path: TrainingProgress(path.parent, {}).load(),
        ),
        FileKind(name="submission.zip", seed=folder / "submission.zip", read=read_submission),
    ]


def _write_submission(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for language in ("English", "Urdu"):
            for condition in ("heard", "unheard"):
                archive.writestr(f"sub_score_{language}_{condition}.txt", "t0 0.5\nt1 0.25\n")
