"""The pages say when a message will really leave, and why not at its time."""

import html
import re
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from tests.app.composer import ANNA, fill_in, new_account
from tests.app.conftest import Browser

STRANGER = "491719999999@s.whatsapp.net"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def ana(browser, enclave, database) -> Browser:
    """Give a browser of somebody whose account is paced and has nothing to send."""
    ana = browser().sign_in("forecast@example.org")
    ana.account = next((one["id"] for one in ana.get("/accounts", Accept="application/json").json()), "")
    if not ana.account:
        ana.account = new_account(ana)
        database.link(ana.account, "4915112345679")
        database.add_contact(ana.account, ANNA, "Anna Müller")
    for table in ("schedules", "confirmed_strangers"):
        database.run(f"DELETE FROM {table} WHERE account_id = '{ana.account}'")
    database.run(f"UPDATE accounts SET paced = true, cold_until = NULL, sends_until = NULL WHERE id = '{ana.account}'")
    return ana


def tomorrow(clock: str = "09:00") -> str:
    return f"{datetime.now(BERLIN).date() + timedelta(days=1)}T{clock}"


def ask_next(ana: Browser, due: str, to: str = ANNA):
    asked = {"account": ana.account, "zone": BERLIN.key, "due": due, "to": to}
    return ana.get(f"/schedules/next?{urlencode(asked)}", Accept="application/json").json()


def schedule(ana: Browser, due: str, to: str = ANNA) -> str:
    fields = fill_in(ana, ana.account, sealed_recipient=to, due=due, zone=BERLIN.key, confirmed=to)
    answer = ana.post("/schedules", fields, Accept="application/json")
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def test_a_message_beside_another_leaves_seconds_later_and_says_so(ana):
    assert len(ask_next(ana, tomorrow())["flight"]["reasons"]) == 1
    schedule(ana, tomorrow())
    told = ask_next(ana, tomorrow())
    assert told["line"] == "Leaves tomorrow at 9:00."
    assert told["flight"]["lamp"] == "clear"
    assert told["flight"]["reasons"][0]["sentence"].startswith("It leaves some seconds later, for your number's sake:")
    second = schedule(ana, tomorrow())
    assert "It leaves some seconds later" in ana.get(f"/messages/{second}").text


def test_one_that_has_to_wait_longer_names_its_true_time(ana, database):
    database.run(f"UPDATE accounts SET sends_until = '{tomorrow('10:30')} Europe/Berlin' WHERE id = '{ana.account}'")
    told = ask_next(ana, tomorrow())
    assert told["line"] == "Leaves tomorrow at 10:30."
    assert told["sent"] == "10:30"
    assert told["flight"]["word"] == "Late: leaves tomorrow, 10:30"
    page = ana.get(f"/messages/{schedule(ana, tomorrow())}").text
    assert "Leaves tomorrow at 10:30" in page
    assert "Not tomorrow at 09:00: WhatsApp refused two messages in a row" in page
    assert "10:30:00" in page  # the step that is to come, too
    assert "09:00:00" not in page


def status_of(text: str, message: str) -> str:
    (found,) = re.findall(rf'id="m-{message}-status".*?<span class="word">([^<]*)</span>', text)
    return html.unescape(found)


def test_the_rows_of_upcoming_say_when_each_will_really_leave(ana):
    messages = [schedule(ana, tomorrow()) for _ in range(9)]
    page = ana.get("/today").text
    said = [status_of(page, message) for message in messages]
    assert said[:4] == ["Clear", "Clear", "Clear", "Late: leaves tomorrow, 09:01"]  # under 60 s is not called late
    assert said[8] == "Late: leaves tomorrow, 09:05"
    # Alone, beside its row, and on its own page it says the same.
    for path in (f"/messages/{messages[8]}/status", "/messages/now", f"/messages/{messages[8]}", "/messages"):
        assert status_of(ana.get(path).text, messages[8]) == said[8], path
    assert "Not tomorrow at 09:00: 8 messages in 5 minutes are the most" in ana.get(f"/messages/{messages[8]}").text
    # With one fewer before it, it leaves at another time; the part that comes with any news says so.
    ana.post(f"/messages/{messages[0]}?_method=DELETE", {}, Accept="application/json")
    assert status_of(ana.get("/messages/now").text, messages[8]) != said[8]


def test_what_leads_is_what_really_leaves_first(ana, database):
    late = schedule(ana, tomorrow("09:00"), STRANGER)
    schedule(ana, tomorrow("09:30"))
    lead = re.compile(r'<section class="lead".*?</section>', re.DOTALL)
    (shown,) = lead.findall(ana.get("/today").text)
    assert ">09:00</time>" in shown
    database.run(f"UPDATE accounts SET cold_until = '{tomorrow('09:50')} Europe/Berlin' WHERE id = '{ana.account}'")
    page = ana.get("/today").text
    assert status_of(page, late) == "Late: leaves tomorrow, 09:50"
    (shown,) = lead.findall(page)
    assert ">09:30</time>" in shown
    assert "Anna Müller" in shown
    database.run(f"UPDATE accounts SET sends_until = '{tomorrow('10:30')} Europe/Berlin' WHERE id = '{ana.account}'")
    (shown,) = lead.findall(ana.get("/today").text)
    assert ">10:30</time>" in shown


def test_the_page_asks_for_a_stranger_once_and_for_nobody_else(ana, database):
    box = f'name="confirmed" value="{STRANGER}"'
    assert ask_next(ana, tomorrow())["stranger"] == ""
    assert ask_next(ana, tomorrow(), STRANGER)["stranger"] == STRANGER
    assert ask_next(ana, "2020-01-01T09:00", STRANGER)["stranger"] == STRANGER
    path = f"/schedules/new?account={ana.account}&to={STRANGER}"
    assert box in ana.get(path).text
    schedule(ana, tomorrow(), STRANGER)
    assert box not in ana.get(path).text
    assert ask_next(ana, tomorrow(), STRANGER)["stranger"] == ""


def test_one_that_could_not_leave_in_time_is_stopped_at_once(ana, database):
    database.run(f"UPDATE accounts SET cold_until = now() + interval '3 days' WHERE id = '{ana.account}'")
    told = ask_next(ana, tomorrow(), STRANGER)
    assert told["flight"]["lamp"] == "stop"
    assert told["flight"]["word"] == "Won't leave: not in time"
    assert ask_next(ana, tomorrow())["flight"]["lamp"] == "clear"  # somebody one knows
    page = ana.get(f"/messages/{schedule(ana, tomorrow(), STRANGER)}").text
    assert "Won&#39;t leave in time" in page or "Won't leave in time" in page


def test_the_accounts_page_says_what_waits(ana, database):
    assert "New chats wait" not in ana.get(f"/accounts/{ana.account}").text
    database.run(f"UPDATE accounts SET cold_until = now() + interval '3 days' WHERE id = '{ana.account}'")
    assert "New chats wait until" in ana.get(f"/accounts/{ana.account}").text
    database.run(f"UPDATE accounts SET sends_until = now() + interval '1 day' WHERE id = '{ana.account}'")
    assert "Nothing leaves until" in ana.get(f"/accounts/{ana.account}").text
