"""Users: whoever has signed in once."""

from uuid import UUID

import msgspec

from store.database import Pool, new_id, reaching
from store.statements import Statements

_SQL = Statements("users")
_SIGN_IN = _SQL["sign_in"]
_ZONE_OF = _SQL["zone_of"]


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs in. `zone` is the IANA zone of the browser of the last sign-in."""

    id: UUID
    email: str
    zone: str


async def sign_in(pool: Pool, email: str, zone: str) -> User:
    """The user of an address that has proved itself, made if new. `zone` "" keeps the known one. Raises Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_SIGN_IN, new_id(), email, zone)
    assert row is not None
    return User(id=row["id"], email=row["email"], zone=row["zone"])


async def zone_of(pool: Pool, user: UUID) -> str:
    """The user's IANA zone. Raises Unavailable."""
    async with reaching():
        return await pool.fetchval(_ZONE_OF, user) or "UTC"
