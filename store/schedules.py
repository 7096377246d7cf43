"""A user schedules a message. Postgres commits first; Redis is told afterwards. What happens to it then: `changing`."""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from domain import limits
from domain.account import Link
from domain.message import CREATED
from domain.refusal import RefusalCode, Refused, Unavailable
from enclave.wire.sealing import Binding
from store.database import Pool, new_id, reaching
from store.due import Due
from store.notices import Element, Notices
from store.statements import Statements
from store.viewing import Viewing

_SQL = Statements("schedules")
_ACCOUNT_KEY = _SQL["account_key"]
_LOCK_ACCOUNT = _SQL["lock_account"]
_COUNT_OPEN = _SQL["count_open"]
_FIND_RECIPIENT = _SQL["find_recipient"]
_ADD_SCHEDULE = _SQL["add_schedule"]
_ADD_MESSAGE = _SQL["add_message"]
_ADD_CHANGE = _SQL["add_change"]

CAN_SCHEDULE = frozenset({Link.LINKED, Link.BANNED})
"""Links with which a new message makes sense: a ban ends, the others need a person first."""


class NewSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed message to one recipient at one instant (UTC). `id` was chosen by the page and is in the binding.

    `viewing` None: no browser will show the text again.
    """

    id: UUID
    user: UUID
    account: UUID
    recipient: str
    zone: str
    due_at: datetime
    binding: Binding
    content_key: bytes
    body: bytes
    viewing: Viewing | None = None


class Announce:
    """Tells the due loop and the open pages, after the commit: hints, which `reconcile` and a reload make good."""

    def __init__(self, due: Due, notices: Notices) -> None:
        """Tells through these."""
        self._due = due
        self._notices = notices

    async def due(self, user: UUID, message: UUID, due_at: datetime) -> None:
        """The message is due at this instant; a far one is none of the due set's business yet."""
        with contextlib.suppress(Unavailable):
            if due_at - datetime.now(UTC) < timedelta(seconds=limits.NEAR_HORIZON_S):
                await self._due.add([(message, int(due_at.timestamp() * 1000))])
                await self._due.tell_changed()
            else:
                await self._due.forget([message])
        await self._notices.tell(user, (Element.MESSAGE, message))

    async def not_due(self, user: UUID, message: UUID) -> None:
        """The message is not going to leave."""
        with contextlib.suppress(Unavailable):
            await self._due.forget([message])
        await self._notices.tell(user, (Element.MESSAGE, message))

    async def changed(self, user: UUID, messages: Iterable[UUID]) -> None:
        """The messages look different, and are due when they were."""
        await self._notices.tell(user, *((Element.MESSAGE, message) for message in messages))


async def account_key(pool: Pool, user: UUID, account: UUID) -> bytes:
    """The wrapped key of the user's account, if it can send. Raises Refused at "account", Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_ACCOUNT_KEY, account, user)
    if row is None:
        raise Refused(RefusalCode.NOT_FOUND, "account")
    _check_link(row["link"])
    return row["wrapped_key"]


async def check_recipient(pool: Pool, account: UUID, jid: str) -> None:
    """Refuses a group that the account is not in, and a chat that it cannot write to. A person may be unknown."""
    async with reaching():
        can_send = await pool.fetchval(_FIND_RECIPIENT, account, jid)
    if can_send is False or (can_send is None and jid.endswith("@g.us")):
        raise Refused(RefusalCode.RECIPIENT_UNKNOWN, "recipient")


async def create(pool: Pool, announce: Announce, new: NewSchedule) -> UUID:
    """Stores the schedule and its one message, and returns the message's id. Raises Refused, Unavailable."""
    message = new_id()
    async with reaching(), pool.acquire() as connection, connection.transaction():
        link = await connection.fetchval(_LOCK_ACCOUNT, new.account, new.user)
        if link is None:
            raise Refused(RefusalCode.NOT_FOUND, "account")
        _check_link(link)
        if await connection.fetchval(_COUNT_OPEN, new.account) >= limits.OPEN_MESSAGES_PER_ACCOUNT_MAX:
            raise Refused(RefusalCode.TOO_MANY_MESSAGES)
        added = await connection.fetchval(
            _ADD_SCHEDULE,
            new.id,
            new.user,
            new.account,
            new.recipient,
            new.zone,
            limits.LATE_DEFAULT_S,
            new.binding.environment,
            new.binding.not_after_s,
            new.content_key,
            new.body,
            new.viewing.wrapped if new.viewing else None,
            new.viewing.key if new.viewing else None,
        )
        if added is None:
            raise Refused(RefusalCode.REPLAYED)
        await connection.execute(_ADD_MESSAGE, message, new.id, new.user, new.account, new.recipient, new.due_at)
        await connection.execute(_ADD_CHANGE, message, CREATED, "")
    await announce.due(new.user, message, new.due_at)
    return message


def _check_link(link: str) -> None:
    if Link(link) not in CAN_SCHEDULE:
        raise Refused(RefusalCode.NOT_LINKED, "account")
