"""The account page in a browser: it stays true, its settings hold, and what ends things asks first."""

import json

import pytest
from playwright.async_api import Browser, expect

from store import keys
from tests.app.composer import new_account
from tests.app.conftest import Browser as Sitting
from tests.app.conftest import Database, Web, database, enclave, web, web_environ  # noqa: F401 - fixtures
from tests.browser.axe import grave_findings

NUMBERS = iter(range(491750000000, 491750001000))


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def ana(web: Web, enclave, database: Database) -> Sitting:  # noqa: F811
    """Give somebody with a linked account that has a history."""
    someone = Sitting(web)
    number = next(NUMBERS)
    someone.sign_in(f"{number}@example.org")
    someone.account = new_account(someone)
    database.link(someone.account, str(number))
    database.run(
        f"UPDATE accounts SET phone_seen_at = now() - interval '11 days', phone_days = 5 WHERE id = '{someone.account}'"
    )
    database.run(
        "INSERT INTO wakes (account_id, woken_at, ready_at, slept_at, reason, ending)"
        f" VALUES ('{someone.account}', now() - interval '2 min', now() - interval '1 min', now(), 'due', 'released')"
    )
    return someone


async def open_account(browser: Browser, someone: Sitting, width: int = 1280, theme="light", path: str = ""):
    context = await browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=theme, locale="en-GB", timezone_id="Europe/Berlin"
    )
    await context.add_cookies(
        [{"name": name, "value": value, "url": someone.web.url} for name, value in someone.client.cookies.items()]
    )
    page = await context.new_page()
    await page.goto(f"{someone.web.url}{path or f'/accounts/{someone.account}'}", wait_until="domcontentloaded")
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_no_page_of_the_account_has_a_fault(browser: Browser, ana: Sitting, width: int, theme) -> None:
    page = await open_account(browser, ana, width, theme)
    for path in (f"/accounts/{ana.account}", "/farewell", "/settings/zone"):
        await page.goto(f"{ana.web.url}{path}", wait_until="load")
        assert await grave_findings(page) == [], path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    await page.context.close()


async def test_the_statement_follows_the_session_without_a_reload(
    browser: Browser,
    ana: Sitting,
    database: Database,  # noqa: F811
    cache,
) -> None:
    page = await open_account(browser, ana)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Asleep, and ready.")
    await expect(page.get_by_text("We have not seen your phone for 11 days.")).to_be_visible()
    await page.get_by_role("button", name="Wake it now").click()
    await expect(page.get_by_role("button", name="Wake it now")).to_have_count(0)
    user = database.run(f"SELECT user_id FROM accounts WHERE id = '{ana.account}'")
    await cache.set(keys.run(ana.account), json.dumps({"run": "HOT"}), px=30_000)
    await cache.publish(keys.news_of(user), json.dumps([["account", ana.account]]))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Awake.")
    await page.context.close()


async def test_a_theme_is_chosen_by_one_press_and_seen_at_once(browser: Browser, ana: Sitting) -> None:
    page = await open_account(browser, ana)
    before = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    await page.get_by_role("button", name="Dark", exact=True).click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != before
    await expect(page.get_by_role("button", name="Dark", exact=True)).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="System", exact=True).click()
    await expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
    await page.context.close()


async def test_a_copy_is_a_file(browser: Browser, ana: Sitting) -> None:
    page = await open_account(browser, ana)
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Download it").click()
    copy = await coming.value
    assert copy.suggested_filename == "autosendr.json"
    with open(await copy.path()) as file:  # noqa: ASYNC230, PTH123 - a small file of this test
        assert json.load(file)["format"] == "autosendr-export-1"
    await page.context.close()


async def test_deleting_takes_the_word_and_ends_at_a_farewell(browser: Browser, ana: Sitting) -> None:
    page = await open_account(browser, ana)
    await page.get_by_role("link", name="Delete everything").click()
    await page.get_by_role("button", name="Delete everything").click()
    await expect(page.get_by_text("Nothing was deleted.")).to_be_visible()
    await page.get_by_label("Type “delete” to go on").fill("delete")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Everything is deleted.")).to_be_visible()
    await page.goto(f"{ana.web.url}/today", wait_until="domcontentloaded")
    await expect(page.get_by_role("heading", name="Sign in, or start")).to_be_visible()
    await page.context.close()
