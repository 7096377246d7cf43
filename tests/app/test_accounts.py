"""Accounts, linking and contacts, and who may not."""

import json
import time

import pytest
import redis

from store import keys
from tests.app.composer import new_account
from tests.app.conftest import Browser, Web

JSON = {"Accept": "application/json"}
NUMBERS = iter(range(491720000000, 491720001000))
NAMES = iter(range(1000))


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def someone(browser, enclave) -> Browser:
    """Give a browser of somebody new."""
    return browser().sign_in(f"user{next(NAMES)}@example.org")


def test_an_account_gets_a_wrapped_key_and_waits_to_be_linked(someone, database):
    account = new_account(someone)
    assert int(database.run(f"SELECT octet_length(wrapped_key) FROM accounts WHERE id = '{account}'")) >= 32
    assert someone.get(f"/accounts/{account}", **JSON).json()["link"] == "UNLINKED"


def test_the_same_form_twice_makes_one_account(someone, database):
    form = {"id": "00000000-0000-7000-8000-0000000000ab"}
    first, second = someone.post("/accounts", form), someone.post("/accounts", form)
    assert first.headers["location"] == second.headers["location"] == f"/accounts/{form['id']}/pairing"
    assert database.run(f"SELECT count(*) FROM accounts WHERE id = '{form['id']}'") == "1"


def test_nobody_takes_over_an_account_by_its_id(someone, browser):
    account = new_account(someone)
    eve = browser().sign_in("eve@example.org")
    assert eve.post("/accounts", {"id": account}).status_code == 404


def test_five_accounts_are_the_most(someone):
    for _ in range(5):
        new_account(someone)
    answer = someone.post("/accounts", **JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_many_accounts")


def test_asking_for_a_code_is_a_wish_that_the_supervisor_reads(someone, database):
    account = new_account(someone)
    assert someone.post(f"/accounts/{account}/pairing", {"method": "qr"}).status_code == 303
    row = f"SELECT link, wish, pair_phone FROM accounts WHERE id = '{account}'"
    assert database.run(row) == "PAIRING|pair|"
    form = {"method": "code", "phone": "+49 151 12345678"}
    assert someone.post(f"/accounts/{account}/pairing", form).status_code == 303
    assert database.run(row) == "PAIRING|pair|4915112345678"


@pytest.mark.parametrize("phone", ["", "Ana", "0151 12345678", "+49", "+1234567890123456789"])
def test_a_number_without_its_country_is_refused_at_the_field(someone, database, phone):
    account = new_account(someone)
    answer = someone.post(f"/accounts/{account}/pairing", {"method": "code", "phone": phone})
    assert answer.status_code == 422
    assert 'id="phone-error" role="alert">' in answer.text
    assert database.run(f"SELECT wish FROM accounts WHERE id = '{account}'") == ""


def test_a_qr_code_is_drawn_and_its_text_is_for_the_owner(someone, engines):
    account = new_account(someone)
    someone.post(f"/accounts/{account}/pairing")
    ends_ms = time.time_ns() // 1_000_000 + 20_000
    with redis.Redis.from_url(engines.valkey.url) as cache:
        shown = json.dumps({"phase": "shown", "qr": "2@abc,def,ghi", "code": "", "ends_ms": ends_ms})
        cache.set(keys.pairing(account), shown, px=20_000)
    told = someone.get(f"/accounts/{account}/pairing", **JSON).json()
    assert (told["link"], told["qr"], told["ends_ms"]) == ("PAIRING", "2@abc,def,ghi", ends_ms)
    page = someone.get(f"/accounts/{account}/pairing").text
    assert "<svg" in page
    assert "2@abc" not in page
    assert "2@abc" not in someone.web.log()


def test_in_a_demo_the_text_of_the_code_is_shown_because_simulated_phones_have_no_camera(
    web_environ, engines, enclave, tmp_path
):
    environ = {**web_environ, "AUTOSENDR_SIMULATOR": "127.0.0.1:9", "AUTOSENDR_MAILBOX": str(tmp_path / "mail")}
    web = Web(environ, tmp_path)
    try:
        someone = Browser(web).sign_in("demo@example.org")
        account = new_account(someone)
        someone.post(f"/accounts/{account}/pairing")
        with redis.Redis.from_url(engines.valkey.url) as cache:
            cache.set(
                keys.pairing(account),
                json.dumps({"phase": "shown", "qr": "2@abc,def", "code": "", "ends_ms": 0}),
                px=20_000,
            )
        page = someone.get(f"/accounts/{account}/pairing").text
        assert 'value="2@abc,def"' in page
        assert 'href="http://127.0.0.1:9/"' in page
    finally:
        web.stop()


def test_how_linking_ended_is_told_in_words(someone, database):
    account = new_account(someone)
    database.run(f"UPDATE accounts SET link_reason = 'passkey' WHERE id = '{account}'")
    assert "passkey" in someone.get(f"/accounts/{account}/pairing/code").text
    database.link(account, str(next(NUMBERS)))
    assert "Linked:" in someone.get(f"/accounts/{account}/pairing/code").text


def test_a_linked_account_is_not_linked_again_and_can_be_unlinked(someone, database):
    account = new_account(someone)
    answer = someone.post(f"/accounts/{account}/link?_method=DELETE", **JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_linked")
    database.link(account, str(next(NUMBERS)))
    answer = someone.post(f"/accounts/{account}/pairing", **JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_linked")
    assert someone.post(f"/accounts/{account}/link?_method=DELETE").status_code == 303
    assert database.run(f"SELECT wish FROM accounts WHERE id = '{account}'") == "unlink"
    assert "Unlinking" in someone.get(f"/accounts/{account}").text


PATHS = ["", "/state", "/pairing", "/pairing/code", "/contacts"]


@pytest.mark.parametrize("path", PATHS)
def test_the_account_of_another_is_not_there(someone, browser, path):
    account = new_account(someone)
    eve = browser().sign_in("eve@example.org")
    assert eve.get(f"/accounts/{account}{path}", **JSON).status_code == 404
    assert browser().get(f"/accounts/{account}{path}", **JSON).status_code == 401


@pytest.mark.parametrize("path", ["/pairing", "/link?_method=DELETE"])
def test_nobody_changes_the_account_of_another(someone, browser, database, path):
    account = new_account(someone)
    database.link(account, str(next(NUMBERS)))
    eve = browser().sign_in("eve@example.org")
    assert eve.post(f"/accounts/{account}{path}").status_code == 404
    assert browser().post(f"/accounts/{account}{path}", **JSON).status_code == 401
    someone.token = ""
    assert someone.post(f"/accounts/{account}{path}").status_code == 403
    assert database.run(f"SELECT wish FROM accounts WHERE id = '{account}'") == ""


@pytest.mark.parametrize("path", ["/accounts", "/contacts", "/schedules/new"])
def test_every_page_answers_whoever_is_new(someone, path):
    assert someone.get(path).status_code in (200, 303)
