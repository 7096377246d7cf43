"""`./autosendr screens`: run a demo, walk through it, write the pictures."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import async_playwright

from standalone.chromium import NoBrowser, find_chromium, launch
from standalone.home import CannotStart
from standalone.screens.album import Album
from standalone.screens.desk import Desk, open_desk
from standalone.screens.pictures import FOLDER, PICTURES, every_file
from standalone.screens.walk import walk


def screens(names: Sequence[str], folder: Path = FOLDER) -> int:
    """Write the pictures `names` (none: all) into `folder`, and print which. Raises CannotStart without a browser."""
    if unknown := [name for name in names if name not in PICTURES]:
        raise CannotStart(f"unknown picture {unknown[0]!r}; there are: {', '.join(PICTURES)}")
    folder.mkdir(parents=True, exist_ok=True)
    with open_desk() as desk:
        taken = asyncio.run(_take(desk, folder, names))
    if not names:
        for old in set(folder.glob("*.png")) - {folder / file for file in every_file()}:
            old.unlink()
    print("\n".join(taken))
    return 0


async def _take(desk: Desk, folder: Path, names: Sequence[str]) -> list[str]:
    try:
        program = find_chromium()
    except NoBrowser as error:
        raise CannotStart(str(error)) from None
    async with async_playwright() as playwright:
        browser = await launch(playwright, program)
        try:
            album = Album(folder, names, await browser.new_page())
            await walk(browser, desk, album)
        finally:
            await browser.close()
    return album.taken
