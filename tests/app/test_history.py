"""The history: what has left or ended, by day, a page at a time, and only one's own."""

import pytest

from tests.app.composer import ANNA, new_account
from tests.app.conftest import Browser

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def ana(browser, enclave, database) -> Browser:
    """Give a browser of somebody with a linked account, and no message."""
    ana = browser().sign_in("ana@example.org")
    ana.account = next((one["id"] for one in ana.get("/accounts", **JSON).json()), "")
    if not ana.account:
        ana.account = new_account(ana)
        database.link(ana.account, "491710000500")
    database.run("DELETE FROM schedules")
    return ana


def write(database, browser: Browser, state: str, minutes: int, count: int = 1) -> None:
    """Insert messages in a state, due that many minutes ago (and a second each more)."""
    database.run(
        f"""WITH many AS (SELECT gen_random_uuid() AS schedule, n FROM generate_series(1, {count}) AS n), made AS (
        INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s,
                               content_key, body)
        SELECT schedule, user_id, a.id, '{ANNA}', 'UTC', 7200, 'local', 4000000000, 'key', 'sealed'
        FROM many, accounts a WHERE a.id = '{browser.account}' RETURNING id)
        INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at, state, wa_id)
        SELECT gen_random_uuid(), schedule, 1, a.user_id, a.id, '{ANNA}',
               now() - make_interval(mins => {minutes}, secs => n), '{state}', 'x'
        FROM many, accounts a WHERE a.id = '{browser.account}'"""
    )


def states(browser: Browser, show: str = "") -> list[str]:
    rows = browser.get(f"/history?show={show}", **JSON).json()["rows"]
    return [row["status"]["state"] for row in rows]


def test_it_has_what_left_or_ended_newest_first_and_nothing_that_waits(ana, database):
    for minutes, state in enumerate(["SCHEDULED", "READ", "CANCELLED", "MISSED", "HELD", "UNCONFIRMED", "SENT"]):
        write(database, ana, state, minutes)
    assert states(ana) == ["READ", "CANCELLED", "MISSED", "UNCONFIRMED", "SENT"]
    assert states(ana, "needs-you") == ["MISSED", "UNCONFIRMED"]
    assert states(ana, "sent") == ["READ", "SENT"]
    assert states(ana, "not-sent") == ["CANCELLED", "MISSED"]


def test_it_comes_in_pages_that_miss_nothing_and_repeat_nothing(ana, database):
    write(database, ana, "READ", 3 * 24 * 60, 120)
    found: list[str] = []
    address, sizes = "/history", []
    while address:
        answer = ana.get(address, **JSON).json()
        found += [row["id"] for row in answer["rows"]]
        sizes.append(len(answer["rows"]))
        address = answer["more"]
    assert sizes == [50, 50, 20]
    assert len(set(found)) == 120
    assert ana.get("/history").text.count('class="letter"') == 50


@pytest.mark.parametrize("show", ["", "needs-you", "sent", "not-sent"])
def test_an_empty_view_says_so(ana, show):
    assert 'class="empty"' in ana.get(f"/history?show={show}").text


@pytest.mark.parametrize(
    "asked", ["show=other", "after=x", "after=2026-01-01T00:00:00_1", "after=2026-01-01T00:00:00Z_x"]
)
def test_what_makes_no_sense_is_not_there(ana, asked):
    assert ana.get(f"/history?{asked}").status_code == 404


def test_the_part_is_one_element(ana, database):
    write(database, ana, "SENT", 1)
    text = ana.get("/history", **{"HX-Request": "true"}).text.strip()
    assert text.startswith('<div id="history"')
    assert "<html" not in text


def test_nobody_sees_the_history_of_another(ana, browser, database):
    write(database, ana, "SENT", 1)
    assert states(browser().sign_in("eve@example.org")) == []
    assert browser().get("/history", **JSON).status_code == 401
