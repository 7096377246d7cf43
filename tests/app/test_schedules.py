"""Writing a message: what is stored, what is refused and where, and who may not."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from store import keys
from tests.app.composer import ANNA, GROUP, fill_in, new_account
from tests.app.conftest import Browser, Enclave
from tests.redis_cluster import client_of
from tests.vault import text_of

NUMBERS = iter(range(491700000000, 491700001000))


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def ana(browser, enclave, database) -> Browser:
    """Give a browser of somebody with a linked account."""
    ana = browser().sign_in("ana@example.org")
    ana.account = next((one["id"] for one in ana.get("/accounts", Accept="application/json").json()), "")
    if not ana.account:
        ana.account = new_account(ana)
        database.link(ana.account, str(next(NUMBERS)))
        database.add_contact(ana.account, ANNA, "Anna Müller")
        database.add_contact(ana.account, GROUP, "Studio Team")
        database.add_contact(ana.account, "999999999999999999@g.us", "News", can_send=False)
    return ana


def send(browser: Browser, fields: dict[str, str]):
    return browser.post("/schedules", fields, Accept="application/json")


def test_a_sealed_message_is_stored_with_its_first_change_and_shown(ana, database):
    answer = send(ana, fill_in(ana, ana.account))
    assert answer.status_code == 201, answer.text
    message = answer.json()["id"]
    shown = ana.get(f"/messages/{message}", Accept="application/json").json()
    assert (shown["state"], shown["recipient"]) == ("SCHEDULED", ANNA)
    assert [change["event"] for change in shown["changes"]] == ["created"]
    assert ana.get(f"/api/v1/messages/{message}").json() == shown
    assert "Anna Müller" in ana.get(f"/messages/{message}").text
    assert message in ana.get("/today").text


def test_a_plain_form_leads_to_the_message(ana):
    answer = ana.post("/schedules", fill_in(ana, ana.account))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/messages/")


def test_a_near_message_is_in_the_due_set_and_a_far_one_is_not(ana, redis_address):
    soon = f"{datetime.now(UTC) + timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}"
    near = send(ana, fill_in(ana, ana.account, due=soon)).json()["id"]
    far = send(ana, fill_in(ana, ana.account)).json()["id"]
    with client_of(redis_address) as cache:
        assert cache.zrange(keys.DUE, 0, -1) == [near]
        assert far not in cache.zrange(keys.DUE, 0, -1)


def test_the_same_form_sent_again_is_told_so_and_stores_nothing(ana, database):
    fields = fill_in(ana, ana.account)
    assert send(ana, fields).status_code == 201
    before = database.count("schedules"), database.count("messages")
    answer = send(ana, fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "replayed")
    assert (database.count("schedules"), database.count("messages")) == before


def test_a_number_that_is_no_contact_may_be_written_to(ana):
    fields = fill_in(ana, ana.account, sealed_recipient="5511912345678@s.whatsapp.net")
    assert send(ana, fields).status_code == 201


STRANGER = "5511912345670@s.whatsapp.net"


def test_a_stranger_is_confirmed_by_name_once_and_nobody_else_with_them(ana, database):
    database.run(f"UPDATE accounts SET paced = true WHERE id = '{ana.account}'")
    before = database.count("messages")
    asked = {"sealed_recipient": STRANGER}
    for said in ({}, {"confirmed": ""}, {"confirmed": "1"}, {"confirmed": ANNA}):
        answer = send(ana, fill_in(ana, ana.account, **asked, **said))
        assert answer.status_code == 422
        error = answer.json()["error"]
        assert (error["code"], error["field"]) == ("stranger", "confirmed")
        assert error["sentence"].startswith("They are not among your contacts.")
    assert database.count("messages") == before
    # What is refused for another reason confirms nobody.
    assert send(ana, fill_in(ana, ana.account, **asked, confirmed=STRANGER, kid="0123456789abcdef")).status_code == 409
    assert send(ana, fill_in(ana, ana.account, **asked)).status_code == 422
    assert send(ana, fill_in(ana, ana.account, **asked, confirmed=STRANGER)).status_code == 201
    assert send(ana, fill_in(ana, ana.account, **asked)).status_code == 201
    other = fill_in(ana, ana.account, sealed_recipient="5511912345671@s.whatsapp.net")
    assert send(ana, other).status_code == 422
    assert send(ana, fill_in(ana, ana.account)).status_code == 201  # a contact is no stranger
    plain = ana.post("/schedules", other)
    assert (plain.status_code, "They are not among your contacts." in plain.text) == (422, True)
    database.run(f"UPDATE accounts SET paced = false WHERE id = '{ana.account}'")


def test_a_local_time_means_the_zone_that_comes_with_it(ana):
    fields = fill_in(ana, ana.account, due="2027-01-15T09:00", zone="America/Sao_Paulo")
    assert send(ana, fields).json()["due_at"] == "2027-01-15T12:00:00+00:00"


BAD = [
    ({"due": "2020-01-01T09:00"}, 422, "due", "time_past"),
    ({"due": "2031-01-01T09:00"}, 422, "due", "time_too_far"),
    ({"due": "tomorrow"}, 422, "due", "time_invalid"),
    ({"due": ""}, 422, "due", "time_invalid"),
    ({"due": "2027-01-01T09:00+01:00"}, 422, "due", "time_invalid"),
    ({"zone": "Mars/Olympus"}, 422, "zone", "zone_unknown"),
    ({"zone": "../../etc/passwd"}, 422, "zone", "zone_unknown"),
    ({"zone": ""}, 422, "zone", "zone_unknown"),
    ({"recipient": ""}, 422, "recipient", "recipient_invalid"),
    ({"recipient": "Anna"}, 422, "recipient", "recipient_invalid"),
    ({"recipient": "491510000001@evil.example"}, 422, "recipient", "recipient_invalid"),
    ({"sealed_recipient": "555555555555555555@g.us"}, 422, "recipient", "recipient_unknown"),
    ({"sealed_recipient": "999999999999999999@g.us"}, 422, "recipient", "recipient_unknown"),
    ({"text": ""}, 422, "text", "text_empty"),
    ({"text": "x" * 4097}, 422, "text", "text_too_long"),
    ({"text": "🙂" * 4097}, 422, "text", "text_too_long"),
    ({"envelope": ""}, 422, "text", "seal_malformed"),
    ({"envelope": "not base64!"}, 422, "text", "seal_malformed"),
    ({"envelope": text_of(b"\x04" * 113)}, 422, "text", "seal_malformed"),
    ({"body": ""}, 422, "text", "seal_malformed"),
    ({"body": text_of(b"x" * 60)}, 422, "text", "seal_malformed"),
    ({"recipient": "491510000002@s.whatsapp.net"}, 422, "text", "seal_malformed"),
    ({"schedule": "00000000-0000-4000-8000-00000000feed"}, 422, "text", "seal_malformed"),
    ({"not_after_s": "99999999999"}, 422, "text", "seal_malformed"),
    ({"not_after_s": "-1"}, 422, "text", "seal_malformed"),
    ({"not_after_s": "٣"}, 422, "text", "seal_malformed"),
    ({"not_after_s": "1800000000"}, 422, "due", "seal_expired"),
    ({"kid": ""}, 422, "text", "seal_malformed"),
    ({"kid": "0123456789abcdef"}, 409, "", "seal_stale"),
    ({"account": "00000000-0000-4000-8000-000000000009"}, 404, "account", "not_found"),
    ({"account": "none"}, 403, "", "form_expired"),
    ({"schedule": ""}, 403, "", "form_expired"),
]


@pytest.mark.parametrize(("changed", "status", "field", "code"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_is_refused_at_its_field_and_nothing_is_stored(ana, database, changed, status, field, code):
    before = database.count("schedules"), database.count("messages")
    if changed.get("not_after_s") == "1800000000":
        changed = {**changed, "due": f"{datetime.now(UTC) + timedelta(days=360):%Y-%m-%dT%H:%M}"}
    answer = send(ana, fill_in(ana, ana.account, **changed))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.json()["error"]["field"] == field
    assert answer.json()["error"]["sentence"]
    assert (database.count("schedules"), database.count("messages")) == before


def test_an_account_that_is_not_linked_sends_nothing(browser, enclave, database):
    bob = browser().sign_in("bob@example.org")
    answer = send(bob, fill_in(bob, new_account(bob)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_linked")
    assert bob.get("/schedules/new").status_code == 303


def test_nobody_schedules_on_the_account_of_another(ana, browser, database):
    eve = browser().sign_in("eve@example.org")
    before = database.count("schedules")
    answer = send(eve, fill_in(eve, ana.account))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert database.count("schedules") == before


def test_without_a_login_or_a_token_nothing_is_scheduled(ana, browser, database):
    before = database.count("schedules")
    fields = fill_in(ana, ana.account)
    assert send(browser(), fields).status_code == 401
    ana.token = ""
    assert send(ana, fields).status_code == 403
    assert database.count("schedules") == before


def test_the_seal_key_is_for_whoever_is_signed_in(browser):
    assert browser().get("/seal-key", Accept="application/json").status_code == 401


def test_a_page_that_lost_its_answer_finds_its_message(ana, browser):
    fields = fill_in(ana, ana.account)
    message = send(ana, fields).json()["id"]
    answer = ana.get(f"/schedules/{fields['schedule']}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{message}")
    eve = browser().sign_in("eve@example.org")
    for path in (f"/schedules/{fields['schedule']}", "/schedules/00000000-0000-4000-8000-00000000feed", "/schedules/x"):
        assert eve.get(path).status_code == 404


def test_a_page_that_outlived_its_login_gets_the_token_of_the_next_with_the_key(ana):
    fields = fill_in(ana, ana.account)
    ana.token = ana.get("/seal-key").json()["csrf"]
    assert send(ana, fields).status_code == 201


def test_logs_and_database_hold_no_text_and_logs_no_number(ana, database):
    canary = "canary-7c1f"
    assert send(ana, fill_in(ana, ana.account, canary)).status_code == 201
    dump = database.run("SELECT json_agg(s) FROM schedules s") + database.run("SELECT json_agg(m) FROM messages m")
    assert canary.encode().hex() not in dump
    assert canary not in dump
    assert ANNA in dump
    assert canary not in ana.web.log()
    assert "491510000001" not in ana.web.log()
    assert all(json.loads(line) for line in ana.web.log().splitlines())


def test_after_a_restart_of_the_enclave_old_seals_are_stale_and_new_ones_are_taken(ana, enclave, web_environ):
    old = fill_in(ana, ana.account)
    enclave.stop()
    assert send(ana, old).status_code == 503
    assert ana.get("/schedules/new").status_code == 200
    again = Enclave(enclave.log.parent, web_environ["AUTOSENDR_ENCLAVE_SOCKET"])
    try:
        answer = send(ana, old)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "seal_stale")
        assert send(ana, fill_in(ana, ana.account)).status_code == 201
    finally:
        again.stop()
