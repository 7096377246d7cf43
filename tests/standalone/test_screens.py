"""The pictures of the pages: all are there, README shows some of them, and one is what its page shows."""

import base64
import re
import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser

from standalone.commands import main
from standalone.home import REPOSITORY
from standalone.screens.album import HEIGHT_MAX, Album
from standalone.screens.desk import morning_zone
from standalone.screens.pictures import FOLDER, PICTURES, every_file, files_of
from standalone.screens.png import SIGNATURE, indexed_png

FOLDER_BYTES = 8_000_000


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height in the head of a PNG."""
    assert png.startswith(SIGNATURE)
    return struct.unpack(">II", png[16:24])


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_folder_holds_every_picture_and_nothing_else() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(every_file()), "run `./autosendr screens`"
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= FOLDER_BYTES


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_as_wide_as_its_name_says(name: str) -> None:
    for file, width, height, _ in files_of(name):
        wide, high = size_of((FOLDER / file).read_bytes())
        assert wide == width
        assert height <= high <= HEIGHT_MAX


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md", "docs/architecture.md"])
def test_a_picture_that_a_page_shows_exists(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    shown = re.findall(r'(?:src|srcset)="([^"]+)"|!\[[^\]]*\]\(([^)]+)\)', text)
    paths = [Path(page).parent / (one or other) for one, other in shown]
    assert [path for path in paths if not (REPOSITORY / path).is_file()] == []
    assert page != "README.md" or len(paths) >= 3


def test_an_unknown_picture_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["screens", "landnig"]) == 1
    assert "unknown picture 'landnig'" in capsys.readouterr().err


def test_there_is_a_morning_at_every_hour() -> None:
    for quarter in range(96 * 2):
        now = datetime(2026, 11 if quarter < 96 else 7, 24, tzinfo=UTC) + timedelta(minutes=15 * quarter)
        assert "07:30" <= f"{now.astimezone(ZoneInfo(morning_zone(now))):%H:%M}" < "08:30"


def test_a_png_holds_its_pixels() -> None:
    png = indexed_png(2, 2, b"\xff\0\0\0\0\xff", bytes([0, 1, 1, 0]))
    assert size_of(png) == (2, 2)
    kinds, at, data = [], len(SIGNATURE), b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        whole = png[at + 4 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(whole)
        kinds.append(kind)
        data = whole[4:] if kind == b"IDAT" else data
        at += 12 + length
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert zlib.decompress(data) == b"\0\0\1\0\1\0"


PAGE = """<style>html { color-scheme: light dark; background: light-dark(#fff, #000) } body { margin: 0 }
  main { inline-size: 50%; height: 1000px; background: linear-gradient(90deg, #f00, #00f) }</style><main></main>"""


async def test_a_page_is_taken_in_every_size_and_theme(browser: Browser, tmp_path: Path) -> None:
    page, bench = await browser.new_page(), await browser.new_page()
    album = Album(tmp_path, ["landing", "sign-in"], bench)
    await page.set_content(PAGE)
    await album.take("landing", page)
    await album.take("today-empty", page)
    assert not album.complete()
    await album.take("sign-in", page)
    assert album.complete()
    taken = contents(tmp_path)
    assert {name: size_of(png) for name, png in taken.items()} == {
        file: (width, 1000) for name in ("landing", "sign-in") for file, width, _, _ in files_of(name)
    }
    light, dark = taken["landing-390-light.png"], taken["landing-390-dark.png"]
    assert light != dark
    await page.set_content(f'<img src="data:image/png;base64,{base64.b64encode(light).decode()}">')
    assert await page.evaluate(PIXEL, [2, 500]) == pytest.approx([254, 0, 1], abs=16)
    await page.close()
    await bench.close()


PIXEL = """async ([x, y]) => {
  const image = document.querySelector("img");
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
  canvas.drawImage(image, 0, 0);
  return [...canvas.getImageData(x, y, 1, 1).data].slice(0, 3);
}"""
