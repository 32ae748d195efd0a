import hashlib

import pytest
import torch

from src.artifacts.checkpoints import file_sha256, load_checkpoint, load_weights, save_checkpoint
from src.core.errors import CheckpointError


def test_a_checkpoint_round_trip(tmp_path):
    model, other = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    save_checkpoint(tmp_path / "c", model.state_dict(), {"kind": "linear"}, {"eer": 0.25})
    checkpoint = load_checkpoint(tmp_path / "c")
    load_weights(other, checkpoint)
    assert torch.equal(model.weight, other.weight)
    assert checkpoint.config == {"kind": "linear"}
    assert checkpoint.metrics == {"eer": 0.25}


def test_weights_that_do_not_fit_are_named(tmp_path):
    save_checkpoint(tmp_path / "c", torch.nn.Linear(2, 3).state_dict(), {}, {})
    with pytest.raises(CheckpointError, match=r"weight: expected \(4, 2\), found \(3, 2\)"):
        load_weights(torch.nn.Linear(2, 4), load_checkpoint(tmp_path / "c"))


def test_what_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load_checkpoint(tmp_path)
    save_checkpoint(tmp_path / "c", torch.nn.Linear(2, 3).state_dict(), {}, {})
    path = tmp_path / "c" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(tmp_path / "c")


def test_checksum(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
