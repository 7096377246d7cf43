"""The browser is found in the documented order and runs a page offline."""

import os
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from standalone import chromium
from standalone.chromium import NoBrowser, find_chromium


def test_the_named_browser_wins_and_must_be_a_program(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.touch(mode=0o755)
    assert find_chromium({"CHROMIUM": str(mine)}) == mine
    with pytest.raises(NoBrowser, match="no program"):
        find_chromium({"CHROMIUM": str(tmp_path / "none")})


def test_without_the_systems_one_path_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "SYSTEM_CHROMIUM", tmp_path / "none")
    with pytest.raises(NoBrowser, match="set CHROMIUM"):
        find_chromium({"PATH": os.fspath(tmp_path)})
    (tmp_path / "chromium").touch(mode=0o755)
    assert find_chromium({"PATH": os.fspath(tmp_path)}) == tmp_path / "chromium"


async def test_a_window_shows_a_page_in_the_tests_time_zone(window: BrowserContext) -> None:
    page = await window.new_page()
    await page.set_content("<h1>Sealed</h1>")
    await expect(page.get_by_role("heading", name="Sealed")).to_be_visible()
    assert await page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone") == "Europe/Berlin"
