"""Makes a PNG small: one byte a pixel, with a palette (PNG specification, third edition, 11.2)."""

import base64
import struct
import zlib
from pathlib import Path
from typing import Final

from playwright.async_api import Page

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
INDEXED: Final = 3
SCRIPT: Final = (Path(__file__).parent / "pack.js").read_text()


async def packed(png: bytes, bench: Page) -> bytes:
    """Return the picture in at most 256 colours. `bench`: an empty page, which counts them."""
    found = await bench.evaluate(SCRIPT, base64.b64encode(png).decode())
    numbers = base64.b64decode(found["numbers"])
    return indexed_png(found["width"], found["height"], bytes.fromhex(found["colours"]), numbers)


def indexed_png(width: int, height: int, palette: bytes, numbers: bytes) -> bytes:
    """Return a PNG of `numbers` (one byte a pixel, row by row) in the colours of `palette` (3 bytes each)."""
    rows = b"".join(b"\0" + numbers[start : start + width] for start in range(0, width * height, width))
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, INDEXED, 0, 0, 0)),
            _chunk(b"PLTE", palette),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
