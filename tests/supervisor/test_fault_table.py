"""Every fault that the wire can do to a live session, and what our actor makes of it (docs/whatsapp.md §5).

FAULT_TABLE names the test of each row; what the client library says to each is tests/enclave/test_neonize_faults.py's.
"""

import ast
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from domain import limits
from domain.account import RUN_DEADLINE_S, Link, Run
from store import keys
from supervisor.actor import Actor
from tests.enclave.simulator_rig import World, running_simulator
from tests.rows import later, state_of
from tests.supervisor.engines import Engine
from tests.supervisor.worlds import ADA_JID, CERTAIN, arrived, linked, outcomes, running_engine, to_sleep

REAL_CLIENT: Final = "test_real_client.py"

# fmt: off
FAULT_TABLE: Final = (
    # (row, file ("" for this one), test)
    ("stream error 515",                 REAL_CLIENT, "test_a_broken_stream_is_mended_and_the_message_leaves"),
    ("stream error 503",                 REAL_CLIENT, "test_a_broken_stream_is_mended_and_the_message_leaves"),
    ("connection closed",                REAL_CLIENT, "test_a_broken_stream_is_mended_and_the_message_leaves"),
    ("connection aborted",               REAL_CLIENT, "test_a_broken_stream_is_mended_and_the_message_leaves"),
    ("stream error of an unknown code",  REAL_CLIENT, "test_a_broken_stream_is_mended_and_the_message_leaves"),
    ("515 after every login",            "", "test_a_restart_after_every_login_parks_the_account"),
    ("503 after every login",            "", "test_a_stream_that_breaks_after_every_login_climbs_the_backoff_ladder"),
    ("503 a while after every login",    "", "test_a_session_that_connects_and_breaks_again_and_again_climbs_it_too"),
    ("server gone in a session",         "", "test_a_server_that_goes_away_in_a_session_is_waited_for"),
    ("server gone for longer",           "", "test_a_server_that_stays_away_ends_the_session_and_the_message_waits"),
    ("server gone before the connect",   "", "test_a_server_that_is_gone_before_the_wake_backs_off"),
    ("stream 401, device removed",       REAL_CLIENT, "test_removing_the_device_on_the_phone_is_noticed"),
    ("conflict replaced",                REAL_CLIENT, "test_being_replaced_parks_the_account"),
    ("login failure 401, 403, 406",      REAL_CLIENT, "test_a_login_that_is_refused_for_good_blocks_what_waits"),
    ("login failure 402",                REAL_CLIENT, "test_a_login_that_is_refused_for_good_blocks_what_waits"),
    ("login failure 405, 409, 400, 501", REAL_CLIENT, "test_a_login_that_is_refused_for_now_backs_off"),
    ("login failure 500, 503",           "", "test_a_login_that_fails_once_is_tried_again_by_the_library"),
    ("login failure 503 for ever",       "", "test_a_login_that_always_fails_backs_off"),
    ("dropped before the ack",           "", "test_a_connection_lost_around_the_acknowledgement_delivers_once"),
    ("dropped after the delivery",       "", "test_a_connection_lost_around_the_acknowledgement_delivers_once"),
    ("ack error 479",                    "", "test_a_message_refused_once_is_tried_once_more"),
    ("ack error 479, twice",             "", "test_a_message_refused_twice_has_failed"),
    ("ack error 463, 429",               REAL_CLIENT, "test_a_message_that_the_server_refuses_says_why"),
    ("no ack at all",                    REAL_CLIENT,
     "test_a_send_that_arrived_without_its_acknowledgement_is_settled_by_receipts"),
)
# fmt: on

LIBRARY_LOGINS_MAX: Final = 8
"""Logins of one session that flaps: three or four were seen, as the library redials until the close is carried out."""
FOR_EVER: Final = 1_000


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running_simulator(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture
async def engine(world: World, database_url: str, redis_url: str) -> AsyncIterator[Engine]:
    async with running_engine(world, database_url, redis_url) as running:
        yield running
        await world.call("POST", "/settings", {"listening": True})


@pytest.mark.parametrize(("file", "test"), [row[1:] for row in FAULT_TABLE], ids=[row[0] for row in FAULT_TABLE])
def test_the_row_has_its_test(file: str, test: str) -> None:
    tree = ast.parse((Path(__file__).parent / (file or Path(__file__).name)).read_text())
    assert test in {node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}


async def test_a_restart_after_every_login_parks_the_account(engine: Engine, world: World) -> None:
    account, number, before = await _asleep(engine, world)
    await _order(world, number, when="after_login", code=515, n=FOR_EVER)
    message = await engine.schedule(account, later(0), number, ADA_JID)
    waits = [await _wait(engine, account, "restarts") for _ in range(limits.RESTARTS_MAX - 1)]
    parked = await _wait(engine, account, "restarts", over=False)
    assert [wait["wait_s"] for wait in waits] == list(limits.RESTART_S[: limits.RESTARTS_MAX - 1])
    assert parked["wait_s"] >= limits.PARK_S
    await _stays_cold(engine, account, keys.parked(str(account)), "parked_until")
    assert await _logins(world, number) - before <= limits.RESTARTS_MAX * LIBRARY_LOGINS_MAX
    await _is_waiting(engine, world, message, number)
    await _mended(engine, world, account, message, number)


async def test_a_stream_that_breaks_after_every_login_climbs_the_backoff_ladder(engine: Engine, world: World) -> None:
    account, number, before = await _asleep(engine, world)
    await _order(world, number, when="after_login", code=503, n=FOR_EVER)
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await _backs_off(engine, account)
    assert await _logins(world, number) - before <= 3 * LIBRARY_LOGINS_MAX
    await _is_waiting(engine, world, message, number)
    await _mended(engine, world, account, message, number)


async def test_a_session_that_connects_and_breaks_again_and_again_climbs_it_too(engine: Engine, world: World) -> None:
    account, number = await _hot(engine, world)
    before = await _logins(world, number)
    await _order(world, number, when="after_login", code=503, after_s=0.2, n=FOR_EVER)
    await world.call("POST", f"/phones/{number}/kick", {"code": 503})
    await _backs_off(engine, account, times=3)
    assert await _logins(world, number) - before <= 3 * LIBRARY_LOGINS_MAX
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await engine.hears("message_armed", message=message)
    await _is_waiting(engine, world, message, number)
    await _mended(engine, world, account, message, number)


async def test_a_server_that_is_gone_before_the_wake_backs_off(engine: Engine, world: World) -> None:
    account, number, before = await _asleep(engine, world)
    await world.call("POST", "/settings", {"listening": False})
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await _backs_off(engine, account)
    assert await _logins(world, number) == before
    await _is_waiting(engine, world, message, number)
    await world.call("POST", "/settings", {"listening": True})
    await _mended(engine, world, account, message, number)


async def test_a_server_that_goes_away_in_a_session_is_waited_for(engine: Engine, world: World) -> None:
    account, number = await _hot(engine, world)
    await world.call("POST", "/settings", {"listening": False})
    await engine.hears("account_run", account=account, before="HOT", after="CONNECTING", by="dropped")
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await engine.hears("message_armed", message=message)
    await _is_waiting(engine, world, message, number)
    await world.call("POST", "/settings", {"listening": True})
    await engine.hears("account_run", account=account, before="CONNECTING", after="HOT")
    await _arrives_once(engine, world, account, message, number)
    assert _actor(engine, account).state is Run.HOT
    assert _actor(engine, account).waits.until_ms == 0


async def test_a_server_that_stays_away_ends_the_session_and_the_message_waits(
    engine: Engine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, number = await _hot(engine, world)
    monkeypatch.setitem(RUN_DEADLINE_S, Run.CONNECTING, 0.5)
    await world.call("POST", "/settings", {"listening": False})
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await engine.hears("account_run", account=account, before="CONNECTING", after="DISCONNECTING", by="overdue")
    monkeypatch.undo()
    await _wait(engine, account, "no_connection")
    await _wait(engine, account, "no_connection", over=False)
    await _stays_cold(engine, account, keys.backoff(str(account)), "backoff_until")
    await _is_waiting(engine, world, message, number)
    await world.call("POST", "/settings", {"listening": True})
    await _mended(engine, world, account, message, number)


@pytest.mark.parametrize("reason", [500, 503])
async def test_a_login_that_fails_once_is_tried_again_by_the_library(engine: Engine, world: World, reason: int) -> None:
    account, number, before = await _asleep(engine, world)
    await _order(world, number, when="login", reason=reason)
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await engine.hears("account_run", account=account, before="CONNECTING", after="HOT")
    assert _actor(engine, account).waits.until_ms == 0
    await _arrives_once(engine, world, account, message, number)
    assert await _logins(world, number) == before + 1


async def test_a_login_that_always_fails_backs_off(engine: Engine, world: World) -> None:
    account, number, before = await _asleep(engine, world)
    await _order(world, number, when="login", reason=503, n=FOR_EVER)
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await _backs_off(engine, account)
    assert await _logins(world, number) == before
    refused = await world.call("GET", f"/events?kind=login_refused&phone={number}")
    assert len(refused["events"]) <= 3 * LIBRARY_LOGINS_MAX
    await _is_waiting(engine, world, message, number)
    await _mended(engine, world, account, message, number)


@pytest.mark.parametrize("op", ["drop", "drop_after"])
async def test_a_connection_lost_around_the_acknowledgement_delivers_once(
    engine: Engine, world: World, op: str
) -> None:
    account, number = await _hot(engine, world)
    await _order(world, number, when="message", op=op)
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await engine.hears("account_run", account=account, before="HOT", after="CONNECTING", by="dropped")
    await engine.hears("account_run", account=account, before="CONNECTING", after="HOT")
    await _arrives_once(engine, world, account, message, number)
    assert await outcomes(engine, message) == ["SENT"]
    assert _actor(engine, account).waits.until_ms == 0


async def test_a_message_refused_once_is_tried_once_more(engine: Engine, world: World) -> None:
    account, number = await _hot(engine, world)
    await _order(world, number, when="message", op="error", code=479)
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await _refused(engine, message)
    await _arrives_once(engine, world, account, message, number)
    assert (await outcomes(engine, message))[1:] == ["SENT"]
    assert _actor(engine, account).state is Run.HOT


async def test_a_message_refused_twice_has_failed(engine: Engine, world: World) -> None:
    account, number = await _hot(engine, world)
    await _order(world, number, when="message", op="error", code=479, n=2)
    message = await engine.schedule(account, later(0), number, ADA_JID)
    await _refused(engine, message)
    await engine.state(message, "FAILED")
    assert await state_of(engine.store.pool, message) == ("FAILED", "server_refused")
    assert len(await outcomes(engine, message)) == 2
    assert await arrived(world, number) == 0
    await _stays_linked(engine, account)
    assert _actor(engine, account).state is Run.HOT
    assert _actor(engine, account).waits.until_ms == 0


# --- what they share; each message's text is its sender's number ---


async def _asleep(engine: Engine, world: World) -> tuple[UUID, str, int]:
    """A linked account without a session: the account, its number, its logins so far."""
    account, number = await linked(engine, world)
    await to_sleep(engine, account)
    return account, number, await _logins(world, number)


async def _hot(engine: Engine, world: World) -> tuple[UUID, str]:
    account, number = await linked(engine, world)
    await engine.hears("contacts_copied", account=account, synced=True)
    assert _actor(engine, account).state is Run.HOT
    return account, number


def _actor(engine: Engine, account: UUID) -> Actor:
    return engine.supervisor.actors.by_account[account]


async def _order(world: World, number: str, **fault: object) -> None:
    await world.call("POST", f"/phones/{number}/faults", dict(fault))


async def _logins(world: World, number: str) -> int:
    return len((await world.call("GET", f"/events?kind=login&phone={number}"))["events"])


async def _wait(engine: Engine, account: UUID, reason: str, *, over: bool = True) -> Mapping[str, Any]:
    """The next wait of an account that went COLD; `over`: as if its time had passed."""
    wait = await engine.hears("account_wait", account=account)
    assert wait["reason"] == reason
    await engine.hears("account_run", account=account, after="COLD")
    if over:
        _pass(engine, account)
    return wait


def _pass(engine: Engine, account: UUID) -> None:
    actor = _actor(engine, account)
    actor.waits.until_ms = 0
    actor.context.wake_hot()


async def _backs_off(engine: Engine, account: UUID, times: int = 2) -> None:
    """One fast retry, then the ladder, each step longer; after the last failure it stays COLD."""
    waits = [await _wait(engine, account, "no_connection", over=number < times) for number in range(1, times + 1)]
    assert [wait["failures"] for wait in waits] == list(range(1, times + 1))
    assert waits[0]["wait_s"] == limits.FAST_RETRY_S
    for wait, step_s in zip(waits[1:], limits.BACKOFF_S, strict=False):
        assert wait["wait_s"] >= step_s * (1 - limits.BACKOFF_JITTER) - 0.1  # the log has tenths
    await _stays_cold(engine, account, keys.backoff(str(account)), "backoff_until")


async def _stays_cold(engine: Engine, account: UUID, key: str, column: str) -> None:
    """COLD, and told so to pages (Redis) and to the next owner (Postgres)."""
    actor = _actor(engine, account)
    await actor.chores.settle()
    assert actor.state is Run.COLD
    assert actor.session is None
    assert await engine.store.redis.client.get(key) == actor.waits.reason
    until = await engine.store.pool.fetchval(f"SELECT {column} FROM accounts WHERE id = $1", account)
    assert until > datetime.now().astimezone()
    await _stays_linked(engine, account)


async def _stays_linked(engine: Engine, account: UUID) -> None:
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert row.link is Link.LINKED


async def _is_waiting(engine: Engine, world: World, message: UUID, text: str) -> None:
    """Neither sent nor lost."""
    state, _ = await state_of(engine.store.pool, message)
    assert state in ("SCHEDULED", "ARMED")
    assert await outcomes(engine, message) == []
    assert await arrived(world, text) == 0


async def _arrives_once(engine: Engine, world: World, account: UUID, message: UUID, text: str) -> None:
    await engine.state(message, *CERTAIN, wait_s=30)
    await engine.state(message, "DELIVERED", "READ")
    assert await arrived(world, text) == 1
    assert (await outcomes(engine, message)).count("SENT") == 1
    await _stays_linked(engine, account)


async def _mended(engine: Engine, world: World, account: UUID, message: UUID, text: str) -> None:
    """Without the fault and after the wait the message leaves, and what went wrong is forgiven."""
    await world.call("DELETE", "/faults")
    _pass(engine, account)
    await engine.hears("account_run", account=account, before="CONNECTING", after="HOT")
    await engine.hears("message_sent", message=message)
    await _arrives_once(engine, world, account, message, text)
    assert _actor(engine, account).waits.failures == 0
    assert _actor(engine, account).waits.restarts == 0


async def _refused(engine: Engine, message: UUID) -> None:
    """The first attempt was refused and will be repeated; as if the time to then had passed."""
    await engine.hears("message_ended", message=message, by="returned")
    not_before = await engine.store.pool.fetchval(
        "UPDATE messages m SET not_before = now() FROM messages old WHERE m.id = $1 AND old.id = m.id"
        " RETURNING old.not_before",
        message,
    )
    assert not_before > later(limits.BACKOFF_S[0] * (1 - limits.BACKOFF_JITTER) - 10)
    engine.supervisor.context.wake_due()
