"""Downloads against servers that behave, and that do not."""

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from src.core.errors import WeightsError
from src.encoders import download as module
from src.encoders.download import NotAFileError, download

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Behaviour:
    """How the server answers, and what it was asked.

    ranges: whether it continues files. cuts: after how many bytes it breaks off each of the next answers.
    statuses: of the next answers, before it serves.
    """

    content: bytes = CONTENT
    tag: str | None = '"v1"'
    ranges: bool = True
    kind: str = "application/octet-stream"
    with_length: bool = True
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        behaviour = self.server.behaviour
        asked = self.headers.get("Range")
        behaviour.asked.append(asked)
        if behaviour.statuses:
            self.send_response(behaviour.statuses.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        size, start = len(behaviour.content), 0
        if asked and behaviour.ranges and self.headers["If-Range"] == behaviour.tag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if start < size else 416)
            self.send_header(
                "Content-Range", f"bytes {start}-{size - 1}/{size}" if start < size else f"bytes */{size}"
            )
        else:
            self.send_response(200)
        if behaviour.tag:
            self.send_header("ETag", behaviour.tag)
        self.send_header("Content-Type", behaviour.kind)
        body = behaviour.content[start:]
        if behaviour.with_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: behaviour.cuts.pop(0)] if behaviour.cuts else body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.behaviour = Behaviour()
        server.url = f"http://127.0.0.1:{server.server_port}/weights.ckpt"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_and_is_announced_with_its_size(server, tmp_path, caplog):
    path = tmp_path / "encoder" / "weights.ckpt"
    with caplog.at_level("INFO"):
        download(server.url, path, SHA256)
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["weights.ckpt"]
    assert server.url in caplog.text
    assert "1.0 MB" in caplog.text
    download(server.url, path, SHA256)
    assert server.behaviour.asked == [None]


def test_what_is_broken_off_goes_on_where_it_stopped(server, tmp_path):
    server.behaviour.cuts = [300_000, 200_000]
    download(server.url, tmp_path / "weights.ckpt", SHA256)
    assert (tmp_path / "weights.ckpt").read_bytes() == CONTENT
    assert server.behaviour.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_a_later_run_goes_on_too(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    server.behaviour.cuts = [300_000]
    with pytest.raises(ConnectionError, match="300,000 bytes came and are kept"):
        download(server.url, tmp_path / "weights.ckpt", SHA256)
    assert names(tmp_path) == ["weights.ckpt.part", "weights.ckpt.part.etag"]
    download(server.url, tmp_path / "weights.ckpt", SHA256)
    assert server.behaviour.asked == [None, "bytes=300000-"]
    assert names(tmp_path) == ["weights.ckpt"]


@pytest.mark.parametrize("tag", ['"v1"', None, 'W/"v1"'], ids=["no ranges", "no tag", "weak tag"])
def test_a_server_that_cannot_go_on_is_asked_from_the_start(server, tmp_path, tag):
    server.behaviour.ranges, server.behaviour.tag = False, tag
    server.behaviour.cuts = [300_000]
    download(server.url, tmp_path / "weights.ckpt", SHA256)
    assert (tmp_path / "weights.ckpt").read_bytes() == CONTENT
    assert len(server.behaviour.asked) == 2


def test_a_file_that_was_replaced_meanwhile_is_not_mixed(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    server.behaviour.cuts = [300_000]
    with pytest.raises(ConnectionError):
        download(server.url, tmp_path / "weights.ckpt")
    server.behaviour.content, server.behaviour.tag = b"new" * 200_000, '"v2"'
    download(server.url, tmp_path / "weights.ckpt")
    assert (tmp_path / "weights.ckpt").read_bytes() == b"new" * 200_000


def test_a_part_that_is_whole_already_is_taken(server, tmp_path):
    (tmp_path / "weights.ckpt.part").write_bytes(CONTENT)
    (tmp_path / "weights.ckpt.part.etag").write_text('"v1"')
    download(server.url, tmp_path / "weights.ckpt", SHA256)
    assert names(tmp_path) == ["weights.ckpt"]


def test_a_part_that_is_too_long_is_thrown_away(server, tmp_path):
    (tmp_path / "weights.ckpt.part").write_bytes(CONTENT + b"x")
    (tmp_path / "weights.ckpt.part.etag").write_text('"v1"')
    download(server.url, tmp_path / "weights.ckpt", SHA256)
    assert (tmp_path / "weights.ckpt").read_bytes() == CONTENT


def test_another_file_than_the_published_one_is_an_error_and_not_kept(server, tmp_path):
    server.behaviour.content = b"something else"
    with pytest.raises(WeightsError) as caught:
        download(server.url, tmp_path / "weights.ckpt", SHA256)
    assert SHA256 in str(caught.value)
    assert hashlib.sha256(b"something else").hexdigest() in str(caught.value)
    assert names(tmp_path) == []


def test_a_web_page_is_no_file(server, tmp_path):
    server.behaviour.kind = "text/html; charset=utf-8"
    with pytest.raises(NotAFileError, match="web page"):
        download(server.url, tmp_path / "weights.ckpt")
    assert names(tmp_path) == []


def test_a_server_in_trouble_is_asked_again_and_a_refusal_is_not(server, tmp_path):
    server.behaviour.statuses = [503, 500]
    download(server.url, tmp_path / "weights.ckpt", SHA256)
    assert len(server.behaviour.asked) == 3
    server.behaviour.statuses = [404]
    with pytest.raises(OSError, match="404"):
        download(server.url, tmp_path / "other.ckpt")
    assert len(server.behaviour.asked) == 4


def test_a_size_that_is_not_said_is_taken_as_it_comes(server, tmp_path):
    server.behaviour.with_length = False
    download(server.url, tmp_path / "weights.ckpt", SHA256)
    assert (tmp_path / "weights.ckpt").read_bytes() == CONTENT


def test_nobody_there(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    with pytest.raises(ConnectionError, match="broken off 5 times"):
        download("http://127.0.0.1:9/weights.ckpt", tmp_path / "weights.ckpt")


def test_two_at_once_fetch_it_once(server, tmp_path):
    path = tmp_path / "weights.ckpt"
    both = [threading.Thread(target=download, args=(server.url, path, SHA256)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert path.read_bytes() == CONTENT
    assert server.behaviour.asked == [None]
