"""The page on which one links a phone, in a real browser: no code outlives its end, whatever happens to the page."""

import json
import re
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import BrowserContext, Page, expect

from app.qr import draw_qr
from domain.account import PairPhase
from store import keys
from store.run_state import PairingShown
from tests.app.conftest import Database, Web, database, enclave, web, web_environ  # noqa: F401 - fixtures
from tests.browser.axe import grave_findings
from tests.browser.test_path import id_in, sign_in

ANSWER_MS = 10_000
FIRST, SECOND = "2@first,abc,def,ghi", "2@second,abc,def,ghi"
SHIFTS = """() => { window.shifts = 0; new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.shifts += one.value;
}).observe({ type: "layout-shift", buffered: true }); }"""
SHIFT_MAX = 0.02

Show = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
async def troubles(window: BrowserContext):
    """Collect what any page of the window complains about; there must be nothing."""
    said: list[str] = []
    window.on("weberror", lambda error: said.append(str(error.error)))
    window.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
    yield said
    # Chromium itself notes an answer that says no; whether the page shows it is what the tests look at.
    assert [one for one in said if "status of 422" not in one] == []


@pytest.fixture
async def page(window: BrowserContext, web: Web, enclave, troubles) -> Page:  # noqa: F811
    """Give a page on which somebody has just asked for a code."""
    opened = await window.new_page()
    opened.set_default_timeout(ANSWER_MS)
    await sign_in(opened, web, f"{time.time_ns()}@example.org")
    await opened.get_by_role("link", name="Link your WhatsApp").click()
    await opened.get_by_role("button", name="Link a phone").click()
    await expect(opened.get_by_text("Asking WhatsApp for a code")).to_be_visible()
    return opened


@pytest.fixture
def show(page: Page, cache, database: Database) -> Show:  # noqa: F811
    """Give what the supervisor does: show how far the linking is; with `told` False the word of it is lost."""
    account = id_in(page)
    user = database.run(f"SELECT user_id FROM accounts WHERE id = '{account}'")

    async def put(phase: PairPhase = PairPhase.SHOWN, *, told: bool = True, ends_s: float = 0, **fields: Any) -> None:
        now_ms = time.time_ns() // 1_000_000
        ends_ms = now_ms + int(ends_s * 1000) if ends_s else 0
        shown = PairingShown(phase=phase, since_ms=now_ms, ends_ms=ends_ms, **fields)
        await cache.set(keys.pairing(account), msgspec.json.encode(shown), px=200_000)
        if told:
            await cache.publish(keys.news_of(user), json.dumps([["pairing", account]]))

    return put


def code_of(page: Page, text: str):
    """The drawing of that code."""
    return page.locator(f'.qr path[d="{draw_qr(text).path}"]')


async def test_a_code_is_replaced_at_its_end_even_if_the_word_of_the_next_one_is_lost(page: Page, show: Show) -> None:
    await page.clock.install()
    await show(qr=FIRST, number=1, ends_s=20)
    await expect(code_of(page, FIRST)).to_be_visible()
    await expect(page.get_by_text("Code 1 of 6, then we ask before going on.")).to_be_visible()
    await show(qr=SECOND, number=2, ends_s=20, told=False)
    await page.clock.fast_forward(20_000)
    await expect(code_of(page, SECOND)).to_be_visible()
    await expect(code_of(page, FIRST)).to_have_count(0)
    await expect(page.get_by_role("status").filter(has_text="New code, 2 of 6")).to_have_count(1)


async def test_the_seconds_run_and_the_ring_with_them(page: Page, show: Show) -> None:
    await page.clock.install()
    await show(qr=FIRST, number=2, ends_s=20)
    seconds, ring = page.locator("[data-seconds]"), page.locator("[data-ring]")
    await expect(seconds).to_have_text(re.compile("^(20|19)$"))
    await page.clock.fast_forward(10_000)
    await expect(seconds).to_have_text(re.compile("^(10|9)$"))
    await expect(ring).to_have_attribute("stroke-dasharray", re.compile(r"^(5\d|4\d)(\.\d)? 100$"))


async def test_without_stream_and_server_a_code_goes_at_its_end_and_the_page_says_so(
    page: Page, show: Show, troubles: list[str]
) -> None:
    await page.clock.install()
    await show(qr=FIRST, number=1, ends_s=20)
    await expect(code_of(page, FIRST)).to_be_visible()
    await page.context.set_offline(True)
    await show(qr=SECOND, number=2, ends_s=60, told=False)
    await page.clock.fast_forward(20_000)
    await expect(page.locator(".qr path")).to_have_count(0)
    await expect(page.get_by_role("link", name="Scan with")).to_have_count(0)
    for _ in range(3):
        await page.clock.fast_forward(4_000)
    await expect(page.get_by_text("This code has ended. The next one appears as soon as")).to_be_visible()
    await page.context.set_offline(False)
    await page.clock.fast_forward(4_000)
    await expect(code_of(page, SECOND)).to_be_visible()
    await expect(page.get_by_text("This code has ended.")).to_be_hidden()
    troubles[:] = [
        said for said in troubles if "ERR_INTERNET_DISCONNECTED" not in said and "Failed to fetch" not in said
    ]


async def test_without_the_script_a_code_hides_itself_at_its_end(page: Page, show: Show, browser) -> None:
    await show(qr=FIRST, number=1, ends_s=1.5)
    state = await page.context.storage_state()
    bare = await browser.new_context(java_script_enabled=False, storage_state=state)
    still = await bare.new_page()
    await still.goto(page.url, wait_until="domcontentloaded")
    await expect(still.get_by_role("heading", name="Link your WhatsApp")).to_be_visible()
    await expect(still.locator(".qr path")).to_be_hidden()
    await bare.close()


async def test_a_reload_and_a_second_tab_show_the_same(page: Page, show: Show) -> None:
    await show(qr=FIRST, number=1, ends_s=60)
    await expect(code_of(page, FIRST)).to_be_visible()
    await page.reload(wait_until="domcontentloaded")
    await expect(code_of(page, FIRST)).to_be_visible()
    other = await page.context.new_page()
    await other.goto(page.url, wait_until="domcontentloaded")
    await expect(code_of(other, FIRST)).to_be_visible()
    await show(qr=SECOND, number=2, ends_s=20)
    for tab in (page, other):
        await expect(code_of(tab, SECOND)).to_be_visible()
    await show(PairPhase.FOUND)
    for tab in (page, other):
        await expect(tab.get_by_text("Phone found. Finishing")).to_be_visible()
        await expect(tab.locator(".qr path")).to_have_count(0)


async def test_from_the_code_to_the_first_message_in_words_and_without_a_jump(
    page: Page,
    show: Show,
    database: Database,  # noqa: F811
) -> None:
    await page.evaluate(SHIFTS)
    await show(qr=FIRST, number=1, ends_s=60)
    await expect(page.get_by_text("Waiting for your phone")).to_be_visible()
    assert await grave_findings(page) == []
    await show(PairPhase.FOUND)
    await expect(page.get_by_text("Phone found. Finishing")).to_be_visible()
    account = id_in(page)
    database.link(account, "4915112345678")
    database.run(f"UPDATE accounts SET names_synced_at = NULL, contacts = 312 WHERE id = '{account}'")
    await show(PairPhase.RESTARTING)
    await expect(page.locator(".stages [aria-current=step]")).to_have_text(re.compile("this is normal"))
    await show(PairPhase.NAMES)
    await expect(page.get_by_text("Fetching names: 312")).to_be_visible()
    await expect(page.get_by_text("Linked: Ana")).to_be_visible()
    assert await grave_findings(page) == []
    await show(PairPhase.READY)
    await expect(page.locator(".stages .done")).to_have_count(4)
    assert await page.evaluate("window.shifts") <= SHIFT_MAX
    await page.get_by_role("link", name="Write the first message").click()
    await expect(page).to_have_url(re.compile(f"/schedules/new\\?account={account}"))


async def test_after_the_sixth_code_one_button_asks_for_more(page: Page, show: Show, database: Database) -> None:  # noqa: F811
    await show(qr=FIRST, number=6, ends_s=20)
    await expect(page.get_by_text("This is the last code.")).to_be_visible()
    account = id_in(page)
    database.run(f"UPDATE accounts SET link = 'UNLINKED', link_reason = 'expired', wish = '' WHERE id = '{account}'")
    await show(PairPhase.ASKING)
    await expect(page.get_by_text("The codes have run out.")).to_be_visible()
    await expect(page.locator(".qr path")).to_have_count(0)
    assert await grave_findings(page) == []
    await page.get_by_role("button", name="New code").click()
    await expect(page.get_by_text("Asking WhatsApp for a code")).to_be_visible()
    assert database.run(f"SELECT link, wish FROM accounts WHERE id = '{account}'") == "PAIRING|pair"


async def test_a_code_to_type_is_asked_for_by_number_and_copied(page: Page, show: Show, window: BrowserContext) -> None:
    await window.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("link", name="Code by phone").click()
    await page.get_by_label("Your number").fill("0151")
    await page.get_by_label("Your number").press("Enter")
    await expect(page.locator("#phone-error")).to_contain_text("with its country code")
    await page.get_by_label("Your number").fill("+49 151 12345678")
    await page.get_by_role("button", name="Get a code").click()
    await expect(page.get_by_text("Asking WhatsApp for a code")).to_be_visible()
    await show(code="K7PD-2MXQ", ends_s=160)
    await expect(page.get_by_role("img", name="Code K 7 P D 2 M X Q")).to_be_visible()
    assert await grave_findings(page) == []
    await page.get_by_role("button", name="Copy the code").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == "K7PD-2MXQ"


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_no_width_makes_it_scroll_sideways(page: Page, show: Show, width: int) -> None:
    await show(qr=FIRST, number=1, ends_s=60)
    await expect(code_of(page, FIRST)).to_be_visible()
    await page.set_viewport_size({"width": width, "height": 800})
    await expect(page.locator("body > .tabs")).to_be_visible(visible=width < 960)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_the_steps_of_the_other_kind_of_phone_are_one_key_away(page: Page) -> None:
    await expect(page.get_by_text("Three dots, then Linked devices")).to_be_visible()
    await page.get_by_role("radio", name="Android").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_text("Settings, then Linked devices")).to_be_visible()
    await expect(page.get_by_text("Three dots, then Linked devices")).to_be_hidden()


async def test_a_restart_of_the_web_is_survived_without_a_reload(
    window: BrowserContext,
    web_environ: dict[str, str],  # noqa: F811
    enclave,  # noqa: F811
    database: Database,  # noqa: F811
    cache,
    tmp_path: Path,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environ = {**web_environ, "AUTOSENDR_WEB_PORT": port, "AUTOSENDR_MAILBOX": str(tmp_path / "mail")}
    running = Web(environ, tmp_path)
    try:
        page = await window.new_page()
        await sign_in(page, running, f"{time.time_ns()}@example.org")
        await page.get_by_role("link", name="Link your WhatsApp").click()
        await page.get_by_role("button", name="Link a phone").click()
        await expect(page.get_by_text("Asking WhatsApp for a code")).to_be_visible()
        running.stop()
        now_ms = time.time_ns() // 1_000_000
        shown = PairingShown(phase=PairPhase.SHOWN, qr=SECOND, number=2, since_ms=now_ms, ends_ms=now_ms + 60_000)
        await cache.set(keys.pairing(id_in(page)), msgspec.json.encode(shown), px=60_000)
        running = Web(environ, tmp_path)
        await expect(code_of(page, SECOND)).to_be_visible(timeout=2 * ANSWER_MS)
    finally:
        running.stop()
