"""The page on which one writes: what it begins with, and what it says of a chosen time."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from tests.app.composer import ANNA, GROUP, fill_in, new_account
from tests.app.conftest import Browser

LISBON = "351912345678@s.whatsapp.net"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def ana(browser, enclave, database) -> Browser:
    """Give a browser of somebody in Berlin with a linked account."""
    ana = browser().sign_in("ana@example.org")
    ana.account = next((one["id"] for one in ana.get("/accounts", Accept="application/json").json()), "")
    if not ana.account:
        ana.account = new_account(ana)
        database.link(ana.account, "4915112345678")
        database.add_contact(ana.account, ANNA, "Anna Müller")
        database.add_contact(ana.account, GROUP, "Studio Team")
    return ana


def tomorrow() -> str:
    return f"{datetime.now(BERLIN).date() + timedelta(days=1)}"


def ask_next(browser: Browser, **asked: str):
    asked = {"account": browser.account, "zone": "Europe/Berlin", **asked}
    return browser.get(f"/schedules/next?{urlencode(asked)}", Accept="application/json").json()


def test_the_page_begins_with_tomorrow_at_nine_and_nobody(ana):
    page = ana.get("/schedules/new").text
    assert re.search(rf'<input class="clock-field" id="day" type="date" value="{tomorrow()}"', page)
    assert "Leaves tomorrow at 9:00." in page
    assert 'What <span id="who">they' in page
    assert re.search(rf'value="{tomorrow()}T09:00" checked', page)


def test_the_text_field_has_no_name_and_the_form_no_submit_button(ana):
    page = ana.get("/schedules/new").text
    area = page[page.index("<textarea") :].split(">", 1)[0]
    assert "name=" not in area
    form = page[page.index('<form id="compose"') :].split("</form>", 1)[0]
    assert re.findall(r"<button(?![^>]*type=\"button\")", form) == []
    assert "action=" not in form.split(">", 1)[0]


def test_a_link_fills_in_person_and_time(ana):
    page = ana.get(f"/schedules/new?account={ana.account}&to={ANNA}&due={tomorrow()}T18:30").text
    assert f'id="recipient" value="{ANNA}"' in page
    assert "Leaves tomorrow at 18:30." in page
    assert 'value="" checked' in page  # a time of one's own
    assert "Clear to leave" in page
    for asked in ("1999-01-01", "gibberish", "T", "2026-13-01T09:00"):
        assert "Leaves tomorrow at 9:00." in ana.get(f"/schedules/new?due={asked}").text


def test_a_day_alone_means_nine_in_the_morning(ana):
    day = datetime.now(BERLIN).date() + timedelta(days=3)
    assert f'id="day" type="date" value="{day}"' in ana.get(f"/schedules/new?due={day}").text


def test_writing_again_begins_with_the_same_person_on_the_same_account(ana, browser):
    message = ana.post("/schedules", fill_in(ana, ana.account), Accept="application/json").json()["id"]
    page = ana.get(f"/schedules/new?again={message}").text
    assert f'id="recipient" value="{ANNA}"' in page
    assert f'data-again="{message}"' in page
    eve = browser().sign_in("eve@example.org")
    eve.account = new_account(eve)
    assert eve.get(f"/schedules/new?again={message}").status_code in (303, 404)


def test_the_chosen_time_is_told_in_words_here_and_there(ana):
    told = ask_next(ana, due=f"{tomorrow()}T9pm", to=LISBON)
    assert told["line"] == "Leaves tomorrow at 21:00."
    assert told["there"] == "In Lisbon it is 20:00."
    assert (told["day"], told["clock"], told["sent"], told["city"]) == (tomorrow(), "21:00", "21:00", "Berlin")
    assert told["flight"]["word"] == "Ask them to write first"
    assert ask_next(ana, due="+10", to=ANNA)["flight"]["lamp"] == "clear"
    assert ask_next(ana, due="+10", to=GROUP)["there"] == ""


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"due": "2020-01-01T9"}, "due", "1 January 2020 has passed. Choose a later time."),
        ({"due": "2999-01-01T9"}, "due", "That is more than a year away."),
        ({"due": "T9"}, "due", "That is not a time we can read. Write it like 9:30, 930 or 9pm."),
        ({"due": "+10", "zone": "Mars/Base"}, "zone", "We do not know that time zone."),
    ],
)
def test_a_time_that_cannot_be_says_why_at_its_field(ana, asked, field, sentence):
    told = ask_next(ana, **asked)
    assert (told["field"], told["error"], told["line"], told["flight"]) == (field, sentence, "", None)


def test_nothing_is_told_of_an_account_or_a_person_of_somebody_else(ana, browser):
    eve = browser().sign_in("eve@example.org")
    eve.account = ana.account
    assert ask_next(eve, due="+10", to=ANNA)["flight"] is None
    eve.account = "none"
    assert ask_next(eve, due="+10", to=ANNA)["flight"] is None


def test_the_picks_come_along_when_the_day_has_changed_and_only_then(ana):
    asked = {"account": ana.account, "zone": "Asia/Tokyo", "due": "+10", "pick": "+10"}
    today = f"{datetime.now(ZoneInfo('Asia/Tokyo')).date()}"
    same = ana.get(f"/schedules/next?{urlencode({**asked, 'today': today})}", **{"HX-Request": "true"}).text
    assert 'id="next"' in same
    assert "picks" not in same
    other = ana.get(f"/schedules/next?{urlencode({**asked, 'today': '2020-01-01'})}", **{"HX-Request": "true"}).text
    assert 'name="pick" value="+10" checked' in other
    assert "Time in" not in other


def test_without_a_linked_account_one_is_led_to_linking(browser, enclave):
    zoe = browser().sign_in("zoe@example.org")
    new_account(zoe)
    answer = zoe.get("/schedules/new")
    assert (answer.status_code, answer.headers["location"]) == (303, "/accounts")


def test_the_next_line_is_for_whoever_is_signed_in(browser):
    assert browser().get("/schedules/next?due=%2B10", Accept="application/json").status_code == 401


def test_a_seconds_time_is_kept(ana):
    soon = datetime.now(UTC).astimezone(BERLIN) + timedelta(hours=1)
    told = ask_next(ana, due=f"{soon:%Y-%m-%dT%H:%M}:30")
    assert told["clock"].endswith(":30")
    assert json.dumps(told)


def test_a_window_is_said_in_words_and_kept_with_how_late_it_may_be(ana, database):
    told = ask_next(ana, due=f"{tomorrow()}T09:00", window="300", late="1800", to=ANNA)
    assert told["line"] == "Leaves tomorrow at about 9:00, by 9:05 at the latest."
    assert told["asked"] == f"{tomorrow()}T09:00 Europe/Berlin 300 1800 {ANNA}"
    fields = fill_in(ana, ana.account, due=f"{tomorrow()}T09:00", zone="Europe/Berlin", window="300", late="1800")
    answer = ana.post("/schedules", fields, Accept="application/json")
    assert answer.status_code == 201, answer.text
    page = ana.get(f"/messages/{answer.json()['id']}").text
    assert "Leaves tomorrow at about 09:00" in page
    assert "By 09:05 at the latest." in page
    assert "Send up to 30 min late, else missed" in page
    assert "about then, by 09:05" in ana.get("/today").text


@pytest.mark.parametrize("wrong", [{"window": "3601"}, {"window": "-1"}, {"late": "59"}, {"late": "soon"}])
def test_what_is_none_of_the_choices_stores_nothing(ana, database, wrong):
    before = database.count("schedules")
    answer = ana.post("/schedules", fill_in(ana, ana.account, **wrong), Accept="application/json")
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "choice_unknown"
    assert database.count("schedules") == before
