"""What the sessions of an account did, for pages. `store/accounts.py` writes it, in statements that it has anyway.

A wake without `slept_at` is the present one, or one whose end nobody saw: the process that had it died.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.account import RunEvent
from domain.hotset import WantKind
from store.database import Pool, reaching
from store.statements import Statements

_SQL: Final = Statements("wakes")


class Wake(msgspec.Struct, frozen=True, kw_only=True):
    """One wake. `ready_at` None: it never came to sending; `ending` None: it goes on, or nobody saw its end."""

    woken_at: datetime
    ready_at: datetime | None
    slept_at: datetime | None
    reason: WantKind
    ending: RunEvent | None


async def lately(pool: Pool, user: UUID, account: UUID, most: int) -> list[Wake]:
    """The newest wakes of the user's account, newest first. Raises Unavailable."""
    async with reaching():
        rows = await pool.fetch(_SQL["lately"], account, user, most)
    return [_wake(dict(row)) for row in rows]


async def of_account(pool: Pool, account: UUID, most: int) -> list[Wake]:
    """The newest wakes of an account, whosever it is: for admins. Raises Unavailable."""
    async with reaching():
        rows = await pool.fetch(_SQL["of_account"], account, most)
    return [_wake(dict(row)) for row in rows]


async def around(pool: Pool, user: UUID, account: UUID, instant: datetime) -> Wake | None:
    """The wake of the user's account in which `instant` lies, None without one. Raises Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_SQL["around"], account, user, instant)
    return None if row is None else _wake(dict(row))


async def purge(pool: Pool, before: datetime, most: int) -> int:
    """Forgets wakes that began before an instant, at most `most`; returns how many. Raises Unavailable."""
    async with reaching():
        return int((await pool.execute(_SQL["purge"], before, most)).rpartition(" ")[2])


def _wake(row: dict[str, object]) -> Wake:
    ending = str(row["ending"])
    row |= {"reason": WantKind[str(row["reason"]).upper()], "ending": RunEvent(ending) if ending else None}
    return msgspec.convert(row, Wake)
