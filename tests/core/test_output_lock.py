"""One run at a time on an output folder: trainings and the generated world, by the lock of the stages."""

import fcntl
import json
import re

import pytest

import demo.__main__
import train
from src.core import output_lock
from src.core.errors import OutputError
from src.core.output_lock import LOCK_FILE, is_held, locked_output

HOLDER = {
    "process": 4711,
    "host": "node7",
    "started": "2026-01-01T00:00:00+00:00",
    "command": "train.py first",
}


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (train.main, ["configs/fop.yaml", "--features", "F", "--language", "English", "--out"]),
        (train.main, ["configs/encoders/ecapa-compact.yaml", "--media", "M", "--out"]),
        (train.main, ["sweep", "configs/fop.yaml", "--features", "F", "--language", "English", "--out"]),
        (demo.__main__.main, []),
    ],
)
def test_a_second_run_on_one_folder_is_refused_and_told_of_the_first(tmp_path, main, words):
    with (tmp_path / LOCK_FILE).open("w") as stream:
        json.dump(HOLDER, stream)
        stream.flush()
        fcntl.flock(stream, fcntl.LOCK_EX)
        told = re.escape(f"{tmp_path}: another run writes there (process 4711 on node7, since")
        with pytest.raises(OutputError, match=rf"{told}.*: train\.py first"):
            main([*words, str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE]


def test_a_run_that_wrote_nothing_leaves_nothing(tmp_path):
    for folder, written in ((tmp_path / "made", []), (tmp_path / "full", ["result"])):
        with pytest.raises(ValueError, match="wrong"), locked_output(folder):
            assert is_held(folder)
            for name in written:
                (folder / name).touch()
            raise ValueError("wrong")
        assert not is_held(folder)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [LOCK_FILE, "full", "result"]


def test_a_lock_that_is_taken_away_meanwhile_is_made_anew(tmp_path, monkeypatch):
    """Between opening the file and holding it, the run that held it may take it away."""
    take = output_lock._take
    taken = []

    def taken_away_at_first(stream, folder):
        take(stream, folder)
        if not taken:
            (tmp_path / LOCK_FILE).unlink()
        taken.append(stream)

    monkeypatch.setattr(output_lock, "_take", taken_away_at_first)
    with locked_output(tmp_path):
        assert len(taken) == 2
        assert is_held(tmp_path)
