"""What is around a run changes in its middle: its folder takes nothing more, the clock jumps."""

import errno
import itertools
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta

import pytest

import src.core.output_lock
import src.core.run_log
from benchmarks.fault_stage import FaultRecord, fault_stage
from benchmarks.kills import command, differing, files_of
from src.core.errors import OutputError
from src.core.files import PARTIAL_PREFIX, write_text
from src.core.output_lock import LOCK_FILE, locked_output
from src.core.run_status import stage_statuses
from src.core.stage import read_parts, run_stage

RECORDS = 24
# a mount over the folder closes it, as long as files of it are open too
MAKE_READ_ONLY = """\
{run} --seconds 0.05 &
while [ ! -e {out}/stage/manifest/part-00000.parquet ]; do sleep 0.02; done
mount --bind {out} {out} && mount -o remount,bind,ro {out}
wait $!; echo status $?
ls {out}/stage/manifest
umount {out}
{run}; echo status $?
"""


def records(count=RECORDS):
    return [FaultRecord(number=number) for number in range(count)]


@pytest.fixture
def undisturbed(tmp_path):
    run_stage(fault_stage(tmp_path / "undisturbed", records()), 1)
    return files_of(tmp_path / "undisturbed")


def test_a_file_system_that_turns_read_only_in_the_middle(tmp_path, undisturbed):
    own_mounts = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    probe = f"mount --bind {tmp_path} {tmp_path} && mount -o remount,bind,ro {tmp_path}"
    if subprocess.run([*own_mounts, probe], check=False, capture_output=True).returncode:
        pytest.skip("no mounts in user namespaces here")
    out = tmp_path / "out"
    run = f"{sys.executable} -m benchmarks.fault_stage {out} --records {RECORDS}"
    words = MAKE_READ_ONLY.format(out=out, run=run)
    done = subprocess.run([*own_mounts, words], check=False, capture_output=True, text=True)
    ended, resumed = done.stdout.split("status ")[1:]
    assert ended.startswith("2\n"), done.stderr
    assert "part-00000.parquet" in ended
    assert "make the folder writable and run the same command again" in done.stderr
    assert "Traceback" not in done.stderr
    assert resumed.startswith("0\n"), done.stderr
    assert differing(files_of(out), undisturbed) == []


@pytest.mark.parametrize(
    ("written_before", "code"), [(0, errno.EROFS), (1, errno.EACCES), (5, errno.EROFS), (14, errno.EROFS)]
)
def test_nothing_is_half_written_whenever_the_folder_is_closed(
    tmp_path, monkeypatch, undisturbed, written_before, code
):
    make_temporary, number = tempfile.mkstemp, itertools.count()

    def refuse(*arguments, **options):
        if next(number) >= written_before:
            raise OSError(code, os.strerror(code), str(options["dir"]))
        return make_temporary(*arguments, **options)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "mkstemp", refuse)
        with pytest.raises(OutputError, match="make the folder writable"):
            run_stage(fault_stage(out, records()), 1)
    kept = files_of(out)
    assert {name: kept[name] for name in kept if name.endswith(".bin")}.items() <= undisturbed.items()
    assert not [name for name in kept if ".partial-" in name]
    if written_before:  # else it was closed before there was a log
        assert stage_statuses(out / "logs")[0].state == "ended by an error"
    run_stage(fault_stage(out, records()), 1)
    assert differing(files_of(out), undisturbed) == []


def test_what_a_killed_run_left_half_written_is_removed_by_the_next(tmp_path):
    half, kept = tmp_path / "deep" / f"{PARTIAL_PREFIX}x.pt", tmp_path / "deep" / "x.pt"
    write_text(kept, "whole")
    half.write_bytes(b"ha")
    with locked_output(tmp_path) as was_killed:  # nobody was killed: it may be another's, in work
        assert not was_killed
        assert half.exists()
    (tmp_path / LOCK_FILE).write_text("the run that was killed")
    with locked_output(tmp_path) as was_killed:
        assert was_killed
        assert not half.exists()
    assert kept.read_text() == "whole"


class JumpingClock:
    """The time of the day, days wrong, and differently wrong each time that it is read."""

    def __init__(self, monkeypatch):
        self.days = 0
        self._jumps = itertools.cycle([0, -0.5, 0.25])
        clock, original = self, time.time

        class Jumping(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + timedelta(days=clock.next_days())

        monkeypatch.setattr(time, "time", lambda: original() + 86400 * clock.next_days())
        for module in (src.core.run_log, src.core.output_lock):
            monkeypatch.setattr(module, "datetime", Jumping)

    def next_days(self):
        return self.days + next(self._jumps)


def test_a_clock_that_jumps_between_resumes_costs_and_changes_nothing(tmp_path, monkeypatch, undisturbed):
    clock, out = JumpingClock(monkeypatch), tmp_path / "out"
    reused = []
    for days, count in ((0, 8), (-400, 12), (3000, 16), (-3000, 20), (0, RECORDS)):
        clock.days = days
        reused.append(run_stage(fault_stage(out, records(count)), 1).reused)
    assert reused == [0, 8, 12, 16, 20]
    assert run_stage(fault_stage(out, records()), 1).reused == RECORDS
    assert differing(files_of(out), undisturbed) == []
    assert read_parts(out / "stage/manifest")["number"].to_pylist() == list(range(RECORDS))


def test_status_speaks_of_the_last_run_also_when_the_clock_was_set_back(tmp_path, monkeypatch):
    clock = JumpingClock(monkeypatch)
    run_stage(fault_stage(tmp_path, records(8)), 1)
    clock.days = -400
    run_stage(fault_stage(tmp_path, records(12)), 1)
    status = stage_statuses(tmp_path / "logs")[0]
    assert (status.state, status.done, status.pending) == ("finished", 12, 0)
    assert status.rows_per_second > 0


def test_a_clock_that_jumps_opens_no_lock(tmp_path, monkeypatch):
    clock = JumpingClock(monkeypatch)
    words = command("-m", "benchmarks.fault_stage", tmp_path, "--records", 4)
    with locked_output(tmp_path / "stage"):
        clock.days = 3000
        assert subprocess.run(words, check=False, capture_output=True).returncode == 2
    clock.days = -3000
    assert run_stage(fault_stage(tmp_path, records(4)), 1).done == 4
