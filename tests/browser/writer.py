"""Somebody who writes: their browsers, what those asked of the server, and the places of the composer."""

import re

from playwright.async_api import BrowserContext, Page, Request, expect

from tests.app.conftest import Web
from tests.browser.sitting import signed_in

BEN = "351912345678@s.whatsapp.net"
"""A contact in Lisbon."""
TEXT = "canary 9e1c: the *blood test* is at ten"
_NOTED = "status of (401|403|409|422)|ERR_FAILED|ERR_INTERNET_DISCONNECTED|Failed to fetch"
"""Chromium's own words for an answer that says no, or does not come."""


class Writer:
    """Somebody with a linked account and two contacts, and what their browsers asked of the server."""

    def __init__(self, browser, web: Web, email: str, account: str) -> None:
        """Remember who."""
        self.email, self.account = email, account
        self.asked: list[str] = []
        self.troubles: list[str] = []
        self._browser, self._web = browser, web
        self._windows: list[BrowserContext] = []

    async def window(self, **options: object) -> BrowserContext:
        """Open another browser, signed in."""
        context = await signed_in(self._browser, self._web, self.email, **options)
        context.set_default_timeout(10_000)
        self._windows.append(context)
        context.on("request", self._note)
        return context

    async def page(self, context: BrowserContext | None = None, path: str = "/schedules/new") -> Page:
        """Open a page of ours, in a new browser if none is given."""
        page = await (context or await self.window()).new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda said: self.troubles.append(said.text) if said.type in ("error", "warning") else None)
        await page.goto(f"{self._web.url}{path}", wait_until="domcontentloaded")
        return page

    def _note(self, request: Request) -> None:
        self.asked.append(f"{request.method} {request.url}\n{request.post_data or ''}")

    def posts(self) -> int:
        """Return how many messages were handed over."""
        return sum(re.match(r"POST \S+/schedules\n", one) is not None for one in self.asked)

    def check(self) -> None:
        """Fail when a page of theirs broke, or a request carried the text."""
        assert [said for said in self.troubles if not re.search(_NOTED, said)] == []
        assert [one for one in self.asked if "canary" in one or "blood" in one] == []

    async def close(self) -> None:
        for window in self._windows:
            await window.close()


def text_of(page: Page):
    return page.get_by_label("Message", exact=True)


def clock_of(page: Page):
    return page.get_by_label("Time in")


def seal_of(page: Page):
    return page.get_by_role("button", name="Seal and schedule")


def page_title(page: Page):
    return page.get_by_role("heading", name="Write a message")


async def choose_anna(page: Page) -> None:
    await page.get_by_label("To", exact=True).press_sequentially("mul")
    await page.get_by_role("option", name="Anna Müller").click()


async def keep_code(page: Page) -> None:
    await page.get_by_role("dialog", name="Keep this code").get_by_role("button", name="I keep it").click()


async def sealed(page: Page) -> None:
    """Wait until the page of the message is there."""
    await expect(page.get_by_text(re.compile("^To Anna Müller ·"))).to_be_visible()
