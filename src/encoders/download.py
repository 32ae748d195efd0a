"""Downloads that can be broken off: what has come stays in NAME.part, and the next attempt goes on from there.

A part is continued only when the server can say that it still belongs to the same file (RFC 9110: Range with
If-Range); a server that cannot is asked for the whole file again. The file gets its name when it is whole and its
checksum is right, never before.
"""

import fcntl
import http.client
import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.artifacts.checkpoints import file_sha256
from src.core.errors import WeightsError
from src.core.progress import progress_bar
from src.core.version import __version__

LOGGER = logging.getLogger(__name__)
ATTEMPTS = 5
PAUSE_SECONDS = 2.0
TIMEOUT_SECONDS = 30.0
BLOCK_BYTES = 1 << 18
_BROKEN_OFF = (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException)


class NotAFileError(OSError):
    """The server answered with a web page, as sign-in and error pages do."""


def download(url: str, path: Path, sha256: str | None = None) -> None:
    """Fetch `url` to `path`; two processes that want the same file wait for each other.

    sha256: what the file must hash to; None takes it as it comes.
    Raises OSError when it cannot be fetched (what has come is kept for the next time), WeightsError when another
    file came than was published (nothing is kept).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(path.parent):
        if path.is_file():
            return
        part = path.with_name(path.name + ".part")
        _fetch_whole(url, part)
        found = file_sha256(part)
        _validator_path(part).unlink(missing_ok=True)
        if sha256 is not None and found != sha256:
            part.unlink()
            raise WeightsError(
                f"{url}: another file came than was published, and was not kept.\n"
                f"  sha256 expected: {sha256}\n  sha256 found:    {found}\n"
                f"Try again; if it stays so, something on the way changes it, or its publisher replaced it."
            )
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)


def _fetch_whole(url: str, part: Path) -> None:
    reason: Exception | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            LOGGER.info("broken off, trying again: %s", url)
            time.sleep(PAUSE_SECONDS)
        try:
            if _fetch_rest(url, part):
                return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:
                raise
            reason = error
        except _BROKEN_OFF as error:
            reason = error
    size_bytes = part.stat().st_size if part.is_file() else 0
    raise ConnectionError(
        f"broken off {ATTEMPTS} times{f' ({reason})' if reason else ''}; {size_bytes:,} bytes came and are kept, "
        "the same command goes on from there"
    ) from reason


def _fetch_rest(url: str, part: Path) -> bool:
    """Ask for what is not there yet; whether the part is whole now."""
    present_bytes = part.stat().st_size if part.is_file() else 0
    validator = _validator_path(part)
    headers = {"User-Agent": f"voxface/{__version__}", "Accept-Encoding": "identity"}
    if present_bytes and validator.is_file():
        headers |= {"Range": f"bytes={present_bytes}-", "If-Range": validator.read_text(encoding="utf-8")}
    try:
        response = urllib.request.urlopen(  # the address is one of this project's own list
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT_SECONDS
        )
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        if error.headers.get("Content-Range") == f"bytes */{present_bytes}":
            return True  # it was whole already, and stopped before it got its name
        part.unlink()
        return False
    with response:
        return _store(response, url, part, present_bytes)


def _store(response: http.client.HTTPResponse, url: str, part: Path, present_bytes: int) -> bool:
    if response.headers.get_content_type() == "text/html":
        raise NotAFileError("the server answered with a web page and not with the file")
    continued = response.status == http.HTTPStatus.PARTIAL_CONTENT
    if continued and not response.headers.get("Content-Range", "").startswith(f"bytes {present_bytes}-"):
        part.unlink()
        return False
    start_bytes = present_bytes if continued else 0
    length = response.headers.get("Content-Length")
    total_bytes = None if length is None else start_bytes + int(length)
    if not continued:
        _keep_validator(response, part)
    LOGGER.info(
        "%s %s -> %s (%s)",
        "going on with" if continued else "downloading",
        url,
        part.with_suffix(""),
        "size unknown" if total_bytes is None else f"{total_bytes / 1e6:.1f} MB",
    )
    with (
        part.open("ab" if continued else "wb") as stream,
        progress_bar(
            total=total_bytes or 0,
            description=part.stem,
            unit="B",
            unit_scale=True,
            initial=start_bytes,
        ) as bar,
    ):
        while block := response.read(BLOCK_BYTES):
            stream.write(block)
            bar.update(len(block))
    return total_bytes is None or part.stat().st_size == total_bytes


def _keep_validator(response: http.client.HTTPResponse, part: Path) -> None:
    """Remember what tells this file from its successors; a weak tag does not, so it is not used (RFC 9110, 13.1.5)."""
    tag = response.headers.get("ETag")
    if tag and not tag.startswith("W/"):
        _validator_path(part).write_text(tag, encoding="utf-8")
    else:
        _validator_path(part).unlink(missing_ok=True)


def _validator_path(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
