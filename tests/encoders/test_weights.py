"""Where weights are looked for, and what is said when they are not there."""

import hashlib
import re
from dataclasses import replace

import pytest

from src.core.errors import WeightsError
from src.encoders import weights as module
from src.encoders.published_files import ECAPA, ECAPA_MFV, IRESNET50, PublishedFile, PublishedWeights
from src.encoders.registry import ENCODERS
from src.encoders.weights import (
    downloads_allowed,
    fetch_weights,
    find_weights,
    forbid_downloads,
    locate_weights,
    remembered_checksum,
    verify_checksum,
)


def sha256_of(content):
    return hashlib.sha256(content).hexdigest()


PINNED = PublishedFile(name="a.pt", url="http://127.0.0.1/a.pt", sha256=sha256_of(b"weights"))
UNPINNED = PublishedFile(name="b.pt", url="http://127.0.0.1/b.pt")
BY_HAND = PublishedFile(name="c.pt")
BESIDE = PublishedFile(name="beside.pt", url="http://127.0.0.1/beside.pt")


def weights_of(*files, companions=()):
    return PublishedWeights(
        encoder="ours",
        modality="face",
        files=files,
        companions=companions,
        source="test",
        licence="MIT",
        page="http://127.0.0.1",
    )


@pytest.fixture
def fetched(cache, monkeypatch):
    """The addresses that are fetched, each holding the bytes `weights`."""
    asked = []

    def fetch(url, path, sha256):
        asked.append(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")

    monkeypatch.setattr(module, "download", fetch)
    return asked


def put(cache, name, content=b"weights"):
    path = cache / "ours" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_message_names_the_file_and_three_ways(offline):
    with pytest.raises(WeightsError) as caught:
        find_weights(ECAPA)
    message = str(caught.value)
    assert "embedding_model.ckpt" in message
    assert str(offline / "ecapa" / "embedding_model.ckpt") in message
    assert "--voice-weights" in message
    assert "--voice-encoder ecapa-compact" in message
    assert "HF_HUB_OFFLINE" in message


def test_what_only_a_person_can_get_is_said(cache):
    with pytest.raises(WeightsError) as caught:
        find_weights(IRESNET50)
    message = str(caught.value)
    assert "backbone.pth, from https://github.com/deepinsight/insightface" in message
    assert str(cache / "iresnet50" / "backbone.pth") in message
    assert "no place to fetch it from" in message


def test_a_path_that_was_given_is_the_only_place(cache, fetched, tmp_path):
    put(cache, "a.pt")
    weights = weights_of(PINNED, BY_HAND)
    for missing in (tmp_path / "elsewhere.pt", tmp_path):
        with pytest.raises(WeightsError, match="no such file"):
            find_weights(weights, missing)
    own = tmp_path / "c.pt"
    own.write_bytes(b"my own")
    renamed = tmp_path / "renamed.pt"
    renamed.write_bytes(b"my own")
    assert find_weights(weights, tmp_path).path == find_weights(weights, own).path == own
    assert find_weights(weights, renamed).path == renamed
    assert find_weights(weights, own).sha256 == sha256_of(b"my own")
    assert not fetched


def test_the_cache_comes_before_a_download(cache, fetched):
    path = put(cache, "c.pt")
    assert find_weights(weights_of(UNPINNED, BY_HAND)).path == path
    assert not fetched


def test_the_first_file_that_can_be_fetched_is_fetched_once(cache, fetched, caplog):
    with caplog.at_level("INFO"):
        found = find_weights(weights_of(BY_HAND, PINNED, UNPINNED))
    assert found.path == cache / "ours" / "a.pt"
    assert found.sha256 == PINNED.sha256
    assert "licence: MIT" in caplog.text
    find_weights(weights_of(BY_HAND, PINNED, UNPINNED))
    assert fetched == [PINNED.url]


def test_what_is_published_beside_it_is_fetched_on_request(cache, fetched):
    weights = weights_of(PINNED, companions=(BESIDE,))
    find_weights(weights)
    assert fetched == [PINNED.url]
    fetch_weights(weights)
    fetch_weights(weights)
    assert fetched == [PINNED.url, BESIDE.url]


def test_a_failed_download_names_the_reason_and_the_ways(cache, monkeypatch):
    def fail(url, path, sha256):
        raise ConnectionError("no route")

    monkeypatch.setattr(module, "download", fail)
    with pytest.raises(WeightsError, match="no route") as caught:
        find_weights(weights_of(PINNED))
    assert "three ways" in str(caught.value)


def test_a_changed_file_in_the_cache_is_refused(cache):
    path = put(cache, "a.pt", b"changed")
    with pytest.raises(WeightsError) as caught:
        find_weights(weights_of(PINNED))
    message = str(caught.value)
    assert str(path) in message
    assert PINNED.sha256 in message
    assert sha256_of(b"changed") in message
    assert "Remove it" in message


def test_where_no_checksum_is_published_the_first_one_seen_counts(cache, fetched):
    weights = weights_of(UNPINNED)
    path = find_weights(weights).path
    assert remembered_checksum(path) == sha256_of(b"weights")
    assert find_weights(weights).sha256 == sha256_of(b"weights")
    path.write_bytes(b"changed")
    with pytest.raises(WeightsError, match="used before") as caught:
        find_weights(weights)
    assert "b.pt.sha256" in str(caught.value)


def test_a_cache_that_cannot_be_written_is_used_all_the_same(cache, monkeypatch, caplog):
    path = put(cache, "b.pt")

    def refuse(path, text):
        raise PermissionError("read-only")

    monkeypatch.setattr(module, "write_text", refuse)
    assert verify_checksum(UNPINNED, path) == sha256_of(b"weights")
    assert "go unnoticed" in caplog.text


def test_the_hub_s_own_cache_is_looked_at_and_left_alone(offline, tmp_path):
    file = replace(PINNED, hub_repository="team/model", hub_revision="a" * 40)
    blob = tmp_path / "hub" / "models--team--model" / "blobs" / "x"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"weights")
    snapshot = tmp_path / "hub" / "models--team--model" / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "a.pt").symlink_to(blob)
    before = sorted((tmp_path / "hub").rglob("*"))
    assert find_weights(weights_of(file)).path == snapshot / "a.pt"
    assert sorted((tmp_path / "hub").rglob("*")) == before
    assert locate_weights(weights_of(replace(file, hub_revision="b" * 40))) is None


def test_downloads_can_be_forbidden(cache, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert downloads_allowed()
    forbid_downloads()
    assert not downloads_allowed()


def test_the_published_list_is_consistent():
    for name, entry in ENCODERS.items():
        published = entry.published
        if published is None:
            continue
        assert (published.encoder, published.modality) == (name, entry.modality)
        for file in (*published.files, *published.companions):
            assert file.url is None or file.url.startswith("https://")
            assert file.url is None or file.url.endswith("/" + file.name)
            assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.hub_repository is None or file.sha256
    assert [file.name for file in ECAPA_MFV.files] == ["ecapa.pt", "pretrain.model"]
