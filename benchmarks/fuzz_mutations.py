"""Damage to files: bytes flipped, pieces cut, doubled and moved, numbers in headers made extreme, two files spliced."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np

_EXTREME = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62)
_WORDS = (
    *(
        b"nan",
        b"-inf",
        b"1e999",
        b"-1",
        b"0",
        b"1.5",
        b"true",
        b"null",
        b"~",
        b"''",
        b'"',
        b"'",
        b"#",
        b":",
        b": ",
        b"- ",
    ),
    *(
        b",",
        b";",
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\0",
        b"{",
        b"}",
        b"[",
        b"]",
        b"&a ",
        b"*a",
        b"!!python/name:os.system ",
        b"<<: ",
    ),
    *(
        b"../../etc/passwd",
        b"/etc/passwd",
        b"\\",
        b"%",
        b"0x10",
        b"2001-99-99",
        b"9" * 5000,
        b"[" * 3000,
        b"{a: " * 500,
    ),
    "Ünïcödé猫".encode(),
)
_HEADER_BYTES = 160
_MOST_CHANGES = 4
_OGG_POLYNOMIAL = 0x04C11DB7
_PNG_MARK, _OGG_MARK = b"\x89PNG\r\n\x1a\n", b"OggS"


def mutated(seed: bytes, others: Sequence[bytes], stream: np.random.Generator) -> bytes:
    """A damaged copy of `seed`; half of the PNG and OGG files get right checksums again, or no decoder would look inside."""
    content = bytearray(seed)
    changes = _TEXT_CHANGES if seed.isascii() and stream.random() < 0.7 else _CHANGES
    for _ in range(int(stream.integers(1, _MOST_CHANGES + 1))):
        change = changes[int(stream.integers(len(changes)))]
        content = change(content, others, stream) or bytearray(b"\0")
    if stream.random() < 0.5:
        if content.startswith(_PNG_MARK):
            _mend_png(content)
        elif content.startswith(_OGG_MARK):
            _mend_ogg(content)
    return bytes(content)


def _place(content: bytearray, stream: np.random.Generator) -> int:
    """Anywhere; every other time in the header."""
    end = min(len(content), _HEADER_BYTES) if stream.random() < 0.5 else len(content)
    return int(stream.integers(max(1, end)))


def _flip(content: bytearray, _others: Sequence[bytes], stream: np.random.Generator) -> bytearray:
    for _ in range(int(stream.integers(1, 9))):
        content[_place(content, stream)] ^= 1 << int(stream.integers(8))
    return content


def _overwrite(content: bytearray, _others: Sequence[bytes], stream: np.random.Generator) -> bytearray:
    place, length = _place(content, stream), int(stream.integers(1, 17))
    content[place : place + length] = stream.bytes(min(length, len(content) - place))
    return content


def _make_extreme(content: bytearray, _others: Sequence[bytes], stream: np.random.Generator) -> bytearray:
    """A number of 1, 2, 4 or 8 bytes: sizes, rates, counts and durations as no file has them."""
    form = ("B", "<H", ">H", "<I", ">I", "<Q", ">Q")[int(stream.integers(7))]
    size = struct.calcsize(form)
    place = _place(content, stream) // min(size, 2) * min(size, 2)
    number = _EXTREME[int(stream.integers(len(_EXTREME)))] % (1 << 8 * size)
    content[place : place + size] = struct.pack(form, number)
    return content


def _truncate(content: bytearray, _others: Sequence[bytes], stream: np.random.Generator) -> bytearray:
    return content[: _place(content, stream) + 1]


def _piece(content: bytearray, stream: np.random.Generator) -> slice:
    first = _place(content, stream)
    return slice(first, first + int(stream.integers(1, max(2, len(content) // 4))))


def _delete(content: bytearray, _others: Sequence[bytes], stream: np.random.Generator) -> bytearray:
    del content[_piece(content, stream)]
    return content


def _double(content: bytearray, _others: Sequence[bytes], stream: np.random.Generator) -> bytearray:
    piece, place = content[_piece(content, stream)], _place(content, stream)
    content[place:place] = piece * int(stream.integers(1, 5))
    return content


def _splice(content: bytearray, others: Sequence[bytes], stream: np.random.Generator) -> bytearray:
    other = others[int(stream.integers(len(others)))]
    return content[: _place(content, stream)] + other[int(stream.integers(len(other))) :]


def _insert_word(content: bytearray, _others: Sequence[bytes], stream: np.random.Generator) -> bytearray:
    place = _place(content, stream)
    content[place : place + int(stream.integers(4))] = _WORDS[int(stream.integers(len(_WORDS)))]
    return content


_TEXT_CHANGES = (_insert_word, _insert_word, _insert_word, _truncate, _delete, _double)
_CHANGES = (_flip, _flip, _overwrite, _make_extreme, _make_extreme, _truncate, _delete, _double, _splice)


def _mend_png(content: bytearray) -> None:
    place = len(_PNG_MARK)
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        end = place + 8 + length
        if end + 4 > len(content):
            return
        struct.pack_into(">I", content, end, zlib.crc32(content[place + 4 : end]))
        place = end + 4


def _mend_ogg(content: bytearray) -> None:
    place = 0
    while (place := content.find(_OGG_MARK, place)) >= 0 and place + 27 <= len(content):
        segments = content[place + 27 : place + 27 + content[place + 26]]
        end = place + 27 + len(segments) + sum(segments)
        if end > len(content):
            return
        struct.pack_into("<I", content, place + 22, 0)
        struct.pack_into("<I", content, place + 22, _ogg_checksum(content[place:end]))
        place = end


def _ogg_checksum(page: bytearray) -> int:
    """CRC-32 without reflection, RFC 3533."""
    value = 0
    for byte in page:
        value = (value << 8) & 0xFFFFFFFF ^ _OGG_TABLE[value >> 24 ^ byte]
    return value


def _ogg_table_entry(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = (value << 1) ^ (_OGG_POLYNOMIAL if value & 0x80000000 else 0)
    return value & 0xFFFFFFFF


_OGG_TABLE = [_ogg_table_entry(byte) for byte in range(256)]
