"""What the engine room shows of all accounts, from Postgres: it stands also without Redis. Nobody is named there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from domain import limits
from domain.account import Link
from domain.forecast import Crowd
from store.database import Pool, reaching
from store.statements import Statements

_SQL: Final = Statements("engine_room")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is called, and where it stands among all, from 0."""

    number: int
    place: int


class Resting(msgspec.Struct, frozen=True, kw_only=True):
    """An account that may not wake until then; `stopped`: until an admin lets it."""

    id: UUID
    number: int
    stopped: bool
    parked: bool
    until: datetime | None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account: how it stands, how many messages wait, when the first is due."""

    id: UUID
    number: int
    link: Link
    link_changed_at: datetime
    owner: str
    failures: int
    restarts: int
    lead_ms: int
    backoff_until: datetime | None
    parked_until: datetime | None
    stopped_at: datetime | None
    last_hot_at: datetime | None
    waiting: int
    next_at: datetime | None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Half were at most `half_ms` late, 99 in 100 at most `most_ms`; both 0 when nothing was `sent`."""

    sent: int
    missed: int
    half_ms: int
    most_ms: int


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """A message that left late, and what its account did: the wake in which it left, and the end of the one before.

    `linking`: an account that somebody was linking while this one waited for a slot.
    """

    number: int
    due_at: datetime
    gone_at: datetime
    attempts: int
    woken_at: datetime | None
    ready_at: datetime | None
    before_at: datetime | None
    before_ending: str
    linking: int | None


class Crowded(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts, and those with something to send soon: the nearest of them, and how many there are."""

    size: int
    soon: list[UUID]
    soon_size: int
    resting: list[Resting]


async def places(pool: Pool, accounts: Sequence[UUID]) -> dict[UUID, Place]:
    """Where those accounts stand; one that has gone is left out. Raises Unavailable."""
    async with reaching():
        rows = await pool.fetch(_SQL["places"], list(accounts))
    return {row["id"]: Place(number=row["number"], place=row["place"]) for row in rows}


async def number_at(pool: Pool, place: int) -> int | None:
    """What the account at a place is called, None for a place behind the last. Raises Unavailable."""
    async with reaching():
        return await pool.fetchval(_SQL["number_at"], place)


async def crowded(pool: Pool, soon_until: datetime) -> Crowded:
    """What changes slowly on the map. Raises Unavailable."""
    async with reaching(), pool.acquire() as connection:
        soon = await connection.fetch(_SQL["soon"], soon_until, limits.TILES_MAX)
        resting = await connection.fetch(_SQL["resting"], limits.TILES_MAX)
        return Crowded(
            size=await connection.fetchval(_SQL["size"]),
            soon=[row["account_id"] for row in soon],
            soon_size=await connection.fetchval(_SQL["soon_size"], soon_until),
            resting=[msgspec.convert(dict(row), Resting) for row in resting],
        )


async def crowds(pool: Pool, until: datetime) -> tuple[list[Crowd], int]:
    """What is due until then, and how long a wake takes on average (ms). Raises Unavailable."""
    async with reaching(), pool.acquire() as connection:
        rows = await connection.fetch(_SQL["crowds"], until, limits.CROWDS_MAX)
        lead_ms = await connection.fetchval(_SQL["lead"], int(limits.LEAD_DEFAULT_S * 1000))
    return [msgspec.convert(dict(row), Crowd) for row in rows], lead_ms


async def record(pool: Pool, since: datetime) -> Record:
    """How punctual everybody was. It reads every message since then. Raises Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_SQL["record"], since)
    assert row is not None
    return msgspec.convert(dict(row), Record)


async def spread(pool: Pool, since: datetime, steps_ms: Sequence[float]) -> list[int]:
    """How many messages were how late: below the first step, between each two, from the last on. Raises Unavailable."""
    async with reaching():
        rows = await pool.fetch(_SQL["spread"], since, list(steps_ms))
    found = dict.fromkeys(range(len(steps_ms) + 1), 0) | {row["step"]: row["messages"] for row in rows}
    return [found[step] for step in range(len(steps_ms) + 1)]


async def account(pool: Pool, number: int) -> Account | None:
    """The account that is called so, None if there is none. Raises Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_SQL["account"], number)
    return None if row is None else msgspec.convert(dict(row), Account)


async def latest(pool: Pool, since: datetime, at_least_ms: int, most: int, account: UUID | None = None) -> list[Late]:
    """The latest messages since then, of one account with `account`. Raises Unavailable."""
    async with reaching():
        rows = await pool.fetch(_SQL["latest"], since, at_least_ms, most, account)
    return [msgspec.convert(dict(row), Late) for row in rows]
