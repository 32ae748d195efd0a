import numpy as np
import pyarrow.parquet as pq
import pytest

from src.artifacts.embedding_store import EmbeddingStore, token_table, write_store_information
from src.core.errors import StoreError


def rows_of(keys_and_kinds):
    return [
        {
            "key": key,
            "identity": key[0],
            "language": "English",
            "video": "v",
            "split": "train",
            "token_index": index,
            "token_kind": kind,
            "quality": 1.0,
        }
        for index, (key, kind) in enumerate(keys_and_kinds)
    ]


def write_store(folder, parts, information=None):
    (folder / "tokens").mkdir(parents=True)
    for index, (rows, vectors) in enumerate(parts):
        pq.write_table(token_table(rows_of(rows), vectors), folder / "tokens" / f"part-{index:05d}.parquet")
    write_store_information(
        folder, {"modality": "voice", "encoder": "test", "dimension": 3, **(information or {})}
    )


@pytest.fixture
def store(tmp_path):
    numbers = np.arange(15, dtype=np.float32).reshape(5, 3)
    write_store(
        tmp_path / "voice",
        [
            ([("a1", "window"), ("a1", "whole"), ("b1", "whole")], numbers[:3]),
            ([("c1", "whole"), ("c1", "window")], numbers[3:]),
        ],
    )
    return EmbeddingStore.open(tmp_path / "voice")


def test_vectors_are_exact_and_belong_to_their_keys(store):
    assert store.dimension == 3
    assert store.encoder == "test"
    assert list(store.items.index) == ["a1", "b1", "c1"]
    assert store.tokens("a1").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert store.primary("a1").tolist() == [3, 4, 5]
    assert store.primary("c1").tolist() == [9, 10, 11]
    assert list(store.items["identity"]) == ["a", "b", "c"]


def test_an_absent_key_is_an_error_that_lists_it_and_never_a_near_name(store):
    assert store.missing(["a1", "a", "a11", "a"]) == ["a", "a11"]
    with pytest.raises(StoreError, match="a11"):
        store.require(["a1", "a11"])
    with pytest.raises(StoreError, match="1 keys"):
        store.tokens("a")


def test_unusable_stores_are_refused(tmp_path):
    with pytest.raises(StoreError, match="not an embedding store"):
        EmbeddingStore.open(tmp_path)
    vector = np.zeros((1, 3), np.float32)
    write_store(tmp_path / "old", [([("a", "whole")], vector)])
    (tmp_path / "old" / "store.json").write_text('{"format": 99}')
    with pytest.raises(StoreError, match="format 99"):
        EmbeddingStore.open(tmp_path / "old")
    write_store(tmp_path / "nan", [([("a", "whole")], vector * np.nan)])
    with pytest.raises(StoreError, match="not finite"):
        EmbeddingStore.open(tmp_path / "nan")
    write_store(
        tmp_path / "torn", [([("a", "whole"), ("b", "whole"), ("a", "window")], np.zeros((3, 3), np.float32))]
    )
    with pytest.raises(StoreError, match="together"):
        EmbeddingStore.open(tmp_path / "torn")
    write_store(tmp_path / "none", [])
    with pytest.raises(StoreError, match="no tokens"):
        EmbeddingStore.open(tmp_path / "none")
