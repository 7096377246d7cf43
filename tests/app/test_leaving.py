"""Settings, a copy of everything, and deleting everything; and who may not."""

import json

import pytest

from tests.app.composer import ANNA, new_account
from tests.app.conftest import Browser

JSON = {"Accept": "application/json"}
NAMES = iter(range(1000))


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def someone(browser, enclave) -> Browser:
    """Give a browser of somebody new."""
    return browser().sign_in(f"leaving{next(NAMES)}@example.org")


@pytest.fixture
def linked(someone, database) -> Browser:
    """Give a browser of somebody with a linked account, a contact and a message."""
    account = someone.account = new_account(someone)
    database.link(account, f"49176{next(NAMES):07}")
    database.add_contact(account, ANNA, "Anna Müller")
    user = database.run(f"SELECT user_id FROM accounts WHERE id = '{account}'")
    database.run(
        "INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s,"
        f" content_key, body) VALUES (gen_random_uuid(), '{user}', '{account}', '{ANNA}', 'UTC', 60, 'local', 1,"
        " '\\x0102', '\\xfffe')"
    )
    database.run(
        "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)"
        f" SELECT gen_random_uuid(), id, n, user_id, account_id, recipient, now() + interval '1 day'"
        f" FROM schedules, generate_series(1, 450) n WHERE user_id = '{user}'"
    )
    return someone


def test_the_theme_is_the_servers_and_follows_the_person_to_every_browser(browser):
    here, there = (browser().sign_in("themed@example.org") for _ in range(2))
    assert "data-theme" not in here.get("/today").text
    assert here.post("/settings?_method=PATCH", {"theme": "dark"}).status_code == 303
    assert '<html lang="en" data-theme="dark">' in there.get("/today").text
    here.post("/logins/current?_method=DELETE")
    assert 'data-theme="dark"' in here.get("/login").text
    assert 'data-theme="dark"' in browser().sign_in("themed@example.org").get("/today").text
    assert there.post("/settings?_method=PATCH", {"theme": "system"}).status_code == 303
    assert "data-theme" not in there.get("/today").text
    assert there.post("/settings?_method=PATCH", {"theme": "pink"}, **JSON).status_code == 422


def test_letter_keys_can_be_switched_off(someone):
    assert "data-keys" not in someone.get("/today").text
    someone.post("/settings?_method=PATCH", {"letter_keys": "off"})
    assert "data-keys=off" in someone.get("/today").text
    someone.post("/settings?_method=PATCH", {"theme": "light"})
    assert "data-keys=off" in someone.get("/today").text


def test_a_chosen_zone_stays_when_one_signs_in_elsewhere(browser, database):
    ana = browser().sign_in("zoned@example.org")
    assert '<option value="America/Sao_Paulo">São Paulo</option>' in ana.get("/settings/zone").text
    assert ana.post("/settings?_method=PATCH", {"zone": "America/Sao_Paulo"}).status_code == 303
    assert ana.post("/settings?_method=PATCH", {"zone": "Mars/Base"}, **JSON).status_code == 422
    browser().sign_in("zoned@example.org")  # from Berlin
    assert database.run("SELECT zone FROM users WHERE email = 'zoned@example.org'") == "America/Sao_Paulo"


def test_a_wake_is_asked_for_and_a_limit_holds(linked, database):
    path = f"/accounts/{linked.account}/wakes"
    assert linked.post(path).status_code == 303
    assert database.run(f"SELECT wish FROM accounts WHERE id = '{linked.account}'") == "sync"
    database.run(f"UPDATE accounts SET backoff_until = now() + interval '1 min' WHERE id = '{linked.account}'")
    assert linked.post(path, **JSON).json()["error"]["code"] == "resting"
    statuses = [linked.post(path, **JSON).status_code for _ in range(6)]
    assert statuses[-1] == 429


def test_a_copy_has_all_rows_and_the_texts_as_they_are(linked):
    answer = linked.client.get("/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="autosendr.json"'
    copy = json.loads(answer.text)
    assert copy["profile"]["email"] == linked.email
    assert [one["id"] for one in copy["accounts"]] == [linked.account]
    assert [one["name"] for one in copy["contacts"]] == ["Anna Müller"]
    assert (copy["schedules"][0]["body"], copy["schedules"][0]["content_key"]) == ("//4=", "AQI=")
    assert len({one["id"] for one in copy["messages"]}) == 450
    assert [one["event"] for one in copy["messages"][0]["changes"]] == ["created"]
    assert "wrapped_key" not in answer.text
    assert len(copy["logins"]) == 1


def test_nobody_gets_the_copy_of_another(linked, browser):
    eve = browser().sign_in("eve@example.org")
    assert json.loads(eve.client.get("/export").text)["messages"] == []
    assert browser().get("/export", **JSON).status_code == 401


def test_copies_are_limited(someone):
    statuses = [someone.client.get("/export", headers=JSON).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_deleting_asks_for_the_word_and_says_what_it_does(linked, database):
    page = linked.get("/farewell").text
    assert "Your phone is unlinked, the 450 messages that wait do not leave" in page
    answer = linked.post("/farewell", {"word": "yes"})
    assert answer.status_code == 422
    assert "Nothing was deleted." in answer.text
    assert database.count("messages") >= 450


def test_after_the_word_nothing_is_left_that_could_leave_and_all_browsers_are_out(linked, browser, database):
    there = browser().sign_in(linked.email)
    user = database.run(f"SELECT user_id FROM accounts WHERE id = '{linked.account}'")
    answer = linked.post("/farewell", {"word": " Delete "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/goodbye")
    assert "Everything is deleted." in linked.get("/goodbye").text
    assert [one.get("/today").status_code for one in (linked, there)] == [303, 303]
    for table in ("messages", "schedules"):
        assert database.run(f"SELECT count(*) FROM {table} WHERE user_id = '{user}'") == "0"
    assert database.run(f"SELECT wish FROM accounts WHERE id = '{linked.account}'") == "unlink"
    again = browser().sign_in(linked.email)
    assert again.get("/accounts", **JSON).json() == []


def test_while_a_message_is_leaving_nothing_is_deleted(linked, database):
    database.run(
        "UPDATE messages SET state = 'SENDING', begun_at = now() WHERE id = (SELECT m.id FROM messages m"
        f" WHERE m.account_id = '{linked.account}' LIMIT 1)"
    )
    answer = linked.post("/farewell", {"word": "delete"})
    assert answer.status_code == 409
    assert "A message is leaving right now" in answer.text
    assert linked.get("/today").status_code == 200


@pytest.mark.parametrize("path", ["/farewell", "/settings?_method=PATCH"])
def test_a_form_without_its_token_changes_nothing(someone, path):
    someone.token = ""
    assert someone.post(path, {"word": "delete", "theme": "dark"}).status_code == 403


def test_the_account_page_has_all_its_parts_within_its_budget(linked):
    answer = linked.client.get(f"/accounts/{linked.account}", headers={"Accept-Encoding": "gzip"})
    for words in (
        "On-time record",
        "Privacy",
        "Not attested",
        "Where you are signed in",
        "Time zone",
        "Unlink this phone",
    ):
        assert words in answer.text, words
    assert answer.text.count("<h1") == 1
    assert int(answer.headers["content-length"]) < 12_000


def test_who_has_several_accounts_switches_between_them(linked, database):
    second = new_account(linked)
    page = linked.get(f"/accounts/{linked.account}").text
    assert f'href="/accounts/{second}"' in page
    assert linked.get("/accounts").headers["location"] == f"/accounts/{linked.account}"
