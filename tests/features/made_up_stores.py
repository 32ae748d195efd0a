"""Small stores of both modalities, as an extraction leaves them, with the lists that pair them."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from src.artifacts.embedding_store import MANIFEST_SCHEMA, token_table, write_store_information
from src.artifacts.trials import TrainingPair, Trial, write_training_pairs, write_trials

DIMENSIONS = {"voice": 6, "face": 8}
FOLDERS = {"voice": "voices", "face": "faces"}
SUFFIXES = {"voice": ".wav", "face": ".jpg"}


def training_path(person, item, modality):
    return f"id{person:04d}/English/video{item % 2}/{item:05d}{SUFFIXES[modality]}"


def trial_path(item, modality):
    return f"{FOLDERS[modality]}/English/{item:05d}{SUFFIXES[modality]}"


def store_rows(people, items, test_items):
    """(path below the modality's folder or key, identity, video, split) of every medium."""
    for modality in FOLDERS:
        training = [
            (
                f"{FOLDERS[modality]}/{training_path(person, item, modality)}",
                f"id{person:04d}",
                f"video{item % 2}",
                "train",
            )
            for person in range(people)
            for item in range(items)
        ]
        yield (
            modality,
            [*training, *((trial_path(item, modality), "", "", "test") for item in range(test_items))],
        )


def write_stores(features, people=4, items=3, test_items=3, seed=0, windows=0, failed=1, **information):
    """Stores `voice` and `face`; people show the same latent numbers in both."""
    random = np.random.default_rng(seed)
    latent = random.normal(size=(people + test_items, 3))
    for modality, rows in store_rows(people, items, test_items):
        mixing = random.normal(size=(3, DIMENSIONS[modality]))
        media = []
        for number, (key, identity, video, split) in enumerate(rows):
            person = number // items if identity else number - people * items + people
            vectors = (latent[person] @ mixing)[None] + 0.1 * random.normal(
                size=(1 + windows, DIMENSIONS[modality])
            )
            media.append((key, identity, video, split, vectors.astype(np.float32)))
        write_one_store(features / modality, modality, media, failed, **information)
    pairs = [
        TrainingPair(
            training_path(person, voice, "voice"), training_path(person, (voice + shift) % items, "face")
        )
        for person in range(people)
        for voice in range(items)
        for shift in range(2)
    ]
    write_training_pairs(features / "English_train.txt", pairs)
    trials = [
        Trial(f"t{voice}{face}", trial_path(voice, "voice"), trial_path(face, "face"))
        for voice in range(test_items)
        for face in range(test_items)
    ]
    write_trials(features / "English_test.txt", trials)


def write_one_store(folder, modality, media, failed=0, **information):
    """media: (key, identity, video, split, vectors); every second one goes into the second part."""
    kinds = ("whole", "window") if modality == "voice" else ("crop", "flip")
    for name in ("tokens", "manifest"):
        (folder / name).mkdir(parents=True)
    for part, chosen in enumerate((media[: len(media) // 2], media[len(media) // 2 :])):
        rows, vectors, manifest = [], [], []
        for key, identity, video, split, own in chosen:
            common = {"key": key, "identity": identity, "language": "English", "video": video, "split": split}
            rows += [
                {**common, "token_index": index, "token_kind": kinds[min(index, 1)], "quality": 1.5}
                for index in range(len(own))
            ]
            vectors.append(own)
            manifest.append(manifest_row(common, modality, "done", "", len(own)))
        if part == 0:
            manifest += [
                manifest_row(
                    {"key": f"{folder.parent.name}/failed{number}", "identity": "", "language": "English"}
                    | {"video": "", "split": "train"},
                    modality,
                    "failed",
                    "no_speech",
                    0,
                )
                for number in range(failed)
            ]
        name = f"part-{part:05d}.parquet"
        pq.write_table(token_table(rows, np.concatenate(vectors)), folder / "tokens" / name)
        pq.write_table(pa.Table.from_pylist(manifest, schema=MANIFEST_SCHEMA), folder / "manifest" / name)
    write_store_information(
        folder,
        {
            "modality": modality,
            "encoder": f"{modality}-test",
            "dimension": DIMENSIONS[modality],
            "weights_sha256": "f00",
            "tokens": {"window_seconds": 2.0},
        }
        | information,
    )


def manifest_row(common, modality, status, reason, tokens):
    return {**common, "modality": modality, "size_bytes": 1, "time_seconds": None} | {
        "status": status,
        "reason": reason,
        "tokens": tokens,
    }
