"""A reader of pickled arrays that runs nothing."""

import io
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from src.core.errors import WeightsError
from src.encoders.numpy_pickle import read_numpy_pickle

# What Python 2.7 writes for {"weight": numpy.array([[1.0, 2.0]], "f4")}, protocol 2: names and bytes are str.
PYTHON_2 = (
    b"\x80\x02}q\x00U\x06weightq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04"
    b"U\x01bq\x05\x87q\x06Rq\x07(K\x01K\x01K\x02\x86q\x08cnumpy\ndtype\nq\tU\x02f4q\nK\x00K\x01\x87q\x0bRq\x0c(K\x03"
    b"U\x01<q\rNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0eb\x89U\x08\x00\x00\x80?\x00\x00\x00@q\x0ftq\x10bs."
)
_SHAPES = arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
_ARRAYS = st.one_of(
    arrays_of.arrays(kind, _SHAPES) for kind in ("<f4", ">f4", "f8", "i8", "u1", "bool", "f2")
)


def written(folder, content):
    path = folder / "weights.pkl"
    path.write_bytes(content)
    return path


class Calls:
    """Pickled, it makes the reader call a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_python_2_s_pickles_are_read(tmp_path):
    state = read_numpy_pickle(written(tmp_path, PYTHON_2))
    assert state.keys() == {"weight"}
    assert state["weight"].tolist() == [[1.0, 2.0]]
    assert state["weight"].dtype == torch.float32


@given(array=_ARRAYS, protocol=st.integers(2, pickle.HIGHEST_PROTOCOL), columns_first=st.booleans())
def test_every_array_of_numbers_comes_back(tmp_path_factory, array, protocol, columns_first):
    array = np.asarray(array, order="F" if columns_first else "C")
    content = OrderedDict(weight=array, step=np.float64(2.5))
    folder = tmp_path_factory.getbasetemp()
    state = read_numpy_pickle(written(folder, pickle.dumps(content, protocol)))
    np.testing.assert_array_equal(state["weight"].numpy(), array)
    assert state["weight"].shape == array.shape
    assert state["step"].item() == 2.5


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_is_refused_and_has_not_run(tmp_path, protocol):
    trace = tmp_path / "trace"
    calls = [
        Calls(Path.touch, trace),
        Calls(os.system, f"touch {trace}"),
        Calls(eval, f"open({str(trace)!r}, 'w')"),
        Calls(open, str(trace), "w"),
        Calls(np.save, str(trace), np.zeros(1)),
    ]
    for call in calls:
        content = pickle.dumps({"weight": np.zeros(2, "f4"), "bad": call}, protocol)
        with pytest.raises(WeightsError, match="carries code"):
            read_numpy_pickle(written(tmp_path, content))
    assert not list(tmp_path.glob("trace*"))
    opened = pickle.loads(pickle.dumps(calls[3], protocol))  # it would have
    opened.close()
    assert trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy\ndtype\n}X\x05\x00\x00\x00_callcos\nsystem\nsb.",  # change a stand-in by its state
        b"cnumpy\ndtype\n(N}X\x05\x00\x00\x00_callNstb.",
        b"cnumpy\nndarray\n}b.",
        b"cnumpy.core.multiarray\nfromfile\n.",
        b"cbuiltins\ngetattr\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__reduce__\x93.",
    ],
)
def test_tricks_are_refused(tmp_path, content):
    with pytest.raises(WeightsError, match="carries code"):
        read_numpy_pickle(written(tmp_path, content))
    assert read_numpy_pickle(written(tmp_path, PYTHON_2))["weight"].tolist() == [[1.0, 2.0]]


def test_arrays_that_are_not_plain_numbers_are_refused(tmp_path):
    for array in (np.array([{}, None]), np.array(["text"]), np.zeros(2, [("a", "f4")]), np.zeros(1, "c8")):
        with pytest.raises(WeightsError, match="not readable"):
            read_numpy_pickle(written(tmp_path, pickle.dumps({"weight": array})))


def test_other_content_is_refused(tmp_path):
    for content, match in (([np.zeros(1)], "dictionary"), ({3: np.zeros(1)}, "name"), ({"a": 1.0}, "array")):
        with pytest.raises(WeightsError, match=match):
            read_numpy_pickle(written(tmp_path, pickle.dumps(content)))


@given(place=st.integers(0, len(PYTHON_2) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_damage_is_an_error_or_an_array_of_the_right_size(tmp_path_factory, place, byte, cut):
    damaged = PYTHON_2[:place] if cut else PYTHON_2[:place] + bytes([byte]) + PYTHON_2[place + 1 :]
    path = written(tmp_path_factory.getbasetemp(), damaged)
    try:
        state = read_numpy_pickle(path)
    except WeightsError:
        return
    assert all(value.numel() * value.element_size() == 8 for value in state.values())


def test_a_truncated_file_is_refused(tmp_path):
    content = pickle.dumps({"weight": np.zeros((64, 64), "f4")})
    for share in (0.0, 0.5, 0.99):
        with pytest.raises(WeightsError, match="cut short"):
            read_numpy_pickle(written(tmp_path, content[: int(share * len(content))]))


def test_it_reads_as_numpy_does(tmp_path):
    state = {"a": np.arange(6, dtype=">i4").reshape(2, 3), "b": np.float32(1.5)}
    content = pickle.dumps(state, 2)
    expected = pickle.load(io.BytesIO(content), encoding="latin1")
    found = read_numpy_pickle(written(tmp_path, content))
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in expected.items()
    }
