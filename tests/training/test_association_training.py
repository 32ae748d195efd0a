"""Training a head end to end on small stores: files, held-out people, seeds, errors, and that it learns."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

import train
from src.artifacts.checkpoints import load_checkpoint, load_weights
from src.artifacts.embedding_store import EmbeddingStore, token_table, write_store_information
from src.core.errors import ConfigError, StoreError, TrainingError
from src.core.polarity import score_from_similarity
from src.metrics.verification import equal_error_rate
from src.models.pair_scoring import similarity_matrix_of
from src.models.registry import build_model
from src.models.tokens import TokenSequences
from src.training.association_member import Member

SMALL = """
recipe: association
model: {name: cafnet, aligned_width: 4, width: 8, heads: 2, hidden: 8, dropout: 0.1, members: 2}
alignment: {principal_components: 8, shrinkage: 0.1}
batch: {identities: 8, voices_per_identity: 2, faces_per_identity: 1, voice_tokens: 2, face_tokens: 2}
objective:
  name: cafnet
  weights: {pair: 1.0, contrastive: 0.5, identity: 0.1, orthogonal_projection: 0.1}
optimizer: {learning_rate: 5.0e-3, weight_decay: 0.01, warmup_steps: 5, gradient_clip: 1.0, average_decay: 0.8}
validation: {folds: 3, every_steps: 6, patience: 3}
steps: 18
"""
PEOPLE, UNSEEN = 36, 12


def write_store(folder, modality, seed, broken=False):
    """Embeddings of people who share two latent numbers across modalities; the last ones are test people."""
    kinds = ("whole", "window", "window") if modality == "voice" else ("crop", "flip")
    shared = np.random.default_rng(0).normal(size=(PEOPLE + UNSEEN, 2))
    random = np.random.default_rng(seed)
    people = np.concatenate([2.0 * shared, 0.7 * random.normal(size=(len(shared), 4))], axis=1)
    mixing, rows, vectors = random.normal(size=(6, 10)), [], []
    for person in range(len(shared)):
        for item in range(4):
            place = people[person] @ mixing + 0.3 * random.normal(size=10)
            for index, kind in enumerate(kinds):
                rows.append(
                    {
                        "key": f"{modality}/{person}/{item}",
                        "identity": f"id{person:02d}",
                        "language": "English" if item < 3 or person >= PEOPLE else "Urdu",
                        "video": f"v{item % 2}",
                        "split": "train" if person < PEOPLE else "test",
                        "token_index": index,
                        "token_kind": kind,
                        "quality": 1.0,
                    }
                )
                vectors.append(place + 0.1 * random.normal(size=10))
    table = token_table(rows, np.array(vectors, dtype=np.float32))
    (folder / modality / "tokens").mkdir(parents=True)
    pq.write_table(table, folder / modality / "tokens" / "part-00000.parquet")
    write_store_information(
        folder / modality, {"modality": modality, "encoder": f"{modality}-test", "dimension": 10}
    )


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    write_store(folder, "voice", 1)
    write_store(folder, "face", 2)
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("configs") / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def run(config, features, out, *more):
    return train.main(
        [str(config), "--features", str(features), "--language", "English", "--out", str(out), *more]
    )


@pytest.fixture(scope="module")
def checkpoint(config, features, tmp_path_factory):
    out = tmp_path_factory.mktemp("checkpoints") / "head"
    assert run(config, features, out, "--device", "cpu") == 0
    return load_checkpoint(out)


def unseen_error(checkpoint, features):
    model = build_model(checkpoint.config["model"])
    load_weights(model, checkpoint)
    sides, identities = [], []
    for modality in ("voice", "face"):
        store = EmbeddingStore.open(features / modality)
        items = store.items[store.items["split"] == "test"]
        sides.append(TokenSequences.gather(store.vectors, items["first"], items["count"]))
        identities.append(items["identity"].to_numpy())
    same = identities[0][:, None] == identities[1][None, :]
    scores = score_from_similarity(similarity_matrix_of(model, *sides))
    return equal_error_rate(scores.ravel(), same.ravel())


def test_people_never_seen_are_told_apart(checkpoint, features):
    assert unseen_error(checkpoint, features) < 0.25


def test_held_out_people_are_disjoint_and_recorded(checkpoint):
    people = checkpoint.config["identities"]
    assert people["training"] == [f"id{number:02d}" for number in range(PEOPLE)]
    assert len(people["members"]) == 2
    for member in people["members"]:
        assert not set(member["training"]) & set(member["validation"])
        assert len(member["validation"]) == 12
    first, second = (set(member["validation"]) for member in people["members"])
    assert not first & second


def test_the_checkpoint_says_how_it_was_made(checkpoint):
    config = checkpoint.config
    assert config["recipe"] == "association"
    assert config["language"] == "English"
    assert config["encoders"]["voice"]["encoder"] == "voice-test"
    assert config["model"]["voice_dimension"] == 10
    assert config["training"]["steps"] == 18
    log = pd.read_csv(checkpoint.folder / "training_log.csv")
    assert {"pair_loss", "contrastive_loss", "identity_loss", "orthogonal_projection_loss", "loss"} < set(log)
    assert len(log) == 2 * checkpoint.metrics["epochs_trained"]
    errors = log.groupby("epoch")["validation_eer"].mean()
    assert checkpoint.metrics["validation_eer"] == pytest.approx(errors.min(), rel=1e-4)
    assert checkpoint.metrics["epoch"] == errors.idxmin()
    assert set(log.loc[log["chosen"] == 1, "epoch"]) == {checkpoint.metrics["epoch"]}


def test_another_seed_holds_out_other_people(checkpoint, config, features, tmp_path):
    run(config, features, tmp_path, "--seed", "1", "--set", "steps=6")
    other = load_checkpoint(tmp_path)
    assert any(not torch.equal(other.weights[name], tensor) for name, tensor in checkpoint.weights.items())
    assert other.config["identities"] != checkpoint.config["identities"]


def test_the_same_seed_gives_the_same_bits_and_test_people_play_no_part(
    checkpoint, config, features, tmp_path
):
    changed = tmp_path / "features"
    for modality in ("voice", "face"):
        table = pq.read_table(features / modality / "tokens" / "part-00000.parquet")
        kept = table.filter(np.array([split == "train" for split in table["split"].to_pylist()]))
        (changed / modality / "tokens").mkdir(parents=True)
        pq.write_table(kept, changed / modality / "tokens" / "part-00000.parquet")
        information = (features / modality / "store.json").read_text("utf-8")
        (changed / modality / "store.json").write_text(information, encoding="utf-8")
    run(config, changed, tmp_path / "out")
    weights = load_checkpoint(tmp_path / "out").weights
    assert all(torch.equal(weights[name], tensor) for name, tensor in checkpoint.weights.items())


def test_settings_from_the_command_line(config, features, tmp_path):
    settings = ("--set", "model.members=1", "--set", "steps=5", "--set", "model.aligned_width=null")
    run(config, features, tmp_path, *settings)
    found = load_checkpoint(tmp_path)
    assert found.config["model"]["members"] == 1
    assert found.metrics["epochs_trained"] == 1
    identity = torch.eye(10)
    torch.testing.assert_close(found.weights["members.0.voice_input.projection"], identity)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (["steps=0"], ConfigError, "steps must be at least 1"),
        (["stepz=3"], ConfigError, "stepz: unknown key"),
        (
            ["objective.weights.pair=0", "objective.weights.contrastive=0"],
            ConfigError,
            "the similarity learns nothing",
        ),
        (["batch.voices_per_identity=1"], ConfigError, "must be at least 2"),
        (["model.members=4"], ConfigError, "more than validation.folds"),
        (["model.aligned_width=11"], ConfigError, "smaller of the stores' dimensions"),
        (["fewest_identities=40"], TrainingError, "36 people have at least 2 voices.*40 are needed"),
        (["recipe=associaton"], ConfigError, "is not one of association"),
    ],
)
def test_errors_before_the_first_step(config, features, tmp_path, monkeypatch, settings, error, message):
    monkeypatch.setattr(Member, "train", lambda *_: pytest.fail("a step was taken"))
    with pytest.raises(error, match=message):
        run(config, features, tmp_path, *(part for setting in settings for part in ("--set", setting)))
    assert not list(tmp_path.iterdir())


def test_a_language_that_is_absent(config, features, tmp_path):
    with pytest.raises(TrainingError, match="in 'Hindi'; it has English, Urdu"):
        train.main([str(config), "--features", str(features), "--language", "Hindi", "--out", str(tmp_path)])
    with pytest.raises(TrainingError, match="only 1 voices"):
        train.main([str(config), "--features", str(features), "--language", "Urdu", "--out", str(tmp_path)])


def test_options_that_a_recipe_lacks_or_needs(config, features, tmp_path):
    with pytest.raises(ConfigError, match="needs --features"):
        train.main([str(config), "--language", "English", "--out", str(tmp_path)])
    with pytest.raises(ConfigError, match="takes no --media"):
        run(config, features, tmp_path, "--media", str(tmp_path))
    with pytest.raises(StoreError, match="not an embedding store"):
        run(config, tmp_path, tmp_path / "out")


def test_a_loss_that_is_not_finite_stops_and_is_named(config, features, tmp_path, monkeypatch):
    monkeypatch.setattr("src.losses.pair.PairLoss.forward", lambda self, s, same: s.sum() * float("nan"))
    with pytest.raises(TrainingError, match=r"stopped being finite in member 0 at step 1: pair\."):
        run(config, features, tmp_path)
    assert not list(tmp_path.iterdir())
