"""info, verify and merge, as users type them."""

import json
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.__main__ import COMMANDS, main
from src.artifacts.embedding_store import EmbeddingStore
from src.core.errors import DatasetError, StoreError
from tests.features.made_up_stores import write_stores


@pytest.fixture
def features(tmp_path):
    write_stores(tmp_path / "features", windows=2)
    return tmp_path / "features"


def change_part(store, change, table="tokens", number=0):
    """Rewrite one part of a store as `change` makes it."""
    path = store / table / f"part-{number:05d}.parquet"
    pq.write_table(change(pq.read_table(path)), path)


def problems(store, capsys):
    status = main(["verify", str(store)])
    return status, capsys.readouterr().out


def test_info_counts_what_is_there(features, capsys):
    assert main(["info", str(features / "voice"), str(features / "face")]) == 0
    text = capsys.readouterr().out
    assert "voice embeddings of voice-test, dimension 6" in text
    assert "face embeddings of face-test, dimension 8" in text
    assert "15 media, 45 tokens (whole 15, window 30) in 2 parts" in text
    assert "English, train: 12 media, 36 tokens, 4 people" in text
    assert "English, test: 3 media, 9 tokens, 0 people" in text
    assert "people      4, with 3 to 3 media each (median 3)" in text
    assert "failed      1 (no_speech 1)" in text
    norms = np.linalg.norm(EmbeddingStore.open(features / "face").vectors, axis=1)
    assert f"norms       {norms.min():.4g} to {norms.max():.4g}" in text


def test_a_sound_store_is_sound(features, capsys):
    assert problems(features / "voice", capsys) == (0, f"{features / 'voice'}: 15 media, 45 tokens: sound\n")


def with_not_a_number(table):
    vectors = np.array(table["vector"].to_pylist(), np.float32)
    vectors[4, 1] = np.nan
    place, kind = table.column_names.index("vector"), table.schema.field("vector").type
    return table.set_column(place, "vector", pa.array(vectors.tolist(), kind))


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("tokens", lambda table: table.take([0, 3, 1, *range(4, len(table)), 2]), "do not stand together"),
        (
            "tokens",
            lambda table: table.take([0, 1, 1, *range(3, len(table))]),
            "two tokens of the same number",
        ),
        (
            "tokens",
            lambda table: table.slice(1),
            "no token of the kind whole or crop: voices/id0000/English/video0/0",
        ),
        ("tokens", lambda table: table.slice(3), "done in the manifest and have no tokens: voices/id0000"),
        ("tokens", lambda table: table.slice(0, len(table) - 1), "another number of tokens"),
        (
            "tokens",
            with_not_a_number,
            "1 keys have vectors that are not finite: voices/id0000/English/video1/00001.wav",
        ),
        (
            "tokens",
            lambda table: table.drop_columns(["quality"]),
            "part-00000.parquet: lacks the columns quality",
        ),
        ("manifest", lambda table: table.slice(1), "have tokens and are not done in the manifest"),
        (
            "manifest",
            lambda table: table.take([0, *range(len(table))]),
            "stand more than once in the manifest",
        ),
        (
            "manifest",
            lambda table: table.drop_columns(["reason"]),
            "part-00000.parquet: lacks the columns reason",
        ),
    ],
)
def test_verify_names_what_is_wrong(features, capsys, table, change, message):
    change_part(features / "voice", change, table)
    status, text = problems(features / "voice", capsys)
    assert status == 1
    assert message in text


def test_verify_names_every_part_that_cannot_be_read(features, capsys):
    first, second = sorted((features / "voice" / "tokens").iterdir())
    first.write_bytes(first.read_bytes()[:-20])
    shutil.copy(features / "face" / "tokens" / second.name, second)
    status, text = problems(features / "voice", capsys)
    assert status == 1
    assert f"{first}: truncated" in text
    assert f"{second}: its vectors have 8 numbers, but store.json says 6" in text


def test_merge_joins_stores_and_loses_nothing(features, tmp_path, capsys):
    write_stores(tmp_path / "more", people=1, items=2, test_items=0, seed=1, failed=2)
    rename_keys(tmp_path / "more" / "voice")
    out = tmp_path / "all"
    assert main(["merge", str(features / "voice"), str(tmp_path / "more" / "voice"), "--out", str(out)]) == 0
    assert "2 stores, 17 media with tokens, 3 without" in capsys.readouterr().out
    merged, first, second = (
        EmbeddingStore.open(path) for path in (out, features / "voice", tmp_path / "more" / "voice")
    )
    np.testing.assert_array_equal(merged.vectors, np.concatenate([first.vectors, second.vectors]))
    assert list(merged.items.index) == [*first.items.index, *second.items.index]
    assert list(merged.token_kinds) == [*first.token_kinds, *second.token_kinds]
    assert merged.information["counts"] == {"done": 17, "failed": 3, "reasons": {"no_speech": 3}}
    assert problems(out, capsys)[0] == 0
    assert pd.read_parquet(out / "tokens")["key"].nunique() == 17
    assert len(list((out / "tokens").iterdir())) == 1


def rename_keys(store):
    for table in ("tokens", "manifest"):
        for number in range(2):
            change_part(
                store,
                lambda former: former.set_column(
                    0, "key", [[f"more/{key}" for key in former["key"].to_pylist()]]
                ),
                table,
                number,
            )


def test_merge_refuses_keys_in_both_and_lists_them(features, tmp_path):
    shutil.copytree(features / "voice", tmp_path / "copy")
    with pytest.raises(
        StoreError, match=r"(?s)16 keys stand in more than one store:\n  voices/id0000.*and 6 more"
    ):
        merge([features / "voice", tmp_path / "copy"], tmp_path / "all")
    assert not (tmp_path / "all").exists()


def merge(stores, out):
    return main(["merge", *map(str, stores), "--out", str(out)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": "ecapa"}, "encoder: 'voice-test' in .*, 'ecapa' in"),
        ({"weights_sha256": "bad"}, "weights_sha256: 'f00' in .*, 'bad' in"),
        ({"tokens": {"window_seconds": 3.0}}, r"tokens.window_seconds: 2.0 in .*, 3.0 in"),
        ({"preprocessing": {"band": 1}}, "preprocessing: None in .*band"),
    ],
)
def test_merge_refuses_stores_that_were_not_made_alike(features, tmp_path, change, message):
    write_stores(tmp_path / "more", seed=1, **change)
    with pytest.raises(StoreError, match=message):
        merge([features / "voice", tmp_path / "more" / "voice"], tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_merge_never_writes_over_anything(features):
    with pytest.raises(StoreError, match="holds a store already"):
        merge([features / "voice"], features / "face")
    (features / "new").mkdir()
    (features / "new" / "file").write_text("")
    with pytest.raises(StoreError, match="not a whole store"):
        merge([features / "voice"], features / "new")


def test_a_merge_that_fails_leaves_no_store(features, tmp_path):
    path = features / "voice" / "tokens" / "part-00001.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StoreError, match=r"part-00001\.parquet: truncated"):
        merge([features / "voice"], tmp_path / "all")
    assert not (tmp_path / "all" / "store.json").exists()


def test_damaged_information_is_named(features):
    path = features / "voice" / "store.json"
    path.write_text("{")
    with pytest.raises(StoreError, match="not readable as JSON"):
        main(["info", str(features / "voice")])
    path.write_text(json.dumps({"format": 1, "modality": "voice"}))
    with pytest.raises(StoreError, match="does not say encoder, dimension"):
        main(["verify", str(features / "voice")])


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_examples(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"python -m features {command}" in capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert f"python -m features {command}" in capsys.readouterr().out


def test_a_work_folder_named_like_a_command_is_given_as_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "info").mkdir()
    with pytest.raises(DatasetError, match="preprocessing"):
        main(["./info"])
