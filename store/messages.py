"""The engine's half of messages: what is due, arming, blocking. States move only along domain/message.py's table."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.machine import sources
from domain.message import (
    SCHEDULE_TABLE,
    MessageEvent,
    MessageState,
    Reason,
    ScheduleEvent,
    ScheduleState,
    outcome,
    starts,
)
from domain.sending import is_late
from store.database import Connection, Pool, reaching, transaction
from store.notices import Notices
from store.statements import Statements

_SQL: Final = Statements("messages")


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed message as it is now. `owner` "" or with `owned` False: its account is free.

    `paced`: its account's sends are spaced.
    """

    id: UUID
    account: UUID
    state: MessageState
    link: str
    owner: str
    owned: bool
    paced: bool


class Armed(msgspec.Struct, frozen=True, kw_only=True):
    """A message in hand: to be begun at `fire_ms` (its due instant, or later after a failure), Unix ms.

    `window_s`: it is on time until this much after its due instant; `late_limit_s`: and of use until then.
    """

    id: UUID
    user: UUID
    account: UUID
    recipient: str
    epoch: int
    attempts: int
    late_limit_s: int
    due_ms: int
    fire_ms: int
    window_s: int = 0

    @property
    def latest_ms(self) -> int:
        """When it should be begun at the latest."""
        return max(self.fire_ms, self.due_ms + self.window_s * 1000)


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """A page of near-horizon work: (id, due in ms) pairs, and where the next page begins (None: at the end)."""

    due_ms_by_id: tuple[tuple[UUID, int], ...]
    after: tuple[datetime, UUID] | None


class Messages:
    """Raises `Unavailable` where Postgres cannot be reached."""

    def __init__(self, pool: Pool, notices: Notices) -> None:
        """Works on `pool`; tells changes through `notices` once they are committed."""
        self._pool = pool
        self._notices = notices

    async def due_ids(self, until: datetime, node: str, limit: int) -> list[UUID]:
        """What is due until an instant and is not another node's, earliest first."""
        async with reaching():
            return [row["id"] for row in await self._pool.fetch(_SQL["due_ids"], until, node, limit)]

    async def next_due_ms(self, after: datetime) -> int | None:
        """The next instant after `after` at which something is due."""
        async with reaching():
            return await self._pool.fetchval(_SQL["next_due"], after)

    async def horizon(self, until: datetime, after: tuple[datetime, UUID] | None, limit: int) -> Horizon:
        """A page of what is due until an instant, in order."""
        start, last = after or (datetime.min, UUID(int=0))
        if after is None:
            start = until.replace(year=1970)
        async with reaching():
            rows = await self._pool.fetch(_SQL["horizon"], until, start, last, limit)
        return Horizon(
            due_ms_by_id=tuple((row["id"], row["due_ms"]) for row in rows),
            after=(rows[-1]["due_at"], rows[-1]["id"]) if len(rows) == limit else None,
        )

    async def look(self, messages: Sequence[UUID]) -> list[Looked]:
        """The messages as they are; those that are gone are left out."""
        async with reaching():
            rows = await self._pool.fetch(_SQL["look"], list(messages))
        return [
            Looked(
                id=row["id"],
                account=row["account_id"],
                state=MessageState(row["state"]),
                link=row["link"],
                owner=row["owner"],
                owned=row["owned"],
                paced=row["paced"],
            )
            for row in rows
        ]

    async def arm(self, messages: Sequence[UUID], node: str, until: datetime) -> list[Armed]:
        """Takes in hand what is due until an instant and whose accounts `node` owns; returns it, earliest first."""
        event = MessageEvent.CLAIMED
        async with reaching():
            rows = await self._pool.fetch(
                _SQL["arm"], list(messages), starts(event), outcome(event), node, until, event
            )
        armed = []
        for row in rows:
            values = dict(row)
            armed.append(Armed(user=values.pop("user_id"), account=values.pop("account_id"), **values))
        await self._notices.tell_messages((one.user, one.id) for one in armed)
        return armed

    async def move(
        self, account_epoch: int, messages: Sequence[UUID], event: MessageEvent, reason: Reason = Reason.NONE
    ) -> list[UUID]:
        """Moves messages of one account by `event`, those that the table allows; returns them.

        A schedule whose last message this ends is FINISHED in the same transaction.
        """
        if not messages:
            return []
        async with transaction(self._pool) as connection:
            rows = await connection.fetch(
                _SQL["move"], list(messages), account_epoch, starts(event), outcome(event), event, reason
            )
            await exhaust(connection, [row["schedule_id"] for row in rows])
        await self._notices.tell_messages((row["user_id"], row["id"]) for row in rows)
        return [row["id"] for row in rows]

    async def disarm_stale(self, account: UUID, epoch: int) -> list[UUID]:
        """Gives back what an earlier owner of the account had armed."""
        async with reaching():
            rows = await self._pool.fetch(_SQL["stale_armed"], account, epoch, MessageState.ARMED)
        return await self.move(epoch, [row["id"] for row in rows], MessageEvent.DISARMED)

    async def block(self, account: UUID, epoch: int, reason: Reason) -> list[UUID]:
        """The account cannot send: all that waits is BLOCKED."""
        found = await self._open(account, MessageEvent.BLOCKED, lambda *_: True)
        return await self.move(epoch, found, MessageEvent.BLOCKED, reason)

    async def unblock(self, account: UUID, epoch: int, now_ms: int) -> list[UUID]:
        """The account can send again: what is not too late waits again, the rest is MISSED."""
        late = await self._open(
            account, MessageEvent.UNBLOCKED, lambda due_ms, limit_s: is_late(now_ms, due_ms, limit_s)
        )
        await self.move(epoch, late, MessageEvent.LATE, Reason.TOO_LATE)
        found = await self._open(account, MessageEvent.UNBLOCKED, lambda *_: True)
        return await self.move(epoch, found, MessageEvent.UNBLOCKED)

    async def miss_waiting(self, now: datetime, limit: int) -> int:
        """What was BLOCKED or HELD for longer than its late limit is MISSED; returns how many."""
        event, held = MessageEvent.LATE, [MessageState.BLOCKED, MessageState.HELD]
        async with transaction(self._pool) as connection:
            rows = await connection.fetch(
                _SQL["miss_waiting"], held, outcome(event), now, event, Reason.TOO_LATE, limit
            )
            await exhaust(connection, [row["schedule_id"] for row in rows])
        await self._notices.tell_messages((row["user_id"], row["id"]) for row in rows)
        return len(rows)

    async def next_of_accounts_ms(self, accounts: Sequence[UUID]) -> dict[UUID, int]:
        """When each of the accounts has something to send again; those that have nothing are left out."""
        async with reaching():
            rows = await self._pool.fetch(_SQL["next_of_accounts"], list(accounts))
        return {row["account_id"]: row["due_ms"] for row in rows}

    async def _open(self, account: UUID, event: MessageEvent, wanted: Callable[[int, int], bool]) -> list[UUID]:
        async with reaching():
            rows = await self._pool.fetch(_SQL["openable"], account, starts(event))
        return [row["id"] for row in rows if wanted(row["due_ms"], row["late_limit_s"])]


async def exhaust(connection: Connection, schedules: Sequence[UUID]) -> None:
    """Finishes those of `schedules` that have no message to come; inside the caller's transaction."""
    if schedules:
        from_states = [str(state) for state in sources(SCHEDULE_TABLE, ScheduleEvent.EXHAUSTED)]
        await connection.execute(_SQL["exhaust"], list(schedules), from_states, ScheduleState.FINISHED)
