"""The composer as a person meets it: by mouse, keyboard and touch; whatever is typed, the text stays here."""

import asyncio
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Route, expect

from tests.app.composer import ANNA, new_account
from tests.app.conftest import Browser, Database, Web, database, enclave, web, web_environ  # noqa: F401 - fixtures
from tests.browser.axe import grave_findings
from tests.browser.writer import BEN, TEXT, Writer, choose_anna, clock_of, keep_code, seal_of, sealed, text_of

NAMES = iter(range(1000))
NUMBERS = iter(range(491740000000, 491740001000))
BERLIN = ZoneInfo("Europe/Berlin")


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


async def test_by_mouse_from_nothing_to_sealed(ana, database):  # noqa: F811
    page = await ana.page()
    await choose_anna(page)
    await expect(text_of(page)).to_be_focused()
    await expect(page.get_by_role("heading", name="What Anna Müller sees")).to_be_visible()
    await text_of(page).fill(TEXT)
    await expect(page.locator("#slip strong")).to_have_text("blood test")
    await expect(page.locator("#count-line")).to_have_text(f"{len(TEXT)} characters")
    await page.get_by_role("radio", name="In 2 h").check()
    later = datetime.now(BERLIN) + timedelta(hours=2)
    await expect(page.locator("#next")).to_contain_text(re.compile(r"Leaves (today|tomorrow) at \d+:\d\d\."))
    await expect(clock_of(page)).to_have_value(re.compile(f"^({later:%H}|{later + timedelta(minutes=1):%H}):"))
    await expect(page.locator("#check")).to_contain_text("Clear to leave")
    await seal_of(page).click()
    await keep_code(page)
    await sealed(page)
    await expect(page.locator("[data-sealed]").first).to_have_text(TEXT.replace("*", ""))
    assert ana.posts() == 1
    kept = await page.evaluate("Object.keys(localStorage).filter((key) => key.includes('draft'))")
    assert kept == []


async def test_by_the_keyboard_alone(ana):
    page = await ana.page()
    await page.get_by_label("To", exact=True).focus()
    await page.keyboard.type("mul")
    await expect(page.get_by_role("option", name="Anna Müller")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(text_of(page)).to_be_focused()
    await page.keyboard.type(TEXT)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("radio", name="Tomorrow 9:00")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator("#next")).to_contain_text("Leaves today at 19:00" if _before_seven() else "Leaves")
    await clock_of(page).focus()
    await page.keyboard.type("9:45pm")
    await expect(page.get_by_role("radio", name="Choose")).to_be_checked()
    await expect(page.locator("#next")).to_contain_text("21:45")
    await page.get_by_label("Day", exact=True).fill(f"{datetime.now(BERLIN).date() + timedelta(days=1)}")
    await expect(page.locator("#next")).to_contain_text("Leaves tomorrow at 21:45.")
    await expect(clock_of(page)).to_have_value("21:45")
    await seal_of(page).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Keep this code")).to_be_visible()
    await page.get_by_role("button", name="I keep it").press("Enter")
    await sealed(page)


def _before_seven() -> bool:
    return datetime.now(BERLIN).hour < 19


async def test_by_touch_on_a_phone(ana):
    context = await ana.window(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = await ana.page(context)
    await page.get_by_label("To", exact=True).tap()
    await page.get_by_role("option", name="Anna Müller").tap()
    await text_of(page).fill(TEXT)
    await page.get_by_role("radio", name="In 10 min").tap()
    await expect(page.locator("#next")).to_contain_text("in 1")
    await expect(page.get_by_role("navigation", name="Places").last).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    box = await seal_of(page).bounding_box()
    assert box
    assert box["y"] + box["height"] <= 844
    assert box["height"] >= 52
    await seal_of(page).tap()
    await keep_code(page)
    await sealed(page)


async def test_pressing_twice_is_one_request_and_the_button_keeps_its_width(ana):
    page = await ana.page(path=f"/schedules/new?to={ANNA}")
    await text_of(page).fill(TEXT)
    go_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    await page.route("**/schedules", hold)
    button = page.locator("#seal")
    before = await button.bounding_box()
    await button.click()
    await keep_code(page)
    await expect(page.get_by_role("button", name="Sealing …")).to_have_attribute("aria-busy", "true")
    during = await button.bounding_box()
    await button.click()
    await button.click()
    assert before
    assert during
    assert before["width"] == during["width"]
    go_on.set()
    await sealed(page)
    assert ana.posts() == 1


@pytest.mark.parametrize(("typed", "read"), [("9", "09:00"), ("930", "09:30"), ("9pm", "21:00"), ("21.30", "21:30")])
async def test_a_time_is_typed_as_people_type_it(ana, typed, read):
    page = await ana.page()
    await clock_of(page).fill(typed)
    await expect(page.locator("#next")).to_have_attribute("data-clock", read)
    await clock_of(page).blur()
    await expect(clock_of(page)).to_have_value(read)
    await expect(page.locator("#slip .foot")).to_contain_text(read)


async def test_a_late_answer_does_not_undo_what_was_chosen_since(ana):
    page = await ana.page()
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await go_on.wait()
        await route.continue_()

    await page.route(re.compile(r"/schedules/next\?due=%2B10&"), hold)
    await page.get_by_role("radio", name="In 10 min").check()
    await asked.wait()
    async with page.expect_response(re.compile("/schedules/next")):
        await page.get_by_role("radio", name="Choose").check()
        await clock_of(page).fill("7pm")
        go_on.set()
    await page.get_by_label("Day", exact=True).fill(f"{datetime.now(BERLIN).date() + timedelta(days=1)}")
    await expect(page.locator("#next")).to_contain_text("Leaves tomorrow at 19:00.")
    await expect(page.get_by_role("radio", name="Choose")).to_be_checked()
    await expect(clock_of(page)).to_have_value("19:00")


def spring() -> datetime:
    """Return the next night on which Berlin's clocks skip an hour."""
    year = datetime.now(BERLIN).year + 1
    return max(datetime(year, 3, day) for day in range(25, 32) if datetime(year, 3, day).weekday() == 6)


async def test_what_was_said_of_an_earlier_time_does_not_hold_the_seal(ana):
    """A day chosen before its clock may have passed; who is quick seals before the page has heard of the clock."""
    page = await ana.page()
    await choose_anna(page)
    await text_of(page).fill(TEXT)
    await clock_of(page).fill("00:00")
    await page.get_by_label("Day", exact=True).fill(f"{datetime.now(BERLIN).date()}")
    await expect(page.locator("#next")).to_have_attribute("data-field", "due")
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        under_way.set()
        await go_on.wait()
        await route.continue_()

    await page.route("**/schedules/next*", hold)
    await page.get_by_label("Day", exact=True).fill(f"{datetime.now(BERLIN).date() + timedelta(days=1)}")
    await seal_of(page).click()
    await expect(page.locator("#seal")).to_have_attribute("aria-busy", "true")
    await under_way.wait()
    go_on.set()
    await keep_code(page)
    await sealed(page)


async def test_clocks_that_skip_and_times_that_have_passed_are_told_without_a_jump(ana):
    page = await ana.page(path=f"/schedules/new?to={BEN}")
    below = "document.getElementById('other-zone').offsetTop - document.getElementById('when').offsetTop"
    before = await page.evaluate(below)
    await page.get_by_label("Day", exact=True).fill(f"{spring():%Y-%m-%d}")
    await clock_of(page).fill("230")
    day = f"{spring().day} March"
    await expect(page.locator("#next")).to_contain_text(f"02:30 does not exist on {day}. We send at 03:30.")
    await expect(page.locator("#slip .foot")).to_contain_text("03:30")
    assert await page.evaluate(below) == before
    await page.get_by_label("Day", exact=True).fill("2020-01-01")
    await expect(page.locator("#next")).to_contain_text("1 January 2020 has passed. Choose a later time.")
    await expect(clock_of(page)).to_have_attribute("aria-invalid", "true")
    assert await page.evaluate(below) == before
    await text_of(page).fill(TEXT)
    await seal_of(page).click()
    await expect(clock_of(page)).to_be_focused()
    assert ana.posts() == 0


async def test_another_zone_changes_the_clock_and_the_words(ana):
    page = await ana.page(path=f"/schedules/new?to={BEN}")
    await expect(page.locator("#next")).to_contain_text("In Lisbon it is 8:00.")
    await page.get_by_role("button", name="Another time zone").click()
    zone = page.get_by_label("Time zone", exact=True)
    await expect(zone).to_be_focused()
    await zone.fill("America/Sao_Paulo")
    await zone.press("Tab")
    await expect(page.get_by_label("Time in São Paulo")).to_have_value("09:00")
    await expect(page.locator("#next")).to_contain_text("In Lisbon it is noon.")
    await zone.fill("Mars/Base")
    await zone.press("Tab")
    await expect(page.locator("#next")).to_contain_text("We do not know that time zone.")
    await expect(zone).to_have_attribute("aria-invalid", "true")


async def test_the_browsers_zone_is_taken_where_nobody_told_one(ana, database):  # noqa: F811
    database.run(f"UPDATE users SET zone = 'UTC' WHERE email = '{ana.email}'")
    page = await ana.page()
    await expect(page.get_by_label("Time in Berlin")).to_have_value("09:00")
    await expect(page.locator("#next")).to_contain_text("Leaves tomorrow at 9:00.")


async def test_a_text_that_is_too_long_says_by_how_much_and_is_not_sealed(ana):
    page = await ana.page(path=f"/schedules/new?to={ANNA}")
    await text_of(page).fill("👋" * 4166)
    await expect(page.locator("#text-error")).to_have_text(
        "This text is 70 characters too long for one message. Shorten it, or send it as two."
    )
    await expect(page.locator("#count-line")).to_have_text("4,166 of 4,096 characters")
    await seal_of(page).click()
    await expect(text_of(page)).to_be_focused()
    assert ana.posts() == 0
    await text_of(page).fill("👋" * 4096)
    await expect(page.locator("#text-error")).to_be_hidden()


async def test_a_message_is_written_again_with_its_text(ana):
    page = await ana.page(path=f"/schedules/new?to={ANNA}")
    await text_of(page).fill(TEXT)
    await seal_of(page).click()
    await keep_code(page)
    await sealed(page)
    message = page.url.rsplit("/", 1)[1]
    again = await ana.page(page.context, f"/schedules/new?again={message}")
    await expect(text_of(again)).to_have_value(TEXT)
    await expect(again.locator("#to-name")).to_have_text("Anna Müller")


async def test_without_a_script_the_page_says_why_it_cannot_seal(ana):
    page = await ana.page(await ana.window(java_script_enabled=False))
    await expect(page.get_by_text("This page needs its script")).to_be_visible()
    await expect(text_of(page)).to_be_hidden()
    await expect(page.locator("#seal")).to_be_hidden()


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "light")])
async def test_axe_finds_nothing_grave(ana, width, theme):
    context = await ana.window(viewport={"width": width, "height": 844}, color_scheme=theme, reduced_motion="reduce")
    page = await ana.page(context, f"/schedules/new?to={BEN}")
    await text_of(page).fill("x" * 4200)
    await clock_of(page).fill("nine")
    await expect(page.locator("#next")).to_contain_text("not a time we can read")
    assert await grave_findings(page) == []


async def test_about_a_time_and_how_late_are_chosen_by_keys_kept_and_sent(ana, database):  # noqa: F811
    window = await ana.window(viewport={"width": 390, "height": 844}, has_touch=True)
    page = await ana.page(window)
    await choose_anna(page)
    await text_of(page).fill(TEXT)
    await page.get_by_role("radio", name="Exactly").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="About, 5 min")).to_be_checked()
    await expect(page.locator("#next")).to_contain_text("Leaves tomorrow at about 9:00, by 9:05 at the latest.")
    await page.get_by_label("If it cannot leave in time").select_option("Send it up to 30 minutes late")
    await expect(page.locator("#kept span")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("radio", name="About, 5 min")).to_be_checked()
    await expect(page.get_by_label("If it cannot leave in time")).to_have_value("1800")
    await expect(page.locator("#next")).to_contain_text("by 9:05 at the latest.")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await grave_findings(page) == []
    await seal_of(page).click()
    await keep_code(page)
    await sealed(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Leaves tomorrow at about 09:00")
    kept = database.run(f"SELECT window_s, late_limit_s FROM schedules WHERE account_id = '{ana.account}'")
    assert kept == "300|1800"


@pytest.mark.parametrize("touch", [False, True], ids=["keys", "phone"])
async def test_a_stranger_is_confirmed_once_and_that_outlives_a_reload(ana, database, touch):  # noqa: F811
    database.run(f"UPDATE accounts SET paced = true WHERE id = '{ana.account}'")
    size = {"viewport": {"width": 390, "height": 844}, "has_touch": True} if touch else {}
    page = await ana.page(await ana.window(**size))
    box = page.get_by_role("checkbox", name="Write to them all the same")
    error = page.locator("#confirmed-error")
    await choose_anna(page)
    await text_of(page).fill(TEXT)
    await expect(page.locator("#check")).not_to_be_empty()
    await expect(box).to_have_count(0)
    await page.get_by_role("button", name="Choose somebody other than").click()
    await page.get_by_label("To", exact=True).press_sequentially("+491719999999")
    await page.get_by_role("option", name="not among your contacts").click()
    # Pressed before the page knows who they are, or after: nothing is scheduled, and the box has the focus.
    await seal_of(page).click()
    await expect(error).to_contain_text("They are not among your contacts.")
    await expect(box).to_be_focused()
    face = await page.locator(".consent label").bounding_box()
    assert face and face["height"] >= 44
    assert await grave_findings(page) == []
    if touch:
        await box.tap()
    else:
        await page.keyboard.press("Space")
    await expect(box).to_be_checked()
    await expect(error).to_be_hidden()
    # Another time, drawn anew, unsays nothing; nor does a reload.
    async with page.expect_response(re.compile("/schedules/next")):
        await page.get_by_role("radio", name="In 2 h").check()
    await expect(box).to_be_checked()
    await page.reload()
    await expect(text_of(page)).to_have_value(TEXT)
    await expect(box).to_be_checked()
    posts = ana.posts()
    await seal_of(page).click()
    await keep_code(page)
    await expect(page.get_by_text(re.compile("^To .+ ·"))).to_be_visible()
    assert ana.posts() == posts + 1
    page = await ana.page(page.context, "/schedules/new?to=491719999999@s.whatsapp.net")
    await expect(page.locator("#check .title")).to_have_text("Ask them to write first")
    await expect(box).to_have_count(0)
