"""What holds for every page, in every width and theme: its weight, that nothing moves, that everybody can use it."""

import re
import socket
from typing import Literal

import pytest
from playwright.async_api import BrowserContext, CDPSession, Page, expect

from app.render import TEMPLATE_FOLDER
from domain.message import MessageState
from tests.app.conftest import Browser, Database, Web, database, enclave, web  # noqa: F401 - fixtures
from tests.app.conftest import web_environ as plain_environ  # noqa: F401 - fixtures
from tests.browser.axe import grave_findings
from tests.browser.furnished import furnish

Theme = Literal["light", "dark"]
THEMES: list[Theme] = ["light", "dark"]
WIDTHS = [320, 390, 1280, 1680]
AXE_WIDTHS = [390, 1280]
FIRST_VISIT_BYTES = 120_000
LANDING_BYTES = 60_000
NEXT_VISIT_BYTES = 20_000
ELEMENTS = 1_500
LAYOUT_SHIFT = 0.02
TOUCH_PX = 44
PUBLIC = ["/", "/login", "/goodbye", "/mailbox", "/nothing/here"]
OWN = [
    "/today",
    "/find",
    "/recovery",
    "/schedules/new",
    "/accounts",
    "/accounts/{account}",
    "/accounts/{account}/link",
    "/accounts/{account}/contacts",
    "/accounts/{account}/pairing",
    "/history",
    "/messages/{SCHEDULED}/edit",
    "/messages/{SCHEDULED}/time",
    "/settings/zone",
    "/farewell",
    "/admin",
    "/admin/accounts",
    "/admin/accounts/1",
    "/admin/nodes",
    "/admin/orders",
    *(f"/messages/{{{state}}}" for state in MessageState),
]
"""Addresses with the places of ids. A page that is missing here fails the last test."""

SHIFT = """() => new Promise((resolve) => {
  let shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(shift)));
})"""
TOO_SMALL = """(least) => [...document.querySelectorAll("a, button, input, select, textarea, summary")]
  .filter((it) => it.checkVisibility() && !it.closest("p, label, [inert]") && it.type !== "hidden")
  .map((it) => [it, it.getBoundingClientRect().height, parseFloat(getComputedStyle(it, "::after").height) || 0])
  .filter(([it, height, grown]) => Math.max(height, grown) < least && !it.classList.contains("skip"))
  .map(([it, height]) => `${it.outerHTML.slice(0, 120)} is ${height} high`)"""


@pytest.fixture(scope="module")
def web_environ(plain_environ: dict[str, str]) -> dict[str, str]:  # noqa: F811
    """A demo's web process; its simulator is never asked."""
    return {**plain_environ, "AUTOSENDR_SIMULATOR": "127.0.0.1:9"}


@pytest.fixture(scope="module")
def ids(engines, web: Web, enclave, database: Database) -> dict[str, str]:  # noqa: F811
    """Somebody with something in every state: the ids of it, and `login`, their cookie."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(engines.valkey.socket))
        line.sendall(b"FLUSHALL\r\n")
        assert line.recv(64) == b"+OK\r\n"
    person = Browser(web).sign_in("everything@example.org")
    database.run("UPDATE users SET is_admin = true WHERE email = 'everything@example.org'")
    return {**furnish(person, database), "login": person.client.cookies["login"]}


def address(path: str, ids: dict[str, str]) -> str:
    """Fill in the ids of a path."""
    return re.sub(r"\{(\w+)\}", lambda place: ids[place[1]], path)


async def enter(window: BrowserContext, web: Web, path: str, ids: dict[str, str]) -> Page:  # noqa: F811
    """Open a page in a new tab as the person (or as a stranger, if it is public)."""
    if path in OWN:
        await window.add_cookies([{"name": "login", "value": ids["login"], "url": web.url}])
    return await window.new_page()


async def visit(page: Page, web: Web, path: str, ids: dict[str, str]) -> float:  # noqa: F811
    """Open the page, wait until it hears its stream if it has one, and return its layout shift."""
    await page.goto(web.url + address(path, ids), wait_until="load")
    if path in OWN:
        await expect(page.locator("#live")).to_have_attribute("data-hears", "yes")
    return await page.evaluate(SHIFT)


class Wire:
    """Counts the bytes that answers take on the wire."""

    def __init__(self, session: CDPSession) -> None:
        """Listen to a page's own session."""
        self.bytes = 0
        session.on("Network.loadingFinished", self._finished)

    def _finished(self, event: dict[str, float]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def taken(self) -> int:
        """Return the bytes since the last time."""
        taken, self.bytes = self.bytes, 0
        return taken


@pytest.mark.parametrize("path", [*PUBLIC, *OWN])
async def test_a_page_is_light_still_and_in_one_piece(path: str, window, web: Web, ids) -> None:  # noqa: F811
    page = await enter(window, web, path, ids)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    await page.set_viewport_size({"width": 390, "height": 844})
    session = await window.new_cdp_session(page)
    wire = Wire(session)
    await session.send("Network.enable")
    shifts = [await visit(page, web, path, ids)]
    assert wire.taken() <= (LANDING_BYTES if path == "/" else FIRST_VISIT_BYTES)
    shifts.append(await visit(page, web, path, ids))  # what is fetched only when it is needed is there after this one
    wire.taken()
    shifts.append(await visit(page, web, path, ids))
    assert max(shifts) <= LAYOUT_SHIFT
    assert wire.taken() <= NEXT_VISIT_BYTES
    assert await page.locator("*").count() <= ELEMENTS
    assert await page.locator("[style]").count() == 0
    assert await page.locator("h1").count() == 1
    assert await page.locator("main").count() == 1
    assert await page.locator(".btn.seal:visible").count() <= 1
    assert await page.evaluate(TOO_SMALL, TOUCH_PX) == []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, width
    assert [said for said in troubles if "404" not in said or path in OWN] == []


@pytest.mark.parametrize("path", [*PUBLIC, *OWN])
async def test_axe_finds_nothing_grave_on_a_page(path: str, window, web: Web, ids) -> None:  # noqa: F811
    page = await enter(window, web, path, ids)
    for theme in THEMES:
        # Without motion, and opened anew, the colours are at once what they will be.
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        await page.goto(web.url + address(path, ids), wait_until="load")
        for width in AXE_WIDTHS:
            await page.set_viewport_size({"width": width, "height": 844})
            assert await grave_findings(page) == [], (width, theme)


def test_every_page_is_looked_at() -> None:
    looked_at = {"landing", "login", "mailbox", "trouble", "today", "find", "recovery", "compose", "history"}
    looked_at |= {
        "accounts",
        "account",
        "unlinking",
        "contacts",
        "pairing",
        "message",
        "edit",
        "move",
        "zone",
        "farewell",
        "goodbye",
        "engine",
        "engine_account",
        "engine_accounts",
        "engine_nodes",
        "engine_trail",
    }
    elsewhere = {"storybook", "code"}  # test_storybook.py, test_signing.py
    assert {path.stem for path in (TEMPLATE_FOLDER / "pages").glob("*.html")} == looked_at | elsewhere
