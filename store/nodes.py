"""How many supervisors live: each shares one lock for as long as the connection of its dead-man's switch lasts."""

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
