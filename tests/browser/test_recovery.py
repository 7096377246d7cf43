"""The recovery code as a person meets it: kept once, entered in a second browser; texts open in their place."""

import re

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.app.composer import ANNA, new_account
from tests.app.conftest import Browser, Database, Web, database, enclave, web, web_environ  # noqa: F401 - fixtures
from tests.browser.axe import grave_findings
from tests.browser.sitting import signed_in

NAMES = iter(range(1000))
NUMBERS = iter(range(491730000000, 491730001000))
TEXT = "See you at nine. 👋🏽"
SHIFT_MAX = 0.02
WRONG = "That is not your recovery code. Compare all 26 letters and digits."

# As the composer does it, without its page.
SCHEDULE = """async ({account, recipient, text}) => {
  const {seal} = await import("/static/seal.js");
  const {ask, csrf} = await import("/static/ask.js");
  const vault = await import("/static/vault.js");
  const bound = {account, recipient, schedule: crypto.randomUUID()};
  const wrap = (key, binding) => vault.wrap(document.body.dataset.user, key, binding);
  const sealed = await seal(text, bound, await ask("/seal-key"), wrap);
  const due = new Date(Date.now() + 3600e3).toISOString().slice(0, 19);
  const body = new URLSearchParams({...sealed, ...bound, due, zone: "UTC", csrf: csrf()});
  return (await ask("/schedules", {method: "POST", body})).id;
}"""


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


class Person:
    """Somebody with a linked account, and their browsers."""

    def __init__(self, browser, web: Web, email: str, account: str) -> None:  # noqa: F811
        """Remember who."""
        self.email, self.account, self.message = email, account, ""
        self.troubles: list[str] = []
        self._browser, self._web = browser, web
        self._windows: list[BrowserContext] = []

    async def window(self, path: str = "/recovery", **options: object) -> Page:
        """Open another browser on a page of ours."""
        context = await signed_in(self._browser, self._web, self.email, **options)
        self._windows.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda said: self.troubles.append(said.text) if said.type in ("error", "warning") else None)
        await self.go(page, path)
        return page

    async def go(self, page: Page, path: str) -> None:
        await page.goto(f"{self._web.url}{path}", wait_until="domcontentloaded")

    async def schedule(self, page: Page, text: str = TEXT) -> str:
        """Seal and schedule in that browser; return the message."""
        self.message = await page.evaluate(SCHEDULE, {"account": self.account, "recipient": ANNA, "text": text})
        return self.message

    async def close(self) -> None:
        for window in self._windows:
            await window.close()


@pytest.fixture
async def ana(browser, web: Web, enclave, database: Database):  # noqa: F811
    """Give somebody new with a linked account; no page of theirs may have broken."""
    screenless = Browser(web).sign_in(f"ana{next(NAMES)}@example.org")
    account = new_account(screenless)
    database.link(account, str(next(NUMBERS)))
    database.add_contact(account, ANNA, "Anna Müller")
    person = Person(browser, web, screenless.email, account)
    yield person
    await person.close()
    # Chromium itself notes an answer that says no; whether the page shows it is what the tests look at.
    assert [said for said in person.troubles if not re.search("status of (422|429|409)|ERR_FAILED", said)] == []


async def make_code(page: Page) -> str:
    """Make and keep a code on /recovery; return it."""
    await page.get_by_role("button", name="Show me the code").click()
    dialog = page.get_by_role("dialog", name="Keep this code")
    await expect(dialog.locator(".groups span")).to_have_count(5)
    code = "-".join(await dialog.locator(".groups span").all_inner_texts())
    await dialog.get_by_role("button", name="I keep it").click()
    await expect(page.get_by_text("This browser has the key and shows your texts.")).to_be_visible()
    return code


def text_on(page: Page):
    return page.locator("[data-sealed]")


async def enter(page: Page, code: str) -> None:
    field = page.get_by_label("Recovery code", exact=True)
    await field.fill(code)
    await field.press("Enter")


async def test_the_first_browser_makes_the_code_and_opens_its_texts_in_place(ana):
    page = await ana.window()
    await expect(page.get_by_text("It is made with your first text, or now.")).to_be_visible()
    code = await make_code(page)
    assert re.fullmatch(r"(?:[0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{6}", code)
    assert code not in await page.content()
    await expect(page.locator(".kv")).to_contain_text("Today")
    await ana.go(page, f"/messages/{await ana.schedule(page)}")
    await expect(text_on(page)).to_have_text(TEXT)
    await expect(page.locator("[data-sealed-note]")).to_be_hidden()


async def test_the_account_leads_to_it(ana):
    page = await ana.window(f"/accounts/{ana.account}")
    await page.get_by_role("link", name="Recovery code").click()
    await expect(page.get_by_role("heading", name="Recovery code", level=1)).to_be_visible()


async def test_a_code_that_was_not_kept_is_shown_again(ana):
    page = await ana.window()
    await page.get_by_role("button", name="Show me the code").click()
    dialog = page.get_by_role("dialog", name="Keep this code")
    shown = await dialog.locator(".groups").inner_text()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_text("It is shown once more, here.")).to_be_visible()
    await page.get_by_role("button", name="Show me the code").click()
    assert await dialog.locator(".groups").inner_text() == shown


async def test_the_code_is_copied(ana):
    page = await ana.window(permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Show me the code").click()
    dialog = page.get_by_role("dialog", name="Keep this code")
    await dialog.get_by_role("button", name="Copy the code").click()
    await expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    groups = await dialog.locator(".groups span").all_inner_texts()
    assert await page.evaluate("navigator.clipboard.readText()") == "-".join(groups)


async def test_in_a_second_browser_texts_are_closed_all_else_works_and_the_code_opens_them(ana, database):  # noqa: F811
    first = await ana.window()
    code = await make_code(first)
    await ana.schedule(first)
    second = await ana.window(f"/messages/{ana.message}")
    await expect(second.get_by_text("This browser has no key for this text.")).to_be_visible()
    await expect(text_on(second)).to_have_attribute("aria-label", re.compile(r"Sealed text, \d+ bytes"))
    await expect(text_on(second)).to_have_text("")
    from_second = await ana.schedule(second, "sealed without the key")
    assert database.run(f"SELECT count(*) FROM messages WHERE account_id = '{ana.account}'") == "2"

    await second.get_by_role("button", name="Enter your recovery code").click()
    await enter(second, code.lower().replace("-", " "))
    await expect(text_on(second)).to_have_text(TEXT)
    await expect(second.locator("[data-sealed-note]")).to_be_hidden()
    await second.reload(wait_until="domcontentloaded")
    await expect(text_on(second)).to_have_text(TEXT)

    await ana.go(second, f"/messages/{from_second}")
    await expect(second.get_by_text("No browser has a key for this text.")).to_be_visible()
    await expect(second.get_by_role("button", name="Enter your recovery code")).to_be_hidden()


async def test_a_wrong_code_is_told_at_the_field_without_hints_and_is_limited(ana):
    first = await ana.window()
    code = await make_code(first)
    second = await ana.window()
    await expect(second.get_by_text("This browser does not have the key")).to_be_visible()
    await second.get_by_role("button", name="Enter it in this browser").click()
    field = second.get_by_label("Recovery code", exact=True)
    error = second.locator("#recovery-typed-error")
    await enter(second, "too short")
    await expect(error).to_have_text(WRONG)
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    for _ in range(5):
        async with second.expect_response(re.compile("openings")):
            await enter(second, wrong)
        await expect(error).to_have_text(WRONG)
        await expect(field).to_be_focused()
        await expect(field).to_have_value(wrong)
        await expect(field).to_have_attribute("aria-invalid", "true")
    await enter(second, code)
    await expect(error).to_have_text(re.compile(r"That is enough tries for now\. Try again in \d+ minutes?\."))
    await second.get_by_role("button", name="Leave them closed").click()
    await expect(second.get_by_role("dialog")).to_be_hidden()
    await expect(second.get_by_text("This browser does not have the key")).to_be_visible()


async def test_without_an_answer_the_dialog_stays_and_says_so(ana):
    first = await ana.window()
    code = await make_code(first)
    second = await ana.window()
    await second.get_by_role("button", name="Enter it in this browser").click()
    await second.route("**/openings", lambda route: route.abort(), times=1)
    await enter(second, code)
    await expect(second.locator("#recovery-typed-error")).to_have_text("AutoSendr cannot be reached. Try again.")
    await enter(second, code)
    await expect(second.get_by_text("This browser has the key and shows your texts.")).to_be_visible()


async def test_another_code_leaves_open_what_this_browser_shows(ana):
    first = await ana.window()
    code = await make_code(first)
    old = await ana.schedule(first)
    second = await ana.window()
    await first.get_by_role("button", name="Make a new code").click()
    await first.get_by_role("button", name="Keep the old one").click()
    await expect(first.get_by_role("dialog")).to_be_hidden()
    await first.get_by_role("button", name="Make a new code").click()
    async with first.expect_event("domcontentloaded"):
        await first.get_by_role("dialog").get_by_role("button", name="Make a new code").click()
        dialog = first.get_by_role("dialog", name="Keep this code")
        await expect(dialog.locator(".groups span")).to_have_count(5)
        anew = "-".join(await dialog.locator(".groups span").all_inner_texts())
        await dialog.get_by_role("button", name="I keep it").click()
    await ana.go(first, f"/messages/{old}")
    await expect(text_on(first)).to_have_text(TEXT)

    await second.get_by_role("button", name="Enter it in this browser").click()
    await enter(second, code)
    await expect(second.locator("#recovery-typed-error")).to_have_text(WRONG)
    await enter(second, anew)
    await expect(second.get_by_text("This browser has the key and shows your texts.")).to_be_visible()
    await ana.go(second, f"/messages/{old}")
    await expect(second.get_by_text("No browser has a key for this text.")).to_be_visible()


async def test_a_browser_can_forget_the_key(ana):
    page = await ana.window()
    await make_code(page)
    await page.get_by_role("button", name="Forget the key in this browser").click()
    await expect(page.get_by_text("This browser does not have the key")).to_be_visible()


SHIFT = """() => new Promise((resolve) => {
  const around = document.querySelector(".desk").closest("section").parentElement;
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.sources.some(({ node }) => node && around.contains(node))) sum += entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
})"""
LONG = (
    "- one\n- two\nBom dia! " + "The children come at ten, and there is cake for everybody who is hungry by then. " * 5
)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
async def test_nothing_jumps_when_a_text_opens_or_says_why_it_does_not(ana, width, height):
    size = {"viewport": {"width": width, "height": height}}
    first = await ana.window(**size)
    await make_code(first)
    await ana.go(first, f"/messages/{await ana.schedule(first, LONG)}")
    await expect(text_on(first).locator("li")).to_have_text(["one", "two"])
    assert await first.evaluate(SHIFT) <= SHIFT_MAX
    second = await ana.window(f"/messages/{ana.message}", **size)
    await expect(second.get_by_text("This browser has no key for this text.")).to_be_visible()
    await expect(text_on(second)).to_have_attribute("role", "img")
    assert await second.evaluate(SHIFT) <= SHIFT_MAX
    await ana.go(second, f"/messages/{await ana.schedule(second)}")
    await expect(second.get_by_text("No browser has a key for this text.")).to_be_visible()
    assert await second.evaluate(SHIFT) <= SHIFT_MAX


SWAP = """() => {
  const place = document.querySelector("[data-sealed]");
  const fresh = document.createElement("span");
  fresh.className = "sealed";
  fresh.dataset.sealed = place.dataset.sealed;
  place.replaceWith(fresh);
  document.dispatchEvent(new Event("htmx:after:swap"));
  return fresh.textContent;
}"""


async def test_after_a_swap_a_text_is_open_at_once_and_an_edited_one_soon(ana, database):  # noqa: F811
    page = await ana.window()
    await make_code(page)
    first = await ana.schedule(page)
    other = await ana.schedule(page, "another text")
    await ana.go(page, f"/messages/{first}")
    await expect(text_on(page)).to_have_text(TEXT)
    assert await page.evaluate(SWAP) == TEXT
    # As an edit does: another sealed text takes the place of the first one, with all that it is bound to.
    database.run(
        f"UPDATE messages SET occurrence = 2, schedule_id = (SELECT schedule_id FROM messages WHERE id = '{other}') "
        f"WHERE id = '{first}'"
    )
    assert await page.evaluate(SWAP) == TEXT
    await expect(text_on(page)).to_have_text("another text")


async def test_after_a_swap_the_note_of_a_closed_text_is_there_at_once(ana):
    first = await ana.window()
    await make_code(first)
    second = await ana.window(f"/messages/{await ana.schedule(first)}")
    note = second.locator("[data-sealed-note]")
    await expect(note).to_be_visible()
    hidden_then_shown = """() => {
      const note = document.querySelector("[data-why=code]");
      note.hidden = true;
      document.dispatchEvent(new Event("htmx:after:swap"));
      return note.hidden;
    }"""
    assert await second.evaluate(hidden_then_shown) is False
    await expect(note).to_contain_text(
        "This browser has no key for this text. Enter your recovery code, or leave it closed; it is sent all the same.",
        use_inner_text=True,
    )


async def test_on_its_slip_a_text_has_its_marks_and_never_markup(ana):
    page = await ana.window()
    await make_code(page)
    message = await ana.schedule(page, "*bold* <img src=x onerror=alert(1)>")
    await page.evaluate(
        """(id) => {
          const slip = Object.assign(document.createElement("div"), {className: "written"});
          const place = Object.assign(document.createElement("span"), {className: "sealed"});
          place.dataset.sealed = id;
          slip.append(place);
          document.getElementById("main").replaceChildren(slip);
          document.dispatchEvent(new Event("htmx:after:swap"));
        }""",
        message,
    )
    await expect(text_on(page)).to_have_text("bold <img src=x onerror=alert(1)>")
    await expect(text_on(page).locator("strong")).to_have_text("bold")
    await expect(text_on(page).locator("img")).to_have_count(0)


async def test_texts_are_asked_for_together_and_only_near_ones(ana):
    page = await ana.window()
    await make_code(page)
    sent = [await ana.schedule(page, f"number {number}") for number in range(3)]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "sealed?of=" in request.url else None)
    await page.evaluate(
        """(ids) => {
          const main = document.getElementById("main");
          main.replaceChildren(...ids.map((id, index) => {
            const place = document.createElement("p");
            place.innerText = index === 2 ? "\\n".repeat(200) : "";
            const closed = document.createElement("span");
            closed.className = "sealed";
            closed.dataset.sealed = id;
            place.append(closed);
            return place;
          }));
          document.dispatchEvent(new Event("htmx:after:swap"));
        }""",
        sent,
    )
    await expect(text_on(page).nth(1)).to_have_text("number 1")
    assert [url.partition("of=")[2] for url in asked] == [",".join(sent[:2])]
    await expect(text_on(page).nth(2)).to_have_text("")
    await text_on(page).nth(2).scroll_into_view_if_needed()
    await expect(text_on(page).nth(2)).to_have_text("number 2")


INSIDE = """() => {
  const box = document.querySelector("#recovery-code .recoverycode").getBoundingClientRect();
  const groups = [...document.querySelectorAll("#recovery-code .groups span")].map((it) => it.getBoundingClientRect());
  return groups.every((it) => it.left >= box.left && it.right <= box.right);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (1280, 800)])
async def test_the_page_and_its_dialogs_are_for_everybody(ana, width, height, theme):
    page = await ana.window(viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce")
    await expect(page.get_by_role("button", name="Show me the code")).to_be_visible()
    assert await grave_findings(page) == []
    await page.get_by_role("button", name="Show me the code").click()
    await expect(page.locator("#recovery-code .groups span")).to_have_count(5)
    assert await grave_findings(page) == []
    assert await page.evaluate(INSIDE)
    await page.get_by_role("button", name="I keep it").click()
    second = await ana.window(viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce")
    await second.get_by_role("button", name="Enter it in this browser").click()
    await enter(second, "wrong")
    await expect(second.locator("#recovery-typed-error")).to_be_visible()
    assert await grave_findings(second) == []
    assert await second.evaluate("document.documentElement.scrollWidth") <= width
