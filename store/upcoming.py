"""What the first page lists, and what is found by a word: one query each; every query names the user."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.finding import Search
from domain.message import MessageState
from store.database import Pool, reaching
from store.pages import Contact, Message, literally
from store.statements import Statements

_SQL: Final = Statements("upcoming")

BEGINNING: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))
"""The place before every message."""


class OnDay(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the line of the day knows it."""

    id: UUID
    due_at: datetime
    state: MessageState


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages of an account wait, and when the first is due."""

    account_id: UUID
    waiting: int
    first_at: datetime


class Found(Contact, frozen=True, kw_only=True):
    """A person or group, and the account that knows them."""

    account_id: UUID


async def to_come(pool: Pool, user: UUID, after: tuple[datetime, UUID], limit: int) -> list[Message]:
    """What has not left or needs a person, soonest first, after a place (due instant, id) in that order."""
    async with reaching():
        rows = await pool.fetch(_SQL["to_come"], user, *after, limit)
    return msgspec.convert([dict(row) for row in rows], list[Message])


async def gone_between(pool: Pool, user: UUID, start: datetime, end: datetime, limit: int) -> list[Message]:
    """What has left or will not, due in [start, end), newest first."""
    async with reaching():
        rows = await pool.fetch(_SQL["gone_between"], user, start, end, limit)
    return msgspec.convert([dict(row) for row in rows], list[Message])


async def day(pool: Pool, user: UUID, start: datetime, end: datetime, limit: int) -> list[OnDay]:
    """Every message due in [start, end) that is not cancelled, in order."""
    async with reaching():
        rows = await pool.fetch(_SQL["day"], user, start, end, limit)
    return msgspec.convert([dict(row) for row in rows], list[OnDay])


async def newer(pool: Pool, user: UUID, than: UUID) -> int:
    """How many messages to come were made after message `than`."""
    async with reaching():
        return await pool.fetchval(_SQL["newer"], user, than)


async def waiting(pool: Pool, user: UUID) -> dict[UUID, Waiting]:
    """What waits, by account; accounts with nothing are left out."""
    async with reaching():
        rows = await pool.fetch(_SQL["waiting"], user)
    return {row["account_id"]: msgspec.convert(dict(row), Waiting) for row in rows}


async def find_messages(pool: Pool, user: UUID, search: Search, limit: int) -> list[Message]:
    """Messages to come to somebody who is looked for, soonest first."""
    words, number = _patterns(search)
    async with reaching():
        rows = await pool.fetch(_SQL["find_messages"], user, [f"%{word}%" for word in words], number, limit)
    return msgspec.convert([dict(row) for row in rows], list[Message])


async def find_people(pool: Pool, user: UUID, search: Search, limit: int) -> list[Found]:
    """People and groups of all the user's accounts who are looked for."""
    words, number = _patterns(search)
    anywhere, beginnings = [f"%{word}%" for word in words], [f"% {word}%" for word in words]
    async with reaching():
        rows = await pool.fetch(_SQL["find_people"], user, anywhere, beginnings, number, limit)
    return msgspec.convert([dict(row) for row in rows], list[Found])


def _patterns(search: Search) -> tuple[list[str], str | None]:
    return [literally(word) for word in search.words], f"%{literally(search.number)}%" if search.number else None
