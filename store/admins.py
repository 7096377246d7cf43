"""Who is an admin: a mark on a user, set from the machine's own command line only."""

from store.database import Pool
from store.statements import Statements

_SQL = Statements("admins")
_MAKE_ADMIN = _SQL["make_admin"]


async def make_admin(pool: Pool, email: str) -> bool:
    """Mark the user with this e-mail address as an admin; returns whether there is such a user."""
    return await pool.fetchval(_MAKE_ADMIN, email.strip().lower()) is not None
