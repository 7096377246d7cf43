"""Somebody at a browser of their own, in front of the demo."""

from typing import Final

from playwright.async_api import Browser

from standalone.person import Person
from standalone.screens.desk import Desk

WAIT_MS: Final = 30_000
HEARS: Final = "#live[data-hears=yes]"


async def somebody(browser: Browser, desk: Desk, email: str, number: str) -> Person:
    """Seat somebody at a browser of their own."""
    window = await browser.new_context(locale="en-GB", timezone_id=desk.zone)
    page = await window.new_page()
    page.set_default_timeout(WAIT_MS)
    return Person(page, desk.plan.web_url, desk.phones_url, email, number, zone=desk.zone)


async def sign_in(person: Person) -> None:
    """Sign in by mail, somebody new or a second browser of somebody known."""
    await person.open("/login")
    await person.ask_for_mail()
    await person.enter(await person.mailed_code())
    await person.page.wait_for_url("**/today")


async def arrive(person: Person, path: str) -> None:
    """Open a page and wait until it has heard from its stream: what it shows is what is so."""
    await person.open(path)
    await person.page.locator(HEARS).wait_for(state="attached")
