"""The benchmark's stores are what it says they are."""

import pytest

from benchmarks.store_reading import DIMENSION, LAYOUTS, open_store, write_layout
from src.artifacts.embedding_store import EmbeddingStore


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_generated_store_has_its_layout(tmp_path, name):
    layout = LAYOUTS[name]
    write_layout(tmp_path, layout, 1800)
    store = EmbeddingStore.open(tmp_path)
    assert store.vectors.shape == (1800, DIMENSION)
    assert set(store.items["count"]) == {layout.tokens_per_medium}
    assert len(list((tmp_path / "tokens").iterdir())) == -(
        -1800 // (layout.tokens_per_medium * layout.media_per_part)
    )
    assert open_store(tmp_path)["vector_bytes"] == 1800 * DIMENSION * 4
