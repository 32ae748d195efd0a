"""FOP and CAFNet files: exact numbers, the published layout, and every kind of malformed row by its place."""

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from src.artifacts.feature_csv import read_cafnet, read_fop, write_cafnet, write_fop
from src.core.errors import ListError

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
MATRICES = st.tuples(st.integers(1, 5), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=FLOATS)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("csv")


def bits(vectors):
    return vectors.view(np.uint32).tolist()


@given(MATRICES)
def test_numbers_survive_both_formats_to_the_last_bit(folder, vectors):
    labels = [f"id{row}" for row in range(len(vectors))]
    write_fop(folder / "fop.csv", vectors, labels)
    write_cafnet(folder / "cafnet.csv", vectors, labels)
    write_fop(folder / "unlabelled.csv", vectors, None)
    for rows in (read_fop(folder / "fop.csv"), read_cafnet(folder / "cafnet.csv")):
        assert bits(rows.vectors) == bits(vectors)
        assert rows.labels == labels
    unlabelled = read_fop(folder / "unlabelled.csv", labelled=False)
    assert bits(unlabelled.vectors) == bits(vectors)
    assert unlabelled.labels is None


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1), min_size=1, max_size=4
    )
)
def test_any_label_survives(folder, labels):
    labels = [f"{label}x" for label in labels]  # nothing that reads as a number
    write_cafnet(folder / "labels.csv", np.ones((len(labels), 2), np.float32), labels)
    assert read_cafnet(folder / "labels.csv").labels == labels


def test_files_look_as_the_field_writes_them(folder):
    vectors = np.array([[0.5, -1e-8], [3, 0.1]], np.float32)
    write_fop(folder / "fop.csv", vectors, ["id1", "id2"])
    assert (folder / "fop.csv").read_text() == "0.5,-1e-8,id1\n3,0.1,id2\n"
    write_cafnet(folder / "cafnet.csv", vectors, ["id1", "a,b"])
    text = (folder / "cafnet.csv").read_text()
    assert text.startswith("label,feature_1,feature_2\n")
    assert [row[0] for row in csv.reader(text.splitlines())] == ["label", "id1", "a,b"]


def test_files_written_by_pandas_and_numpy_are_read(folder):
    vectors = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    frame = pd.DataFrame(vectors).assign(label=[7, 7, 8, 8])
    frame.to_csv(folder / "pandas.csv", header=False, index=False)
    np.savetxt(folder / "numpy.csv", frame.to_numpy(np.float64), delimiter=",")
    for name in ("pandas.csv", "numpy.csv"):
        rows = read_fop(folder / name)
        assert bits(rows.vectors) == bits(vectors)
        assert rows.labels == ["7", "7", "8", "8"]


def test_the_baseline_s_own_reading_gets_the_same_numbers(folder):
    vectors = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    write_fop(folder / "fop.csv", vectors, list("abab"))
    frame = pd.read_csv(folder / "fop.csv", header=None)
    assert bits(np.asarray(frame)[:, :-1].astype(np.float32)) == bits(vectors)
    assert list(frame[3]) == list("abab")


def test_line_ends_marks_and_empty_lines_do_not_matter(folder):
    (folder / "marked.csv").write_bytes(b"\xef\xbb\xbf1,2,a\r\n\r\n3,4,b")
    rows = read_fop(folder / "marked.csv")
    assert rows.vectors.tolist() == [[1, 2], [3, 4]]
    assert rows.labels == ["a", "b"]
    assert [rows.line(0), rows.line(1)] == [1, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,a\n3,4\n", "line 2, column 3: the row has 2 columns, the first line has 3"),
        ("1,2,a\n3,4,5,b\n", "line 2, column 4: the row has 4 columns"),
        ("1,2,a\n\n3,x,b\n", "line 3, column 2: 'x' is not a number"),
        ("1,2,a\n3,,b\n", "line 2, column 2: '' is not a number"),
        ("1,2,a\n3,nan,b\n", "line 2, column 2: 'nan' is not a finite"),
        ("1,2,a\n-inf,4,b\n", "line 2, column 1: '-inf' is not a finite"),
        ("1,2,a\n1e39,4,b\n", "line 2, column 1: '1e39' is not a finite"),
        ("1,2,a\n3,4,\n", "line 2, column 3: the label is empty"),
        ("1,2,a\n\n3,4,0.25\n", "line 3, column 3: '0.25' is no label.*--unlabelled"),
        ("1\n2\n", "line 1: one column"),
        ("", "holds no row"),
        ("label,feature_1\na,1\n", "line 1, column 1: 'label' is not a number"),
    ],
)
def test_malformed_fop_files_are_refused_by_place(folder, text, message):
    path = folder / "malformed.csv"
    path.write_text(text)
    with pytest.raises(ListError, match=f"malformed.csv.*{message}"):
        read_fop(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,1,2\n", "line 1, column 1: the header is not .* 'a'.*format fop"),
        ("label,feature_1,feature_3\na,1,2\n", "line 1, column 3: .*'feature_3'"),
        ("label,feature_1\n", "holds no row below its header"),
        ("label,feature_1\na,1\nb,c\n", "line 3, column 2: 'c' is not a number"),
        ("label,feature_1\na,1\n,2\n", "line 3, column 1: the label is empty"),
        ("label,feature_1\na,1\nb\n", "line 3, column 2: the row has 1 columns"),
    ],
)
def test_malformed_cafnet_files_are_refused_by_place(folder, text, message):
    path = folder / "malformed.csv"
    path.write_text(text)
    with pytest.raises(ListError, match=message):
        read_cafnet(path)


def test_absent_and_binary_files_are_named(folder):
    with pytest.raises(ListError, match="no such file of features"):
        read_fop(folder / "absent.csv")
    (folder / "binary.csv").write_bytes(b"1,2,a\n\xff\xfe,3,b\n")
    with pytest.raises(ListError, match=r"binary\.csv"):
        read_fop(folder / "binary.csv")
