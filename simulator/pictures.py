"""Profile pictures that need no files: a small JPEG drawn from a name, the same one every time.

Every 8x8 block has one colour, so the encoder writes DC coefficients only. Source: ITU-T T.81, baseline; own tables.
"""

import hashlib
import struct
from collections.abc import Iterator

CELLS = 8
"""Cells across; the right half mirrors the left."""
FULL_PX = 640
PREVIEW_PX = 96
_BLOCK_PX = 8
_DC_STEP = 8
_CATEGORIES = 12
_CATEGORY_BITS = 4

_Colour = tuple[int, int, int]


def jpeg(name: str, size_px: int = PREVIEW_PX) -> bytes:
    """The picture of `name`: JPEG bytes, square, `size_px` a multiple of 8."""
    blocks = -(-size_px // _BLOCK_PX)
    digest = hashlib.sha256(name.encode()).digest()
    colours = _colours(digest)
    scan = _Bits()
    last = [0, 0, 0]
    for row in range(blocks):
        for column in range(blocks):
            mirrored = min(column, blocks - 1 - column)
            colour = colours[_filled(digest, row * CELLS // blocks, mirrored * CELLS // blocks)]
            for part, level in enumerate(colour):
                scan.dc(level - last[part])
                last[part] = level
    return b"".join(_head(blocks * _BLOCK_PX)) + scan.bytes() + b"\xff\xd9"


def _filled(digest: bytes, row: int, column: int) -> bool:
    edge = row in (0, CELLS - 1) or column == 0
    return not edge and bool(digest[row] >> column & 1)


def _colours(digest: bytes) -> tuple[_Colour, _Colour]:
    """Background and figure as level-shifted YCbCr."""
    red, green, blue = (64 + digest[i] // 2 for i in (29, 30, 31))
    return _ycc(red // 4 + 190, green // 4 + 190, blue // 4 + 190), _ycc(red, green, blue)


def _ycc(red: int, green: int, blue: int) -> _Colour:
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(luma) - 128, round((blue - luma) * 0.564), round((red - luma) * 0.713)


def _head(size_px: int) -> Iterator[bytes]:
    """Everything before the scan's data: quantisation, frame, Huffman tables, scan header."""

    def segment(marker: int, body: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    yield b"\xff\xd8"
    yield segment(0xE0, b"JFIF\0" + bytes([1, 1, 0, 0, 1, 0, 1, 0, 0]))
    yield segment(0xDB, b"\0" + bytes([_DC_STEP]) + bytes([1]) * 63)
    parts = b"".join(bytes([part, 0x11, 0]) for part in (1, 2, 3))
    yield segment(0xC0, struct.pack(">BHHB", 8, size_px, size_px, 3) + parts)
    # All DC categories have codes of one length; the only AC symbol is "end of block", the single bit 0.
    yield segment(0xC4, b"\x00" + bytes([0, 0, 0, _CATEGORIES] + [0] * 12) + bytes(range(_CATEGORIES)))
    yield segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0")
    yield segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0]))


class _Bits:
    def __init__(self) -> None:
        self._value = 0
        self._count = 0

    def dc(self, difference: int) -> None:
        """One block: the category, the difference's bits, end of block."""
        size = abs(difference).bit_length()
        bits = difference if difference >= 0 else difference + (1 << size) - 1
        self._put(size, _CATEGORY_BITS)
        self._put(bits, size)
        self._put(0, 1)

    def _put(self, bits: int, count: int) -> None:
        self._value = self._value << count | bits
        self._count += count

    def bytes(self) -> bytes:
        """The scan, filled up with ones; a byte FF is followed by 00."""
        rest = -self._count % 8
        whole = (self._value << rest | (1 << rest) - 1).to_bytes((self._count + rest) // 8)
        return whole.replace(b"\xff", b"\xff\0")
