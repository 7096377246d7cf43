"""A QR code as one SVG path, drawn here so that its text never is a URL or an image file."""

import itertools

import msgspec
import segno


class QrDrawing(msgspec.Struct, frozen=True, kw_only=True):
    """`size`: modules on a side. `path`: the dark ones as strokes of width 1 in a box of that size."""

    size: int
    path: str


def draw_qr(text: str) -> QrDrawing:
    """The code of `text`, without a margin."""
    rows = list(segno.make_qr(text, error="l").matrix_iter(border=0))
    strokes = []
    for y, row in enumerate(rows):
        for dark, run in itertools.groupby(enumerate(row), key=lambda module: bool(module[1])):
            modules = list(run)
            if dark:
                strokes.append(f"M{modules[0][0]} {y}.5h{len(modules)}")
    return QrDrawing(size=len(rows), path="".join(strokes))
