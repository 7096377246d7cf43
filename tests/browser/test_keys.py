"""Find or do, the menu of a row and the keys: everything by the keyboard, and nothing while somebody types."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.app.conftest import database, web_environ  # noqa: F401 - fixtures
from tests.browser.living import Person, Product


@pytest.fixture(scope="module")
def product(web_environ, database, engines) -> Iterator[Product]:  # noqa: F811
    """Run a web process of this module's own."""
    running = Product(web_environ, engines.valkey, database)
    yield running
    running.web.stop()


@pytest.fixture
def person(product: Product, request: pytest.FixtureRequest) -> Person:
    """Give somebody of each test's own."""
    return product.sign_in(f"k{abs(hash(request.node.name))}@example.org")


async def ready(page: Page) -> None:
    """Wait until the scripts listen."""
    await expect(page.locator("#live")).to_have_attribute("data-hears", "yes")


async def test_somebody_is_found_by_a_few_letters_and_written_to(person, window):
    person.schedule("Zoë Hartmann", 30)
    page = await person.open(window, "/contacts")
    await ready(page)
    await page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Find or do")
    await expect(field).to_be_focused()
    await expect(page.get_by_role("option", name="Write a message")).to_have_attribute("aria-selected", "true")
    await page.keyboard.type("zoe")
    await expect(page.get_by_role("option")).to_have_count(2)
    chosen = page.locator("[role=option][aria-selected=true]")
    await expect(chosen).to_contain_text("write to them")
    await page.keyboard.press("ArrowDown")
    await expect(chosen).to_contain_text(re.compile("today|tomorrow"))
    await expect(field).to_have_attribute("aria-activedescendant", re.compile("^f-"))
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/schedules/new?account=*", wait_until="commit")


async def test_escape_closes_it_and_the_focus_is_where_it_was(person, window):
    person.schedule("Anna", 30)
    page = await person.open(window)
    await ready(page)
    row = page.locator(".letter .who")
    await row.focus()
    await page.keyboard.press("/")
    await expect(page.locator("#palette")).to_be_visible()
    await page.keyboard.type("an")
    await page.keyboard.press("Escape")
    await expect(page.locator("#palette")).to_be_hidden()
    await expect(row).to_be_focused()


async def test_a_message_is_cancelled_from_its_row_by_keys_alone_and_taken_back(person, window):
    first = person.schedule("Anna", 30)
    person.schedule("Ben", 60)
    page = await person.open(window)
    await ready(page)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(page.get_by_role("link", name="Ben", exact=True).last).to_be_focused()
    await page.keyboard.press("k")
    await page.keyboard.press("x")
    word = page.locator(f"#m-{first}-status .word")
    await expect(word).to_have_text("Cancelled")
    await expect(page.locator(f"#m-{first}")).not_to_have_class(re.compile("fresh"))
    await page.keyboard.press("Control+z")
    await expect(word).to_have_text("Clear")


async def test_the_menu_offers_what_the_state_allows(person, window):
    sent = person.schedule("Anna", 1, "SENDING")
    waits = person.schedule("Ben", 60)
    page = await person.open(window)
    await ready(page)
    await page.locator(f"#m-{sent} [data-menu]").click()
    items = page.get_by_role("menuitem")
    assert [text.strip() for text in await items.all_inner_texts()] == ["Open"]
    await page.locator(f"#m-{waits} [data-menu]").click()
    await expect(items).to_have_count(5)
    await page.keyboard.press("End")
    await expect(items.last).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(f"#m-{waits} [data-menu]")).to_be_focused()


async def test_letters_go_where_they_say_but_not_out_of_a_field(person, window):
    page = await person.open(window)
    await ready(page)
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("p")
    await page.wait_for_url("**/contacts", wait_until="commit")
    await ready(page)
    field = page.locator("main input").first
    await field.press_sequentially("nx?")
    await expect(field).to_have_value("nx?")
    await expect(page.get_by_role("heading", name="Keys")).to_be_hidden()


async def test_without_script_finding_is_a_page_and_a_rows_menu_its_messages_page(person, browser):
    message = person.schedule("Anna", 30)
    window = await browser.new_context(java_script_enabled=False)
    page = await person.open(window, "/find?q=anna")
    await expect(page.get_by_role("link", name=re.compile("^Anna, "))).to_have_attribute("href", f"/messages/{message}")
    await page.goto(f"{person.product.url}/today", wait_until="domcontentloaded")
    await page.get_by_role("link", name=re.compile("^More about Anna")).click()
    await page.wait_for_url(f"**/messages/{message}", wait_until="commit")
    await window.close()
