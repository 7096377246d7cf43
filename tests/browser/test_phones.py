"""The simulated phones as a toy, in a real browser: live without a reload, by keyboard, for everybody."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

from simulator.server import Simulator
from tests.browser.axe import grave_findings

ADA, GRANDMA = "447700900001", "447700900002"
ANSWER_MS = 10_000


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        async with Simulator(Path(folder) / "simulator") as running:
            running.make_phone(GRANDMA, "Grandma").contacts[ADA] = "Ada"
            ada = running.make_phone(ADA, "Ada")
            ada.own = True
            ada.contacts[GRANDMA] = "Grandma"
            yield running


@pytest.fixture
async def page(window: BrowserContext, simulator: Simulator) -> AsyncIterator[Page]:
    """Give Grandma's phone; anything that the browser complains about fails the test."""
    opened = await window.new_page()
    opened.set_default_timeout(ANSWER_MS)
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    await opened.goto(f"{simulator.proxy}/phone/{GRANDMA}", wait_until="load")
    yield opened
    assert troubles == []


async def test_what_arrives_appears_without_a_reload_and_an_answer_stays_here(page: Page, simulator: Simulator) -> None:
    draft = page.get_by_label("Write as Grandma")
    await draft.fill("half an ans")
    simulator.say(ADA, GRANDMA, "Leaving at *nine*")
    lines = page.get_by_role("log", name="Messages")
    await expect(lines).to_contain_text("Leaving at nine")
    await expect(page.get_by_text("exactly 1")).to_be_visible()
    await expect(draft).to_have_value("half an ans")
    await draft.press_sequentially("wer")
    await draft.press("Enter")
    await expect(lines).to_contain_text("half an answer")
    await expect(draft).to_have_value("")
    await expect(draft).to_be_focused()
    assert [entry.text for entry in simulator.inbox(ADA)] == ["half an answer"]


async def test_by_keyboard_it_goes_offline_and_comes_back_with_what_waited(page: Page, simulator: Simulator) -> None:
    await page.get_by_role("button", name="Go offline").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Offline. What is sent to this phone waits.")
    simulator.say(ADA, GRANDMA, "are you there?")
    await expect(page.get_by_role("button", name="Go online")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log", name="Messages")).to_contain_text("are you there?")


async def test_a_code_waits_for_its_button_on_the_phone_that_is_one_s_own(page: Page, simulator: Simulator) -> None:
    await page.goto(f"{simulator.proxy}/?qr=2%40abc%2Cdef%2Cghi%2Cjkl", wait_until="load")
    await expect(page.get_by_role("link", name="Ada")).to_have_attribute("aria-current", "page")
    await page.get_by_role("button", name="Scan this code").click()
    await expect(page.get_by_role("status")).to_contain_text("Not done: the code is not valid any more")
    await expect(page.get_by_text("chat on Ada’s phone")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
async def test_axe_finds_nothing_grave_and_nothing_scrolls_sideways(
    page: Page, simulator: Simulator, width: int, height: int, theme: str
) -> None:
    simulator.say(ADA, GRANDMA, "hello")
    simulator.say(GRANDMA, ADA, "hello yourself")
    await page.set_viewport_size({"width": width, "height": height})
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for path in (f"/phone/{GRANDMA}", f"/phone/{ADA}", "/?qr=2%40a", "/?code=ABCD-EFGH"):
        await page.goto(f"{simulator.proxy}{path}", wait_until="load")
        assert await grave_findings(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await expect(page.get_by_role("heading", level=1)).to_have_count(1)


async def test_on_a_phone_the_button_for_a_code_is_seen_at_once(page: Page, simulator: Simulator) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(f"{simulator.proxy}/?qr=2%40a", wait_until="load")
    await expect(page.get_by_role("button", name="Scan this code")).to_be_in_viewport(ratio=1)
