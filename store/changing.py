"""What a user changes about a message that is made: cancel, take that back, move, send again, another text.

Each is one transaction. The account is locked first, then the message: the engine's claim waits for neither and passes
a locked message by, and what it has in hand keeps its text. Postgres commits first; Redis is told afterwards.
"""

import contextlib
from collections.abc import AsyncGenerator
from datetime import datetime
from uuid import UUID

import msgspec

from domain import limits
from domain.account import Link
from domain.machine import sources, targets
from domain.message import (
    BLOCK_REASONS,
    EDITABLE,
    EDITED,
    MESSAGE_TABLE,
    SCHEDULE_TABLE,
    WAITING,
    MessageEvent,
    MessageState,
    Reason,
    ScheduleEvent,
    outcome,
)
from domain.refusal import RefusalCode, Refused
from enclave.wire.sealing import Binding
from store.database import Connection, Pool, reaching, transaction
from store.schedules import Announce
from store.statements import Statements
from store.viewing import Viewing

_SQL = Statements("changing")
_LOCK_ACCOUNT_OF = _SQL["lock_account_of"]
_LOCK_MESSAGE = _SQL["lock_message"]
_COUNT_OPEN = _SQL["count_open"]
_CHANGE_MESSAGE = _SQL["change_message"]
_CHANGE_SCHEDULE = _SQL["change_schedule"]
_MAKE_EXACT = _SQL["make_exact"]
_ADD_CHANGE = _SQL["add_change"]
_SEALING_OF = _SQL["sealing_of"]
_LOCK_ACCOUNT_OF_SCHEDULE = _SQL["lock_account_of_schedule"]
_LOCK_WAITING = _SQL["lock_waiting"]
_CHANGE_SEAL = _SQL["change_seal"]


class Sealing(msgspec.Struct, frozen=True, kw_only=True):
    """What a new text of a schedule must be sealed for, and the account's wrapped key."""

    account: UUID
    recipient: str
    wrapped_key: bytes


class NewSeal(msgspec.Struct, frozen=True, kw_only=True):
    """Another text for a schedule, sealed for the same account and recipient. `viewing` None: nobody sees it again."""

    binding: Binding
    content_key: bytes
    body: bytes
    viewing: Viewing | None = None


class _Locked(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    link: Link
    account_id: UUID
    schedule_id: UUID
    state: MessageState
    due_at: datetime
    late_limit_s: int
    not_after_s: int


async def cancel(pool: Pool, announce: Announce, user: UUID, message: UUID) -> None:
    """Cancels a message that has not left, and its schedule. Twice is once. Raises Refused, Unavailable."""
    async with _locked(pool, user, message) as (connection, locked):
        if locked.state is MessageState.CANCELLED:
            return
        await _change(connection, locked, MessageEvent.CANCELLED, locked.due_at)
        await _change_schedule(connection, locked.schedule_id, ScheduleEvent.CANCELLED)
    await announce.not_due(user, message)


async def restore(pool: Pool, announce: Announce, user: UUID, message: UUID, now: datetime) -> None:
    """Takes a cancelling back while the message's time is ahead. Twice is once. Raises Refused, Unavailable."""
    async with _locked(pool, user, message) as (connection, locked):
        if locked.state in WAITING:
            return
        if locked.due_at <= now:
            raise Refused(RefusalCode.TOO_LATE_TO_CHANGE)
        state = await _reopen(connection, locked, MessageEvent.RESTORED, locked.due_at)
    await _announce(announce, user, message, state, locked.due_at)


async def move(
    pool: Pool, announce: Announce, user: UUID, message: UUID, due_at: datetime, *, at_once: bool = False
) -> datetime:
    """Gives a message that has not left another instant, within its seal; returns the one that it had.

    `at_once`: it is to leave now, whatever its window was.

    Raises Refused (SEAL_EXPIRED at "due"), Unavailable.
    """
    async with _locked(pool, user, message) as (connection, locked):
        _check_table(locked, MessageEvent.MOVED)
        state = await _change(connection, locked, MessageEvent.MOVED, due_at)
        if at_once:
            await connection.execute(_MAKE_EXACT, locked.schedule_id)
    await _announce(announce, user, message, state, due_at)
    return locked.due_at


async def resend(pool: Pool, announce: Announce, user: UUID, message: UUID, now: datetime) -> None:
    """Sends a message again, now, that is uncertain, missed or failed. Twice is once. Raises Refused, Unavailable."""
    async with _locked(pool, user, message) as (connection, locked):
        if locked.state in WAITING:
            return
        state = await _reopen(connection, locked, MessageEvent.RESENT, now)
        await connection.execute(_MAKE_EXACT, locked.schedule_id)
    await _announce(announce, user, message, state, now)


async def sealing(pool: Pool, user: UUID, schedule: UUID) -> Sealing:
    """What a new text of the user's schedule must be sealed for. Raises Refused(NOT_FOUND), Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_SEALING_OF, schedule, user)
    if row is None:
        raise Refused(RefusalCode.NOT_FOUND)
    return msgspec.convert(dict(row), Sealing)


async def edit(pool: Pool, announce: Announce, user: UUID, schedule: UUID, seal: NewSeal) -> None:
    """Gives the schedule's messages another text, unless one of them is in hand or none waits. Twice is once.

    What the engine arms after the commit, it sends with the new text: it reads the body when the message is its own.
    Raises Refused, Unavailable.
    """
    async with transaction(pool) as connection:
        if await connection.fetchval(_LOCK_ACCOUNT_OF_SCHEDULE, schedule, user) is None:
            raise Refused(RefusalCode.NOT_FOUND)
        rows = await connection.fetch(_LOCK_WAITING, schedule, [str(state) for state in WAITING])
        if not rows or any(row["state"] not in EDITABLE for row in rows):
            raise Refused(RefusalCode.TOO_LATE_TO_CHANGE)
        for row in rows:
            _check_seal(seal.binding.not_after_s, row["due_at"], row["late_limit_s"], "text")
        changed = await connection.fetchval(
            _CHANGE_SEAL,
            schedule,
            seal.binding.environment,
            seal.binding.not_after_s,
            seal.content_key,
            seal.body,
            seal.viewing.wrapped if seal.viewing else None,
            seal.viewing.key if seal.viewing else None,
        )
        if changed is None:
            return
        await connection.executemany(_ADD_CHANGE, [(row["id"], EDITED, str(Reason.BY_USER)) for row in rows])
    await announce.changed(user, [row["id"] for row in rows])


@contextlib.asynccontextmanager
async def _locked(pool: Pool, user: UUID, message: UUID) -> AsyncGenerator[tuple[Connection, _Locked]]:
    async with transaction(pool) as connection:
        account = await connection.fetchrow(_LOCK_ACCOUNT_OF, message, user)
        if account is None:
            raise Refused(RefusalCode.NOT_FOUND)
        row = await connection.fetchrow(_LOCK_MESSAGE, message)
        assert row is not None
        yield connection, msgspec.convert({**row, "id": message, "link": account["link"]}, _Locked)


async def _reopen(connection: Connection, locked: _Locked, event: MessageEvent, due_at: datetime) -> MessageState:
    """What had ended waits again, and its schedule goes on."""
    _check_table(locked, event)
    if await connection.fetchval(_COUNT_OPEN, locked.account_id) >= limits.OPEN_MESSAGES_PER_ACCOUNT_MAX:
        raise Refused(RefusalCode.TOO_MANY_MESSAGES)
    await _change_schedule(connection, locked.schedule_id, ScheduleEvent.RESTORED)
    return await _change(connection, locked, event, due_at)


async def _change(connection: Connection, locked: _Locked, event: MessageEvent, due_at: datetime) -> MessageState:
    """Moves the message by `event`; one that would wait on an account that cannot send is BLOCKED at once."""
    _check_table(locked, event)
    state, reason = outcome(event), Reason.BY_USER
    events = [(locked.id, str(event), str(reason))]
    if state is MessageState.SCHEDULED:
        _check_seal(locked.not_after_s, due_at, locked.late_limit_s, "due")
        reason = Reason.NONE
        if locked.link is not Link.LINKED:
            state, reason = outcome(MessageEvent.BLOCKED), BLOCK_REASONS[locked.link]
            events.append((locked.id, str(MessageEvent.BLOCKED), str(reason)))
    await connection.execute(_CHANGE_MESSAGE, locked.id, str(state), str(reason), due_at)
    await connection.executemany(_ADD_CHANGE, events)
    return state


async def _change_schedule(connection: Connection, schedule: UUID, event: ScheduleEvent) -> None:
    (ended,) = targets(SCHEDULE_TABLE, event)
    await connection.execute(
        _CHANGE_SCHEDULE, schedule, [str(state) for state in sources(SCHEDULE_TABLE, event)], str(ended)
    )


async def _announce(announce: Announce, user: UUID, message: UUID, state: MessageState, due_at: datetime) -> None:
    if state is MessageState.SCHEDULED:
        await announce.due(user, message, due_at)
    else:
        await announce.not_due(user, message)


def _check_table(locked: _Locked, event: MessageEvent) -> None:
    if (locked.state, event) not in MESSAGE_TABLE:
        raise Refused(RefusalCode.TOO_LATE_TO_CHANGE)


def _check_seal(not_after_s: int, due_at: datetime, late_limit_s: int, field: str) -> None:
    """The seal must outlive the time and how late the message may be."""
    if not_after_s < due_at.timestamp() + late_limit_s:
        raise Refused(RefusalCode.SEAL_EXPIRED, field)
