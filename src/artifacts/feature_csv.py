"""The CSV files of features that the field passes around; numbers survive a round trip to the last bit of a float32.

FOP, the challenge's baseline (github.com/mavceleb/mavceleb_baseline): no header; the features, then the label. Voices
and faces lie in two files whose rows belong together. Test files may lack the label.

CAFNet (github.com/prathamg007/Face_Voice_Association): the header `label,feature_1,feature_2,…`, then rows.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from src.core.errors import ListError
from src.core.files import atomic_path

_BLOCK_BYTES = 1 << 24  # rows of thousands of columns are parsed twice as fast in large blocks


@dataclass(frozen=True)
class FeatureRows:
    """The rows of one file.

    vectors: float32 (rows, dimension), finite. labels: of each row; None for a file without labels.
    """

    path: Path
    vectors: np.ndarray
    labels: list[str] | None

    def line(self, row: int) -> int:
        """The line of the file on which a row stands, from 1."""
        return line_of_row(self.path, row, len(self.vectors))


def line_of_row(path: Path, row: int, rows: int) -> int:
    """The line, from 1, of one of the file's last `rows` rows; empty lines and a header count as lines."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        lines = [reader.line_num for fields in reader if fields]
    return lines[row + len(lines) - rows]


def write_fop(path: Path, vectors: np.ndarray, labels: Sequence[str] | None) -> None:
    """Write features, then the label, without a header. vectors: float32 (rows, dimension)."""
    _write(path, vectors, None, labels, header="")


def write_cafnet(path: Path, vectors: np.ndarray, labels: Sequence[str]) -> None:
    """Write `label,feature_1,…` and its rows. vectors: float32 (rows, dimension)."""
    names = [f"feature_{number}" for number in range(1, vectors.shape[1] + 1)]
    _write(path, vectors, labels, None, header=",".join(["label", *names]) + "\n")


def read_fop(path: Path, *, labelled: bool = True) -> FeatureRows:
    """Read a FOP file; a label written as a float (`3.0`, `3.000e+00`) is the whole number `3`.

    Raises ListError naming file, line and column of a ragged row, of text in a number, of a number that is not
    finite, and of an empty label or one that is no label but another feature.
    """
    width = _first_row_width(path)
    if width < 2 and labelled:
        raise ListError(f"{path}, line 1: one column; a FOP file has the features and then the label")
    names = [f"feature {number}" for number in range(1, width + 1)]
    rows = _read(path, names, names[-1] if labelled else None, header=False)
    if rows.labels is None:
        return rows
    labels = [_whole_number(label) for label in rows.labels]
    for row, label in enumerate(labels):
        if not label:
            raise ListError(
                f"{path}, line {rows.line(row)}, column {width}: the label is empty; give every row one"
            )
        if _is_fraction(label):
            raise ListError(
                f"{path}, line {rows.line(row)}, column {width}: {label!r} is no label but a feature, as it seems. "
                "For a file without labels say --unlabelled"
            )
    return FeatureRows(path, rows.vectors, labels)


def read_cafnet(path: Path) -> FeatureRows:
    """Read a CAFNet file.

    Raises ListError naming file, line and column of another header, a ragged row, text in a number, a number that
    is not finite, or an empty label.
    """
    names = _first_row(path)
    expected = ["label", *(f"feature_{number}" for number in range(1, len(names)))]
    if len(names) < 2 or names != expected:
        place = next(
            (place for place, pair in enumerate(zip(names, expected, strict=True)) if pair[0] != pair[1]), 0
        )
        raise ListError(
            f"{path}, line 1, column {place + 1}: the header is not `label,feature_1,feature_2,…` but has "
            f"{names[place]!r} there. A file without a header is of the format fop"
        )
    rows = _read(path, names, "label", header=True)
    assert rows.labels is not None, "the header names the label"
    if "" in rows.labels:
        line = rows.line(rows.labels.index(""))
        raise ListError(f"{path}, line {line}, column 1: the label is empty; give every row one")
    return rows


def _write(
    path: Path, vectors: np.ndarray, first: Sequence[str] | None, last: Sequence[str] | None, header: str
) -> None:
    features = [pa.array(column) for column in np.ascontiguousarray(vectors.T, dtype=np.float32)]
    columns = [
        *([] if first is None else [pa.array(first, pa.string())]),
        *features,
        *([] if last is None else [pa.array(last, pa.string())]),
    ]
    table = pa.table(columns, [str(place) for place in range(len(columns))])
    special = any(mark in label for label in (*(first or ()), *(last or ())) for mark in ',"\r\n')
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="needed" if special else "none")
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        stream.write(header.encode())
        arrow_csv.write_csv(table, stream, options)


def _first_row(path: Path) -> list[str]:
    """The fields of the first line that is not empty. Raises ListError when there is none."""
    if not path.is_file():
        raise ListError(f"{path}: no such file of features")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            row = next((fields for fields in csv.reader(stream) if fields), None)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ListError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    if row is None:
        raise ListError(f"{path}: holds no row")
    return row


def _first_row_width(path: Path) -> int:
    return len(_first_row(path))


def _read(path: Path, names: list[str], label: str | None, *, header: bool) -> FeatureRows:
    """Parse the whole file at once; where that fails, go through it line by line to name the place."""
    features = [name for name in names if name != label]
    types = {name: pa.string() if name == label else pa.float32() for name in names}
    try:
        table = arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(column_names=names, skip_rows=int(header), block_size=_BLOCK_BYTES),
            convert_options=arrow_csv.ConvertOptions(column_types=types, null_values=[]),
        )
    except pa.ArrowInvalid as error:
        raise _explanation(path, names, label, header=header, otherwise=str(error)) from error
    vectors = np.empty((len(table), len(features)), np.float32)
    for place, name in enumerate(features):
        vectors[:, place] = table[name].to_numpy()
    if len(vectors) == 0:
        raise ListError(f"{path}: holds no row below its header")
    if not np.isfinite(vectors).all():
        raise _explanation(path, names, label, header=header, otherwise="a number is not finite")
    return FeatureRows(path, vectors, None if label is None else table[label].to_pylist())


def _explanation(
    path: Path, names: list[str], label: str | None, *, header: bool, otherwise: str
) -> ListError:
    """The error for the first fault of a file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            if header:
                next(reader)
            for fields in reader:
                fault = _fault(fields, names, label) if fields else ""
                if fault:
                    return ListError(f"{path}, line {reader.line_num}, {fault}")
    except (UnicodeDecodeError, csv.Error) as error:
        otherwise = str(error)
    return ListError(f"{path}: not a CSV file of features ({otherwise})")


def _fault(fields: list[str], names: list[str], label: str | None) -> str:
    """What is wrong with a row, and in which column; empty if nothing."""
    if len(fields) != len(names):
        first = min(len(fields), len(names)) + 1
        return (
            f"column {first}: the row has {len(fields)} columns, the first line has {len(names)}; "
            "was the file cut off, or are two files joined?"
        )
    for place, (name, text) in enumerate(zip(names, fields, strict=True), 1):
        if name == label:
            continue
        try:
            with np.errstate(over="ignore"):
                usable = math.isfinite(np.float32(text))
        except ValueError:
            return f"column {place}: {text[:40]!r} is not a number; extract the features of this row again"
        if not usable:
            return f"column {place}: {text[:40]!r} is not a finite float32; extract the features of this row again"
    return ""


def _whole_number(label: str) -> str:
    """A label that was written as a float, as NumPy and pandas write whole columns of numbers, without its fraction."""
    if not any(mark in label for mark in ".e"):
        return label
    try:
        value = float(label)
    except ValueError:
        return label
    return str(int(value)) if math.isfinite(value) and value == int(value) else label


def _is_fraction(label: str) -> bool:
    try:
        value = float(label)
    except ValueError:
        return False
    return not math.isfinite(value) or value != int(value)
