"""A user schedules a message. Postgres commits first; Redis is told afterwards. What happens to it then: `changing`."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from domain import limits
from domain.account import Link
from domain.refusal import RefusalCode, Refused, Unavailable
from enclave.wire.sealing import Binding
from store.database import Pool, new_id, reaching
from store.due import Due
from store.notices import Element, Notices
from store.statements import Statements
from store.together import APART, Apart, Together
from store.viewing import Viewing

_SQL = Statements("schedules")
_ACCOUNT_KEY = _SQL["account_key"]
_FIND_RECIPIENT = _SQL["find_recipient"]

CAN_SCHEDULE = frozenset({Link.LINKED, Link.BANNED})
"""Links with which a new message makes sense: a ban ends, the others need a person first."""


class NewSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed message to one recipient at one instant (UTC). `id` was chosen by the page and is in the binding.

    `window_s`: it may leave this much later and is on time then; `late_limit_s`: so much later still, else MISSED.
    `viewing` None: no browser will show the text again. `confirmed`: the recipient is a stranger, and meant.
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
    window_s: int = 0
    late_limit_s: int = limits.LATE_DEFAULT_S
    confirmed: bool = False


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

    async def all_due(self, new: Sequence[tuple[UUID, UUID, datetime]]) -> None:
        """New messages, given as user, message and instant."""
        horizon = datetime.now(UTC) + timedelta(seconds=limits.NEAR_HORIZON_S)
        near = [(message, int(due_at.timestamp() * 1000)) for _, message, due_at in new if due_at < horizon]
        with contextlib.suppress(Unavailable):
            if near:
                await self._due.add(near)
                await self._due.tell_changed()
        await self._notices.tell_messages((user, message) for user, message, _ in new)

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


async def check_recipient(pool: Pool, account: UUID, jid: str, confirmed: str) -> bool:
    """Refuses a group that the account is not in, a chat that it cannot write to, and a stranger until confirmed.

    `confirmed`: the stranger whom the person says that they mean, once for each. Returns whether this was said now.
    """
    async with reaching():
        row = await pool.fetchrow(_FIND_RECIPIENT, account, jid)
    can_send = row["can_send"] if row else None
    if can_send is False or (can_send is None and jid.endswith("@g.us")):
        raise Refused(RefusalCode.RECIPIENT_UNKNOWN, "recipient")
    stranger = bool(row and row["stranger"])
    if stranger and confirmed != jid:
        raise Refused(RefusalCode.STRANGER, "confirmed")
    return stranger


async def is_stranger(pool: Pool, account: UUID, jid: str) -> bool:
    """Whether somebody has to be confirmed before the account schedules anything to them."""
    async with reaching():
        row = await pool.fetchrow(_FIND_RECIPIENT, account, jid)
    return bool(row and row["stranger"])


class Schedules:
    """Takes new messages in; those of one moment share a commit (`store/together.py`)."""

    def __init__(self, pool: Pool, announce: Announce) -> None:
        """Works on `pool`, tells through `announce`."""
        self._pool = pool
        self._announce = announce
        self._together: Together[NewSchedule, UUID | Refused] = Together(
            self._create, most=limits.TOGETHER_MAX, at_once=limits.TOGETHER_BATCHES
        )

    async def create(self, new: NewSchedule) -> UUID:
        """Stores the schedule and its one message, and returns the message's id. Raises Refused, Unavailable."""
        result = await self._together.ask(new)
        if isinstance(result, Refused):
            raise result
        return result

    async def create_all(self, new: Sequence[NewSchedule]) -> list[UUID | Refused]:
        """Does so for many, each with a result of its own: the message's id, or why not. Raises Unavailable.

        Committed bit by bit: what an outage cuts short can be asked for again, and says REPLAYED of what was stored.
        """
        results: list[UUID | Refused] = []
        for start in range(0, len(new), limits.IMPORT_BATCH):
            part = await self._create(new[start : start + limits.IMPORT_BATCH], True)
            results += [result for result in part if not isinstance(result, Apart)]
        return results

    async def _create(self, new: Sequence[NewSchedule], wait: bool) -> list[UUID | Refused | Apart]:
        accounts = list({one.account for one in new})
        async with reaching(), self._pool.acquire() as connection, connection.transaction():
            locked = await connection.fetch(_SQL["lock_accounts" if wait else "lock_free_accounts"], accounts)
            links = {(row["id"], row["user_id"]): row["link"] for row in locked}
            room = {
                row["account_id"]: limits.OPEN_MESSAGES_PER_ACCOUNT_MAX - row["open"]
                for row in await connection.fetch(_SQL["count_open"], [row["id"] for row in locked])
            }
            held = {row["id"] for row in locked}
            results = [_verdict(one, links, room) if wait or one.account in held else APART for one in new]
            taken = [(one, result) for one, result in zip(new, results, strict=True) if isinstance(result, UUID)]
            rows = await connection.fetch(_SQL["add"], *_columns(taken))
            meant = [one for one, _ in taken if one.confirmed]
            if meant:
                await connection.execute(
                    _SQL["confirm"], [one.account for one in meant], [one.recipient for one in meant]
                )
        stored = {row["message"] for row in rows}
        await self._announce.all_due([(one.user, message, one.due_at) for one, message in taken if message in stored])
        return [
            Refused(RefusalCode.REPLAYED) if isinstance(result, UUID) and result not in stored else result
            for result in results
        ]


def _verdict(new: NewSchedule, links: Mapping[tuple[UUID, UUID], str], room: dict[UUID, int]) -> UUID | Refused:
    """A new message's id, which takes one of `room`; or why there is none."""
    link = links.get((new.account, new.user))
    if link is None:
        return Refused(RefusalCode.NOT_FOUND, "account")
    if Link(link) not in CAN_SCHEDULE:
        return Refused(RefusalCode.NOT_LINKED, "account")
    left = room.get(new.account, limits.OPEN_MESSAGES_PER_ACCOUNT_MAX)
    if left <= 0:
        return Refused(RefusalCode.TOO_MANY_MESSAGES)
    room[new.account] = left - 1
    return new_id()


def _columns(taken: Sequence[tuple[NewSchedule, UUID]]) -> list[list[object]]:
    """The arguments of `add`, an array each."""
    return [
        [one.id for one, _ in taken],
        [message for _, message in taken],
        [one.user for one, _ in taken],
        [one.account for one, _ in taken],
        [one.recipient for one, _ in taken],
        [one.zone for one, _ in taken],
        [one.due_at for one, _ in taken],
        [one.binding.environment for one, _ in taken],
        [one.binding.not_after_s for one, _ in taken],
        [one.content_key for one, _ in taken],
        [one.body for one, _ in taken],
        [one.viewing.wrapped if one.viewing else None for one, _ in taken],
        [one.viewing.key if one.viewing else None for one, _ in taken],
        [one.late_limit_s for one, _ in taken],
        [one.window_s for one, _ in taken],
    ]


def _check_link(link: str) -> None:
    if Link(link) not in CAN_SCHEDULE:
        raise Refused(RefusalCode.NOT_LINKED, "account")
