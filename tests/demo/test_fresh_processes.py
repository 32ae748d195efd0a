import os

import pytest

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
