import os
import signal
import subprocess
import time
from contextlib import suppress

import pytest

from benchmarks.kills import command
from demo.fresh_processes import run_in_fresh_processes


def square_and_process(number):
    return number**2, os.getpid()


def fail_at_three(number):
    if number == 3:
        raise ValueError("three is too many")
    return number


def die(number):
    os._exit(7)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks_each_from_its_own_process(workers):
    results = run_in_fresh_processes(square_and_process, [3, 1, 2, 5], workers, "squares")
    assert [square for square, _ in results] == [9, 1, 4, 25]
    processes = {process for _, process in results}
    assert len(processes) == 4 and os.getpid() not in processes


def test_a_failing_task_is_told_with_its_reason():
    with pytest.raises(RuntimeError, match="three is too many"):
        run_in_fresh_processes(fail_at_three, [1, 2, 3, 4], 2, "failing")


def test_a_process_that_dies_does_not_hang_the_run():
    with pytest.raises(RuntimeError, match="status 7"):
        run_in_fresh_processes(die, [1], 1, "dying")


def tell_who_works_and_go_on(path):
    path.write_text(str(os.getpid()))
    time.sleep(600)


def is_alive(process):
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def test_processes_end_with_a_killed_parent(tmp_path):
    told = tmp_path / "process"
    program = (
        "from pathlib import Path; from demo import fresh_processes as fresh; fresh._PRELOADED_MODULES = (); "
        "from tests.demo.test_fresh_processes import tell_who_works_and_go_on as task; "
        f"fresh.run_in_fresh_processes(task, [Path({str(told)!r})], 1, 'working')"
    )
    parent = subprocess.Popen(command("-c", program))
    while not (told.is_file() and told.read_text()):
        assert parent.poll() is None
        time.sleep(0.05)
    worker = int(told.read_text())
    assert is_alive(worker)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for _ in range(600):
        if not is_alive(worker):
            return
        time.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker outlived its parent")
