import pickle
import urllib.error
from pathlib import Path

import pytest
import torch
from torch import nn

from src.core.errors import WeightsError
from src.encoders.weights import ECAPA_FILE, VGGFACE2_FILE, fill_network, find_weights, read_state


class CarriesCode:
    """A pickle that would write a file when it is read."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def test_the_message_names_the_file_and_three_ways(offline):
    with pytest.raises(WeightsError) as caught:
        find_weights(ECAPA_FILE)
    message = str(caught.value)
    assert "embedding_model.ckpt" in message
    assert str(offline / "ecapa" / "embedding_model.ckpt") in message
    assert "--voice-weights" in message
    assert "--voice-encoder ecapa-compact" in message
    assert "HF_HUB_OFFLINE" in message


def test_a_path_that_was_given_is_the_only_place(offline, tmp_path):
    (offline / "ecapa").mkdir(parents=True)
    (offline / "ecapa" / "embedding_model.ckpt").touch()
    with pytest.raises(WeightsError, match="no such file"):
        find_weights(ECAPA_FILE, tmp_path / "elsewhere.ckpt")
    with pytest.raises(WeightsError, match="no such file"):
        find_weights(ECAPA_FILE, tmp_path)
    file = tmp_path / "embedding_model.ckpt"
    file.touch()
    assert find_weights(ECAPA_FILE, tmp_path) == find_weights(ECAPA_FILE, file) == file
    assert find_weights(ECAPA_FILE) == offline / "ecapa" / "embedding_model.ckpt"


def test_a_download_is_announced_and_kept(offline, monkeypatch, caplog):
    asked = []

    def fetch(url, destination, progress):
        asked.append(url)
        Path(destination).write_bytes(b"weights")

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    with caplog.at_level("INFO"):
        path = find_weights(VGGFACE2_FILE)
    assert path.read_bytes() == b"weights"
    assert VGGFACE2_FILE.url in caplog.text
    find_weights(VGGFACE2_FILE)
    assert asked == [VGGFACE2_FILE.url]


def test_a_failed_download_leaves_nothing(offline, monkeypatch):
    def fail(url, destination, progress):
        Path(destination).write_bytes(b"half")
        raise urllib.error.URLError("no route")

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(WeightsError, match="no route"):
        find_weights(VGGFACE2_FILE)
    assert not [path for path in offline.rglob("*") if path.is_file()]


def test_a_pickle_that_carries_code_is_not_run(tmp_path):
    path, trace = tmp_path / "bad.ckpt", tmp_path / "trace"
    torch.save({"weight": CarriesCode(trace)}, path)
    with pytest.raises(WeightsError, match="carries code"):
        read_state(path)
    path.write_bytes(pickle.dumps(CarriesCode(trace), protocol=2))
    with pytest.raises(WeightsError, match="carries code"):
        read_state(path)
    assert not trace.exists()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path, share):
    path = tmp_path / "cut.ckpt"
    torch.save(nn.Linear(64, 64).state_dict(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match="cut short"):
        read_state(path)


def test_what_is_no_state_dict_is_refused(tmp_path):
    for content in ([1, 2], {"epoch": 3}):
        torch.save(content, tmp_path / "other.ckpt")
        with pytest.raises(WeightsError, match="state dict"):
            read_state(tmp_path / "other.ckpt")


def test_keys_and_shapes_that_do_not_fit_are_named():
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    state = network.state_dict()
    del state["0.bias"]
    state["0.weight"] = torch.zeros(2, 4)
    state["head.weight"] = torch.zeros(1)
    with pytest.raises(WeightsError) as caught:
        fill_network(network, state, Path("some.ckpt"))
    message = str(caught.value)
    assert "1 missing: 0.bias" in message
    assert "1 superfluous: head.weight" in message
    assert "0.weight is (2, 4) instead of (2, 3)" in message


def test_counters_may_be_absent_and_named_extras_are_left_out():
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    state = {name: torch.full_like(value, 3) for name, value in network.state_dict().items()}
    del state["1.num_batches_tracked"]
    state["logits.weight"] = torch.zeros(9)
    fill_network(network, state, Path("some.ckpt"), unused=("logits.weight",))
    assert (network[0].weight == 3).all()
