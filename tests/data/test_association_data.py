"""Who may be trained on: filtering by split and language, errors before the first step, identity splits."""

import numpy as np
import pandas as pd
import pytest

from src.artifacts.embedding_store import EmbeddingStore
from src.core.errors import TrainingError
from src.data.association import load_association_data
from src.data.identity_split import identity_folds


def store_of(rows, folder, vectors=None):
    """A store in memory with two tokens an item; rows: (key, identity, language, video, split)."""
    items = pd.DataFrame(rows, columns=["key", "identity", "language", "video", "split"])
    items["first"], items["count"] = np.arange(len(items)) * 2, 2
    if vectors is None:
        vectors = np.arange(len(items) * 2 * 3, dtype=np.float32).reshape(-1, 3)
    kinds = np.array(["whole", "window"] * len(items))
    return EmbeddingStore(folder, {"encoder": "test"}, vectors, items.set_index("key"), kinds)


def rows_of(people, per_person=2, language="English", split="train"):
    return [
        (f"{language}/{name}/{number}", name, language, f"video{number % 2}", split)
        for name in people
        for number in range(per_person)
    ]


def test_takes_training_items_of_the_language_alone(tmp_path):
    rows = [
        *rows_of(["b", "a"], 3),
        *rows_of(["a", "b"], 2, "Urdu"),
        *rows_of(["c"], 2, "English", "test"),
        ("English/test", "", "English", "", "test"),
    ]
    store = store_of(rows, tmp_path)
    data = load_association_data(store, store, "English")
    assert data.names == ("a", "b")
    assert len(data.voices) == 6
    np.testing.assert_array_equal(data.voices.identities, [0, 0, 0, 1, 1, 1])
    assert sorted(data.voices.first.tolist()) == [0, 2, 4, 6, 8, 10]
    np.testing.assert_array_equal(np.unique(data.voices.videos), [0, 1, 2, 3])
    keys = [store.items.index[store.items["first"] == first][0] for first in data.voices.first]
    assert keys[:3] == ["English/a/0", "English/a/2", "English/a/1"], "ordered by person, video, key"


def test_some_people_only(tmp_path):
    store = store_of(rows_of(["a", "b", "c"]), tmp_path)
    data = load_association_data(store, store, "English").of(["c", "a"])
    assert data.names == ("a", "c")
    np.testing.assert_array_equal(data.faces.identities, [0, 0, 1, 1])
    assert set(data.faces.first) == {0, 2, 8, 10}


def test_people_with_too_few_items_are_left_out_and_named(tmp_path):
    voices = store_of([*rows_of(["a", "b"]), *rows_of(["c"], 1), *rows_of(["d"])], tmp_path)
    faces = store_of(rows_of(["a", "b", "c"]), tmp_path)
    data = load_association_data(voices, faces, "English")
    assert data.names == ("a", "b")
    assert data.left_out == {"c": "only 1 voices", "d": "only 0 faces"}


def test_an_absent_language_is_named_with_those_that_are_there(tmp_path):
    store = store_of([*rows_of(["a"]), *rows_of(["b"], language="Urdu", split="test")], tmp_path)
    with pytest.raises(TrainingError, match="in 'Urdu'; it has English"):
        load_association_data(store, store, "Urdu")


def test_one_voice_each_is_an_error_that_says_so(tmp_path):
    voices, faces = store_of(rows_of("abc", 1), tmp_path), store_of(rows_of("abc"), tmp_path)
    with pytest.raises(TrainingError, match=r"0 people have at least 2 voices.*a: only 1 voices"):
        load_association_data(voices, faces, "English")


def test_too_few_people(tmp_path):
    store = store_of(rows_of("abc"), tmp_path)
    with pytest.raises(TrainingError, match="at least 4 are needed"):
        load_association_data(store, store, "English", fewest_identities=4)


def test_a_vector_that_is_not_finite_is_named(tmp_path):
    vectors = np.ones((12, 3), dtype=np.float32)
    vectors[5, 1] = np.nan
    store = store_of(rows_of("abc"), tmp_path, vectors)
    with pytest.raises(TrainingError, match="not finite: English/b/0"):
        load_association_data(store, store, "English")


def test_folds_are_disjoint_and_everyone_validates_once():
    names = [f"id{number:03d}" for number in range(23)]
    splits = identity_folds(names, 5, seed=1)
    assert sorted(name for split in splits for name in split.validation) == names
    for split in splits:
        assert not set(split.training) & set(split.validation)
        assert sorted([*split.training, *split.validation]) == names
        assert len(split.validation) in (4, 5)


def test_folds_depend_on_the_seed_and_not_on_the_order():
    names = [f"id{number:03d}" for number in range(30)]
    assert identity_folds(names, 5, 1) == identity_folds(names[::-1], 5, 1)
    assert identity_folds(names, 5, 1) != identity_folds(names, 5, 2)


@pytest.mark.parametrize(("names", "folds"), [(["a"], 2), (["a", "b"], 1), (["a", "a", "b"], 2)])
def test_impossible_folds(names, folds):
    with pytest.raises(TrainingError):
        identity_folds(names, folds, 0)


def test_people_in_training_and_test_are_refused_by_name(tmp_path):
    rows = [*rows_of(["a", "b", "c"]), *rows_of(["b", "c", "x"], language="Urdu", split="test")]
    faces = store_of(rows_of(["a", "b", "c"]), tmp_path)
    with pytest.raises(TrainingError, match=r"2 people are in .* \(English\) and in the test split: b, c\."):
        load_association_data(store_of(rows, tmp_path), faces, "English")
    with pytest.raises(TrainingError, match=r"1 people .*: a\."):
        load_association_data(
            faces, store_of([*rows_of("abc"), *rows_of("a", split="test")], tmp_path), "English"
        )
