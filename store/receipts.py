"""Receipts: what WhatsApp tells of messages that left. States only grow; what nobody knows is kept if it may settle."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.message import MessageEvent, outcome, starts
from enclave.wire.news import ReceiptKind
from store.database import Connection, Pool, reaching, transaction
from store.messages import exhaust
from store.notices import Notices
from store.statements import Statements

_SQL: Final = Statements("receipts")

EVENTS: Final[dict[ReceiptKind, MessageEvent]] = {
    ReceiptKind.SENDER: MessageEvent.ACCEPTED,
    ReceiptKind.RETRY: MessageEvent.ACCEPTED,
    ReceiptKind.DELIVERED: MessageEvent.DELIVERED,
    ReceiptKind.READ: MessageEvent.READ,
}
"""What a receipt says of a message. A device that asks again has at least got it; SERVER_ERROR says nothing."""


class Stray(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt for an id that nobody knows."""

    wa_id: str
    at: datetime


class Receipts:
    """Raises `Unavailable` where Postgres cannot be reached."""

    def __init__(self, pool: Pool, notices: Notices) -> None:
        """Works on `pool`; tells changes through `notices` once they are committed."""
        self._pool = pool
        self._notices = notices

    async def take_in(
        self, account: UUID, epoch: int, kind: ReceiptKind, wa_ids: Sequence[str], chat: str, at: datetime
    ) -> list[str]:
        """Applies a receipt; returns those of `wa_ids` that are messages of ours. The others may be kept."""
        if kind not in EVENTS:
            return []
        async with transaction(self._pool) as connection:
            await self.serialize(connection, account)
            moved = await self._apply(connection, account, epoch, kind, wa_ids, at)
            known = {row["wa_id"] for row in await connection.fetch(_SQL["known"], account, list(wa_ids))}
            unknown = [wa_id for wa_id in wa_ids if wa_id not in known]
            if unknown:
                await connection.execute(_SQL["keep_stray"], account, unknown, chat, kind, at)
        await self._notices.tell_messages(moved)
        return [wa_id for wa_id in wa_ids if wa_id in known]

    async def serialize(self, connection: Connection, account: UUID) -> None:
        """Keeps receipts of `account` apart from whatever else names its messages, until the transaction's end."""
        await connection.execute(_SQL["serialize"], str(account))

    async def apply_strays(
        self, connection: Connection, named: Sequence[tuple[UUID, int, str]]
    ) -> list[tuple[UUID, UUID]]:
        """Applies receipts that came before messages got their ids, inside the caller's serialized transaction.

        `named`: account, epoch and id. Returns the users and messages to be told once it is committed.
        """
        epochs = {account: epoch for account, epoch, _ in named}
        rows = await connection.fetch(
            _SQL["take_strays"], [account for account, _, _ in named], [wa_id for _, _, wa_id in named]
        )
        moved: list[tuple[UUID, UUID]] = []
        for row in rows:
            account, kind = row["account_id"], ReceiptKind(row["kind"])
            moved += await self._apply(connection, account, epochs[account], kind, [row["wa_id"]], row["at"])
        return moved

    async def find_stray(self, account: UUID, attempt: UUID, chats: Sequence[str], since: datetime) -> Stray | None:
        """The earliest receipt that can only be of `attempt`: from one of `chats`, not before `since`, id unknown.

        None while it could be of another attempt to that chat whose id is not known.
        """
        async with reaching():
            row = await self._pool.fetchrow(_SQL["find_stray"], account, list(chats), since, attempt)
        return Stray(wa_id=row["wa_id"], at=row["at"]) if row else None

    async def purge(self, before: datetime) -> int:
        """Forgets strays that can settle nothing any more; returns how many."""
        async with reaching():
            return int((await self._pool.execute(_SQL["purge_strays"], before)).rpartition(" ")[2])

    async def _apply(
        self, connection: Connection, account: UUID, epoch: int, kind: ReceiptKind, wa_ids: Sequence[str], at: datetime
    ) -> list[tuple[UUID, UUID]]:
        event = EVENTS[kind]
        delivered = kind in (ReceiptKind.DELIVERED, ReceiptKind.READ)
        rows = list(
            await connection.fetch(
                _SQL["apply"],
                account,
                epoch,
                list(wa_ids),
                starts(event),
                outcome(event),
                event,
                at,
                delivered,
                kind is ReceiptKind.READ,
            )
        )
        if kind is ReceiptKind.RETRY:
            rows += await connection.fetch(_SQL["note_retried"], account, epoch, list(wa_ids))
        await exhaust(connection, [row["schedule_id"] for row in rows])
        return [(row["user_id"], row["id"]) for row in rows]


def instant(seconds: int) -> datetime:
    """The UTC instant of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC)
