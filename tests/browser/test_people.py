"""Finding people in a real browser: by keyboard alone, by mouse and by finger, while names and photos arrive."""

import json
import time
from typing import Literal

import pytest
import redis.asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from simulator.pictures import jpeg
from store import keys
from tests.app.conftest import Database, Web, database, enclave, web, web_environ  # noqa: F401 - fixtures
from tests.browser.axe import grave_findings
from tests.browser.test_link import SHIFTS
from tests.browser.test_path import id_in, sign_in

ANSWER_MS = 10_000
ANNA, ZOE, BEN = (f"49151000000{n}@s.whatsapp.net" for n in (1, 2, 3))
NAMES = {ANNA: "Anna Müller", ZOE: "Zoë Ünal", BEN: "Ben"}
OPTION_PX = 56


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
async def page(window: BrowserContext, web: Web, enclave):  # noqa: F811
    """Give a page of somebody new that fails the test on any console error, policy violation included."""
    opened = await window.new_page()
    opened.set_default_timeout(ANSWER_MS)
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    await sign_in(opened, web, f"{time.time_ns()}@example.org")
    yield opened
    assert troubles == []


@pytest.fixture
async def account(page: Page, database: Database) -> str:  # noqa: F811
    """Give a linked account with three people."""
    await page.get_by_role("link", name="Link your WhatsApp").click()
    await page.get_by_role("button", name="Link a phone").click()
    await expect(page.get_by_text("Asking WhatsApp for a code")).to_be_visible()
    made = id_in(page)
    database.link(made, f"49152{time.time_ns() % 10**8:08}")
    for jid, name in NAMES.items():
        database.add_contact(made, jid, name)
    return made


async def tell(cache: redis.asyncio.Redis, base: Database, account: str) -> None:
    user = base.run(f"SELECT user_id FROM accounts WHERE id = '{account}'")
    await cache.publish(keys.news_of(user), json.dumps([["contacts", account]]))


async def compose(page: Page, web: Web, account: str, to: str = "") -> Locator:  # noqa: F811
    await page.goto(f"{web.url}/schedules/new?account={account}&to={to}", wait_until="domcontentloaded")
    return page.get_by_role("combobox", name="To", exact=True)


async def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(30):
        if await target.evaluate("it => it === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{target} is not reached by Tab")


def put_photo(base: Database, account: str, jid: str, picture_id: str) -> None:
    base.run(
        f"UPDATE contacts SET picture_id = '{picture_id}', picture = '\\x{jpeg(jid).hex()}'"
        f" WHERE account_id = '{account}' AND jid = '{jid}'"
    )


def photo(within: Locator) -> Locator:
    return within.locator(".face img")


async def loaded(image: Locator) -> None:
    await expect(image).to_be_visible()
    await image.evaluate("it => it.decode()")
    assert await image.evaluate("it => it.naturalWidth") == 96


async def test_somebody_is_found_and_chosen_by_keyboard_alone(page, web, account):  # noqa: F811
    await page.goto(f"{web.url}/contacts", wait_until="domcontentloaded")
    await tab_to(page, page.get_by_label("Find by any part"))
    await page.keyboard.type("mul")
    await expect(page.locator("#people .person")).to_have_count(1)
    row = page.get_by_role("link", name="Anna Müller")
    await expect(row.locator("mark")).to_have_text("Mül")
    await tab_to(page, row)
    await page.keyboard.press("Enter")
    await expect(page.locator("#to-name")).to_have_text("Anna Müller")

    to = page.get_by_role("combobox", name="To", exact=True)
    await tab_to(page, to)
    await page.keyboard.press("Backspace")
    await expect(page.locator("#to-pill")).to_be_hidden()
    await expect(to).to_be_focused()
    await page.keyboard.type("zoe")
    await page.keyboard.press("Enter")  # before the answer: it must not choose from the options of before
    await expect(page.locator("#to-name")).to_have_text("Zoë Ünal")
    await expect(page.locator("#recipient")).to_have_value(ZOE)
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()


async def test_arrows_move_among_the_options_and_what_there_is_is_said(page, web, account):  # noqa: F811
    to = await compose(page, web, account)
    await to.focus()
    await expect(to).to_have_attribute("aria-expanded", "true")
    await expect(page.locator("#to-said")).to_have_text("3 found.")
    options = page.locator("#to").get_by_role("option")
    order = [("ArrowDown", 0), ("ArrowDown", 1), ("End", 2), ("ArrowDown", 0), ("ArrowUp", 2), ("Home", 0)]
    for key, at in order:
        await page.keyboard.press(key)
        await expect(options.nth(at)).to_have_attribute("aria-selected", "true")
        await expect(page.locator("#to").get_by_role("option", selected=True)).to_have_count(1)
        await expect(to).to_have_attribute("aria-activedescendant", await options.nth(at).get_attribute("id") or "")
    await page.keyboard.press("Escape")
    await expect(to).to_have_attribute("aria-expanded", "false")
    await expect(page.locator("#to-list")).to_be_hidden()
    await page.keyboard.type("xyz")
    await expect(page.locator("#to-said")).to_have_text("Nobody by that name.")
    await page.keyboard.press("Enter")
    await expect(page.locator("#to-pill")).to_be_hidden()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(to).to_have_value("")


async def test_somebody_is_chosen_and_taken_out_by_mouse(page, web, account):  # noqa: F811
    to = await compose(page, web, account)
    await to.click()
    await to.press_sequentially("ben")
    await page.get_by_role("option", name="Ben").click()
    await expect(page.locator("#to-name")).to_have_text("Ben")
    await expect(page.locator("#to-list")).to_be_hidden()
    await page.get_by_role("button", name="Choose somebody other than Ben").click()
    await expect(page.locator("#recipient")).to_have_value("")
    await expect(page.locator("#to").get_by_role("option")).to_have_count(3)
    await expect(to).to_be_focused()
    await page.get_by_role("heading", name="Write a message").click()
    await expect(page.locator("#to-list")).to_be_hidden()


async def test_a_finger_chooses_from_rows_that_are_high_enough(browser: Browser, page, web, account):  # noqa: F811
    state = await page.context.storage_state()
    touched = await browser.new_context(storage_state=state, has_touch=True, viewport={"width": 390, "height": 844})
    phone = await touched.new_page()
    to = await compose(phone, web, account)
    await to.tap()
    rows = phone.locator("#to").get_by_role("option")
    heights = await rows.evaluate_all("every => every.map((it) => it.offsetHeight)")
    assert len(heights) == 3
    assert min(heights) >= OPTION_PX
    await phone.get_by_role("option", name="Zoë Ünal").tap()
    await expect(phone.locator("#recipient")).to_have_value(ZOE)
    await touched.close()


async def test_names_arrive_without_taking_focus_or_choice(page, web, account, database, cache):  # noqa: F811
    to = await compose(page, web, account)
    await to.focus()
    for _ in range(2):
        await page.keyboard.press("ArrowDown")
    chosen = page.get_by_role("option", name="Ben")
    await expect(chosen).to_have_attribute("aria-selected", "true")
    database.add_contact(account, "4915100000009@s.whatsapp.net", "Aaron")
    await tell(cache, database, account)
    await expect(page.locator("#to").get_by_role("option")).to_have_count(4)
    await expect(chosen).to_have_attribute("aria-selected", "true")
    await expect(to).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#recipient")).to_have_value(BEN)
    put_photo(database, account, BEN, "7")
    await tell(cache, database, account)
    await loaded(photo(page.locator("#to-pill")))


async def test_a_photo_appears_and_nothing_moves(page, web, account, database, cache):  # noqa: F811
    await page.goto(f"{web.url}/contacts", wait_until="domcontentloaded")
    anna = page.locator("#people .person", has_text="Anna Müller")
    await expect(anna.locator(".face")).to_have_text("AM")
    await page.evaluate("document.fonts.ready")
    await page.evaluate(SHIFTS)
    put_photo(database, account, ANNA, "7")
    await tell(cache, database, account)
    await loaded(photo(anna))
    put_photo(database, account, ZOE, "8")
    await tell(cache, database, account)
    await loaded(photo(page.locator("#people .person", has_text="Zoë")))
    assert await page.evaluate("window.shifts") == 0


async def test_the_names_that_arrive_are_counted_in_words(page, web, account, database, cache):  # noqa: F811
    database.run(f"UPDATE accounts SET names_synced_at = NULL, contacts = 312 WHERE id = '{account}'")
    await page.goto(f"{web.url}/contacts", wait_until="domcontentloaded")
    await expect(page.locator(".counted")).to_have_text("Names arrive: 312 so far")
    database.run(f"UPDATE accounts SET names_synced_at = now(), contacts = 1240 WHERE id = '{account}'")
    await tell(cache, database, account)
    await expect(page.locator(".counted")).to_have_text("1,240 people and groups")


async def test_more_comes_by_the_hundred_and_the_keyboard_goes_on_there(page, web, account, database):  # noqa: F811
    database.run(
        "INSERT INTO contacts (account_id, jid, kind, name, search) SELECT "
        f"'{account}', n || '@s.whatsapp.net', 'person', 'P ' || n, 'p ' || n FROM generate_series(1000, 1120) n"
    )
    await page.goto(f"{web.url}/contacts", wait_until="domcontentloaded")
    rows = page.locator("#people .person")
    await expect(rows).to_have_count(100)
    await page.get_by_role("link", name="Show 100 more").press("Enter")
    await expect(rows).to_have_count(124)
    await expect(rows.nth(100).locator("a")).to_be_focused()


async def test_the_reach_says_what_it_means_when_it_is_pressed(page, web, account):  # noqa: F811
    await page.goto(f"{web.url}/contacts", wait_until="domcontentloaded")
    await page.get_by_role("button", name="Cool").first.press("Enter")
    await expect(page.get_by_text("no chat has passed through here yet")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("no chat has passed through here yet")).to_be_hidden()


SIZES = [(390, 844), (1280, 800)]
THEMES: list[Literal["light", "dark"]] = ["light", "dark"]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_axe_finds_nothing_grave(page, web, account, width, height, theme):  # noqa: F811
    await page.set_viewport_size({"width": width, "height": height})
    await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    await page.goto(f"{web.url}/contacts", wait_until="domcontentloaded")
    await page.get_by_label("Find by any part").press_sequentially("mu")
    await expect(page.locator("#people mark")).to_have_count(1)
    assert await grave_findings(page) == []
    to = await compose(page, web, account, ZOE)
    await to.press_sequentially("an")
    await expect(page.locator("#to").get_by_role("option", selected=True)).to_have_count(1)
    assert await grave_findings(page) == []
