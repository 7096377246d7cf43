"""Windows and late limits in the engine: what may wait, what must not leave any more, and who is told."""

from datetime import timedelta
from uuid import UUID

from tests.rows import later
from tests.supervisor.engines import Engine

OTHER = "491700000002@s.whatsapp.net"
HOUR = 3600


async def _allow(engine: Engine, message: UUID, *, window_s: int = 0, late_limit_s: int = 1800) -> None:
    await engine.store.pool.execute(
        "UPDATE schedules SET window_s = $2, late_limit_s = $3"
        " WHERE id = (SELECT schedule_id FROM messages WHERE id = $1)",
        message, window_s, late_limit_s,
    )  # fmt: skip


async def test_after_four_hours_nothing_stale_is_sent_and_what_may_be_late_is(engine: Engine) -> None:
    """The same after an outage and from a restored backup: rows that say SCHEDULED for hours ago."""
    account = await engine.link()
    stale = [await engine.schedule(account, later(-4 * HOUR + 60 * number)) for number in range(3)]
    patient = await engine.schedule(account, later(-4 * HOUR), recipient=OTHER)
    for message in stale:
        await _allow(engine, message, late_limit_s=HOUR // 2)
    await _allow(engine, patient, late_limit_s=12 * HOUR)
    await engine.start()
    for message in stale:
        await engine.state(message, "MISSED")
    await engine.state(patient, "SENT", "DELIVERED", "READ")
    rows = await engine.store.pool.fetch("SELECT state, reason, attempts FROM messages WHERE id = ANY($1)", stale)
    assert [tuple(row) for row in rows] == [("MISSED", "too_late", 0)] * 3
    told = await engine.store.pool.fetch("SELECT message_id FROM changes WHERE event = 'late'")
    assert {row["message_id"] for row in told} == set(stale)


async def test_a_window_ends_before_the_late_limit_begins(engine: Engine) -> None:
    account = await engine.link()
    inside, outside = [await engine.schedule(account, later(-HOUR)) for _ in range(2)]
    await _allow(engine, inside, window_s=HOUR // 2, late_limit_s=HOUR // 2 + 60)
    await _allow(engine, outside, window_s=0, late_limit_s=HOUR // 2 + 60)
    await engine.start()
    await engine.state(outside, "MISSED")
    await engine.state(inside, "SENT", "DELIVERED", "READ")


async def test_the_planner_gets_the_window_and_an_exact_one_in_it_decides(engine: Engine) -> None:
    account = await engine.link()
    due, exact_due = later(15), later(17)
    about = await engine.schedule(account, due)
    await _allow(engine, about, window_s=300)
    await engine.start()
    await engine.hears("message_armed", message=about)
    outbox = engine.supervisor.actors.by_account[account].outbox
    due_ms, exact_ms = (int(instant.timestamp() * 1000) for instant in (due, exact_due))
    wake = outbox.wake()
    assert wake is not None
    assert abs(wake[0] - due_ms) <= 1
    assert wake[1] - wake[0] == timedelta(minutes=5) / timedelta(milliseconds=1)
    exact = await engine.schedule(account, exact_due, recipient=OTHER)
    await engine.hears("message_armed", message=exact)
    wake = outbox.wake()
    assert wake is not None
    assert all(abs(instant - exact_ms) <= 1 for instant in wake)
