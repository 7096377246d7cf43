"""The engine room: for admins only, masked, true to what nodes and rows say, and standing without Redis."""

import asyncio
import time
from uuid import uuid4

import pytest

from store.boards import Board, Boards, Held, LoopTurned
from store.redis import Redis
from tests.app.composer import new_account
from tests.app.conftest import Browser
from tests.waiting import eventually_sync

PATHS = [
    "/admin",
    "/admin/room",
    "/admin/outlook",
    "/admin/live",
    "/admin/accounts",
    "/admin/accounts/1",
    "/admin/places/0",
    "/admin/nodes",
    "/admin/orders",
]


@pytest.fixture(scope="module", autouse=True)
def waiting(web, enclave, database) -> int:
    """An account with a message due in nine minutes, there before anybody looks: its number."""
    account = new_account(Browser(web).sign_in("waits@example.org"))
    database.link(account, "447700900078")
    schedule, message = uuid4(), uuid4()
    database.run(
        "INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s,"
        f" content_key, body) SELECT '{schedule}', user_id, id, 'x', 'UTC', 7200, 'demo', 4000000000, 'k', 'b' FROM"
        f" accounts WHERE id = '{account}';"
        "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)"
        f" SELECT '{message}', '{schedule}', 1, user_id, id, 'x', now() + interval '9 minutes' FROM accounts"
        f" WHERE id = '{account}'"
    )
    return int(database.run(f"SELECT number FROM accounts WHERE id = '{account}'"))


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Let no test meet another's boards."""


def admin(browser, database) -> Browser:
    someone = browser().sign_in(f"{uuid4().hex}@example.org")
    database.run(f"UPDATE users SET is_admin = true WHERE email = '{someone.email}'")
    return someone


def post(redis_url: str, *held: Held, slots: int = 5, door: bool = True, turned_ago_ms: int = 100) -> None:
    """Do what a supervisor does each second."""
    now_ms = time.time_ns() // 1_000_000
    board = Board(
        node="n-1", at_ms=now_ms, started_ms=now_ms - 60_000, slots=slots, held=held, owned=1, waiting=0, per_s=6.2,
        ceiling_per_s=20.0, free_bytes=1 << 30, pressure=0.0, chores=0, door=door, draining=False, stopped_until_ms=0,
        loops=(LoopTurned(name="due", tick_ms=1500, turned_ms=now_ms - turned_ago_ms),),
    )  # fmt: skip

    async def send() -> None:
        redis = Redis(redis_url)
        await Boards(redis).post(board)
        await redis.close()

    asyncio.run(send())


def held(account: str, **columns: object) -> Held:
    now_ms = time.time_ns() // 1_000_000
    named = {"run": "HOT", "phase": "sending", "kind": "due", "since_ms": now_ms - 400, **columns}
    return Held(account=account, **named)  # ty: ignore[invalid-argument-type]


@pytest.mark.parametrize("path", PATHS)
def test_who_is_no_admin_finds_nothing(browser, enclave, path: str) -> None:
    assert browser().client.get(path).status_code == 303
    someone = browser().sign_in("ana@example.org")
    assert someone.client.get(path).status_code == 404


def test_who_is_no_admin_any_more_finds_nothing_any_more(browser, database) -> None:
    someone = admin(browser, database)
    assert someone.get("/admin").status_code == 200
    database.run(f"UPDATE users SET is_admin = false WHERE email = '{someone.email}'")
    assert someone.get("/admin").status_code == 404


def test_an_account_shows_by_its_number_and_never_as_whose_it_is(browser, enclave, database, redis_url) -> None:
    owner = browser().sign_in("owner@example.org")
    account = new_account(owner)
    database.link(account, "447700900077")
    database.add_contact(account, "447700900002@s.whatsapp.net", "Grandma")
    number = int(database.run(f"SELECT number FROM accounts WHERE id = '{account}'"))
    post(redis_url, held(account))
    someone = admin(browser, database)

    pages = "".join(someone.get(path).text for path in PATHS[:3])
    assert f'id="t{number}" class="sending"' in pages
    assert "sending, 1 message" in pages
    assert "of 5" in pages
    for hidden in ("447700900077", "0077", "Ana", "Grandma", "owner@example.org", account):
        assert hidden not in pages.replace(f"#{number:04}", "")


def test_what_waits_is_in_the_queue_and_near_accounts_are_marked(browser, database, waiting: int) -> None:
    page = admin(browser, database).get("/admin").text
    assert f'id="t{waiting}" class="soon"' in page
    assert "1 message in all" in page


def test_a_late_loop_and_a_missing_enclave_are_told(browser, database, redis_url) -> None:
    someone = admin(browser, database)
    post(redis_url, turned_ago_ms=100)
    eventually_sync(lambda: "All 1 loop on time" in someone.get("/admin/room").text, "the board")
    post(redis_url, door=False, turned_ago_ms=9_500)
    eventually_sync(lambda: "due of n-1, 8.0 s late" in someone.get("/admin/room").text, "the newest board")
    page = someone.get("/admin/room").text
    assert "The enclave of n-1 does not answer." in page


def test_without_a_node_it_says_so(browser, database) -> None:
    someone = admin(browser, database)
    eventually_sync(lambda: "No node reports." in someone.get("/admin").text, "the absence of boards")
