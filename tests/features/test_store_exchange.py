"""Stores to the field's files and back: the same bits, the same training, the same scores; bad input by its place."""

import json

import numpy as np
import pandas as pd
import pytest

import inference
import train
from features.__main__ import main
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.feature_csv import read_fop, write_cafnet, write_fop
from src.core.errors import ConfigError, ListError, StoreError
from tests.features.made_up_stores import write_stores

RECIPE = """
recipe: association
model: {name: cafnet, aligned_width: 3, width: 8, heads: 2, hidden: 8, dropout: 0.1, members: 1}
alignment: {principal_components: 4, shrinkage: 0.1}
batch: {identities: 4, voices_per_identity: 2, faces_per_identity: 1, voice_tokens: 1, face_tokens: 1}
objective:
  name: cafnet
  weights: {pair: 1.0, contrastive: 0.5, identity: 0.1, orthogonal_projection: 0.1}
optimizer: {learning_rate: 5.0e-3, weight_decay: 0.01, warmup_steps: 2, gradient_clip: 1.0, average_decay: 0.8}
validation: {folds: 3, every_steps: 3, patience: 1}
steps: 3
fewest_identities: 6
"""


@pytest.fixture
def features(tmp_path):
    write_stores(tmp_path / "features", people=12, items=4)
    return tmp_path / "features"


def export(features, modality, out, *more):
    return main(["export", str(features / modality), "--out", str(out), *more])


def import_both(folder, out, *more, voice="voices.csv", face="faces.csv"):
    files = ["--voice", folder / voice, "--face", folder / face]
    return import_files(out, *files, "--voice-encoder", "v", "--face-encoder", "f", *more)


def import_voice(path, out, *more):
    return import_files(out, "--voice", path, "--voice-encoder", "v", *more)


def import_files(out, *more):
    return main(["import", "--out", str(out), "--language", "English", *map(str, more)])


def through_fop(features, folder):
    """Both splits to FOP files and back, joined; the feature folder that results."""
    for split in ("train", "test"):
        keys = features / f"English_{split}.txt"
        for modality in ("voice", "face"):
            out = folder / f"{split}-{modality}.csv"
            assert export(features, modality, out, "--format", "fop", "--keys", str(keys)) == 0
        labels = ["--unlabelled"] if split == "test" else []
        names = {modality: f"{split}-{modality}.csv" for modality in ("voice", "face")}
        assert (
            import_both(
                folder, folder / split, "--format", "fop", "--split", split, "--keys", keys, *labels, **names
            )
            == 0
        )
    for modality in ("voice", "face"):
        parts = [str(folder / split / modality) for split in ("train", "test")]
        assert main(["merge", *parts, "--out", str(folder / "back" / modality)]) == 0
        assert main(["verify", str(folder / "back" / modality)]) == 0
    return folder / "back"


def train_and_score(features, lists, folder):
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE)
    arguments = ["--features", str(features), "--device", "cpu"]
    checkpoint = folder / "checkpoint"
    assert train.main([str(recipe), *arguments, "--language", "English", "--out", str(checkpoint)]) == 0
    scores = folder / "scores.txt"
    trials = str(lists / "English_test.txt")
    assert (
        inference.main(
            ["score", "--checkpoint", str(checkpoint), *arguments, "--trials", trials, "--out", str(scores)]
        )
        == 0
    )
    return scores


def test_the_baseline_s_files_train_and_score_as_the_stores_they_came_from(features, tmp_path):
    back = through_fop(features, tmp_path)
    scores = []
    for name, folder in (("original", features), ("imported", back)):
        (tmp_path / name).mkdir()
        scores.append(train_and_score(folder, features, tmp_path / name))
    assert scores[0].read_text() == scores[1].read_text()
    truth = tmp_path / "truth.txt"
    lines = scores[0].read_text().splitlines()
    truth.write_text("".join(f"{line.split()[0]} {int(line[1] == line[2])}\n" for line in lines))
    measures = tmp_path / "measures.json"
    evaluate = ["evaluate", "--scores", str(scores[1]), "--truth", str(truth), "--json", str(measures)]
    assert inference.main(evaluate) == 0
    assert json.loads(measures.read_text())["trials"] == 9


def test_the_exported_rows_follow_the_list_and_belong_together(features, tmp_path):
    keys = features / "English_train.txt"
    for modality in ("voice", "face"):
        export(features, modality, tmp_path / f"{modality}.csv", "--format", "fop", "--keys", str(keys))
    voices, faces = read_fop(tmp_path / "voice.csv"), read_fop(tmp_path / "face.csv")
    assert voices.labels == faces.labels
    store = EmbeddingStore.open(features / "voice")
    for line, vector, label in zip(keys.read_text().splitlines(), voices.vectors, voices.labels, strict=True):
        voice = line.split()[0]
        assert vector.tolist() == store.primary(f"voices/{voice}").tolist()
        assert label == voice.split("/")[0]


def items(store):
    return EmbeddingStore.open(store).items.sort_index()


def test_fop_without_a_list_has_numbered_keys(features, tmp_path):
    out = tmp_path / "English_voices_train.csv"
    assert export(features, "voice", out, "--format", "fop", "--language", "English", "--split", "train") == 0
    assert import_voice(out, tmp_path / "back", "--format", "fop") == 0
    back, original = EmbeddingStore.open(tmp_path / "back" / "voice"), EmbeddingStore.open(features / "voice")
    assert back.items.index[:2].tolist() == ["English_voices_train/000001", "English_voices_train/000002"]
    known = original.items[original.items["split"] == "train"]
    assert back.items["identity"].tolist() == known["identity"].tolist()
    np.testing.assert_array_equal(back.vectors, original.vectors[known["first"]])
    assert back.information["encoder"] == "v"
    assert main(["verify", str(tmp_path / "back" / "voice")]) == 0


def test_cafnet_folders_name_the_person_by_file_and_the_medium_by_label(features, tmp_path):
    assert export(features, "face", tmp_path / "faces", "--format", "cafnet", "--split", "train") == 0
    assert sorted(path.name for path in (tmp_path / "faces").iterdir())[:2] == ["id0000.csv", "id0001.csv"]
    assert len(pd.read_csv(tmp_path / "faces" / "id0000.csv")) == 4
    arguments = ["--face", str(tmp_path / "faces"), "--face-encoder", "f", "--language", "English"]
    assert main(["import", "--format", "cafnet", *arguments, "--out", str(tmp_path / "back")]) == 0
    back, original = items(tmp_path / "back" / "face"), items(features / "face")
    known = original[original["split"] == "train"]
    assert back.index.tolist() == known.index.tolist()
    assert back["identity"].tolist() == known["identity"].tolist()
    store, former = (EmbeddingStore.open(path) for path in (tmp_path / "back" / "face", features / "face"))
    assert all(np.array_equal(store.primary(key), former.primary(key)) for key in known.index)


@pytest.mark.parametrize("split", ["train", "test"])
def test_one_cafnet_file_has_people_as_labels_or_keys_where_nobody_is_known(features, tmp_path, split):
    out = tmp_path / "voices.csv"
    assert export(features, "voice", out, "--format", "cafnet", "--split", split) == 0
    assert import_voice(out, tmp_path / "back", "--format", "cafnet", "--split", split) == 0
    back, original = (EmbeddingStore.open(path / "voice").items for path in (tmp_path / "back", features))
    expected = original[original["split"] == split]
    assert back["identity"].tolist() == expected["identity"].tolist()
    if split == "test":
        assert back.index.tolist() == expected.index.tolist()


def test_numpy_keeps_every_token_and_the_provenance(tmp_path):
    write_stores(tmp_path / "features", windows=2, failed=0)
    store = tmp_path / "features" / "voice"
    assert main(["export", str(store), "--format", "numpy", "--out", str(tmp_path / "voice.npz")]) == 0
    arguments = ["--voice", str(tmp_path / "voice.npz"), "--out", str(tmp_path / "back")]
    assert main(["import", "--format", "numpy", *arguments]) == 0
    original, back = (pd.read_parquet(folder / "tokens") for folder in (store, tmp_path / "back" / "voice"))
    pd.testing.assert_frame_equal(back.drop(columns="vector"), original.drop(columns="vector"))
    np.testing.assert_array_equal(np.stack(back["vector"]), np.stack(original["vector"]))
    information = EmbeddingStore.open(tmp_path / "back" / "voice").information
    assert information.pop("counts") == {"done": 15, "failed": 0, "reasons": {}}
    assert information == EmbeddingStore.open(store).information
    assert main(["verify", str(tmp_path / "back" / "voice")]) == 0
    with pytest.raises(ListError, match="encoder 'voice-test', not 'v'"):
        import_voice(tmp_path / "voice.npz", tmp_path / "other", "--format", "numpy")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"vector": np.ones((2, 3))}, "lacks the arrays key"),
        ({"key": np.array(["a", "b"]), "vector": np.ones(3)}, r"`vector` is float64 \(3,\)"),
        (
            {"key": np.array(["a"]), "vector": np.ones((2, 3))},
            r"`key` is <U1 \(1,\), not one value for each of 2",
        ),
        (
            {"key": np.array(["a", "b"], object), "vector": np.ones((2, 3))},
            "not a NumPy archive .* of plain arrays",
        ),
        (
            {"key": np.array(["a", "b"]), "vector": np.array([[1, 2], [3, np.nan]])},
            "row 1, column 1: not a finite",
        ),
        ({"key": np.array(["a", "a"]), "vector": np.ones((2, 3))}, "the key a stands twice"),
        ({"key": np.array(["a", "b", "a"]), "vector": np.ones((3, 3))}, "the key a do not stand together"),
    ],
)
def test_malformed_arrays_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "arrays.npz", **arrays)
    with pytest.raises(ListError, match=message):
        import_voice(tmp_path / "arrays.npz", tmp_path / "out", "--format", "numpy")
    assert not (tmp_path / "out").exists()


def test_arrays_of_one_s_own_are_a_store(tmp_path):
    np.savez(tmp_path / "own.npz", key=np.array(["a", "b"]), vector=np.eye(2))
    assert import_voice(tmp_path / "own.npz", tmp_path / "out", "--format", "numpy") == 0
    store = EmbeddingStore.open(tmp_path / "out" / "voice")
    assert store.primary("b").tolist() == [0, 1]
    assert store.items["language"].tolist() == ["English"] * 2


def write_pair(folder, voices, faces, dimension=2):
    for name, labels in (("voices.csv", voices), ("faces.csv", faces)):
        vectors = np.arange(len(labels) * dimension, dtype=np.float32).reshape(-1, dimension)
        write_fop(folder / name, vectors, labels)


def test_files_whose_rows_do_not_belong_together_are_refused(tmp_path):
    write_pair(tmp_path, list("aab"), list("aa"))
    with pytest.raises(ListError, match=r"voices.csv has 3 rows, .*faces.csv has 2"):
        import_both(tmp_path, tmp_path / "out", "--format", "fop")
    write_pair(tmp_path, list("aab"), list("aba"))
    with pytest.raises(
        ListError, match=r"voices.csv, line 2, column 3: the label is 'a', but 'b' in .*faces.csv, line 2"
    ):
        import_both(tmp_path, tmp_path / "out", "--format", "fop")
    assert not (tmp_path / "out").exists()


def test_a_list_of_another_length_is_refused(tmp_path):
    write_fop(tmp_path / "voices.csv", np.eye(3, dtype=np.float32), list("aab"))
    (tmp_path / "keys.txt").write_text("x\ny\n")
    with pytest.raises(ListError, match=r"voices.csv has 3 rows, .*keys.txt 2"):
        import_voice(
            tmp_path / "voices.csv", tmp_path / "out", "--format", "fop", "--keys", tmp_path / "keys.txt"
        )


def test_a_key_may_repeat_with_the_same_vector_only(tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_text("x\ny\nx\n")
    path = tmp_path / "voices.csv"
    write_fop(path, np.array([[1, 2], [3, 4], [1, 2]], np.float32), list("aba"))
    assert import_voice(path, tmp_path / "out", "--format", "fop", "--keys", keys) == 0
    assert EmbeddingStore.open(tmp_path / "out" / "voice").items.index.tolist() == ["x", "y"]
    write_fop(path, np.array([[1, 2], [3, 4], [1, 5]], np.float32), list("aba"))
    with pytest.raises(
        ListError, match=r"voices.csv, line 3: the key x stands in .*line 1 too, with another vector"
    ):
        import_voice(path, tmp_path / "other", "--format", "fop", "--keys", keys)
    write_fop(path, np.array([[1, 2], [3, 4], [1, 2]], np.float32), list("abc"))
    with pytest.raises(ListError, match="with another label"):
        import_voice(path, tmp_path / "other", "--format", "fop", "--keys", keys)


def test_cafnet_files_that_contradict_each_other_are_refused(tmp_path):
    folder = tmp_path / "faces"
    write_cafnet(folder / "id1.csv", np.eye(2, dtype=np.float32), ["a", "b"])
    write_cafnet(folder / "id2.csv", np.eye(2, dtype=np.float32), ["c", "a"])
    with pytest.raises(ListError, match=r"row 4 of all files: the key a stands in .*row 1 of all files too"):
        import_voice(folder, tmp_path / "out", "--format", "cafnet")
    write_cafnet(folder / "id2.csv", np.eye(3, dtype=np.float32), ["c", "d", "e"])
    with pytest.raises(ListError, match=r"id2\.csv, line 1: 3 features, but 2 in .*id1.csv"):
        import_voice(folder, tmp_path / "out", "--format", "cafnet")
    with pytest.raises(ConfigError, match="labels of a folder of files are keys"):
        import_voice(folder, tmp_path / "out", "--format", "cafnet", "--keys", "list.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ListError, match=r"holds no \.csv file"):
        import_voice(tmp_path / "empty", tmp_path / "out", "--format", "cafnet")


def test_exports_that_make_no_sense_are_refused(features, tmp_path):
    out = tmp_path / "out.csv"
    with pytest.raises(StoreError, match="3 of 51 media are of unknown people"):
        export(features, "voice", out, "--format", "fop")
    with pytest.raises(StoreError, match="nothing of the language 'Urdu'; it has 'English'"):
        export(features, "voice", out, "--format", "fop", "--language", "Urdu")
    with pytest.raises(StoreError, match="no file can be named after the identities ''"):
        export(features, "voice", tmp_path / "folder", "--format", "cafnet")
    (tmp_path / "keys.txt").write_text("voices/none.wav\n")
    with pytest.raises(StoreError, match=r"1 keys have no embedding.*\n  voices/none.wav"):
        export(features, "voice", out, "--format", "fop", "--keys", str(tmp_path / "keys.txt"))
    assert not out.exists()


def test_commands_that_lack_something_say_what(tmp_path):
    write_fop(tmp_path / "voices.csv", np.eye(2, dtype=np.float32), list("ab"))
    common = ["import", "--format", "fop", "--out", str(tmp_path / "out")]
    with pytest.raises(ConfigError, match="give --voice FILE"):
        main([*common, "--language", "English"])
    with pytest.raises(ConfigError, match="give --language"):
        main([*common, "--voice", str(tmp_path / "voices.csv")])
    with pytest.raises(ConfigError, match="name it with --voice-encoder"):
        main([*common, "--voice", str(tmp_path / "voices.csv"), "--language", "English"])
    assert import_voice(tmp_path / "voices.csv", tmp_path / "out", "--format", "fop") == 0
    with pytest.raises(StoreError, match="holds a store already"):
        import_voice(tmp_path / "voices.csv", tmp_path / "out", "--format", "fop")
