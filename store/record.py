"""How punctual an account was: what its page shows of the last weeks. Computed when asked, from an indexed range."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec

from store.database import Pool, reaching
from store.statements import Statements

_SQL: Final = Statements("record")


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which something was sent, and how late the latest of it was (ms)."""

    day: date
    slowest_ms: int


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Half were at most `half_ms` late, 99 in 100 at most `most_ms`; both 0 when nothing was `sent`."""

    sent: int
    missed: int
    half_ms: int
    most_ms: int
    days: list[Day]


async def since(pool: Pool, user: UUID, account: UUID, begin: datetime, zone: str) -> Record:
    """The record of the user's account since an instant, its days by the calendar in `zone`. Raises Unavailable."""
    async with reaching(), pool.acquire() as connection:
        totals = await connection.fetchrow(_SQL["totals"], account, user, begin)
        days = await connection.fetch(_SQL["days"], account, user, begin, zone)
    assert totals is not None
    return msgspec.convert({**totals, "days": [dict(row) for row in days]}, Record)
