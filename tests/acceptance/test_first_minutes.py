"""The first five minutes as a person has them: land, sign in, link, find, write, watch it arrive and be read.

One product, several people at one time, each at a browser of their own: by mouse in both sizes and themes, by keyboard
alone, and without motion. Then one more through a lost Redis and a restarted web process.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from standalone.children import bring_up
from standalone.demo_world import OWN_NUMBER
from standalone.person import MESSAGE_PAGE, ZONE, Person, next_minute
from tests.acceptance.product import Product, demo_product

ARRIVE_MS = 150_000
ANSWER_MS = 30_000
OUTAGE_S = 30
TABS_MAX = 80
LAYOUT_SHIFT = 0.02
AWAY = ("Failed to load resource", "htmx: htmx:sse:error")
FRIEND_NAME = "Grandma"
MOUSE = [((390, 844), "light"), ((390, 844), "dark"), ((1280, 800), "light"), ((1280, 800), "dark")]


@pytest.fixture(scope="module")
def product():
    """Run the demo once for this module."""
    with demo_product() as running:
        yield running


@dataclass
class Seat:
    """A person at a browser, what the console said, and what moved on the page by itself."""

    person: Person
    window: BrowserContext
    troubles: list[str]
    friend: str

    @property
    def page(self) -> Page:
        """The page that the person looks at."""
        return self.person.page


WATCH_SHIFTS = """window.shifts = []; new PerformanceObserver((list) => {
  const box = (it) => `${it.x},${it.y} ${it.width}x${it.height}`;
  const place = (it) => `${it.node?.nodeName} ${it.node?.className} ${box(it.previousRect)} > ${box(it.currentRect)}`;
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifts.push([entry.value, `${entry.startTime} ms: ${entry.sources.map(place).join("; ")}`]);
  }
}).observe({ type: "layout-shift", buffered: true });"""


async def take_seat(browser: Browser, product: Product, turn: int, **look: object) -> Seat:
    """Give a person a browser, and a simulated phone with a friend on it who is nobody else's."""
    own, friend = f"44770091{turn:04}1", f"44770091{turn:04}2"
    product.phones.make(friend, FRIEND_NAME, knows=[(own, "Ana")])
    product.phones.make(own, "Ana", knows=[(friend, FRIEND_NAME), (OWN_NUMBER, "Ada")], own=True)
    window = await browser.new_context(locale="en-GB", timezone_id=ZONE, **look)  # ty: ignore[invalid-argument-type]
    await window.add_init_script(WATCH_SHIFTS)
    page = await window.new_page()
    page.set_default_timeout(ANSWER_MS)
    troubles: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            troubles.append(said.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    person = Person(page, product.plan.web_url, product.phones_url, f"person-{turn}@example.org", own)
    return Seat(person, window, troubles, friend)


@pytest.fixture
async def seats(browser: Browser, product: Product) -> AsyncIterator[list[Seat]]:
    """Give a list in which a test puts its seats; at the end they say what was on their pages, and are closed."""
    taken: list[Seat] = []
    yield taken
    for seat in taken:
        print(f"{seat.person.email} saw at {seat.page.url}:\n{await seat.page.locator('body').inner_text()}")
        await seat.window.close()
    print(product.home.log("supervisor").read_text())


async def sees(seat: Seat, message: str, word: str) -> None:
    """Wait until the page that is open says `word` of the message."""
    await expect(seat.page.locator(f"#m-{message}-status .word")).to_have_text(word, timeout=ARRIVE_MS)


async def read_and_answer(seat: Seat, text: str) -> None:
    """On the friend's phone page: find the text, read everything, write back."""
    phone = await seat.window.new_page()
    await phone.goto(f"{seat.person.phones_url}/phone/{seat.friend}")
    await expect(phone.locator("main")).to_contain_text(text)
    await phone.get_by_role("button", name="Read everything").click()
    await expect(phone.get_by_text("Whoever wrote it learns so.")).to_be_visible()
    await phone.get_by_label(re.compile("^Write as")).fill("On my way")
    await phone.get_by_role("button", name=re.compile("^Send")).click()
    await expect(phone.locator("main")).to_contain_text("On my way")
    await phone.close()


async def whole_path(seat: Seat, text: str) -> None:
    """Everything, by mouse; without one reload of the message's page."""
    person, page = seat.person, seat.page
    await person.sign_in()
    await person.ask_for_code()
    await person.scan()
    await page.get_by_role("link", name="Write the first message").click()
    message = await person.write("gra", FRIEND_NAME, text, next_minute(), first=True)
    await page.evaluate("window.shifts.length = 0")
    await sees(seat, message, "Delivered")
    await read_and_answer(seat, text)
    await sees(seat, message, "Read")
    await expect(page.get_by_text(text)).to_be_visible()  # opened here, by this browser's own key
    moved = await page.evaluate("window.shifts")
    assert sum(value for value, _ in moved) <= LAYOUT_SHIFT, "\n".join(f"{value:.4f} at {at}" for value, at in moved)
    assert seat.troubles == []


async def test_by_mouse_in_both_sizes_and_themes(browser: Browser, product: Product, seats: list[Seat]) -> None:
    for turn, ((width, height), theme) in enumerate(MOUSE):
        look = {"viewport": {"width": width, "height": height}, "color_scheme": theme, "has_touch": width < 500}
        seats.append(await take_seat(browser, product, turn, **look))
    still = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"}
    seats.append(await take_seat(browser, product, len(MOUSE), **still))
    async with asyncio.TaskGroup() as group:
        for turn, seat in enumerate(seats):
            group.create_task(whole_path(seat, f"See you on Sunday, {turn}"))


async def tab_to(page: Page, control: Locator) -> None:
    """Press Tab until the control has the focus, as somebody without a mouse does."""
    await control.wait_for()
    for _ in range(TABS_MAX):
        if await control.evaluate("(it) => it === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{TABS_MAX} tabs do not lead to {control}")


async def press(page: Page, role: Literal["link", "button"], name: str) -> None:
    """Tab to a link or button and press Enter on it."""
    control = page.get_by_role(role, name=name).first
    await tab_to(page, control)
    await page.keyboard.press("Enter")


async def test_by_keyboard_alone(browser: Browser, product: Product, seats: list[Seat]) -> None:
    seat = await take_seat(browser, product, 10, viewport={"width": 1280, "height": 800})
    seats.append(seat)
    person, page, keys = seat.person, seat.page, seat.page.keyboard
    await person.open("/")
    await press(page, "link", "Schedule the first one")
    await tab_to(page, page.get_by_label("Your e-mail address"))
    await keys.type(person.email)
    await keys.press("Enter")
    await tab_to(page, page.get_by_label("Six digits"))
    await keys.type(await person.mailed_code())
    await press(page, "link", "Link your WhatsApp")
    await press(page, "button", "Link a phone")
    address = await page.get_by_role("link", name="Scan with the simulated phone").get_attribute("href")
    phone = await seat.window.new_page()
    await phone.goto(f"{person.phones_url}/phone/{person.number}?{(address or '').partition('?')[2]}")
    await press(phone, "button", "Scan this code")
    await phone.get_by_text("Scanned.").wait_for()
    await phone.close()
    await press(page, "link", "Write the first message")
    await tab_to(page, page.get_by_role("combobox", name="To"))
    await keys.type("gra")
    await page.get_by_role("option", name=re.compile(FRIEND_NAME)).wait_for()
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await tab_to(page, page.get_by_label("Message", exact=True))
    await keys.type("Without a mouse")
    due = next_minute().astimezone(ZoneInfo(ZONE))
    day = page.get_by_label("Day", exact=True)
    await tab_to(page, day)
    await keys.type(f"{due:%m%d%Y}")  # the order in which this Chromium, whose own language is American, takes it
    await expect(day).to_have_value(f"{due:%Y-%m-%d}")
    await tab_to(page, page.get_by_label(re.compile("^Time in")))
    await keys.press("Control+A")
    await keys.type(f"{due:%H%M}")
    await press(page, "button", "Seal and schedule")
    await press(page, "button", "I keep it, seal now")
    await expect(page).to_have_url(MESSAGE_PAGE, timeout=ANSWER_MS)
    await sees(seat, page.url.rpartition("/")[2], "Delivered")
    assert seat.troubles == []


async def test_through_a_lost_redis_and_a_restarted_web(browser: Browser, product: Product, seats: list[Seat]) -> None:
    seat = await take_seat(browser, product, 20, viewport={"width": 1280, "height": 800})
    seats.append(seat)
    person = seat.person
    await person.sign_in()
    await person.ask_for_code()
    await person.scan()
    await seat.page.get_by_role("link", name="Write the first message").click()
    message = await person.write("gra", FRIEND_NAME, "Through thick and thin", next_minute(), first=True)
    product.valkey.stop()
    crashed = asyncio.create_task(seat.page.wait_for_event("crash", timeout=0))
    assert not (await asyncio.wait({crashed}, timeout=OUTAGE_S))[0]
    crashed.cancel()
    bring_up(product.valkey)
    await sees(seat, message, "Delivered")
    web = product.program("web")
    web.stop()
    bring_up(web)
    await read_and_answer(seat, "Through thick and thin")
    await sees(seat, message, "Read")
    # What could not be fetched meanwhile is told on the console by the browser and by htmx; nothing else is.
    assert [said for said in seat.troubles if not said.startswith(AWAY)] == []
