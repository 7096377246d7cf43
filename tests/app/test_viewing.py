"""The viewing key on the server: who gets what, closed, and how often; and the text that it lets a browser show."""

import json
import re
from uuid import uuid4

import pytest

from tests.app.composer import ANNA, fill_in_and_see, new_account
from tests.app.conftest import Browser
from tests.vault import bytes_of, new_key_form, open_text, proof, text_of, unwrap_viewing_key, wrap_content_key

CODE = "0123456789ABCDEFGHJKMNPQRS"
OTHER = "Z123456789ABCDEFGHJKMNPQRS"
VIEWING_KEY = bytes(range(32))
JSON = {"Accept": "application/json"}
TRIES = 5
NUMBERS = iter(range(491720000000, 491720001000))
NAMES = iter(range(1000))


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def ana(browser) -> Browser:
    """Give a browser of somebody new."""
    return browser().sign_in(f"ana{next(NAMES)}@example.org")


def user_of(browser: Browser) -> str:
    return browser.get("/viewing-key").json()["user"]


def make_key(browser: Browser, code: str = CODE, key: str = "") -> str:
    key = key or str(uuid4())
    answer = browser.post("/viewing-key", new_key_form(code, user_of(browser), key, VIEWING_KEY), **JSON)
    assert answer.status_code == 201, answer.text
    return key


def attempt(browser: Browser, code: str, user: str = ""):
    shown = text_of(proof(code, user or user_of(browser)))
    return browser.post("/viewing-key/openings", {"proof": shown}, **JSON)


def error_of(answer) -> dict[str, str]:
    return answer.json()["error"]


def test_without_a_key_it_says_none_and_with_one_its_id_and_since_when(ana):
    assert ana.get("/viewing-key").json()["id"] is None
    key = make_key(ana)
    told = ana.get("/viewing-key").json()
    assert told["id"] == key
    assert re.match(r"\d{4}-\d\d-\d\dT", told["created_at"])
    assert set(told) == {"user", "id", "created_at"}


def test_the_accounts_page_says_since_when_there_is_a_code(ana, enclave):
    account = new_account(ana)
    assert ">None yet</a>" in ana.get(f"/accounts/{account}").text
    make_key(ana)
    assert ">Made today</a>" in ana.get(f"/accounts/{account}").text


def test_with_the_code_a_second_browser_gets_the_wrapped_key_and_it_opens(ana, browser):
    key = make_key(ana)
    second = browser().sign_in(ana.email)
    told = attempt(second, CODE).json()
    assert told["id"] == key
    assert unwrap_viewing_key(CODE, user_of(ana), key, bytes_of(told["wrapped"])) == VIEWING_KEY


@pytest.mark.parametrize(
    "shown", ["", "not base64!", text_of(b"x" * 31), text_of(b"x" * 33), text_of(proof(OTHER, "x")), text_of(bytes(32))]
)
def test_whatever_is_not_the_proof_gets_the_same_answer(ana, shown):
    make_key(ana)
    wrong = attempt(ana, OTHER)
    answer = ana.post("/viewing-key/openings", {"proof": shown}, **JSON)
    assert (answer.status_code, answer.content) == (wrong.status_code, wrong.content)
    assert (answer.status_code, error_of(answer)["code"], error_of(answer)["field"]) == (
        422,
        "recovery_code_wrong",
        "code",
    )


def test_where_there_is_no_key_a_try_sounds_the_same(ana, browser):
    make_key(ana)
    assert attempt(browser().sign_in("nobody@example.org"), CODE).content == attempt(ana, OTHER).content


def test_the_proof_of_one_user_is_none_of_another(ana, browser):
    make_key(ana)
    eve = browser().sign_in("eve@example.org")
    make_key(eve, OTHER)
    assert error_of(attempt(eve, CODE, user_of(ana)))["code"] == "recovery_code_wrong"
    assert error_of(attempt(eve, CODE))["code"] == "recovery_code_wrong"


def test_after_five_tries_even_the_right_code_waits_and_hears_how_long(ana, browser):
    make_key(ana)
    assert {attempt(ana, OTHER).status_code for _ in range(TRIES)} == {422}
    answer = attempt(ana, CODE)
    assert (answer.status_code, error_of(answer)["code"], error_of(answer)["field"]) == (
        429,
        "too_many_openings",
        "code",
    )
    assert "wrapped" not in answer.text
    assert 0 < int(answer.headers["retry-after"]) <= 3600 // TRIES
    assert re.search(r"Try again in \d+ minutes?\.", error_of(answer)["sentence"])
    assert attempt(browser().sign_in(ana.email), CODE).status_code == 429
    other = browser().sign_in("other@example.org")
    make_key(other)
    assert attempt(other, CODE).status_code == 200


def test_right_tries_count_too(ana):
    make_key(ana)
    assert {attempt(ana, CODE).status_code for _ in range(TRIES)} == {200}
    assert attempt(ana, CODE).status_code == 429


def test_the_same_key_sent_again_is_kept_once_and_a_second_one_is_refused(ana, database):
    key = make_key(ana)
    assert make_key(ana, CODE, key) == key
    kept = database.run(f"SELECT encode(wrapped, 'hex') FROM viewing_keys WHERE id = '{key}'")
    for form in (
        new_key_form(OTHER, user_of(ana), str(uuid4())),
        new_key_form(OTHER, user_of(ana), key),
        new_key_form(CODE, user_of(ana), key, b"w" * 32),
    ):
        answer = ana.post("/viewing-key", form, **JSON)
        assert (answer.status_code, error_of(answer)["code"]) == (409, "viewing_key_exists")
    assert database.run(f"SELECT encode(wrapped, 'hex') FROM viewing_keys WHERE user_id = '{user_of(ana)}'") == kept


@pytest.mark.parametrize(
    "changed",
    [
        {"id": ""},
        {"id": "x"},
        {"wrapped": ""},
        {"wrapped": text_of(b"x" * 59)},
        {"wrapped": text_of(b"x" * 61)},
        {"proof_hash": ""},
        {"proof_hash": text_of(b"x" * 31)},
        {"proof_hash": "not base64!"},
    ],
)
def test_a_malformed_key_is_not_kept(ana, changed):
    form = new_key_form(CODE, user_of(ana), str(uuid4())) | changed
    answer = ana.post("/viewing-key", form, **JSON)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "seal_malformed")
    assert ana.get("/viewing-key").json()["id"] is None


def test_starting_anew_takes_the_key_away_but_only_the_one_that_is_meant(ana):
    key = make_key(ana)
    stale = ana.post("/viewing-key?_method=DELETE", {"id": str(uuid4())}, **JSON)
    assert (stale.status_code, error_of(stale)["code"]) == (409, "viewing_key_changed")
    assert ana.get("/viewing-key").json()["id"] == key
    assert ana.post("/viewing-key?_method=DELETE", {"id": key}, **JSON).status_code == 200
    assert ana.get("/viewing-key").json()["id"] is None
    assert error_of(attempt(ana, CODE))["code"] == "recovery_code_wrong"
    assert make_key(ana, OTHER) != key


def test_it_takes_a_login_and_a_token(ana, browser):
    make_key(ana)
    stranger = browser()
    stranger.get("/")
    form = new_key_form(CODE, user_of(ana), str(uuid4()))
    for path in ("/viewing-key", "/viewing-key/openings", "/viewing-key?_method=DELETE"):
        assert stranger.post(path, form, **JSON).status_code == 401
        assert ana.client.post(path, data=form, headers=JSON).status_code == 403
    assert stranger.get("/viewing-key", **JSON).status_code == 401
    assert stranger.get(f"/messages/{uuid4()}/sealed", **JSON).status_code == 401
    assert stranger.get(f"/messages/sealed?of={uuid4()}", **JSON).status_code == 401


@pytest.fixture
def sender(ana, enclave, database) -> Browser:
    """Give the same with a linked account."""
    ana.account = new_account(ana)
    database.link(ana.account, str(next(NUMBERS)))
    database.add_contact(ana.account, ANNA, "Anna Müller")
    return ana


def schedule(sender: Browser, text: str, under: str = "", **changed: str):
    """Send a message whose content key is also under the viewing key `under`; `changed` replaces fields."""
    fields, binding, content_key = fill_in_and_see(sender, sender.account, text)
    if under:
        viewing = wrap_content_key(VIEWING_KEY, binding.encode(), content_key, b"c" * 12)
        fields |= {"viewing": text_of(viewing), "viewing_key": under}
    return sender.post("/schedules", fields | changed, **JSON)


def test_the_owner_gets_the_sealed_text_with_all_it_is_bound_to_and_it_opens(sender):
    key = make_key(sender)
    answer = schedule(sender, "Grüße 👋🏽", key)
    assert answer.status_code == 201, answer.text
    told = sender.get(f"/messages/{answer.json()['id']}/sealed")
    assert told.headers["cache-control"] == "no-store"
    sealed = told.json()
    assert set(sealed) == {
        *("body", "viewing", "viewing_key", "environment", "account", "schedule", "recipient", "not_after_s")
    }
    assert (sealed["viewing_key"], sealed["account"], sealed["recipient"]) == (key, sender.account, ANNA)
    assert sealed["schedule"] == answer.json()["schedule"]
    assert open_text(VIEWING_KEY, sealed) == "Grüße 👋🏽"


def test_nobody_else_gets_it(sender, browser):
    message = schedule(sender, "mine", make_key(sender)).json()["id"]
    eve = browser().sign_in("eve@example.org")
    assert eve.get(f"/messages/{message}/sealed", **JSON).status_code == 404
    assert eve.get(f"/messages/sealed?of={message}").json() == {}
    assert sender.get(f"/messages/{uuid4()}/sealed", **JSON).status_code == 404
    assert sender.get("/messages/none/sealed", **JSON).status_code == 404


def test_several_come_at_once_but_not_more_than_a_page_may_ask_for(sender):
    key = make_key(sender)
    sent = [schedule(sender, f"number {number}", key).json()["id"] for number in range(3)]
    told = sender.get(f"/messages/sealed?of={','.join([*sent, str(uuid4())])}").json()
    assert {one: open_text(VIEWING_KEY, sealed) for one, sealed in told.items()} == {
        one: f"number {number}" for number, one in enumerate(sent)
    }
    many = [str(uuid4()) for _ in range(20)]
    assert sender.get(f"/messages/sealed?of={','.join([*many, sent[0]])}").json() == {}
    assert sender.get("/messages/sealed?of=", **JSON).status_code == 404


def test_without_a_viewing_key_all_else_works_and_the_text_stays_closed(sender):
    answer = schedule(sender, "closed")
    assert answer.status_code == 201
    sealed = sender.get(f"/messages/{answer.json()['id']}/sealed").json()
    assert (sealed["viewing"], sealed["viewing_key"]) == (None, None)
    assert sealed["body"]


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"viewing": text_of(b"x" * 59)}, 422, "seal_malformed"),
        ({"viewing": text_of(b"x" * 61)}, 422, "seal_malformed"),
        ({"viewing": "not base64!"}, 422, "seal_malformed"),
        ({"viewing": ""}, 422, "seal_malformed"),
        ({"viewing_key": ""}, 422, "seal_malformed"),
        ({"viewing_key": "x"}, 422, "seal_malformed"),
        ({"viewing_key": "00000000-0000-4000-8000-00000000feed"}, 409, "viewing_key_changed"),
    ],
)
def test_a_bad_wrap_is_refused_and_nothing_is_stored(sender, database, changed, status, code):
    key = make_key(sender)
    before = database.count("schedules")
    answer = schedule(sender, "x", key, **changed)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert database.count("schedules") == before


def test_nobody_seals_under_the_key_of_another(sender, browser):
    eve = browser().sign_in("eve@example.org")
    theirs = eve.get("/viewing-key").json()["id"] or make_key(eve, OTHER)
    assert error_of(schedule(sender, "x", theirs))["code"] == "viewing_key_changed"


def test_neither_log_nor_database_has_a_code_or_a_proof_or_the_key(sender, database):
    make_key(sender)
    schedule(sender, "canary-51c0", sender.get("/viewing-key").json()["id"])
    attempt(sender, CODE)
    dump = database.run("SELECT json_agg(v) FROM viewing_keys v") + database.run("SELECT json_agg(s) FROM schedules s")
    log = sender.web.log()
    shown = proof(CODE, user_of(sender))
    for secret in (CODE.encode(), shown, VIEWING_KEY, b"canary-51c0"):
        assert secret.hex() not in dump
        assert text_of(secret) not in dump + log
        assert secret.hex() not in log
    assert all(json.loads(line) for line in log.splitlines())
