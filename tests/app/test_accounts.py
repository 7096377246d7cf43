"""Accounts, linking and contacts, and who may not."""

import pytest

from tests.app.composer import new_account
from tests.app.conftest import Browser

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
