import pyarrow as pa
import pytest

from src.core.stage import Stage, read_parts, run_stage, split_into_parts


class Squares:
    """Squares numbers, fails on negative ones, and leaves a trace of every part that it ran."""

    def __init__(self, trace):
        self.trace = trace

    def __call__(self, records):
        with self.trace.open("a") as stream:
            stream.write(f"{list(records)}\n")
        rows = [
            {
                "key": str(n),
                "status": "failed" if n < 0 else "done",
                "reason": "negative" if n < 0 else "",
                "square": n * n,
            }
            for n in records
        ]
        return {"manifest": pa.Table.from_pylist(rows), "extra": pa.table({"n": list(records)})}


class MakeSquares:
    def __init__(self, trace):
        self.trace = trace

    def __call__(self):
        return Squares(self.trace)


@pytest.fixture
def make_stage(tmp_path):
    def build(parts, **settings):
        return Stage(
            name="squares",
            folder=tmp_path / "out",
            parts=parts,
            make_worker=MakeSquares(tmp_path / "trace"),
            settings=settings,
        )

    return build


def ran(tmp_path):
    trace = tmp_path / "trace"
    return len(trace.read_text().splitlines()) if trace.exists() else 0


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_come_in_part_order_and_failures_are_counted(make_stage, tmp_path, workers):
    summary = run_stage(make_stage([[1, 2], [3, -4], [5]]), workers=workers)
    assert read_parts(tmp_path / "out" / "manifest")["square"].to_pylist() == [1, 4, 9, 16, 25]
    assert read_parts(tmp_path / "out" / "extra")["n"].to_pylist() == [1, 2, 3, -4, 5]
    assert (summary.done, summary.failed, dict(summary.failures)) == (4, 1, {"negative": 1})
    assert summary.failure_share == pytest.approx(0.2)
    assert summary.line().startswith("squares: 4 done, 1 failed (negative 1); 5 in ")


def test_a_finished_part_is_not_run_again(make_stage, tmp_path):
    run_stage(make_stage([[1], [2]]), workers=1)
    summary = run_stage(make_stage([[1], [2], [3]]), workers=1)
    assert ran(tmp_path) == 3
    assert summary.reused == 2
    assert summary.done == 3


def test_other_records_or_settings_run_the_part_again(make_stage, tmp_path):
    run_stage(make_stage([[1], [2]], margin=1), workers=1)
    run_stage(make_stage([[1], [7]], margin=1), workers=1)
    assert ran(tmp_path) == 3
    run_stage(make_stage([[1], [7]], margin=2), workers=1)
    assert ran(tmp_path) == 5


def test_a_part_without_its_manifest_is_run_again(make_stage, tmp_path):
    run_stage(make_stage([[1], [2]]), workers=1)
    (tmp_path / "out" / "manifest" / "part-00001.parquet").unlink()
    run_stage(make_stage([[1], [2]]), workers=1)
    assert ran(tmp_path) == 3


def test_parts_of_a_longer_run_are_removed(make_stage, tmp_path):
    run_stage(make_stage([[1], [2], [3]]), workers=1)
    run_stage(make_stage([[1]]), workers=1)
    assert read_parts(tmp_path / "out" / "manifest")["square"].to_pylist() == [1]
    assert len(list((tmp_path / "out" / "extra").iterdir())) == 1


def test_groups_are_never_cut():
    assert split_into_parts([[1, 2], [3], [4, 5, 6], [7]], part_size=3) == [[1, 2, 3], [4, 5, 6], [7]]
    assert split_into_parts([], part_size=3) == []


def test_an_empty_stage_is_done(make_stage):
    summary = run_stage(make_stage([]))
    assert (summary.done, summary.failed, summary.failure_share) == (0, 0, 0.0)
