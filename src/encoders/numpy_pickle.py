"""Pickles of NumPy arrays, read without running anything that they name.

A pickle is a program that calls what it names. Here it can name only the stand-ins below: they note a dtype, a shape
and the bytes, and the array is made of these afterwards, checked. Not even NumPy's own unpickling is called.
"""

import math
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from src.core.errors import WeightsError

_ELEMENTS = frozenset({"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1"})
_BYTE_ORDERS = frozenset("<>=|")


class _Dtype:
    """Stands for `numpy.dtype`: numbers of a fixed size, and nothing else."""

    def __init__(self, code: str, *_flags: object) -> None:
        if code not in _ELEMENTS:
            raise pickle.UnpicklingError(f"arrays of {code!r} are not weights")
        self.code, self.byte_order = code, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in _BYTE_ORDERS:
            raise pickle.UnpicklingError(f"byte order {state[1]!r} is unknown")
        self.byte_order = state[1]


class _Array:
    """Stands for `numpy.ndarray`, and takes the state that NumPy writes of one."""

    array: np.ndarray

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, columns_first, content = state
        self.array = _make_array(content, dtype, shape, "F" if columns_first else "C")


def _make_array(content: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, _Dtype) or order not in ("C", "F"):
        raise pickle.UnpicklingError("an array without the type of its elements, or in an unknown order")
    if isinstance(content, str):  # Python 2 wrote bytes as text
        content = content.encode("latin1")
    element = np.dtype(dtype.byte_order + dtype.code)
    sides = tuple(shape)
    if not all(isinstance(side, int) and side >= 0 for side in sides):
        raise pickle.UnpicklingError(f"an array of shape {shape!r}")
    if math.prod(sides) * element.itemsize != len(content):
        raise pickle.UnpicklingError(f"an array of shape {sides} with {len(content)} bytes")
    return np.frombuffer(content, element).reshape(sides, order=order)


def _reconstruct(*_arguments: object) -> _Array:
    return _Array()


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    made = _Array()
    made.array = _make_array(content, dtype, shape, order)
    return made


def _scalar(dtype: Any, content: Any) -> _Array:
    return _from_buffer(content, dtype, (), "C")


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes encoded as {encoding!r}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    return b""


class _StandIn:
    """What a name in the pickle stands for: it can be called, and a pickle cannot change it."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: object) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it changes what it names")


_STAND_INS = {
    ("numpy", "ndarray"): _StandIn(_reconstruct),
    ("numpy", "dtype"): _StandIn(_Dtype),
    ("collections", "OrderedDict"): _StandIn(OrderedDict),
    # How Python 3 writes bytes, and no bytes, in Python 2's format.
    ("_codecs", "encode"): _StandIn(_encode),
    ("__builtin__", "bytes"): _StandIn(_no_bytes),
    **{
        (f"numpy.{core}.{module}", name): _StandIn(call)
        for core in ("core", "_core")
        for module, name, call in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return _STAND_INS[module, name]


def read_numpy_pickle(path: Path) -> dict[str, Tensor]:
    """A pickled dictionary of arrays of numbers, as tensors; Python 2's pickles too.

    Raises WeightsError for anything else, code above all: it is refused before it could run.
    """
    try:
        with path.open("rb") as stream:
            content = _ArrayUnpickler(stream, encoding="latin1").load()
    except Exception as error:  # damaged bytes make the parser raise nearly anything
        raise WeightsError(
            f"{path}: not readable as a pickle of arrays: it is damaged, cut short, or carries code "
            f"(such files are never run). Fetch it again. ({error or type(error).__name__})"
        ) from error
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path}: holds {type(content).__name__}, not a dictionary of arrays.")
    return {_name(name, path): _tensor(value, name, path) for name, value in content.items()}


def _name(name: object, path: Path) -> str:
    if not isinstance(name, str):
        raise WeightsError(f"{path}: {name!r} is not the name of an array.")
    return name


def _tensor(value: object, name: object, path: Path) -> Tensor:
    array = getattr(value, "array", None)
    if not isinstance(value, _Array) or array is None:
        raise WeightsError(f"{path}: {name!r} is not an array.")
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), order="C"))
