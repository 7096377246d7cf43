"""The first page while it is open: it stays true, moves nothing, keeps the focus, and mends itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from playwright.async_api import Page, expect

from standalone.home import open_home_at
from standalone.valkey import Valkey
from tests.app.conftest import database, web_environ  # noqa: F401 - fixtures
from tests.browser.living import ANSWER_MS, LOST_MS, Person, Product

STOP_S = 4.0
"""Far more than an orderly end takes, far less than waiting for an open stream would."""
SHIFT_MAX = 0.02
SHIFTS = """() => { globalThis.shifted = 0; new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) globalThis.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true }); }"""


@pytest.fixture(scope="module")
def product(web_environ, database, rig_folder: Path) -> Iterator[Product]:  # noqa: F811
    """Run a web process of this module's own."""
    with open_home_at(rig_folder / "live", rig_folder / "liverun", "live") as home:
        cache = Valkey(home)
        cache.start()
        running = Product(web_environ, cache, database)
        yield running
        running.web.stop()
        cache.stop()


@pytest.fixture
def person(product: Product, request: pytest.FixtureRequest) -> Person:
    """Give somebody of each test's own."""
    return product.sign_in(f"p{abs(hash(request.node.name))}@example.org")


def word(page: Page, message: str):
    return page.locator(f"#m-{message}-status .word")


async def listening(page: Page) -> None:
    """Wait until the page hears the news, and has the fonts with which it is measured."""
    await page.evaluate("document.fonts.ready.then(() => true)")
    await expect(page.locator("#live")).to_have_attribute("data-hears", "yes", timeout=LOST_MS)


async def test_a_message_goes_its_way_and_the_head_goes_on_to_the_next(person, window):
    first, second = person.schedule("Anna Müller", 20), person.schedule("Ben", 90)
    page = await person.open(window)
    await listening(page)
    await expect(page.locator("#lead .name")).to_have_text("Anna Müller")
    await expect(word(page, first)).to_have_text("Clear")
    await expect(page.locator("#lead .until")).to_contain_text("leaves in")
    person.move(first, "SENDING")
    await expect(word(page, first)).to_have_text("Sending")
    await expect(page.locator("#lead .name")).to_have_text("Ben")
    await expect(page.locator("#said")).to_be_empty()
    person.move(first, "SENT")
    await expect(word(page, first)).to_have_text("Sent")
    await expect(page.locator("#said")).to_have_text("Anna Müller: Sent")
    # Where it was when the page was opened it stays.
    assert await page.locator(".letters > .letter .who").all_text_contents() == ["Anna Müller", "Ben"]
    await expect(word(page, second)).to_have_text("Clear")


async def test_the_focus_and_an_open_menu_live_through_swaps(person, window):
    first = person.schedule("Anna", 20)
    person.schedule("Ben", 90)
    page = await person.open(window)
    await listening(page)
    link = page.locator(f"#m-{first} .who")
    await link.focus()
    person.move(first, "HELD")
    await expect(word(page, first)).to_have_text("Held")
    await expect(link).to_be_focused()
    await page.evaluate("document.body.dispatchEvent(new CustomEvent('snapshot'))")
    person.move(first, "SCHEDULED")
    await expect(word(page, first)).to_have_text("Clear")
    await expect(link).to_be_focused()
    await page.locator(f"#m-{first} [data-menu]").press("Enter")
    item = page.get_by_role("menuitem", name="Open")
    await expect(item).to_be_focused()
    person.move(first, "HELD")
    await expect(word(page, first)).to_have_text("Held")
    await expect(item).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(f"#m-{first} [data-menu]")).to_be_focused()


async def test_only_the_first_snapshot_of_a_page_may_leave_out_what_it_has_shown(person, window):
    person.schedule("Anna", 20)
    page = await person.open(window)
    await listening(page)
    await expect(page.locator("#messages")).to_have_attribute("hx-get", "/messages")
    async with page.expect_response(lambda answer: answer.url.endswith("/messages")) as asked:
        await page.evaluate("document.body.dispatchEvent(new CustomEvent('snapshot'))")
    assert (await asked.value).status == 200


async def test_new_messages_wait_behind_a_bar_and_news_of_old_ones_raise_none(person, window):
    old = person.schedule("Old", -3000, "DELIVERED")
    person.schedule("Ben", 90)
    page = await person.open(window)
    await listening(page)
    person.move(old, "READ")
    before = await page.locator(".letter").first.bounding_box()
    person.tell("message", person.schedule("Anna", 20))
    bar = page.get_by_role("link", name="1 new, show")
    await expect(bar).to_be_visible()
    assert await page.locator(".letter").first.bounding_box() == before
    await expect(page.locator(".letter")).to_have_count(1)
    await bar.click()
    await expect(page.locator(".letter .who").first).to_have_text("Anna")
    await expect(bar).to_have_count(0)


async def test_a_row_whose_time_changes_is_swapped_in_its_place(person, window):
    first = person.schedule("Anna", 20)
    person.schedule("Ben", 90)
    page = await person.open(window)
    await listening(page)
    time = page.locator(f"#m-{first} time")
    shown = await time.get_attribute("datetime")
    assert shown
    person.product.database.run(f"UPDATE messages SET due_at = due_at + interval '3 hours' WHERE id = '{first}'")
    person.tell("message", first)
    await expect(time).not_to_have_attribute("datetime", shown)
    assert await page.locator(".letters > .letter .who").all_text_contents() == ["Anna", "Ben"]


async def test_a_row_says_when_it_really_leaves_as_soon_as_something_else_changes_that(person, window):
    person.product.database.run(f"UPDATE accounts SET paced = true WHERE id = '{person.account}'")
    messages = [person.schedule(f"Person {number}", 30) for number in range(9)]
    page = await person.open(window)
    said = []
    page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
    await listening(page)
    last = page.locator(f"#m-{messages[8]}-status")
    await expect(last).to_contain_text("Late: leaves")
    await expect(last.locator("svg.lamp.watch")).to_be_visible()
    await page.evaluate(SHIFTS)
    # Eight in five minutes are the most: without one of them, the ninth is on time but for seconds each before it.
    for message in messages[:7]:
        person.product.database.run(f"UPDATE messages SET state = 'CANCELLED' WHERE id = '{message}'")
    person.tell("message", messages[0])
    await expect(last.locator(".word")).to_have_text("Clear")
    person.schedule("New", 29.9)
    for message in messages[:7]:
        person.move(message, "SCHEDULED", tell=False)
    person.tell("message", messages[0])
    await expect(last).to_contain_text("Late: leaves")
    assert await page.evaluate("globalThis.shifted") <= SHIFT_MAX
    assert said == []


async def test_nothing_jumps_while_messages_change(person, window):
    messages = [person.schedule(f"Person {number}", 10 + number) for number in range(6)]
    page = await person.open(window)
    await listening(page)
    await page.evaluate(SHIFTS)
    for message in messages[:3]:
        for state, said in (("SENDING", "Sending"), ("SENT", "Sent"), ("DELIVERED", "Delivered")):
            person.move(message, state)
            await expect(word(page, message)).to_have_text(said)
    await expect(page.locator("#lead .name")).to_have_text("Person 3")
    assert await page.evaluate("globalThis.shifted") <= SHIFT_MAX


async def test_without_redis_the_page_says_so_and_when_it_is_back_shows_the_truth(person, product, window):
    message = person.schedule("Anna", 20)
    page = await person.open(window)
    await listening(page)
    product.cache.stop()
    try:
        person.move(message, "DELIVERED", tell=False)
        await expect(page.get_by_text("Live view paused")).to_be_visible(timeout=LOST_MS)
        await expect(word(page, message)).to_have_text("Clear")
    finally:
        product.cache.start()
    await expect(word(page, message)).to_have_text("Delivered")
    await expect(page.get_by_text("Live view paused")).to_be_hidden()


async def test_a_page_that_is_opened_while_redis_is_away_hears_again_by_itself(person, product, window):
    message = person.schedule("Anna", 20)
    page = await person.open(window)
    await listening(page)
    product.cache.stop()
    try:
        await page.goto(f"{product.url}/today", wait_until="domcontentloaded")
        await expect(page.get_by_text("Live view paused")).to_be_visible(timeout=LOST_MS)
    finally:
        product.cache.start()
    await expect(page.get_by_text("Live view paused")).to_be_hidden()
    person.move(message, "SENDING")
    await expect(word(page, message)).to_have_text("Sending")


async def test_a_restart_of_the_web_process_ends_at_once_and_the_page_recovers(person, product, window):
    message = person.schedule("Anna", 20)
    page = await person.open(window)
    await listening(page)
    link = page.locator(f"#m-{message} .who")
    await link.focus()
    assert product.web.stop(STOP_S) == 0
    person.move(message, "SENDING")
    product.start()
    await expect(word(page, message)).to_have_text("Sending", timeout=ANSWER_MS)
    await expect(link).to_be_focused()
    person.move(message, "DELIVERED")
    await expect(word(page, message)).to_have_text("Delivered")
    await expect(page.get_by_text("Live view paused")).to_be_hidden()


async def test_a_first_connection_that_fails_is_tried_again(person, product, window):
    message = person.schedule("Anna", 20)
    failed: list[str] = []

    async def fail_once(route) -> None:
        if failed:
            await route.continue_()
            return
        failed.append(route.request.url)
        await route.abort()

    await window.route("**/live", fail_once)
    page = await person.open(window)
    await listening(page)
    assert len(failed) == 1
    person.move(message, "SENDING")
    await expect(word(page, message)).to_have_text("Sending")


async def test_a_hidden_tab_shows_the_truth_when_it_is_looked_at(person, window):
    message = person.schedule("Anna", 20)
    page = await person.open(window)
    await listening(page)
    turn = """(hidden) => { Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange")); }"""
    await page.evaluate(turn, True)
    person.move(message, "DELIVERED")
    await page.evaluate(turn, False)
    await expect(word(page, message)).to_have_text("Delivered")


async def test_whoever_is_signed_out_elsewhere_is_led_to_where_one_signs_in(person, product, window):
    page = await person.open(window)
    await listening(page)
    with redis.Redis.from_url(product.cache.url) as client:
        client.flushall()
    assert product.web.stop(STOP_S) == 0
    product.start()
    await expect(page).not_to_have_url(f"{product.url}/today", timeout=ANSWER_MS)
