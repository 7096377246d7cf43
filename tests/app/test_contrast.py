"""The contrast of text and shapes on their grounds, from the stylesheet's own values (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re

import pytest

from app.static_files import FOLDER

TOKEN = re.compile(r"--([\w-]+):\s*light-dark\(#(\w{6}),\s*#(\w{6})\)")
TINTS = ("live-tint", "good-tint", "watch-tint", "bad-tint", "wax-tint")
NEEDS: list[tuple[str, str, float]] = [
    *(("ink", ground, 7.0) for ground in ("page", "surface", "sunken", "raised", *TINTS)),
    *(("ink-2", ground, 4.5) for ground in ("page", "surface", "sunken", "live-tint", "wax-tint")),
    *(("ink-3", ground, 4.5) for ground in ("page", "surface", "sunken", "live-tint", "raised")),
    *(("edge", ground, 3.0) for ground in ("page", "surface")),
    *(
        (colour, ground, 4.5)
        for colour in ("wax", "live", "good", "watch", "bad")
        for ground in ("page", "surface", f"{colour}-tint")
    ),
    ("wax", "raised", 4.5),
    ("page", "live", 4.5),
    ("page", "ink", 7.0),
]


def tokens() -> dict[str, tuple[str, str]]:
    text = (FOLDER / "css" / "tokens.css").read_text()
    return {name: (light, dark) for name, light, dark in TOKEN.findall(text)}


def luminance(colour: str) -> float:
    """Relative luminance of a hex colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two hex colours."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("colour", "ground", "needed"), NEEDS)
def test_a_colour_stands_out_from_its_ground(colour: str, ground: str, needed: float, theme: int) -> None:
    found = tokens()
    assert contrast(found[colour][theme], found[ground][theme]) >= needed


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["wax-fill", "wax-press"])
def test_white_stands_out_from_the_seal(ground: str, theme: int) -> None:
    assert contrast("FFFFFF", tokens()[ground][theme]) >= 4.5


def test_the_measure_is_right() -> None:
    assert contrast("000000", "FFFFFF") == pytest.approx(21)
    assert contrast("767676", "FFFFFF") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_letters_stand_out_from_a_face(theme: int) -> None:
    text = (FOLDER / "css" / "parts" / "face.css").read_text()
    pairs = re.findall(r"color: light-dark\(#(\w{6}), #(\w{6})\); background: light-dark\(#(\w{6}), #(\w{6})\)", text)
    assert len(pairs) == 4
    for pair in pairs:
        assert contrast(pair[theme], pair[2 + theme]) >= 6
