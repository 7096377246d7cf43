"""The pages that stand still: people, finding, edit, account, settings, and what a second browser sees."""

from collections.abc import Mapping
from typing import Final

from playwright.async_api import Browser

from standalone.person import Person
from standalone.screens.album import Album
from standalone.screens.desk import Desk
from standalone.screens.letters import LETTERS
from standalone.screens.rows import run
from standalone.screens.seats import arrive, sign_in, somebody

STRANGER: Final = "447700900199"


async def show_pages(person: Person, desk: Desk, album: Album, account: str, messages: Mapping[str, str]) -> None:
    """Everything that a person with a day has beside it."""
    page = person.page
    await arrive(person, f"/accounts/{account}/contacts")
    await album.take("people", page)
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox", name="Find or do").press_sequentially("ma")
    await page.locator("#found").get_by_text("Maya Lindqvist").first.wait_for()
    await album.take("find", page)
    await arrive(person, f"/schedules/new?to={STRANGER}@s.whatsapp.net")
    await page.get_by_label("Message", exact=True).fill("Is the flat by the canal still free?")
    await page.get_by_text("Ask them to write first").wait_for()
    await album.take("compose-stranger", page)
    await page.get_by_label("Message", exact=True).fill("")
    await arrive(person, f"/messages/{messages['maya']}/edit")
    await page.locator("#preview").get_by_text("Congratulations").wait_for()
    await album.take("edit", page)
    await arrive(person, f"/messages/{messages['leo']}/time")
    await album.take("move", page)
    await arrive(person, "/recovery")
    await page.get_by_text("This browser has the key").wait_for()
    await album.take("recovery", page)
    run(desk.query, "add_record", account=account)
    for picture, path in {
        "account": f"/accounts/{account}",
        "unlink": f"/accounts/{account}/link",
        "zone": "/settings/zone",
        "delete": "/farewell",
        "not-found": "/nothing/here",
    }.items():
        await person.open(path)
        await album.take(picture, page)


async def show_second_device(browser: Browser, desk: Desk, album: Album, messages: Mapping[str, str]) -> None:
    """Another browser of the same person: it has no key for the texts."""
    second = await somebody(browser, desk, "ada@example.org", "")
    await sign_in(second)
    page = second.page
    await arrive(second, f"/messages/{messages['mum']}")
    await page.get_by_role("button", name="Enter your recovery code").first.wait_for()
    await album.take("message-sealed", page)
    await page.get_by_role("button", name="Enter your recovery code").first.click()
    await page.get_by_role("dialog", name="Enter your recovery code").wait_for()
    await album.take("recovery-entry", page)
    assert await page.get_by_text(LETTERS["mum"].text).count() == 0
    await second.open("/goodbye")
    await album.take("goodbye", page)
