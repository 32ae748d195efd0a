import threading

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from features.batching import (
    duration_batches,
    one_thread,
    process_count,
    read_ahead,
    reading_threads,
    with_batch_sizes,
)
from features.settings import TokenSettings

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def batches_of(lengths, most_samples, *, mixes_lengths):
    return [list(one) for one in duration_batches(lengths, most_samples, mixes_lengths=mixes_lengths)]


def test_batches_are_filled_by_duration_in_order_of_length():
    lengths = [3, 9, 2, 3, 2, 20]
    assert batches_of(lengths, 8, mixes_lengths=True) == [[2, 4, 0], [3], [1], [5]]
    assert batches_of(lengths, 8, mixes_lengths=False) == [[2, 4], [0, 3], [1], [5]]
    assert batches_of([], 8, mixes_lengths=True) == []


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 120), st.booleans())
def test_every_piece_is_in_one_batch_that_is_not_too_long(lengths, most_samples, mixes_lengths):
    batches = batches_of(lengths, most_samples, mixes_lengths=mixes_lengths)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        own = [lengths[place] for place in batch]
        assert sum(own) <= most_samples or len(own) == 1
        assert mixes_lengths or len(set(own)) == 1


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_reading_ahead_keeps_the_order(threads):
    assert list(read_ahead(lambda item: item * item, range(50), threads)) == [item**2 for item in range(50)]
    assert list(read_ahead(abs, [], threads)) == []


def test_reading_ahead_reads_in_other_threads_and_not_everything():
    read, threads = [], set()

    def note(item):
        read.append(item)
        threads.add(threading.get_ident())

    contents = read_ahead(note, range(100), 2)
    next(contents)
    contents.close()
    assert len(read) <= 6
    assert threading.get_ident() not in threads


def test_reading_ahead_passes_errors_on():
    with pytest.raises(ZeroDivisionError):
        list(read_ahead(lambda item: 1 // item, [1, 0], 2))


def test_sizes_that_are_named_stay_and_others_fit_the_device():
    named = TokenSettings(batch_seconds=3.5, batch_crops=7)
    assert with_batch_sizes(named, CPU) == with_batch_sizes(named, GPU) == named
    small, large = with_batch_sizes(TokenSettings(), CPU), with_batch_sizes(TokenSettings(), GPU)
    assert small.batch_seconds < large.batch_seconds
    assert small.batch_crops < large.batch_crops


def test_processes_and_reading_threads():
    assert (process_count(0, CPU), process_count(3, CPU)) == (0, 3)
    assert (process_count(0, GPU), process_count(3, GPU)) == (2, 3)
    assert reading_threads(CPU) == 0
    assert reading_threads(GPU) >= 1


def test_one_thread_is_given_back():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), one_thread(CPU):
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == before
