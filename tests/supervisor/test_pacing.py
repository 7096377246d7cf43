"""The engine keeps the sends of a linked number apart, and lets none leave that would come too late by that."""

from datetime import UTC, datetime, timedelta

from domain import limits
from domain.hotset import Holder, may_sleep
from supervisor import wanting
from tests.rows import later
from tests.supervisor.engines import Engine
from tests.waiting import eventually

OTHER = "491700000002@s.whatsapp.net"


async def test_two_messages_of_one_instant_leave_apart(engine: Engine) -> None:
    account = await engine.link(paced=True)
    due = later(1)
    first = await engine.schedule(account, due)
    second = await engine.schedule(account, due, recipient=OTHER)
    await engine.start()
    await engine.state(first, "SENT", "DELIVERED", "READ")
    await engine.state(second, "SENT", "DELIVERED", "READ", wait_s=30)
    rows = await engine.store.pool.fetch("SELECT due_at, left_at FROM messages ORDER BY left_at")
    assert [row["due_at"] for row in rows] == [due, due]
    assert rows[1]["left_at"] - due >= timedelta(seconds=limits.SENDS_APART_S)


async def test_one_that_may_not_leave_in_time_is_missed_and_says_why(engine: Engine) -> None:
    paused = datetime.now(UTC) + timedelta(days=1)
    account = await engine.link(paced=True, cold_until=paused)
    stranger = await engine.schedule(account, later(1), recipient=OTHER)
    await engine.start()
    await engine.state(stranger, "MISSED")
    row = await engine.store.pool.fetchrow("SELECT reason, attempts FROM messages WHERE id = $1", stranger)
    assert row is not None
    assert (row["reason"], row["attempts"]) == ("spaced", 0)


async def test_who_was_woken_as_often_as_allowed_sends_as_soon_as_it_may_and_pages_know_why(engine: Engine) -> None:
    account = await engine.link(paced=True)
    await engine.store.pool.execute(
        "INSERT INTO wakes (account_id, woken_at, reason)"
        " SELECT $1, now() - make_interval(secs => 3592 - 200 * n), 'due' FROM generate_series(0, $2 - 1) n",
        account,
        limits.WAKES_PER_HOUR,
    )
    message = await engine.schedule(account, later(1))
    await engine.start()
    await engine.hears("account_wait", account=account, reason="woken_often")
    assert await eventually(lambda: engine.store.run_state.look_wait(account), "a reason") == "woken_often"
    assert [one[0] for one in engine.heard if one[0] == "session_opening"] == []
    await engine.state(message, "SENT", "DELIVERED", "READ")
    newest, oldest = await engine.store.pool.fetchrow("SELECT max(woken_at), min(woken_at) FROM wakes")
    assert newest - oldest >= timedelta(hours=1)


async def test_a_session_whose_wakes_are_few_stays_for_what_comes(engine: Engine) -> None:
    """The next message is further away than sessions are kept for; a wake for it would be one of few that are left."""
    account = await engine.link(paced=True)
    await engine.store.pool.execute(
        "INSERT INTO wakes (account_id, woken_at, reason)"
        " SELECT $1, now() - make_interval(secs => 600 * n + 90), 'due' FROM generate_series(0, $2 - 1) n",
        account,
        limits.WAKES_PER_DAY // 2,
    )
    await engine.schedule(account, later(limits.KEEP_S * 1.5), recipient=OTHER)
    first = await engine.schedule(account, later(1))
    await engine.start()
    await engine.state(first, "SENT", "DELIVERED", "READ")
    actor = engine.supervisor.actors.by_account[account]

    async def idle() -> Holder | None:
        assert actor.session is not None
        found = wanting.holder(actor)
        return found if found is not None and found.evictable and actor.session.next_use_known else None

    holder = await eventually(idle, "an idle session", limits.LINGER_MAX_S)
    assert holder is not None
    assert holder.next_use_ms is not None
    assert holder.sparing
    assert not may_sleep(holder.stays_until_ms, holder)
