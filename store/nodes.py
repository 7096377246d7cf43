"""How many supervisors live, and how many accounts each owns.

Each shares one lock for as long as the connection of its dead-man's switch lasts.
"""

from typing import Final

from store.database import Pool, reaching
from store.statements import Statements

_SQL: Final = Statements("nodes")

LIVING: Final = 0x6175_746F_7365_6E64
"""The advisory lock that all living supervisors share: "autosend" in ASCII."""


async def living(pool: Pool) -> int:
    """How many supervisors hold on to this database. Raises `Unavailable`."""
    async with reaching():
        return int(await pool.fetchval(_SQL["count"], LIVING))


async def owned(pool: Pool) -> dict[str, int]:
    """How many accounts each node owns; those that own none are left out. Raises `Unavailable`."""
    async with reaching():
        return {row["owner"]: row["accounts"] for row in await pool.fetch(_SQL["owned"])}
