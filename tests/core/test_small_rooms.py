"""Polarity, seeding, devices and the command line's exit statuses."""

import numpy as np
import pytest
import torch

from src.core.command_line import report_summaries, run_command, share
from src.core.device import choose_device
from src.core.errors import ConfigError, DatasetError
from src.core.polarity import score_from_similarity, similarity_from_score
from src.core.seeding import random_stream, seed_everything, stream_seed
from src.core.stage import StageSummary


def test_lower_scores_mean_the_same_person():
    similarities = np.array([0.9, 0.1])
    scores = score_from_similarity(similarities)
    assert scores[0] < scores[1]
    assert np.array_equal(similarity_from_score(scores), similarities)


def test_streams_are_named_and_stable():
    assert stream_seed("world", 7) == 7067949081087139678
    assert stream_seed("ab", "c") != stream_seed("a", "bc")
    assert random_stream("faces", 1).random() == random_stream("faces", 1).random()
    assert random_stream("faces", 1).random() != random_stream("faces", 2).random()


def test_seeding_repeats_every_library():
    draws = []
    for _ in range(2):
        seed_everything(5)
        draws.append((np.random.rand(), torch.rand(1).item()))  # noqa: NPY002
    assert draws[0] == draws[1]


def test_devices():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ConfigError, match="not a device"):
        choose_device("toaster")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="no GPU"):
            choose_device("cuda")


def test_a_users_error_is_a_message_and_a_status(capsys):
    def command(arguments):
        raise DatasetError("nowhere: no such folder")

    assert run_command(command) == 2
    assert capsys.readouterr().err == "error: nowhere: no such folder\n"


def test_an_interrupt_says_how_to_go_on(capsys):
    def command(arguments):
        raise KeyboardInterrupt

    assert run_command(command) == 130
    assert "same command again" in capsys.readouterr().err


def test_the_status_depends_on_the_share_of_failures(capsys):
    summary = StageSummary(name="faces", done=8)
    summary.failures["no_face"] = 2
    assert report_summaries([summary], max_failures=0.2) == 0
    assert report_summaries([summary], max_failures=0.19) == 1
    assert "faces: 8 done, 2 failed (no_face 2)" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["-0.1", "1.1"])
def test_a_share_lies_between_zero_and_one(text):
    with pytest.raises(Exception, match="between 0 and 1"):
        share(text)
