"""The whole path by clicking and typing, under the strict policy: sign in, link, find, write, watch, cancel."""

import asyncio
import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import redis.asyncio
from playwright.async_api import Page, expect

from store import keys
from tests.app.conftest import Database, Web, database, enclave, web, web_environ  # noqa: F401 - fixtures

ANNA = "491510000001@s.whatsapp.net"
BEN = "491510000002@s.whatsapp.net"
CANARY = "canary 3f9a, see you at nine"
ANSWER_MS = 10_000
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
async def page(window):
    """Give a page that fails the test on any console error, policy violation included."""
    page = await window.new_page()
    page.set_default_timeout(ANSWER_MS)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    yield page
    # Chromium itself notes an answer that says no; whether the page shows it is what the tests look at.
    assert [said for said in troubles if "status of 422" not in said] == []


def id_in(page: Page) -> str:
    found = re.search(UUID, page.url)
    assert found, page.url
    return found[0]


async def sign_in(page: Page, web: Web, email: str) -> None:  # noqa: F811
    await page.goto(f"{web.url}/login", wait_until="domcontentloaded")
    await page.get_by_label("Your e-mail address").fill(email)
    await page.get_by_role("button", name="Send me a code").click()
    await expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    await page.get_by_label("Six digits").press_sequentially(web.code_for(email))
    await expect(page.get_by_text("No phone linked yet")).to_be_visible()


async def test_digits_typed_before_the_script_has_loaded_are_sent_when_it_has(page, web, enclave):  # noqa: F811
    loading = asyncio.Event()

    async def hold(route) -> None:
        await loading.wait()
        await route.continue_()

    await page.route(re.compile(r"/code\."), hold)
    await page.goto(f"{web.url}/login", wait_until="domcontentloaded")
    await page.get_by_label("Your e-mail address").fill("early@example.org")
    await page.get_by_role("button", name="Send me a code").click(no_wait_after=True)
    await expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    await page.get_by_label("Six digits").fill(web.code_for("early@example.org"))
    loading.set()
    await expect(page.get_by_text("No phone linked yet")).to_be_visible()


async def tell(cache: redis.asyncio.Redis, base: Database, kind: str, identity: str, table: str) -> None:
    user = base.run(f"SELECT user_id FROM {table} WHERE id = '{identity}'")
    await cache.publish(keys.news_of(user), json.dumps([[kind, identity]]))


async def test_from_the_landing_page_to_read_without_a_reload(page, web, enclave, database, cache):  # noqa: F811
    await sign_in(page, web, "ana@example.org")
    await page.get_by_role("link", name="Link your WhatsApp").click()
    await page.get_by_role("button", name="Link a phone").click()
    await expect(page.get_by_text("Asking WhatsApp for a code")).to_be_visible()
    account = id_in(page)

    ends_ms = time.time_ns() // 1_000_000 + 20_000
    shown = json.dumps({"phase": "shown", "qr": "2@abc,def,ghi,jkl", "code": "", "ends_ms": ends_ms})
    await cache.set(keys.pairing(account), shown, px=20_000)
    await tell(cache, database, "pairing", account, "accounts")
    await expect(page.get_by_role("img", name="QR code for WhatsApp on your phone")).to_be_visible()

    database.link(account, "4915112345678")
    database.add_contact(account, ANNA, "Anna Müller")
    await cache.delete(keys.pairing(account))
    await tell(cache, database, "account", account, "accounts")
    await expect(page.get_by_text("Linked: Ana")).to_be_visible()

    await page.locator("#main").get_by_role("link", name="Write the first message").click()
    async with page.expect_request(lambda request: "q=mul" in request.url) as search:
        await page.get_by_label("To", exact=True).press_sequentially("mul")
    assert set(parse_qs(urlsplit((await search.value).url).query)) == {"choose", "q"}
    await page.get_by_role("option", name="Anna Müller").click()
    await expect(page.locator("#to-pill")).to_be_visible()
    await page.get_by_label("Message", exact=True).fill(CANARY)
    posted: list[str] = []
    page.on("request", lambda asked: posted.append(asked.post_data or "") if asked.url.endswith("/schedules") else None)
    await page.get_by_role("button", name="Seal and schedule").click()
    await page.get_by_role("button", name="I keep it, seal now").click()
    await expect(page.get_by_text(re.compile("^To Anna Müller ·"))).to_be_visible()
    message = id_in(page)
    assert len(posted) == 1
    assert "canary" not in posted[0]
    assert "body=" in posted[0]

    now = "clock_timestamp()"
    for state, word, column in (
        ("SENDING", "Sending", "begun_at"),
        ("SENT", "Sent", "sent_at"),
        ("DELIVERED", "Delivered", "delivered_at"),
        ("READ", "Read", "read_at"),
    ):
        database.run(f"UPDATE messages SET state = '{state}', wa_id = 'x', {column} = {now} WHERE id = '{message}'")
        await tell(cache, database, "message", message, "messages")
        await expect(page.locator(f"#m-{message}-status .word")).to_have_text(word)
    assert CANARY not in web.log()


async def test_errors_appear_at_their_fields_and_the_text_stays(page, web, enclave, database):  # noqa: F811
    await sign_in(page, web, "bob@example.org")
    await page.goto(f"{web.url}/accounts", wait_until="domcontentloaded")
    await page.get_by_role("button", name="Link a phone").click()
    await expect(page.get_by_role("heading", name="Link your WhatsApp")).to_be_visible()
    database.link(id_in(page), "4915187654321")
    await page.goto(f"{web.url}/schedules/new", wait_until="domcontentloaded")
    seal = page.get_by_role("button", name="Seal and schedule")
    text = page.get_by_label("Message", exact=True)

    before = database.count("schedules")
    await seal.click()
    await expect(page.locator("#recipient-error")).to_contain_text("Choose a contact")
    await page.get_by_label("To", exact=True).press_sequentially("+491510000001")
    await page.get_by_role("option", name="+491510000001").click()
    await seal.click()
    await expect(page.locator("#text-error")).to_contain_text("Write something first")
    await text.fill(CANARY)
    await page.get_by_label("Day", exact=True).fill("2020-01-01")
    await expect(page.locator("#next")).to_contain_text("1 January 2020 has passed")
    await seal.press("Enter")
    await expect(page.get_by_label("Time in")).to_be_focused()
    await expect(text).to_have_value(CANARY)
    await page.reload(wait_until="domcontentloaded")
    await expect(text).to_have_value(CANARY)
    assert database.count("schedules") == before


async def test_a_message_is_cancelled_by_its_button_and_the_page_goes_on_living(page, web, enclave, database):  # noqa: F811
    await sign_in(page, web, "cleo@example.org")
    await page.goto(f"{web.url}/accounts", wait_until="domcontentloaded")
    await page.get_by_role("button", name="Link a phone").click()
    await expect(page.get_by_role("heading", name="Link your WhatsApp")).to_be_visible()
    account = id_in(page)
    database.link(account, "4915100000077")
    database.add_contact(account, ANNA, "Anna Müller")
    await page.goto(f"{web.url}/schedules/new?account={account}&to={ANNA}", wait_until="domcontentloaded")
    await page.get_by_label("Message", exact=True).fill("soon gone")
    await page.get_by_role("button", name="Seal and schedule").click()
    await page.get_by_role("button", name="I keep it, seal now").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".status .word").first).to_have_text("Cancelled")
    await page.goto(f"{web.url}/today", wait_until="domcontentloaded")
    await expect(page.locator(".letter [data-state=SCHEDULED]")).to_have_count(0)


async def test_names_appear_while_one_looks_at_people(page, web, enclave, database, cache):  # noqa: F811
    await sign_in(page, web, "dora@example.org")
    await page.goto(f"{web.url}/accounts", wait_until="domcontentloaded")
    await page.get_by_role("button", name="Link a phone").click()
    await expect(page.get_by_role("heading", name="Link your WhatsApp")).to_be_visible()
    account = id_in(page)
    database.link(account, "4915100000078")
    await page.goto(f"{web.url}/contacts", wait_until="domcontentloaded")
    await expect(page.get_by_text("Nobody here yet")).to_be_visible()
    database.add_contact(account, ANNA, "Anna Müller")
    await tell(cache, database, "contacts", account, "accounts")
    await expect(page.get_by_role("link", name="Anna Müller")).to_be_visible()
    await page.goto(f"{web.url}/schedules/new", wait_until="domcontentloaded")
    search = page.get_by_label("To", exact=True)
    await search.press_sequentially("ben")
    await expect(page.locator(".nobody")).to_contain_text("Nobody by that name")
    database.add_contact(account, BEN, "Ben")
    await tell(cache, database, "contacts", account, "accounts")
    await expect(page.get_by_role("option", name="Ben")).to_be_visible()
    await expect(search).to_be_focused()
    await page.goto(f"{web.url}/contacts", wait_until="domcontentloaded")
    await page.get_by_label("Find by any part").press_sequentially("xyz")
    await expect(page.get_by_role("heading", name="Nobody by that name")).to_be_visible()
