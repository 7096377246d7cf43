"""Somebody at a real browser, in a demo: signs in, links a phone, writes, watches.

Everything is done as people do it: by the words on the page, by pressing and typing.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from playwright.async_api import Page

CODE: Final = re.compile(r"\b(\d{6})\b")
MARGIN_S: Final = 15
"""A message for the next full minute is sealed at least this long before it."""
LINKED_MS: Final = 120_000
"""From the scan to the first names: others may be linking at the same time, and only two at once do."""
MESSAGE_PAGE: Final = re.compile(r"/messages/[0-9a-f-]{36}$")
ZONE: Final = "Europe/London"


class Person:
    """Who sits at `page`. `email`: theirs; `number`: of their simulated phone; `zone`: of their browser."""

    def __init__(
        self, page: "Page", web_url: str, phones_url: str, email: str, number: str, *, zone: str = ZONE
    ) -> None:
        """Nothing is opened yet."""
        self.page = page
        self.web_url = web_url
        self.phones_url = phones_url
        self.email = email
        self.number = number
        self.zone = zone

    async def open(self, path: str) -> None:
        """Open a page of the product. Its stream never ends, so it is ready when its text is."""
        await self.page.goto(self.web_url + path, wait_until="domcontentloaded")

    async def mailed_code(self) -> str:
        """Look into the mailbox of the machine, in another tab, for the newest code."""
        tab = await self.page.context.new_page()
        await tab.goto(f"{self.web_url}/mailbox", wait_until="domcontentloaded")
        mail = await tab.get_by_role("listitem").filter(has_text=self.email).first.inner_text()
        await tab.close()
        found = CODE.search(mail)
        assert found, "no code in the mail"
        return found[1]

    async def sign_in(self) -> None:
        """From the landing page to the first page of somebody new."""
        await self.open("/")
        await self.page.get_by_role("link", name="Schedule the first one").click()
        await self.ask_for_mail()
        await self.enter(await self.mailed_code())
        await self.page.get_by_role("heading", name="No phone linked yet").wait_for()

    async def ask_for_mail(self) -> None:
        """On the sign-in page: give the address, and come to the page of the code."""
        await self.page.get_by_label("Your e-mail address").fill(self.email)
        await self.page.get_by_role("button", name="Send me a code").click()
        await self.page.get_by_role("heading", name="Look at your mail").wait_for()

    async def enter(self, code: str) -> None:
        """Type a code; it is sent by itself at the sixth digit."""
        await self.page.get_by_label("Six digits").press_sequentially(code)

    async def ask_for_code(self) -> None:
        """From the first page to a QR code."""
        await self.page.get_by_role("link", name="Link your WhatsApp").click()
        await self.page.get_by_role("button", name="Link a phone").click()
        await self.page.get_by_role("link", name="Scan with the simulated phone").wait_for()

    async def scan(self) -> None:
        """Scan the code that is shown with the person's own simulated phone, and come back."""
        address = await self.page.get_by_role("link", name="Scan with the simulated phone").get_attribute("href")
        phone = await self.page.context.new_page()
        await phone.goto(f"{self.phones_url}/phone/{self.number}?{(address or '').partition('?')[2]}")
        await phone.get_by_role("button", name="Scan this code").click()
        await phone.get_by_text("Scanned.").wait_for()
        await phone.close()
        await self.page.get_by_role("link", name="Write the first message").wait_for(timeout=LINKED_MS)

    async def write(self, letters: str, name: str, text: str, due: datetime, *, first: bool) -> str:
        """In the composer: find `name` by `letters`, write, choose the time, seal; return the message's id.

        `first`: the recovery code is shown, and kept.
        """
        await self.fill_in(letters, name, text, due)
        await self.page.get_by_role("button", name="Seal and schedule").click()
        if first:
            await self.page.get_by_role("button", name="I keep it, seal now").click()
        await self.page.wait_for_url(MESSAGE_PAGE, wait_until="commit")
        return self.page.url.rpartition("/")[2]

    async def fill_in(self, letters: str, name: str, text: str, due: datetime) -> None:
        """In the composer: find `name` by `letters`, write, choose the time."""
        await self.page.get_by_role("combobox", name="To").press_sequentially(letters)
        await self.page.get_by_role("option", name=re.compile(re.escape(name))).click()
        await self.page.get_by_label("Message", exact=True).fill(text)
        here = due.astimezone(ZoneInfo(self.zone))
        await self.page.get_by_label("Day", exact=True).fill(f"{here:%Y-%m-%d}")
        await self.page.get_by_label(re.compile("^Time in")).fill(f"{here:%H:%M}")


def next_minute(now: datetime | None = None) -> datetime:
    """The next full minute that is at least MARGIN_S ahead: the nearest time that one can choose."""
    now = now or datetime.now(UTC)
    return (now + timedelta(seconds=MARGIN_S + 60)).replace(second=0, microsecond=0)
