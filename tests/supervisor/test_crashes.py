"""What dies at any instant loses nothing and sends nothing twice."""

import asyncio
import os
import signal
from uuid import UUID

import pytest

from domain import limits
from domain.account import RunEvent
from store import keys
from tests.rows import add_account, add_message, later, sealed
from tests.supervisor.engines import Engine
from tests.waiting import eventually

CERTAIN = ("SENT", "DELIVERED", "READ")
KILLED_S = 60.0
"""More than the enclave waits for a session that hangs."""


async def _attempts(engine: Engine, message: UUID) -> list[str]:
    rows = await engine.store.pool.fetch("SELECT outcome FROM attempts WHERE message_id = $1 ORDER BY number", message)
    return [row["outcome"] for row in rows]


async def test_a_killed_enclave_in_the_middle_of_a_burst_neither_loses_nor_doubles(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    messages = [await engine.schedule(account, later(1.5)) for _ in range(30)]
    await engine.hears("message_sent")
    await engine.broker.end(signal.SIGKILL)
    await engine.hears("door_lost")
    await engine.broker.start()
    await asyncio.gather(*(engine.state(message, *CERTAIN) for message in messages))
    outcomes = [await _attempts(engine, message) for message in messages]
    assert all(found.count("SENT") == 1 for found in outcomes)


async def test_a_killed_supervisor_in_the_middle_of_a_burst_neither_loses_nor_doubles(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    messages = [await engine.schedule(account, later(1.5)) for _ in range(30)]
    await engine.hears("message_sent")
    await engine.crash()
    await engine.start()
    await asyncio.gather(*(engine.state(message, *CERTAIN) for message in messages))
    outcomes = [await _attempts(engine, message) for message in messages]
    assert all(found.count("SENT") == 1 for found in outcomes)


async def test_what_a_dead_node_had_in_hand_is_taken_over_at_once(engine: Engine) -> None:
    account = await engine.link()
    await engine.store.accounts.take([account], "dead-1")
    message = await engine.schedule(account, later(-1))
    await engine.store.messages.arm([message], "dead-1", later(60))
    await engine.start()
    await engine.state(message, *CERTAIN)
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert row.epoch == 2


async def test_what_is_given_back_at_a_takeover_is_looked_for_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await engine.link()
    message = await engine.unhinted(account, later(-1))
    await engine.store.accounts.take([account], "dead-1")
    await engine.store.messages.arm([message], "dead-1", later(60))
    monkeypatch.setattr(limits, "DUE_TICK_S", 3600.0)  # nothing but a word makes the due loop look
    await engine.start()
    await engine.hears("account_adopted", account=account)
    await engine.hears("message_armed", message=message)
    await engine.state(message, *CERTAIN)


async def test_an_attempt_that_never_reached_the_wire_is_sent_again(engine: Engine) -> None:
    account = await engine.link()
    epoch = (await engine.store.accounts.take([account], "dead-1"))[account]
    message = await engine.schedule(account, later(-1))
    await engine.store.messages.arm([message], "dead-1", later(60))
    begun = await engine.store.attempts.begin_send(
        message, UUID(int=7), account, epoch, now=later(0), boot="an enclave before"
    )
    assert begun is not None
    await engine.start()
    await engine.hears("attempt_settled", message=message, found="absent")
    await engine.state(message, *CERTAIN)
    assert await _attempts(engine, message) == ["NOT_SENT", "SENT"]


async def test_a_session_that_hangs_is_killed_but_its_store_still_says_what_was_sent(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    first = await engine.schedule(account, later(0))
    opened = await engine.hears("session_opened", account=account)
    await engine.state(first, *CERTAIN)
    os.kill(opened["pid"], signal.SIGSTOP)
    engine.supervisor.actors.by_account[account].post(RunEvent.SLOT_LOST)
    second = await engine.schedule(account, later(0))
    await engine.state(second, *CERTAIN, wait_s=KILLED_S)
    assert (await engine.hears("session_opened", account=account))["continued"]


async def test_redis_losing_everything_loses_nothing(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    messages = [await engine.schedule(account, later(seconds)) for seconds in (2, 2.5, 3)]
    await engine.store.redis.client.flushall()
    for message in messages:
        await engine.state(message, *CERTAIN)
    assert await engine.store.redis.client.zcard(keys.PROCESSING) == 0


async def test_an_account_whose_store_does_not_open_backs_off_and_is_left_alone(engine: Engine) -> None:
    account = await add_account(engine.store.pool)
    await engine.store.stores.put(account, 0, sealed(1))
    message = await add_message(engine.store.pool, account, due=later(0))
    await engine.start()
    await engine.hears("session_not_opened", account=account)
    wait = await engine.hears("account_wait", account=account)
    assert wait["failures"] == 1
    again = await engine.hears("account_wait", account=account)
    assert again["failures"] == 2
    await engine.state(message, "ARMED")
    failures = "SELECT failures = 2 FROM accounts WHERE id = $1"  # written a moment after it was said
    await eventually(lambda: engine.store.pool.fetchval(failures, account), "both failures to be written down")


async def test_stopping_gives_everything_back(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    message = await engine.schedule(account, later(15))
    await engine.hears("message_armed", message=message)
    await engine.stop()
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert (row.owner, row.store_dirty) == ("", False)
    await engine.state(message, "SCHEDULED")
