"""One message: seeing, cancelling, moving it, and who may not."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.app.composer import fill_in, new_account
from tests.app.conftest import Browser

NUMBERS = iter(range(491710000000, 491710001000))
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def ana(browser, enclave, database) -> Browser:
    """Give a browser of somebody with a linked account and one message."""
    ana = browser().sign_in("ana@example.org")
    ana.account = next((one["id"] for one in ana.get("/accounts", **JSON).json()), "")
    if not ana.account:
        ana.account = new_account(ana)
        database.link(ana.account, str(next(NUMBERS)))
    ana.message = ana.post("/schedules", fill_in(ana, ana.account), **JSON).json()["id"]
    return ana


def state(browser: Browser) -> str:
    return browser.get(f"/messages/{browser.message}", **JSON).json()["state"]


def test_a_message_is_cancelled_and_cancelling_twice_is_once(ana, database):
    for _ in range(2):
        assert ana.post(f"/messages/{ana.message}?_method=DELETE").status_code == 303
    assert state(ana) == "CANCELLED"
    events = [change["event"] for change in ana.get(f"/messages/{ana.message}", **JSON).json()["changes"]]
    assert events == ["created", "cancelled"]
    where = f"id = (SELECT schedule_id FROM messages WHERE id = '{ana.message}')"
    assert database.run(f"SELECT state FROM schedules WHERE {where}") == "CANCELLED"


@pytest.mark.parametrize("gone", ["SENDING", "SENT", "DELIVERED", "READ", "FAILED"])
def test_what_has_left_cannot_be_cancelled_or_moved(ana, database, gone):
    database.run(f"UPDATE messages SET state = '{gone}', wa_id = '3EB0' WHERE id = '{ana.message}'")
    answer = ana.client.delete(f"/messages/{ana.message}", headers={"x-csrf-token": ana.token, **JSON})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_late_to_change")
    later = f"{datetime.now(UTC) + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    answer = ana.post(f"/messages/{ana.message}?_method=PATCH", {"due": later, "zone": "UTC"}, **JSON)
    assert answer.status_code == 409
    assert state(ana) == gone


def test_a_message_moves_within_its_seal(ana):
    later = datetime.now(UTC) + timedelta(days=300)
    answer = ana.post(f"/messages/{ana.message}?_method=PATCH", {"due": f"{later:%Y-%m-%dT%H:%M}", "zone": "UTC"})
    assert answer.status_code == 303
    shown = ana.get(f"/messages/{ana.message}", **JSON).json()
    assert shown["due_at"].startswith(f"{later:%Y-%m-%dT%H:%M}")
    assert [change["event"] for change in shown["changes"]] == ["created", "moved"]


def test_a_message_does_not_move_beyond_its_seal(ana, database):
    schedule = database.run(f"SELECT schedule_id FROM messages WHERE id = '{ana.message}'")
    database.run(
        f"UPDATE schedules SET not_after_s = extract(epoch FROM now())::bigint + 86400 WHERE id = '{schedule}'"
    )
    later = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"
    answer = ana.post(f"/messages/{ana.message}?_method=PATCH", {"due": later, "zone": "UTC"}, **JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "seal_expired")


def test_a_past_time_is_refused_at_the_field_of_the_page(ana):
    form = {"day": "2020-01-01", "due": "09:07", "zone": "UTC"}
    answer = ana.post(f"/messages/{ana.message}?_method=PATCH", form)
    assert answer.status_code == 422
    assert 'id="due-error" role="alert">' in answer.text
    assert 'value="09:07"' in answer.text


@pytest.mark.parametrize("part", ["", "/status", "/letter"])
def test_a_part_of_a_page_is_one_element(ana, part):
    answer = ana.get(f"/messages/{ana.message}{part}", **{"HX-Request": "true"} if part else {})
    assert answer.status_code == 200
    if part:
        assert answer.text.strip().startswith("<")
        assert answer.text.count(f'id="m-{ana.message}{part.replace("/", "-")}"') == 1


@pytest.mark.parametrize("path", ["/messages/{}", "/messages/{}/status", "/messages/{}/letter", "/api/v1/messages/{}"])
def test_the_message_of_another_is_not_there(ana, browser, path):
    eve = browser().sign_in("eve@example.org")
    assert eve.get(path.format(ana.message), **JSON).status_code == 404
    assert browser().get(path.format(ana.message), **JSON).status_code == 401


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_nobody_changes_the_message_of_another(ana, browser, method):
    later = f"{datetime.now(UTC) + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    eve = browser().sign_in("eve@example.org")
    path = f"/messages/{ana.message}?_method={method}"
    assert eve.post(path, {"due": later, "zone": "UTC"}).status_code == 404
    assert browser().post(path, {"due": later, "zone": "UTC"}, **JSON).status_code == 401
    ana.token = "0" * 64
    assert ana.post(path, {"due": later, "zone": "UTC"}).status_code == 403
    assert state(ana) == "SCHEDULED"


@pytest.mark.parametrize("identity", ["none", "1", "00000000-0000-4000-8000-000000000001", "%00"])
def test_an_id_that_is_none_is_not_there(ana, identity):
    assert ana.get(f"/messages/{identity}").status_code == 404


def patch(browser: Browser, **fields: str):
    return browser.post(f"/messages/{browser.message}?_method=PATCH", fields, **JSON)


def test_a_cancelling_is_taken_back_as_long_as_its_time_is_ahead(ana, database):
    ana.post(f"/messages/{ana.message}?_method=DELETE", **JSON)
    for _ in range(2):
        answer = patch(ana, state="SCHEDULED")
        assert (answer.status_code, answer.json()["state"]) == (200, "SCHEDULED"), answer.text
    events = [change["event"] for change in ana.get(f"/messages/{ana.message}", **JSON).json()["changes"]]
    assert events == ["created", "cancelled", "restored"]
    database.run(f"UPDATE messages SET state = 'CANCELLED', due_at = now() - interval '1 s' WHERE id = '{ana.message}'")
    answer = patch(ana, state="SCHEDULED")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_late_to_change")
    assert "has passed. Write it again." in answer.json()["error"]["sentence"]


def test_a_cancel_says_what_does_not_happen(ana):
    answer = ana.post(f"/messages/{ana.message}?_method=DELETE", **JSON).json()
    assert re.fullmatch(r"Cancelled\. Nothing goes to \+491510000001 (tomorrow )?at \d\d:\d\d\.", answer["sentence"])


def test_send_now_keeps_everything_but_the_time(ana):
    before = datetime.now(UTC)
    answer = patch(ana, due="now")
    assert answer.status_code == 200
    assert answer.json()["sentence"] == "It leaves now."
    due_at = datetime.fromisoformat(ana.get(f"/messages/{ana.message}", **JSON).json()["due_at"])
    assert before - timedelta(milliseconds=1) <= due_at <= datetime.now(UTC)


@pytest.mark.parametrize("ended", ["UNCONFIRMED", "MISSED", "FAILED"])
def test_what_ended_badly_is_sent_again_only_when_asked_for(ana, database, ended):
    database.run(f"UPDATE messages SET state = '{ended}' WHERE id = '{ana.message}'")
    assert patch(ana, due="now").status_code == 409
    assert state(ana) == ended
    for _ in range(2):
        answer = ana.post(f"/messages/{ana.message}/attempts", **JSON)
        assert (answer.status_code, answer.json()["state"]) == (200, "SCHEDULED")


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        ("SENDING", "Too late to stop: it is leaving right now."),
        ("SENT", "Too late to stop: it left at 09:00:04."),
        ("READ", "Too late to stop: it left at 09:00:04."),
        ("UNCONFIRMED", "Too late to stop: it may have left already. Look at the chat and decide."),
        ("MISSED", "There is nothing to stop: its time has passed and it did not leave. You can send it now."),
        ("FAILED", "There is nothing to stop: it was not sent. You can send it again."),
    ],
)
def test_a_change_that_comes_too_late_says_what_is_so(ana, database, now, sentence):
    database.run(
        f"UPDATE messages SET state = '{now}', wa_id = 'x', sent_at = '2026-06-01 07:00:04Z' WHERE id = '{ana.message}'"
    )
    answer = ana.post(f"/messages/{ana.message}?_method=DELETE", **JSON)
    assert (answer.status_code, answer.json()["error"]["sentence"]) == (409, sentence)


@pytest.fixture
def editable(ana, database) -> tuple[Browser, dict[str, str]]:
    """Give the browser, and the fields of another text for its message."""
    schedule = database.run(f"SELECT schedule_id FROM messages WHERE id = '{ana.message}'")
    return ana, fill_in(ana, ana.account, text="At ten, please.", sealed_schedule=schedule)


def edit(browser: Browser, fields: dict[str, str]):
    return browser.post(f"/schedules/{fields['schedule']}?_method=PATCH", fields, **JSON)


def test_another_text_takes_the_place_of_the_old_one(editable, database):
    ana, fields = editable
    before = database.run(f"SELECT body FROM schedules WHERE id = '{fields['schedule']}'")
    for _ in range(2):
        answer = edit(ana, fields)
        assert (answer.status_code, answer.json()["id"]) == (200, ana.message), answer.text
    assert database.run(f"SELECT body FROM schedules WHERE id = '{fields['schedule']}'") != before
    events = [change["event"] for change in ana.get(f"/messages/{ana.message}", **JSON).json()["changes"]]
    assert events == ["created", "edited"]
    assert state(ana) == "SCHEDULED"


@pytest.mark.parametrize("changed", [{"sealed_recipient": "491510000009@s.whatsapp.net"}, {"sealed_schedule": ""}])
def test_a_text_that_is_sealed_for_something_else_is_refused(ana, database, changed):
    schedule = database.run(f"SELECT schedule_id FROM messages WHERE id = '{ana.message}'")
    fields = fill_in(ana, ana.account, **{"sealed_schedule": schedule, **changed})
    answer = edit(ana, {**fields, "schedule": schedule})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "seal_malformed")


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        ("ARMED", "Too late to edit: it leaves in seconds. You can still stop it."),
        ("SENDING", "Too late to edit: it is leaving right now."),
        ("CANCELLED", "There is nothing to edit: it is cancelled."),
    ],
)
def test_an_edit_that_comes_too_late_says_so(editable, database, now, sentence):
    ana, fields = editable
    database.run(f"UPDATE messages SET state = '{now}' WHERE id = '{ana.message}'")
    answer = edit(ana, fields)
    assert (answer.status_code, answer.json()["error"]["sentence"]) == (409, sentence)
    assert ana.get(f"/messages/{ana.message}/edit").headers["location"] == f"/messages/{ana.message}"


def test_nobody_edits_the_text_of_another(editable, browser):
    _, fields = editable
    eve = browser().sign_in("eve@example.org")
    assert edit(eve, fields).status_code == 404
    assert eve.get(f"/messages/{editable[0].message}/edit").status_code == 404


def test_with_script_a_cancel_is_answered_by_a_toast_with_its_undo(ana):
    answer = ana.post(f"/messages/{ana.message}?_method=DELETE", **{"HX-Request": "true"})
    assert answer.status_code == 200
    assert 'class="toast"' in answer.text
    assert "Cancelled. Nothing goes to" in answer.text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', answer.text))
    assert fields.pop("csrf")
    path = re.search(r'action="([^"]+)"', answer.text)
    assert path
    answer = ana.post(path[1], fields, **{"HX-Request": "true"})
    assert "Not cancelled any more. It leaves" in answer.text
    assert state(ana) == "SCHEDULED"


def test_a_move_is_undone_to_the_second(ana, database):
    database.run(f"UPDATE messages SET due_at = due_at + interval '7 s' WHERE id = '{ana.message}'")
    before = ana.get(f"/messages/{ana.message}", **JSON).json()["due_at"]
    later = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%dT%H:%M}"
    answer = ana.post(f"/messages/{ana.message}?_method=PATCH", {"due": later, "zone": "UTC"}, **{"HX-Request": "true"})
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', answer.text))
    assert patch(ana, **{name: value for name, value in fields.items() if name != "csrf"}).status_code == 200
    assert ana.get(f"/messages/{ana.message}", **JSON).json()["due_at"] == before
