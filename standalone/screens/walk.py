"""The first hour of somebody with the product, and a picture wherever there is something to see."""

import re
from typing import Final

from playwright.async_api import Browser

from standalone.demo_world import OWN_NUMBER
from standalone.person import MESSAGE_PAGE, Person
from standalone.screens.album import Album
from standalone.screens.day import Day
from standalone.screens.desk import Desk
from standalone.screens.engine import show_engine
from standalone.screens.letters import FIRST, LETTERS, SENT_NOW, Letter
from standalone.screens.linking import QR, show_linking
from standalone.screens.seats import somebody
from standalone.screens.standing import show_pages, show_second_device

EMAIL: Final = "ada@example.org"


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
    await person.fill_in(FIRST.letters, FIRST.name, FIRST.text, desk.today_at(FIRST.clock))
    await page.get_by_text("Clear to leave").wait_for()
    await page.get_by_text("Leaves today at 9:00").wait_for()
    await album.take("compose-filled", page)
    clock, seal = page.get_by_label(re.compile("^Time in")), page.get_by_role("button", name="Seal and schedule")
    await clock.fill("06:30")
    await seal.click()
    await page.get_by_text("Choose a later time").wait_for()
    await album.take("compose-error", page)
    await clock.fill(FIRST.clock)
    await seal.click()
    keep = page.get_by_role("button", name="I keep it, seal now")
    await keep.wait_for()
    await album.take("compose-recovery", page)
    await keep.click()
    await page.wait_for_url(MESSAGE_PAGE, wait_until="commit")
    return page.url.rpartition("/")[2]


async def write(person: Person, desk: Desk, letter: Letter) -> str:
    """Write one more, due tomorrow; return the message."""
    await person.open("/schedules/new")
    return await person.write(letter.letters, letter.name, letter.text, desk.today_at("12:00", 1), first=False)


async def talk(person: Person, desk: Desk) -> str:
    """Write to somebody, send it at once, and let them read it and answer; return the message."""
    message = await write(person, desk, SENT_NOW)
    await person.page.get_by_role("button", name="Send now").click()
    await person.page.get_by_text("On their phone").first.wait_for()
    mum = desk.people[SENT_NOW.name]
    desk.phones.read(mum, OWN_NUMBER)
    desk.phones.say(mum, OWN_NUMBER, "So glad. Sleep first, then call.")
    return message


async def phones(person: Person, desk: Desk, album: Album) -> None:
    """The page of the simulated phones, and one of them."""
    tab = await person.page.context.new_page()
    await tab.goto(person.phones_url)
    await album.take("phones", tab)
    mum = desk.people[SENT_NOW.name]
    await tab.goto(f"{person.phones_url}/phone/{mum}")
    await tab.get_by_text(SENT_NOW.text).wait_for()
    await album.take("phone", tab)
    await tab.goto(f"{person.phones_url}/phone/{OWN_NUMBER}?qr={QR}")
    await album.take("phone-scans", tab)
    await tab.close()


async def walk(browser: Browser, desk: Desk, album: Album) -> None:
    """All of it, until the album is complete."""
    ada = await somebody(browser, desk, EMAIL, OWN_NUMBER)
    await come_in(ada, album)
    if album.complete():
        return
    account = await link(ada, album)
    messages = {"grandma": await write_first(ada, desk, album), "mum": await talk(ada, desk)}
    await phones(ada, desk, album)
    desk.stop_engine()
    for name, letter in LETTERS.items():
        if name not in messages:
            messages[name] = await write(ada, desk, letter)
    day = Day(ada, desk, album, account, messages)
    await day.show()
    await show_pages(ada, desk, album, account, messages)
    await show_second_device(browser, desk, album, messages)
    await show_linking(browser, desk, album)
    await show_engine(ada, desk, album, EMAIL)
