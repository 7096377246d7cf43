"""The engine keeps the sends of a linked number apart, and lets none leave that would come too late by that."""

from datetime import UTC, datetime, timedelta

from domain import limits
from tests.rows import later
from tests.supervisor.engines import Engine

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
