"""Parts that stay in a table are those of records: the same records, counts and fingerprints."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocessing.stage_parts import parts_for_stage
from src.artifacts.sources import SourceRecord, SourceRows, frame_key, source_table, write_sources
from src.core.part_store import encoded_settings, fingerprint_of
from src.core.stage import split_into_parts
from src.core.table_parts import TableParts, count_records, fingerprints_of

NAMES = st.sampled_from(["", "id1", "id1-b", "English", 'a"b\\', "ä\x7f"])
SECONDS = st.none() | st.sampled_from([0.0, 0.5, 10.25, 1e-3])


@st.composite
def source_records(draw):
    key = draw(st.text(st.characters(codec="utf-8"), min_size=1) | st.sampled_from(["a/b.wav", "a#t=1.mp4"]))
    seconds = draw(SECONDS)
    return SourceRecord(
        key=key if seconds is None else frame_key(key, seconds),
        modality=draw(st.sampled_from(["voice", "face"])),
        identity=draw(NAMES),
        language=draw(NAMES),
        video=draw(NAMES),
        split=draw(st.sampled_from(["train", "test"])),
        size_bytes=draw(st.integers(0, 2**62)),
        time_seconds=seconds,
        modified_ns=draw(st.integers(-(2**62), 2**62)),
    )


LISTS = st.lists(source_records(), max_size=12).map(
    lambda records: sorted(records, key=lambda one: one.order)
)


def grouped(records):
    """What `parts_for_stage` does, one record after the other."""
    groups = {}
    for record in records:
        test = ("test", record.language, record.file_key, "")
        train = ("train", record.identity, record.language, record.video)
        groups.setdefault(test if record.split == "test" else train, []).append(record)
    return [groups[name] for name in sorted(groups)]


@settings(max_examples=20)
@given(LISTS, st.integers(1, 5))
def test_parts_of_a_table_are_the_parts_of_its_records(records, part_size):
    rows = SourceRows(source_table(records))
    expected = split_into_parts(grouped(records), part_size)
    parts = parts_for_stage(rows, part_size)
    assert list(parts) == parts[:] == expected
    assert count_records(parts) == len(records)
    text = encoded_settings({"name": "ä"})
    assert fingerprints_of(parts, text) == [fingerprint_of(part, text) for part in expected]


def test_fingerprints_do_not_depend_on_how_many_rows_are_taken_at_once(monkeypatch):
    table = pa.table({"number": np.arange(10), "name": list("abcdefghij")})
    parts = TableParts(table, np.array([1, 4, 9, 10]), dict)
    at_once = parts.fingerprints("settings")
    monkeypatch.setattr("src.core.table_parts._ROWS_AT_ONCE", 4)
    assert parts.fingerprints("settings") == at_once
    assert len(set(at_once)) == 4


@settings(max_examples=20)
@given(LISTS)
def test_rows_are_the_records_and_are_written_as_they_are(tmp_path_factory, records):
    rows = SourceRows(source_table(records))
    assert list(rows) == rows[:] == records
    assert rows[-1:] == records[-1:]
    assert rows.file_keys().to_pylist() == [record.file_key for record in records]
    assert [list(rows.of(kind)) for kind in ("voice", "face")] == [
        [record for record in records if record.modality == kind] for kind in ("voice", "face")
    ]
    folder = tmp_path_factory.mktemp("sources")
    write_sources(folder / "rows.parquet", rows)
    write_sources(folder / "records.parquet", records)
    assert (folder / "rows.parquet").read_bytes() == (folder / "records.parquet").read_bytes()
