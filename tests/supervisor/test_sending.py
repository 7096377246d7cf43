"""A message leaves at its instant, once, through a real enclave."""

import asyncio

import pytest

from domain import hotset, limits
from domain.account import RunEvent
from domain.hotset import WantKind
from enclave.wire import news
from store import wakes
from tests.rows import later
from tests.supervisor.engines import Engine


async def test_a_message_leaves_at_its_instant_and_is_delivered(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    message = await engine.schedule(account, later(2))
    sent = await engine.hears("message_sent", message=message)
    assert sent["late_ms"] >= 0
    await engine.state(message, "DELIVERED")
    await engine.hears("account_run", account=account, after="COLD")
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert not row.store_dirty
    await engine.hears("account_retired", account=account)
    user = await engine.store.pool.fetchval("SELECT user_id FROM accounts WHERE id = $1", account)
    (wake,) = await wakes.lately(engine.store.pool, user, account, 9)
    assert (wake.reason, wake.ending) == (WantKind.DUE, RunEvent.RELEASED)
    assert wake.ready_at is not None
    assert wake.slept_at is not None
    assert wake.woken_at < wake.ready_at < wake.slept_at


async def test_an_account_whose_sending_was_cancelled_by_nobody_of_ours_sends_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SHUN_S", 0.0)  # how long it is left alone is no matter here
    monkeypatch.setattr(limits, "LEASE_TICK_S", 0.5)
    account = await engine.link()
    await engine.start()
    await engine.state(await engine.schedule(account, later(0)), "SENT", "DELIVERED")
    waiting = await engine.schedule(account, later(2))
    await engine.hears("message_armed", message=waiting)
    work = engine.supervisor.actors.by_account[account].work
    assert work is not None
    work.cancel()  # as a client library may do in passing
    failed = await engine.hears("child_failed")
    assert failed["error"] == "Cancelled"
    await engine.state(waiting, "DELIVERED")


async def test_a_keepalive_that_went_unanswered_once_holds_nothing_up(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    message = await engine.schedule(account, later(3))
    await engine.hears("account_run", account=account, after="HOT")
    actor = engine.supervisor.actors.by_account[account]
    assert actor.session is not None
    await actor.session.ready.wait()
    actor.hear(news.KeepAliveLost(count=1))
    await engine.state(message, "SENT", "DELIVERED")


async def test_messages_of_one_account_share_a_wake(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    messages = [await engine.schedule(account, later(1.5)) for _ in range(5)]
    for message in messages:
        await engine.state(message, "DELIVERED")
    assert [line["after"] for name, line in engine.heard if name == "account_run"].count("HOT") <= 1
    attempts = await engine.store.pool.fetchval("SELECT count(*) FROM attempts")
    assert attempts == len(messages)


async def test_more_accounts_than_slots_all_get_their_turn(engine: Engine) -> None:
    accounts = [await engine.link() for _ in range(8)]
    await engine.start()
    messages = [await engine.schedule(account, later(2)) for account in accounts]
    await asyncio.gather(*(engine.state(message, "DELIVERED") for message in messages))
    assert await engine.store.pool.fetchval("SELECT count(*) FROM attempts") == len(messages)


async def test_what_is_cancelled_in_hand_does_not_leave(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    message = await engine.schedule(account, later(3))
    await engine.hears("message_armed", message=message)
    await engine.store.pool.execute("UPDATE messages SET state = 'CANCELLED' WHERE id = $1", message)
    await engine.hears("message_gate_closed", message=message)
    assert await engine.store.pool.fetchval("SELECT count(*) FROM attempts") == 0


async def test_a_campaign_gives_its_slot_to_those_who_wait_and_goes_on_after_them(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hotset, "_TURN_MS", 0)
    campaign, other = await engine.link(), await engine.link()
    await engine.start()
    engine.supervisor.context.slots = 1
    many = [await engine.schedule(campaign, later(2)) for _ in range(6)]
    one = await engine.schedule(other, later(2.5))
    await engine.hears("turn_ended", account=campaign)
    await engine.hears("message_sent", message=one)
    waiting = await engine.store.pool.fetchval("SELECT count(*) FROM attempts WHERE account_id = $1", campaign)
    assert waiting < len(many)
    for message in many:
        await engine.state(message, "DELIVERED")
    assert await engine.store.pool.fetchval("SELECT count(*) FROM attempts") == len(many) + 1


async def test_connects_are_counted_by_the_pace(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    before = engine.supervisor.context.pace
    message = await engine.schedule(account, later(1))
    await engine.hears("message_sent", message=message)
    after = engine.supervisor.context.pace
    assert (after.ends, after.refusals) == (before.ends + 1, 0)
    assert after.free_at_ms > before.free_at_ms
