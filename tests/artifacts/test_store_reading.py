"""Parts of any size give the same arrays; what cannot be read is named by its part."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.artifacts.embedding_store import EmbeddingStore, token_table_of_columns, write_store_information
from src.core.errors import StoreError


def token_rows(counts, dimension=2):
    """A table with `counts[i]` tokens of the i-th key; vectors are their row numbers."""
    names = np.repeat([f"k{number:03d}" for number in range(len(counts))], counts)
    rows = len(names)
    vectors = np.arange(rows * dimension, dtype=np.float32).reshape(rows, dimension)
    texts = {name: [f"{name}-{key}" for key in names] for name in ("identity", "language", "video", "split")}
    indices = np.concatenate([np.arange(count) for count in counts])
    kinds = np.where(indices == 0, "whole", "window")
    return token_table_of_columns(
        {"key": names, **texts, "token_index": indices, "token_kind": kinds, "quality": np.ones(rows)},
        vectors,
    )


def write_parts(folder, tables, **options):
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    for path in (folder / "tokens").iterdir():
        path.unlink()
    for number, table in enumerate(tables):
        pq.write_table(table, folder / "tokens" / f"part-{number:05d}.parquet", **options)
    write_store_information(folder, {"modality": "voice", "encoder": "test", "dimension": 2})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@settings(max_examples=20)
@given(
    counts=st.lists(st.integers(1, 4), min_size=1, max_size=12),
    cuts=st.lists(st.integers(0, 48), max_size=4),
    row_group=st.integers(1, 7),
)
def test_any_parts_and_row_groups_give_the_same_store(folder, counts, cuts, row_group):
    table = token_rows(counts)
    edges = [0, *sorted(min(cut, len(table)) for cut in cuts), len(table)]
    write_parts(
        folder,
        [table.slice(first, last - first) for first, last in pairwise(edges)],
        row_group_size=row_group,
    )
    store = EmbeddingStore.open(folder)
    np.testing.assert_array_equal(store.vectors, np.arange(2 * len(table)).reshape(-1, 2))
    assert list(store.token_kinds) == table["token_kind"].to_pylist()
    assert list(store.items.index) == [f"k{number:03d}" for number in range(len(counts))]
    assert store.items["count"].tolist() == counts
    assert store.items["first"].tolist() == [sum(counts[:number]) for number in range(len(counts))]
    assert list(store.items["video"]) == [f"video-{key}" for key in store.items.index]
    assert store.primary_rows(list(store.items.index)).tolist() == store.items["first"].tolist()


def test_a_store_whose_media_all_failed_is_open_and_empty(folder):
    write_parts(folder, [token_rows([1]).slice(1)])
    store = EmbeddingStore.open(folder)
    assert store.vectors.shape == (0, 2)
    assert store.missing(["k000"]) == ["k000"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop_columns(["vector"]), "lacks the columns vector"),
        (lambda table: token_rows([1], dimension=3), "3 numbers, but store.json says 2"),
        (
            lambda table: table.set_column(
                7, "vector", pa.array([[1.0, 2.0]] * len(table), pa.list_(pa.float32()))
            ),
            "are of the type list<element",
        ),
        (
            lambda table: table.set_column(
                7, "vector", pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2))
            ),
            "not finite",
        ),
    ],
)
def test_a_part_that_is_none_is_named(folder, change, message):
    table = token_rows([1, 2])
    write_parts(folder, [table, change(table)])
    with pytest.raises(StoreError, match=f"part-00001.parquet: .*{message}"):
        EmbeddingStore.open(folder)


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-9], lambda content: content[:3], lambda content: b""]
)
def test_a_truncated_part_is_named(folder, damage):
    write_parts(folder, [token_rows([1, 2])] * 2)
    path = folder / "tokens" / "part-00001.parquet"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StoreError, match=r"part-00001\.parquet: truncated"):
        EmbeddingStore.open(folder)


def test_a_key_without_a_primary_token_is_named(folder):
    table = token_rows([2, 2])
    kinds = pa.array(["whole", "window", "window", "window"])
    write_parts(folder, [table.set_column(table.column_names.index("token_kind"), "token_kind", kinds)])
    store = EmbeddingStore.open(folder)
    assert store.primary("k000").tolist() == [0, 1]
    with pytest.raises(StoreError, match="1 keys have no token of the kind whole or crop, among them k001"):
        store.primary_rows(["k000", "k001"])


def test_pandas_reads_the_parts_as_they_are(folder):
    write_parts(folder, [token_rows([1, 2]), token_rows([1])])
    frame = pd.read_parquet(folder / "tokens")
    assert frame["key"].tolist() == ["k000", "k001", "k001", "k000"]
    assert np.stack(frame["vector"]).tolist() == [[0, 1], [2, 3], [4, 5], [0, 1]]
