"""The first hour of somebody with the product, and a picture wherever there is something to see."""

import re
from typing import Final

from playwright.async_api import Browser

from standalone.person import Person
from standalone.screens.album import Album
from standalone.screens.desk import Desk

WAIT_MS: Final = 30_000
EMAIL: Final = "ada@example.org"
OTHER_EMAIL: Final = "ben@example.org"


async def somebody(browser: Browser, desk: Desk, email: str, number: str) -> Person:
    """Seat somebody at a browser of their own."""
    window = await browser.new_context(locale="en-GB", timezone_id=desk.zone)
    page = await window.new_page()
    page.set_default_timeout(WAIT_MS)
    return Person(page, desk.plan.web_url, desk.phones_url, email, number, zone=desk.zone)


async def come_in(person: Person, album: Album) -> None:
    """From the landing page to the first page of somebody new."""
    page = person.page
    await person.open("/")
    await album.take("landing", page)
    await page.get_by_role("link", name="Schedule the first one").click()
    await page.get_by_label("Your e-mail address").fill(person.email)
    await album.take("sign-in", page)
    await person.ask_for_mail()
    code = await person.mailed_code()
    await album.take("sign-in-code", page)
    await person.enter(f"{(int(code) + 1) % 1_000_000:06}")
    await page.locator("#code-error").get_by_text(re.compile(".")).wait_for()
    await album.take("sign-in-wrong-code", page)
    tab = await page.context.new_page()
    await tab.goto(f"{person.web_url}/mailbox")
    await album.take("mailbox", tab)
    await tab.close()
    await person.enter(code)
    await page.get_by_role("heading", name="No phone linked yet").wait_for()
    await album.take("today-empty", page)


async def link(person: Person, album: Album) -> str:
    """Link the person's phone and wait until all their people are there; return the account."""
    page = person.page
    await person.ask_for_code()
    await person.scan()
    await page.locator(".stages .done").nth(3).wait_for()
    account = re.search(r"[0-9a-f-]{36}", page.url)
    assert account
    await person.open("/today")
    await album.take("today-linked", page)
    return account[0]


async def write_first(person: Person, desk: Desk, album: Album) -> str:
    """Write the first message, err once, keep the recovery code; return the message."""
    page = person.page
    await person.open("/schedules/new")
    await album.take("compose-empty", page)
    text = "Happy birthday, Grandma. *See you on Sunday*: I bring the cake, you bring the stories."
    await person.fill_in("gra", "Grandma", text, desk.today_at("09:00"))
    await page.locator("#slip").get_by_text("See you on Sunday").wait_for()
    await page.get_by_text("Clear to leave").wait_for()
    await page.get_by_text("Leaves today at 9:00.").wait_for()
    await album.take("compose-filled", page)
    await page.get_by_label(re.compile("^Time in")).fill("06:30")
    await page.get_by_role("button", name="Seal and schedule").click()
    await album.take("compose-error", page)
    await page.get_by_label(re.compile("^Time in")).fill("09:00")
    await page.get_by_role("button", name="Seal and schedule").click()
    keep = page.get_by_role("button", name="I keep it, seal now")
    await keep.wait_for()
    await album.take("compose-recovery", page)
    await keep.click()
    await page.wait_for_url(re.compile("/messages/[0-9a-f-]{36}$"), wait_until="commit")
    return page.url.rpartition("/")[2]


async def walk(browser: Browser, desk: Desk, album: Album) -> None:
    """All of it, until the album is complete."""
    ada = await somebody(browser, desk, EMAIL, "447700900001")
    await come_in(ada, album)
    if album.complete():
        return
    await link(ada, album)
    await write_first(ada, desk, album)
