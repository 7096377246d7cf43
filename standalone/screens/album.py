"""Takes the pictures: the same page in each size and theme, when all of it is there and nothing moves."""

from collections.abc import Collection, Sequence
from pathlib import Path

from playwright.async_api import Page

from standalone.screens.pictures import PICTURES, WINDOWS, files_of
from standalone.screens.png import packed

HEIGHT_MAX = 4_000
"""A page that is longer is cut off here, in CSS pixels."""
SETTLED = """async () => {
  await document.fonts.ready;
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return document.documentElement.scrollHeight;
}"""


class Album:
    """The pictures that are wanted. `folder`: where they go; `taken`: the names of those that are there by now."""

    def __init__(self, folder: Path, names: Sequence[str], bench: Page) -> None:
        """Take nothing yet; without `names` all are wanted. `bench`: an empty page, where pictures are made small."""
        self.folder = folder
        self._bench = bench
        self.wanted: Collection[str] = set(names) or set(PICTURES)
        self.taken: list[str] = []

    def complete(self) -> bool:
        """Say whether nothing is left to be taken."""
        return len(self.taken) == len(self.wanted)

    async def take(self, name: str, page: Page) -> None:
        """Take the picture `name` of the page as it is now, if it is wanted."""
        assert name in PICTURES, f"no picture is called {name}"
        if name not in self.wanted:
            return
        for file, width, height, theme in files_of(name):
            await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            await page.set_viewport_size({"width": width, "height": height})
            # A longer page is laid out as in a longer window: what sticks to the foot is at the foot of the picture.
            whole = min(await page.evaluate(SETTLED), HEIGHT_MAX)
            if whole > height and name not in WINDOWS:
                await page.set_viewport_size({"width": width, "height": whole})
                await page.evaluate(SETTLED)
            png = await page.screenshot(animations="disabled", caret="hide")
            (self.folder / file).write_bytes(await packed(png, self._bench))
        self.taken.append(name)
