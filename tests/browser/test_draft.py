"""What is written outlives what may happen to a page: reload, close, sign-out, a lost answer, another browser."""

import re

import pytest
from playwright.async_api import Route, expect

from tests.app.composer import ANNA, new_account
from tests.app.conftest import Browser, Database, Web, database, enclave, web, web_environ  # noqa: F401 - fixtures
from tests.browser.writer import (
    BEN,
    TEXT,
    Writer,
    choose_anna,
    clock_of,
    keep_code,
    page_title,
    seal_of,
    sealed,
    text_of,
)

NAMES = iter(range(1000))
NUMBERS = iter(range(491750000000, 491750001000))


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
async def ana(browser, web: Web, enclave, database: Database):  # noqa: F811
    """Give somebody new who writes; no page of theirs may have broken, and no request may have carried the text."""
    screenless = Browser(web).sign_in(f"writer{next(NAMES)}@example.org")
    account = new_account(screenless)
    database.link(account, str(next(NUMBERS)))
    database.add_contact(account, ANNA, "Anna Müller")
    database.add_contact(account, BEN, "Ben")
    writer = Writer(browser, web, screenless.email, account)
    yield writer
    await writer.close()
    writer.check()


async def test_a_draft_outlives_reload_close_and_sign_out(ana, web):  # noqa: F811
    context = await ana.window()
    page = await ana.page(context)
    await choose_anna(page)
    await text_of(page).fill(TEXT)
    await clock_of(page).fill("2130")
    await expect(page.get_by_text("Draft kept in this browser")).to_be_visible()
    await page.reload(wait_until="domcontentloaded")
    await expect(text_of(page)).to_have_value(TEXT)
    await expect(page.locator("#to-name")).to_have_text("Anna Müller")
    await expect(clock_of(page)).to_have_value("21:30")
    await page.get_by_role("link", name="Close, what you wrote is kept").click()
    await page.close()
    again = await ana.page(context)
    await expect(text_of(again)).to_have_value(TEXT)
    await again.close()

    await context.clear_cookies()
    mine = Browser(web).sign_in(ana.email)
    await context.add_cookies([{"name": "login", "value": mine.client.cookies["login"], "url": web.url}])
    back = await ana.page(context)
    await expect(text_of(back)).to_have_value(TEXT)


async def test_somebody_else_at_the_same_browser_sees_no_draft(ana, web, database):  # noqa: F811
    context = await ana.window()
    page = await ana.page(context)
    await text_of(page).fill(TEXT)
    await expect(page.get_by_text("Draft kept in this browser")).to_be_visible()
    await page.close()
    other = Browser(web).sign_in(f"other{next(NAMES)}@example.org")
    database.link(new_account(other), str(next(NUMBERS)))
    await context.clear_cookies()
    await context.add_cookies([{"name": "login", "value": other.client.cookies["login"], "url": web.url}])
    theirs = await ana.page(context)
    await expect(page_title(theirs)).to_be_visible()
    await text_of(theirs).fill("mine")
    await expect(text_of(theirs)).to_have_value("mine")
    await theirs.reload(wait_until="domcontentloaded")
    await expect(text_of(theirs)).to_have_value("mine")


async def test_two_tabs_keep_a_draft_each(ana):
    context = await ana.window()
    one, two = await ana.page(context), await ana.page(context)
    await text_of(one).fill("the first canary")
    await text_of(two).fill("the second canary")
    for page, text in ((one, "the first canary"), (two, "the second canary")):
        await page.reload(wait_until="domcontentloaded")
        await expect(text_of(page)).to_have_value(text)
    await one.close()
    three = await ana.page(context)
    await expect(text_of(three)).to_have_value("the first canary")
    await expect(text_of(two)).to_have_value("the second canary")


async def test_a_link_to_another_person_leaves_the_draft_alone(ana):
    context = await ana.window()
    page = await ana.page(context)
    await choose_anna(page)
    await text_of(page).fill(TEXT)
    await page.close()
    ben = await ana.page(context, f"/schedules/new?to={BEN}")
    await expect(page_title(ben)).to_be_visible()
    await expect(ben.locator("#to-name")).to_have_text("Ben")
    await expect(ben.locator("#slip")).to_contain_text("Your message")
    await expect(text_of(ben)).to_have_value("")
    await text_of(ben).fill("for Ben")
    await ben.close()
    anna = await ana.page(context, f"/schedules/new?to={ANNA}")
    await expect(text_of(anna)).to_have_value(TEXT)


async def test_offline_the_button_waits_and_writing_goes_on(ana):
    context = await ana.window()
    page = await ana.page(context)
    await choose_anna(page)
    await text_of(page).fill("canary")
    await context.set_offline(True)
    await expect(page.get_by_text("You are offline.")).to_be_visible()
    await expect(seal_of(page)).to_have_attribute("aria-disabled", "true")
    await seal_of(page).click(force=True)
    await text_of(page).fill(TEXT)
    assert ana.posts() == 0
    await context.set_offline(False)
    await expect(page.get_by_text("You are offline.")).to_be_hidden()
    await expect(text_of(page)).to_have_value(TEXT)
    await seal_of(page).click()
    await keep_code(page)
    await sealed(page)


async def test_a_lost_answer_makes_no_second_message(ana, database):  # noqa: F811
    page = await ana.page(path=f"/schedules/new?to={ANNA}")
    await text_of(page).fill(TEXT)

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/schedules", lose, times=1)
    before = database.count("messages")
    await seal_of(page).click()
    await keep_code(page)
    await expect(page.get_by_text("cannot be reached. What you wrote is kept here")).to_be_visible()
    await page.reload(wait_until="domcontentloaded")
    await expect(text_of(page)).to_have_value(TEXT)
    await seal_of(page).click()
    await sealed(page)
    assert database.count("messages") == before + 1


async def test_what_was_changed_after_a_lost_answer_is_not_taken_for_sent(ana, database):  # noqa: F811
    page = await ana.page(path=f"/schedules/new?to={ANNA}")
    await text_of(page).fill(TEXT)

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/schedules", lose, times=1)
    await seal_of(page).click()
    await keep_code(page)
    await expect(page.get_by_text("cannot be reached. What")).to_be_visible()
    await text_of(page).fill(f"{TEXT}, or eleven")
    await seal_of(page).click()
    await expect(page.get_by_text("This was taken already, as you first wrote it.")).to_be_visible()
    await expect(page.get_by_role("link", name="Look at it")).to_have_attribute("href", re.compile("/schedules/"))
    await expect(text_of(page)).to_have_value(f"{TEXT}, or eleven")


async def test_a_login_that_ends_in_the_middle_costs_no_word(ana, web):  # noqa: F811
    context = await ana.window()
    page = await ana.page(context, f"/schedules/new?to={ANNA}")
    await text_of(page).fill(TEXT)
    await context.clear_cookies()
    await seal_of(page).click()
    await expect(page.get_by_text("You are signed out. What you wrote is kept here.")).to_be_visible()
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_label("Your e-mail address").fill(ana.email)
    await page.get_by_role("button", name="Send me a code").click()
    code = page.get_by_label("Six digits")
    await expect(code).to_be_visible()
    await code.press_sequentially(web.code_for(ana.email))
    await expect(page_title(page)).to_be_visible()
    await expect(text_of(page)).to_have_value(TEXT)
    await expect(page.locator("#to-name")).to_have_text("Anna Müller")


async def test_a_page_that_outlived_its_login_seals_with_the_next_one(ana, web):  # noqa: F811
    context = await ana.window()
    page = await ana.page(context, f"/schedules/new?to={ANNA}")
    await text_of(page).fill(TEXT)
    newer = Browser(web).sign_in(ana.email)
    await context.clear_cookies()
    await context.add_cookies([{"name": "login", "value": newer.client.cookies["login"], "url": web.url}])
    await seal_of(page).click()
    await keep_code(page)
    await sealed(page)


async def test_another_browser_without_the_key_seals_without_it_once_told(ana):
    first = await ana.page(path=f"/schedules/new?to={ANNA}")
    await text_of(first).fill(TEXT)
    await seal_of(first).click()
    await keep_code(first)
    await sealed(first)
    second = await ana.page(path=f"/schedules/new?to={ANNA}")
    await text_of(second).fill(TEXT)
    await seal_of(second).click()
    dialog = second.get_by_role("dialog", name="This browser has no key for your texts")
    await dialog.get_by_role("button", name="Not now").click()
    await expect(seal_of(second)).to_be_focused()
    assert ana.posts() == 1
    await seal_of(second).click()
    await dialog.get_by_role("button", name="Seal without it").click()
    await sealed(second)
    assert ana.posts() == 2


async def test_a_code_that_is_not_kept_now_seals_nothing(ana):
    page = await ana.page(path=f"/schedules/new?to={ANNA}")
    await text_of(page).fill(TEXT)
    await seal_of(page).click()
    dialog = page.get_by_role("dialog", name="Keep this code")
    await dialog.get_by_role("button", name="Not now").click()
    await expect(seal_of(page)).to_be_focused()
    assert ana.posts() == 0
    await expect(text_of(page)).to_have_value(TEXT)
