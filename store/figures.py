"""What the database says about the whole product, for whoever runs it: counts only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from domain.account import Link
from store.database import Pool, reaching
from store.statements import Statements

_SQL: Final = Statements("figures")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that should have left and wait; accounts by link, each link named."""

    overdue: int
    accounts: Mapping[Link, int]


async def figures(pool: Pool, due_before: datetime) -> Figures:
    """Counts anew. Raises `Unavailable`."""
    async with reaching():
        overdue = int(await pool.fetchval(_SQL["overdue"], due_before))
        rows = await pool.fetch(_SQL["accounts"])
    found = {Link(row["link"]): int(row["count"]) for row in rows}
    return Figures(overdue=overdue, accounts={link: found.get(link, 0) for link in Link})
