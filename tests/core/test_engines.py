"""Faults of the stage runner, on a stage made for them: benchmarks/fault_stage.py."""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.fault_stage import EXHAUSTS, KILLS, RAISES, FaultRecord, fault_stage
from benchmarks.faults import kill_tiny_stage
from benchmarks.kills import command, differing, files_of
from src.core.engines.local import LocalEngine
from src.core.errors import OutputError, StageError
from src.core.files import explained_output
from src.core.output_lock import locked_output
from src.core.run_log import without_secrets
from src.core.run_status import stage_statuses
from src.core.stage import read_parts, run_stage


def records(count, **faults):
    return [FaultRecord(number=number, fault=faults.get(f"n{number}", "")) for number in range(count)]


def reasons(out):
    return read_parts(out / "stage" / "manifest")["reason"].to_pylist()


def test_what_loses_its_worker_is_a_row_and_the_rest_goes_on(tmp_path):
    listed = records(16, n5=KILLS, n6=EXHAUSTS, n13=RAISES)
    summary = run_stage(fault_stage(tmp_path, listed), 2)
    expected = {5: "worker_died", 6: "out_of_memory", 13: "error_ArithmeticError"}
    assert reasons(tmp_path) == [expected.get(number, "") for number in range(16)]
    assert read_parts(tmp_path / "stage/manifest")["number"].to_pylist() == list(range(16))
    assert (summary.done, summary.failed) == (13, 3)
    assert len(read_parts(tmp_path / "stage/digests")) == 13


def test_a_fault_that_is_not_the_files_ends_the_run(tmp_path):
    listed = [FaultRecord(number=number, fault=RAISES) for number in range(16)]
    with pytest.raises(StageError, match="error_ArithmeticError"):
        run_stage(fault_stage(tmp_path, listed), 1)
    assert not list(tmp_path.rglob("part-*.parquet"))


def test_one_worker_that_was_killed_is_isolated_the_next_time(tmp_path):
    words = command("-m", "benchmarks.fault_stage", tmp_path, "--records", 8, "--fault", f"5={KILLS}")
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert subprocess.run(words, check=False).returncode == 0
    assert reasons(tmp_path) == ["", "", "", "", "", "worker_died", "", ""]


@pytest.mark.parametrize("engine", [LocalEngine(), LocalEngine(isolated=True)])
def test_engines_and_orders_give_the_same_bytes(tmp_path, engine):
    run_stage(fault_stage(tmp_path / "one", records(20)), 1)
    run_stage(fault_stage(tmp_path / "other", records(20)), 1, engine)
    assert differing(files_of(tmp_path / "one"), files_of(tmp_path / "other")) == []


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_a_cluster_gives_the_bytes_of_local_processes(tmp_path):
    size = ["--records", 12, "--workers", 2]
    for engine in ("local", "ray"):
        words = command("-m", "benchmarks.fault_stage", tmp_path / engine, *size, "--engine", engine)
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert differing(files_of(tmp_path / "ray"), files_of(tmp_path / "local")) == []


def test_random_kills_change_nothing_and_leave_nobody(tmp_path):
    count = kill_tiny_stage(tmp_path, 1, 4, random.Random(3))
    assert (count.kills, count.lingering, count.differences) == (4, 0, [])


def test_a_second_run_is_refused_and_told_who_holds_the_folder(tmp_path):
    with locked_output(tmp_path / "stage"):
        words = command("-m", "benchmarks.fault_stage", tmp_path, "--records", 4)
        refused = subprocess.run(words, check=False, capture_output=True, text=True)
    assert refused.returncode == 2
    assert f"another run writes there (process {os.getpid()}" in refused.stderr
    assert run_stage(fault_stage(tmp_path, records(4)), 1).done == 4


def test_an_interruption_finishes_the_part_in_hand_and_says_how_to_go_on(tmp_path):
    words = command("-m", "benchmarks.fault_stage", tmp_path, "--records", 40, "--seconds", 0.05)
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.rglob("manifest/part-*.parquet")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert "finishing the parts in hand" in said
    assert "run the same command again" in said
    status = stage_statuses(tmp_path / "logs")[0]
    assert status.state == "stopped"
    assert status.done % 4 == 0
    assert 0 < status.done < 40
    assert status.pending == 40 - status.done
    assert run_stage(fault_stage(tmp_path, records(40)), 1).reused == status.done


def test_status_tells_the_dead_from_the_finished(tmp_path):
    run_stage(fault_stage(tmp_path, records(8, n3=RAISES)), 1)
    status = stage_statuses(tmp_path / "logs")[0]
    assert (status.state, status.done, status.failures) == ("finished", 7, {"error_ArithmeticError": 1})
    log = status.log
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    assert [json.loads(line)["event"] for line in (lines[0], lines[-1])] == ["start", "end"]
    log.write_text("".join(lines[:-1]) + '{"cut o', encoding="utf-8")
    assert stage_statuses(tmp_path / "logs")[0].state == "died"
    with locked_output(tmp_path / "stage"):
        assert stage_statuses(tmp_path / "logs")[0].state == "running"


def test_a_full_disk_is_explained_and_what_is_done_is_kept(tmp_path):
    limited = (
        "unshare --user --map-root-user --mount sh -c "
        f"'mount -t tmpfs -o size=400k none {tmp_path} && {sys.executable} -m benchmarks.fault_stage {tmp_path}/out "
        f"--records 40 --file-bytes 20000; echo status $?; ls {tmp_path}/out/stage/manifest; "
        f"find {tmp_path} -name .partial-*; mount -o remount,size=8m {tmp_path}; "
        f"{sys.executable} -m benchmarks.fault_stage {tmp_path}/out --records 40 --file-bytes 20000'"
    )
    if subprocess.run(
        "unshare --user --map-root-user --mount true", shell=True, check=False, capture_output=True
    ).returncode:
        pytest.skip("no user namespaces here")
    done = subprocess.run(limited, shell=True, check=False, capture_output=True, text=True)
    if "mount:" in done.stderr:
        pytest.skip("no mounts in user namespaces here")
    assert "the disk is full" in done.stderr
    assert "status 2" in done.stdout
    assert "part-00000.parquet" in done.stdout
    assert ".partial-" not in done.stdout
    assert "faults: 40 done, 0 failed" in done.stdout


def test_a_closed_folder_is_explained(tmp_path):
    with pytest.raises(OutputError, match="make the folder writable"), explained_output(tmp_path / "a"):
        raise OSError(30, os.strerror(30), str(tmp_path / "a"))
    with pytest.raises(PermissionError), explained_output(tmp_path / "a"):
        raise PermissionError(13, "of a source, which is not the output's fault", "/elsewhere/b")


def test_a_part_is_not_believed_once_it_was_begun_anew(tmp_path):
    run_stage(fault_stage(tmp_path, records(8)), 1)
    with pytest.raises(StageError):
        run_stage(fault_stage(tmp_path, [FaultRecord(number=n, fault=RAISES) for n in range(16)]), 1)
    assert run_stage(fault_stage(tmp_path, records(8)), 1).reused == 0


def test_secrets_are_struck_out():
    assert "hf_" not in without_secrets("hf_abcdefghijklmnop")
    assert without_secrets("s3://key:word@bucket") == "s3://***bucket"
