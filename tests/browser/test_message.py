"""One message in a browser: its course live, changes with their undo, another text or time; also without script."""

import json
import re

import pytest
import redis.asyncio
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, Route, expect

from store import keys
from tests.app.composer import ANNA, fill_in, new_account
from tests.app.conftest import Browser, Database, Web, database, enclave, web, web_environ  # noqa: F401 - fixtures
from tests.browser.axe import grave_findings
from tests.browser.sitting import signed_in
from tests.browser.test_recovery import SCHEDULE

ANSWER_MS = 10_000
NAMES = iter(range(1000))
NUMBERS = iter(range(491740000000, 491740001000))
TEXT = "See you *at nine*"
MAKE_KEY = """async () => {
  const vault = await import("/static/vault.js");
  const { csrf } = await import("/static/ask.js");
  const user = document.body.dataset.user;
  await vault.kept(user, (await vault.create(user, csrf())).code);
}"""


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


class Sender:
    """Somebody with a linked account and one message to Anna in an hour."""

    def __init__(self, chromium: Chromium, web: Web, database: Database, cache: redis.asyncio.Redis) -> None:  # noqa: F811
        """Sign up, link, schedule."""
        self._chromium, self.web, self.database, self._cache = chromium, web, database, cache
        self.screenless = Browser(web).sign_in(f"sender{next(NAMES)}@example.org")
        self.account = new_account(self.screenless)
        database.link(self.account, str(next(NUMBERS)))
        database.add_contact(self.account, ANNA, "Anna Müller")
        answer = self.screenless.post("/schedules", fill_in(self.screenless, self.account), Accept="application/json")
        self.message = answer.json()["id"]
        self.troubles: list[str] = []
        self.windows = []

    async def open(self, path: str = "", *, clock: bool = False, **options: object) -> Page:
        """Open a window on the message's page, or on another. `clock`: its time is moved by the test."""
        context = await signed_in(self._chromium, self.web, self.screenless.email, **options)
        self.windows.append(context)
        page = await context.new_page()
        page.set_default_timeout(ANSWER_MS)
        if clock:
            await page.clock.install()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda said: self.troubles.append(said.text) if said.type in ("error", "warning") else None)
        await page.goto(f"{self.web.url}{path or self.path}", wait_until="domcontentloaded")
        return page

    @property
    def path(self) -> str:
        """Where the message's page is."""
        return f"/messages/{self.message}"

    def set(self, columns: str) -> None:
        """Do to the message what the engine does."""
        self.database.run(f"UPDATE messages SET {columns} WHERE id = '{self.message}'")

    async def tell(self) -> None:
        """Say that it changed."""
        user = self.database.run(f"SELECT user_id FROM messages WHERE id = '{self.message}'")
        await self._cache.publish(keys.news_of(user), json.dumps([["message", self.message]]))

    async def seal(self, page: Page) -> None:
        """Seal a text in that window, to be opened there, as the message of the test."""
        await page.evaluate(MAKE_KEY)
        self.message = await page.evaluate(SCHEDULE, {"account": self.account, "recipient": ANNA, "text": TEXT})


@pytest.fixture
async def sender(browser, web, enclave, database, cache):  # noqa: F811
    """Give a sender, none of whose pages may break or offend the policy."""
    sender = Sender(browser, web, database, cache)
    yield sender
    for window in sender.windows:
        await window.close()
    # Chromium notes an answer that says no, and it and htmx a request that does not get out.
    expected = re.compile("status of 4|ERR_INTERNET_DISCONNECTED|htmx:error: Failed to fetch")
    assert [said for said in sender.troubles if not expected.search(said)] == []


def toast_of(page: Page):
    return page.locator("#toasts .toast")


async def cancel(page: Page) -> None:
    await page.locator("#main").get_by_role("button", name="Cancel").click()
    await expect(toast_of(page)).to_contain_text("Cancelled. Nothing goes to Anna Müller")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cancelled")


async def test_a_cancel_is_undone_by_its_toast(sender):
    page = await sender.open()
    await cancel(page)
    await toast_of(page).get_by_role("button", name="Undo").click()
    await expect(toast_of(page)).to_contain_text("Not cancelled any more. It leaves")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Leaves")


async def test_a_cancel_is_undone_by_the_page_after_a_reload(sender):
    page = await sender.open()
    await cancel(page)
    await page.reload(wait_until="domcontentloaded")
    await expect(toast_of(page)).to_have_count(0)
    await page.locator("#main").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Leaves")


async def test_a_toast_goes_when_its_fuse_has_burnt(sender):
    page = await sender.open(clock=True)
    await cancel(page)
    await expect(toast_of(page).locator(".left")).to_have_text("10")
    await page.mouse.move(0, 0)
    await page.clock.run_for(9_000)
    await expect(toast_of(page)).to_have_count(1)
    await page.clock.run_for(2_000)
    await expect(toast_of(page)).to_have_count(0)


@pytest.mark.parametrize("hold", ["hover", "focus", "hidden"])
async def test_a_toast_waits_while_somebody_is_at_it_or_nobody_can_see_it(sender, hold):
    page = await sender.open(clock=True)
    await cancel(page)
    undo = toast_of(page).get_by_role("button", name="Undo")
    if hold == "hover":
        await undo.hover()
    elif hold == "focus":
        await undo.focus()
    else:
        await page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    await page.clock.run_for(30_000)
    await expect(toast_of(page)).to_have_count(1)
    if hold == "hidden":
        await page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => false})")
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement.blur()")
    await page.clock.run_for(12_000)
    await expect(toast_of(page)).to_have_count(0)


async def test_the_undo_is_reached_and_pressed_by_keys(sender):
    page = await sender.open()
    await page.locator("#main").get_by_role("button", name="Cancel").focus()
    await page.keyboard.press("Enter")
    undo = toast_of(page).get_by_role("button", name="Undo")
    await expect(undo).to_be_visible()
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await undo.evaluate("(button) => button === document.activeElement"):
            break
    await expect(undo).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Leaves")


async def test_ctrl_z_is_the_undo_that_is_shown(sender):
    page = await sender.open()
    await cancel(page)
    await page.keyboard.press("Control+z")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Leaves")


async def test_a_row_is_cancelled_by_its_key_and_stays_struck_in_its_place(sender):
    page = await sender.open("/today")
    row = page.locator(f"#m-{sender.message}")
    await row.locator(".who").focus()
    await page.keyboard.press("x")
    await expect(toast_of(page)).to_contain_text("Cancelled. Nothing goes to Anna Müller")
    await expect(row.locator(".status .word")).to_have_text("Cancelled")
    await expect(row.locator(".who")).to_have_css("text-decoration-line", "line-through")
    await page.keyboard.press("Control+z")
    await expect(row.locator(".status .word")).not_to_have_text("Cancelled")


async def test_what_comes_too_late_is_told_and_the_page_shows_what_is_so(sender):
    page = await sender.open()
    await expect(page.get_by_text("No browser has a key for this text.")).to_be_visible()  # all scripts are here

    async def leave(route: Route) -> None:
        """Let it leave between the press and the answer."""
        sender.set("state = 'SENT', wa_id = 'x', due_at = now() - interval '5 s', left_at = now(), sent_at = now()")
        await route.continue_()

    await page.route("**/*_method=DELETE", leave)
    await page.locator("#main").get_by_role("button", name="Cancel").click()
    await expect(page.locator("#refused")).to_contain_text("Too late to stop: it left at")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Left 5.")


async def test_what_cannot_reach_us_is_told_and_nothing_is_pretended(sender):
    page = await sender.open()
    await expect(page.get_by_text("No browser has a key for this text.")).to_be_visible()  # all scripts are here
    await sender.windows[-1].set_offline(True)
    await page.locator("#main").get_by_role("button", name="Cancel").click()
    await expect(page.locator("#unreachable")).to_contain_text("Nothing was changed")
    await sender.windows[-1].set_offline(False)
    await cancel(page)
    await expect(page.locator("#unreachable")).to_be_hidden()


async def test_a_message_is_followed_to_the_millisecond_without_a_reload(sender):
    page = await sender.open()
    sender.set("state = 'SENDING'")
    await sender.tell()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Leaving now")
    sender.set(
        "state = 'DELIVERED', wa_id = 'x', due_at = '2026-11-24 08:00Z', left_at = '2026-11-24 08:00:00.031Z', "
        "sent_at = '2026-11-24 08:00:00Z', delivered_at = '2026-11-24 08:00:00Z'"
    )
    changes = "('begun', '2026-11-24 07:59:59.85Z'), ('accepted', '2026-11-24 08:00:00.244Z'), "
    changes += "('delivered', '2026-11-24 08:00:00.812Z')"
    sender.database.run(
        f"INSERT INTO changes (message_id, event, at) SELECT '{sender.message}', event, at::timestamptz "
        f"FROM (VALUES {changes}) AS many (event, at)"
    )
    await sender.tell()
    await expect(page.get_by_role("heading", level=1)).to_have_text("09:00:00, on time")
    steps = page.locator(".timeline li")
    await expect(steps.filter(has_text="Handed to WhatsApp")).to_contain_text("09:00:00.031")
    await expect(steps.filter(has_text="On their phone")).to_contain_text("09:00:00.812")
    await expect(page.get_by_role("img", name="Left 31 ms after 09:00:00. Arrived 812 ms after it.")).to_be_visible()


async def test_another_text_is_opened_and_sealed_in_the_browser(sender):
    page = await sender.open("/today")
    await sender.seal(page)
    await page.goto(f"{sender.web.url}{sender.path}", wait_until="domcontentloaded")
    await expect(page.locator(".slip strong")).to_have_text("at nine")
    await page.get_by_role("link", name="Edit").click()
    field = page.get_by_label("Message", exact=True)
    await expect(field).to_have_value(TEXT)
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.post_data or "") if request.method == "POST" else None)
    await field.fill("canary 51d0: at _ten_, then")
    await expect(page.locator(".slip em")).to_have_text("ten")
    await page.get_by_role("button", name="Seal it anew").click()
    await expect(page.locator(".message .slip em")).to_have_text("ten")
    await expect(page.locator(".message .slip em")).to_have_css("font-synthesis", "style")
    assert [sent for sent in posted if "canary" in sent] == []
    assert len(posted) == 1


async def test_a_browser_without_the_key_says_so_and_offers_to_write_anew(sender):
    page = await sender.open("/today")
    await sender.seal(page)
    other = await sender.open(f"{sender.path}/edit")
    await expect(other.get_by_text("This browser has no key for this text.")).to_be_visible()
    await expect(other.get_by_label("Message", exact=True)).not_to_be_editable()
    await other.get_by_role("button", name="Write it anew").click()
    await other.get_by_label("Message", exact=True).fill("At eleven")
    await other.get_by_role("button", name="Seal it anew").click()
    await expect(other.locator(".timeline")).to_contain_text("Sealed anew with another text")


async def test_an_edit_that_the_engine_was_quicker_than_keeps_what_was_written(sender):
    page = await sender.open("/today")
    await sender.seal(page)
    await page.goto(f"{sender.web.url}{sender.path}/edit", wait_until="domcontentloaded")
    field = page.get_by_label("Message", exact=True)
    await expect(field).to_have_value(TEXT)
    await field.fill("Too slow")
    sender.set("state = 'ARMED'")
    await page.get_by_role("button", name="Seal it anew").click()
    await expect(page.get_by_text("Too late to edit: it leaves in seconds.")).to_be_visible()
    await expect(field).to_have_value("Too slow")


async def test_another_time_is_chosen_by_keys_and_taken_back(sender):
    page = await sender.open(f"{sender.path}/time")
    await expect(page.get_by_text("Time in Berlin")).to_be_visible()
    before = await page.get_by_label("Time", exact=True).input_value()
    await expect(page.get_by_label("Time", exact=True)).to_be_focused()
    await page.get_by_label("Day").fill("2020-01-01")
    await page.get_by_label("Time", exact=True).press("Enter")
    await expect(page.locator("#due-error")).to_contain_text("has passed")
    await expect(page.get_by_label("Time", exact=True)).to_have_value(before)
    await page.get_by_label("Day").fill("2027-03-01")
    await page.get_by_label("Time", exact=True).fill("9:07")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("at 09:07")
    await expect(toast_of(page)).to_contain_text("Moved.")
    assert "?" not in page.url
    await toast_of(page).get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("heading", level=1)).not_to_contain_text("09:07")


async def test_what_is_uncertain_is_sent_again_only_after_a_second_question(sender):
    sender.set("state = 'UNCONFIRMED', reason = 'session_died'")
    page = await sender.open()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Uncertain: it may have left at")
    await page.get_by_role("button", name="Send again").click()
    question = page.get_by_role("dialog", name="Send again?")
    await expect(question).to_contain_text("they get it twice")
    await question.get_by_role("button", name="Leave it").click()
    await expect(question).to_be_hidden()
    await page.get_by_role("button", name="Send again").click()
    await question.get_by_role("button", name="Send again").click()
    await expect(page.get_by_role("heading", level=1)).not_to_contain_text("Uncertain")


async def test_without_script_everything_that_needs_no_seal_works(sender):
    page = await sender.open(java_script_enabled=False)
    await page.locator("#main").get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cancelled")
    await page.locator("#main").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Leaves")
    await page.get_by_role("link", name="Another time").click()
    await page.get_by_label("Day").fill("2027-03-01")
    await page.get_by_label("Time", exact=True).fill("9:07")
    await page.get_by_role("button", name="Move it").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("at 09:07")
    await page.locator("#toasts").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("heading", level=1)).not_to_contain_text("09:07")
    await page.locator("#main").get_by_role("button", name="Send now").click()
    sender.set("state = 'UNCONFIRMED'")
    await page.reload(wait_until="domcontentloaded")
    await page.get_by_role("button", name="Send again").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send again").click()
    await expect(page.get_by_role("heading", level=1)).not_to_contain_text("Uncertain")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_of_a_message_offend_nobody(sender, theme):
    page = await sender.open(color_scheme=theme, reduced_motion="reduce")
    for state in ("SCHEDULED", "DELIVERED", "UNCONFIRMED", "CANCELLED"):
        left = "left_at = due_at + interval '31 ms', sent_at = due_at" if state == "DELIVERED" else "reason = ''"
        sender.set(f"state = '{state}', wa_id = 'x', {left}")
        for path in (sender.path, f"{sender.path}/time", f"{sender.path}/edit", "/history"):
            await page.goto(f"{sender.web.url}{path}", wait_until="domcontentloaded")
            await expect(page.get_by_role("heading", level=1)).to_have_count(1)
            assert await grave_findings(page) == [], (state, path)


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1680])
async def test_no_page_of_a_message_scrolls_sideways(sender, width):
    sender.set("state = 'DELIVERED', wa_id = 'x', left_at = due_at + interval '999 ms', sent_at = due_at")
    name = "Dr. Maximiliane-Theodora von und zu Hohenfels"
    sender.database.run(f"UPDATE contacts SET name = '{name}' WHERE account_id = '{sender.account}'")
    page = await sender.open(viewport={"width": width, "height": 800})
    for path in (sender.path, f"{sender.path}/time", "/history"):
        await page.goto(f"{sender.web.url}{path}", wait_until="domcontentloaded")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
