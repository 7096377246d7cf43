"""Who is an admin: a mark on a user, set from the machine's own command line only."""

from uuid import UUID

from store.database import Pool, reaching
from store.statements import Statements

_SQL = Statements("admins")


async def make_admin(pool: Pool, email: str) -> bool:
    """Mark the user with this e-mail address as an admin; returns whether there is such a user."""
    return await pool.fetchval(_SQL["make_admin"], email.strip().lower()) is not None


async def is_admin(pool: Pool, user: UUID) -> bool:
    """Whether the user is an admin, now. Raises Unavailable."""
    async with reaching():
        return bool(await pool.fetchval(_SQL["is_admin"], user))
