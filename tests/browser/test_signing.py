"""Landing and signing in, in a browser: light, quick to leave, forgiving, and without a fault for anybody."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.app.conftest import Web, enclave, web, web_environ  # noqa: F401 - fixtures

LANDING_BYTES_MAX = 60_000


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


async def ask_for_code(page: Page, web: Web, email: str) -> None:  # noqa: F811
    await page.goto(f"{web.url}/", wait_until="domcontentloaded")
    await page.get_by_role("link", name="Schedule the first one").click()
    await page.get_by_label("Your e-mail address").fill(email)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()


async def test_the_first_visit_is_light_and_runs_no_script(browser: Browser, web: Web, enclave) -> None:  # noqa: F811
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    sizes: list[int] = []
    scripts: list[str] = []

    async def weigh(request) -> None:
        size = await request.sizes()
        sizes.append(size["responseBodySize"] + size["responseHeadersSize"])
        if request.resource_type == "script":
            scripts.append(request.url)

    done: list = []
    page.on("requestfinished", lambda request: done.append(request))
    await page.goto(web.url, wait_until="networkidle")
    for request in done:
        await weigh(request)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Write it now. It leaves at nine.")
    assert scripts == []
    assert sum(sizes) <= LANDING_BYTES_MAX, sizes
    await context.close()


async def test_a_pasted_code_with_a_space_signs_in_by_itself(window, web, enclave) -> None:  # noqa: F811
    page = await window.new_page()
    await ask_for_code(page, web, "paste@example.org")
    code = web.code_for("paste@example.org")
    await expect(page.get_by_label("Six digits")).to_be_focused()
    await page.evaluate(
        "text => { const field = document.activeElement; field.value = text;"
        " field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertFromPaste' })); }",
        f"{code[:3]} {code[3:]}",
    )
    await page.wait_for_url("**/today")


async def test_without_script_the_button_signs_in(browser: Browser, web: Web, enclave) -> None:  # noqa: F811
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await ask_for_code(page, web, "plain@example.org")
    await page.get_by_role("button", name="send a new code").click()
    await expect(page.get_by_text("A code is on its way already")).to_be_visible()
    await page.get_by_label("Six digits").fill(web.code_for("plain@example.org"))
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/today")
    await context.close()


async def test_the_next_mail_is_counted_down_to_and_a_reload_changes_nothing(window, web) -> None:  # noqa: F811
    page = await window.new_page()
    await page.clock.install()
    await ask_for_code(page, web, "wait@example.org")
    wait = page.locator("[data-again]")
    await expect(wait).to_have_text(re.compile(r"0:(30|2\d)"))
    await page.clock.run_for(20_000)
    await expect(wait).to_have_text(re.compile(r"0:(10|0\d)"))
    await page.clock.run_for(11_000)
    await expect(page.locator("#again")).to_be_hidden()
    await page.reload(wait_until="domcontentloaded")
    await expect(page.get_by_text("wait@example.org")).to_be_visible()


async def test_a_wrong_code_is_told_at_the_field_and_a_reload_does_not_try_it_again(window, web) -> None:  # noqa: F811
    page = await window.new_page()
    await ask_for_code(page, web, "wrong@example.org")
    wrong = f"{(int(web.code_for('wrong@example.org')) + 1) % 1_000_000:06d}"
    await page.get_by_label("Six digits").fill(wrong)
    await expect(page.get_by_role("alert")).to_contain_text("That is not the code")
    await expect(page.get_by_label("Six digits")).to_be_focused()
    await page.reload(wait_until="domcontentloaded")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_label("Six digits").fill(web.code_for("wrong@example.org"))
    await page.wait_for_url("**/today")


async def test_a_wrong_address_is_changed_without_typing_it_anew(window, web) -> None:  # noqa: F811
    page = await window.new_page()
    await ask_for_code(page, web, "anna@exmaple.org")
    await page.get_by_role("link", name="Change it").click()
    await expect(page.get_by_label("Your e-mail address")).to_have_value("anna@exmaple.org")
