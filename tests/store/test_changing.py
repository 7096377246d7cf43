"""What a user changes: along the table, under locks, and never under the engine's hands."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from domain.message import MESSAGE_TABLE, MessageEvent, MessageState
from domain.refusal import RefusalCode, Refused
from enclave.wire.sealing import Binding
from store import changing
from store.attempts import Begun
from store.changing import NewSeal
from store.database import new_id
from store.due import Due
from store.notices import Notices
from store.schedules import Announce
from store.viewing import Viewing
from tests.rows import add_account, add_message, later, state_of
from tests.store.conftest import Store
from tests.waiting import eventually

S, E = MessageState, MessageEvent
NEW = b"another body"


class Desk:
    """A user at work on one message of theirs."""

    def __init__(self, store: Store, account: UUID, user: UUID) -> None:
        """Remember who and where."""
        self.store, self.account, self.user = store, account, user
        self.announce = Announce(Due(store.redis), Notices(store.redis))
        self.message = self.schedule = UUID(int=0)

    async def write(self, state: str = "SCHEDULED", due: datetime | None = None) -> UUID:
        """Make a message in a state, an hour ahead."""
        self.message = await add_message(self.store.pool, self.account, due=due or later(3600), state=state)
        self.schedule = await self.value("SELECT schedule_id FROM messages WHERE id = $1", self.message)
        await self.store.pool.execute(
            "UPDATE schedules SET state = $2 WHERE id = $1",
            self.schedule,
            {"CANCELLED": "CANCELLED", "MISSED": "FINISHED", "FAILED": "FINISHED"}.get(state, "ACTIVE"),
        )
        return self.message

    async def value(self, sql: str, *values: object) -> Any:
        """Return one value."""
        return await self.store.pool.fetchval(sql, *values)

    async def cancel(self) -> None:
        """Cancel it."""
        await changing.cancel(self.store.pool, self.announce, self.user, self.message)

    async def restore(self) -> None:
        """Take the cancelling back."""
        await changing.restore(self.store.pool, self.announce, self.user, self.message, later(0))

    async def move(self) -> None:
        """Move it to now."""
        await changing.move(self.store.pool, self.announce, self.user, self.message, later(0))

    async def resend(self) -> None:
        """Send it again."""
        await changing.resend(self.store.pool, self.announce, self.user, self.message, later(0))

    async def edit(self, not_after_s: int = 4_000_000_000, viewing: Viewing | None = None) -> None:
        """Give it another text."""
        binding = Binding(
            environment="demo",
            account=str(self.account),
            schedule=str(self.schedule),
            recipient_hash="",
            not_after_s=not_after_s,
        )
        seal = NewSeal(binding=binding, content_key=b"new key", body=NEW, viewing=viewing)
        await changing.edit(self.store.pool, self.announce, self.user, self.schedule, seal)

    async def events(self) -> list[str]:
        """Return the message's history."""
        rows = await self.store.pool.fetch("SELECT event FROM changes WHERE message_id = $1 ORDER BY at", self.message)
        return [row["event"] for row in rows]

    async def body(self) -> bytes:
        """Return the sealed text."""
        return await self.value("SELECT body FROM schedules WHERE id = $1", self.schedule)

    async def shown(self) -> tuple[str, str]:
        """Return the states of the message and of its schedule."""
        schedule = await self.value("SELECT state FROM schedules WHERE id = $1", self.schedule)
        return (await state_of(self.store.pool, self.message))[0], str(schedule)


ACTS: dict[MessageEvent, Callable[[Desk], Awaitable[None]]] = {
    E.CANCELLED: Desk.cancel,
    E.RESTORED: Desk.restore,
    E.MOVED: Desk.move,
    E.RESENT: Desk.resend,
}
#: Where an act finds done what it would do, and says nothing.
DONE = {
    E.CANCELLED: {S.CANCELLED},
    E.MOVED: set(),
    E.RESTORED: {S.SCHEDULED, S.HELD, S.BLOCKED, S.ARMED, S.SENDING},
    E.RESENT: {S.SCHEDULED, S.HELD, S.BLOCKED, S.ARMED, S.SENDING},
}


@pytest.fixture
async def desk(store: Store) -> Desk:
    """Give a user with a linked account."""
    return await _desk(store)


async def _desk(store: Store, link: str = "LINKED") -> Desk:
    account = await add_account(store.pool, link)
    user = await store.pool.fetchval("SELECT user_id FROM accounts WHERE id = $1", account)
    return Desk(store, account, user)


@pytest.mark.parametrize("state", MessageState)
@pytest.mark.parametrize("event", ACTS)
async def test_an_act_follows_the_table_or_is_refused(desk: Desk, event: MessageEvent, state: MessageState) -> None:
    await desk.write("CANCELLED" if state is S.CANCELLED else "SCHEDULED")
    await desk.store.pool.execute("UPDATE messages SET state = $2, wa_id = 'x' WHERE id = $1", desk.message, state)
    if (state, event) in MESSAGE_TABLE:
        await ACTS[event](desk)
        assert (await state_of(desk.store.pool, desk.message))[0] == MESSAGE_TABLE[state, event][0]
        assert await desk.events() == [event]
        return
    if state in DONE[event]:
        await ACTS[event](desk)
    else:
        with pytest.raises(Refused) as refused:
            await ACTS[event](desk)
        assert refused.value.code is RefusalCode.TOO_LATE_TO_CHANGE
    assert (await state_of(desk.store.pool, desk.message))[0] == state
    assert await desk.events() == []


async def test_cancelling_ends_the_schedule_and_taking_it_back_goes_on_with_it(desk: Desk) -> None:
    await desk.write()
    await desk.cancel()
    assert await desk.shown() == ("CANCELLED", "CANCELLED")
    await desk.restore()
    assert await desk.shown() == ("SCHEDULED", "ACTIVE")
    assert await state_of(desk.store.pool, desk.message) == ("SCHEDULED", "")


async def test_a_cancelling_is_not_taken_back_once_its_time_has_passed(desk: Desk) -> None:
    await desk.write("CANCELLED", due=later(-1))
    with pytest.raises(Refused):
        await desk.restore()
    assert await desk.shown() == ("CANCELLED", "CANCELLED")


@pytest.mark.parametrize("state", ["MISSED", "FAILED", "UNCONFIRMED"])
async def test_what_is_sent_again_is_due_now_and_opens_its_schedule(desk: Desk, state: str) -> None:
    await desk.write(state, due=later(-86400))
    before = later(0)
    await desk.resend()
    assert await desk.shown() == ("SCHEDULED", "ACTIVE")
    due_at = await desk.value("SELECT due_at FROM messages WHERE id = $1", desk.message)
    assert isinstance(due_at, datetime)
    assert before <= due_at <= later(0)


@pytest.mark.parametrize("act", [E.RESTORED, E.MOVED, E.RESENT])
async def test_on_an_account_that_cannot_send_it_waits_blocked_with_the_reason(store: Store, act: MessageEvent) -> None:
    desk = await _desk(store, "LOGGED_OUT")
    await desk.write({E.RESTORED: "CANCELLED", E.MOVED: "BLOCKED", E.RESENT: "MISSED"}[act])
    await ACTS[act](desk)
    assert await state_of(store.pool, desk.message) == ("BLOCKED", "logged_out")
    assert await desk.events() == [act, "blocked"]


async def test_nothing_waits_beyond_its_seal(desk: Desk) -> None:
    await desk.write("FAILED")
    await desk.store.pool.execute("UPDATE schedules SET not_after_s = 1000000000 WHERE id = $1", desk.schedule)
    with pytest.raises(Refused) as refused:
        await desk.resend()
    assert refused.value.code is RefusalCode.SEAL_EXPIRED


@pytest.mark.parametrize("state", MessageState)
async def test_a_text_is_edited_only_where_nobody_has_it_in_hand(desk: Desk, state: MessageState) -> None:
    await desk.write()
    await desk.store.pool.execute("UPDATE messages SET state = $2, wa_id = 'x' WHERE id = $1", desk.message, state)
    if state in (S.SCHEDULED, S.HELD, S.BLOCKED):
        await desk.edit()
        await desk.edit()
        assert await desk.events() == ["edited"]
        assert await desk.body() == NEW
    else:
        with pytest.raises(Refused) as refused:
            await desk.edit()
        assert refused.value.code is RefusalCode.TOO_LATE_TO_CHANGE
        assert await desk.body() == b"body"
    assert (await state_of(desk.store.pool, desk.message))[0] == state


async def test_a_new_text_must_be_sealed_for_long_enough(desk: Desk) -> None:
    await desk.write()
    with pytest.raises(Refused) as refused:
        await desk.edit(not_after_s=int(later(3600).timestamp()))
    assert refused.value.code is RefusalCode.SEAL_EXPIRED
    assert await desk.body() == b"body"


async def test_a_foreign_message_is_not_there(store: Store) -> None:
    desk, eve = await _desk(store), await _desk(store)
    await desk.write()
    eve.message, eve.schedule = desk.message, desk.schedule
    for act in (*ACTS.values(), Desk.edit):
        with pytest.raises(Refused) as refused:
            await act(eve)
        assert refused.value.code is RefusalCode.NOT_FOUND
    with pytest.raises(Refused):
        await changing.sealing(store.pool, eve.user, desk.schedule)


async def test_the_claim_passes_by_a_message_that_is_being_edited(desk: Desk) -> None:
    await desk.write(due=later(0))
    store = desk.store
    await store.accounts.take([desk.account], "node")
    async with store.pool.acquire() as editing, editing.transaction():
        await editing.execute("SELECT 1 FROM messages WHERE id = $1 FOR UPDATE", desk.message)
        assert await store.messages.arm([desk.message], "node", later(5)) == []
    assert [one.id for one in await store.messages.arm([desk.message], "node", later(5))] == [desk.message]


async def test_an_edit_that_waited_for_the_claim_comes_too_late(desk: Desk) -> None:
    await desk.write(due=later(0))
    pool = desk.store.pool
    async with pool.acquire() as claiming:
        under_way = claiming.transaction()
        await under_way.start()
        await claiming.execute("UPDATE messages SET state = 'ARMED' WHERE id = $1", desk.message)
        edit = asyncio.create_task(desk.edit())
        await eventually(lambda: _waits(desk), "the edit to wait for the claim")
        await under_way.commit()
        with pytest.raises(Refused) as refused:
            await edit
    assert refused.value.code is RefusalCode.TOO_LATE_TO_CHANGE
    assert await desk.body() == b"body"


async def test_a_gate_that_had_to_wait_sends_the_text_as_it_is_by_then(desk: Desk) -> None:
    """The gate waits for the account; meanwhile the message is taken back, gets another text and is armed anew."""
    await desk.write(due=later(0))
    store = desk.store
    epoch = (await store.accounts.take([desk.account], "node"))[desk.account]
    await store.messages.arm([desk.message], "node", later(5))
    async with store.pool.acquire() as other:
        under_way = other.transaction()
        await under_way.start()
        await other.execute("SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE", desk.account)
        gate = asyncio.create_task(
            store.attempts.begin_send(desk.message, new_id(), desk.account, epoch, now=later(0), boot="boot")
        )
        await eventually(lambda: _waits(desk), "the gate to wait for the account")
        await other.execute("UPDATE schedules SET body = $2 WHERE id = $1", desk.schedule, NEW)
        await under_way.commit()
    begun = await gate
    assert isinstance(begun, Begun)
    assert begun.body == NEW


async def _waits(desk: Desk) -> bool:
    return bool(await desk.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


@pytest.mark.parametrize("viewing", [Viewing(key=new_id(), wrapped=b"n" * 60), None])
async def test_another_text_has_another_way_to_be_seen_or_none(desk: Desk, viewing: Viewing | None) -> None:
    await desk.write()
    await desk.store.pool.execute(
        "UPDATE schedules SET viewing = $2, viewing_key = gen_random_uuid() WHERE id = $1", desk.schedule, b"o" * 60
    )
    await desk.edit(viewing=viewing)
    row = await desk.store.pool.fetchrow("SELECT viewing, viewing_key FROM schedules WHERE id = $1", desk.schedule)
    assert tuple(row) == ((viewing.wrapped, viewing.key) if viewing else (None, None))
