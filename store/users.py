"""Users: whoever has signed in once, and what they have set for themselves."""

from uuid import UUID

import msgspec

from store.database import Pool, new_id, reaching
from store.statements import Statements

_SQL = Statements("users")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs in. `zone`: IANA, of the browser or chosen; `theme`: "light", "dark", or "", the system's."""

    id: UUID
    email: str
    zone: str
    theme: str
    letter_keys: bool


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a user has set. `zone_chosen`: by hand; `letter_keys`: single letters are shortcuts."""

    zone: str = "UTC"
    zone_chosen: bool = False
    theme: str = ""
    letter_keys: bool = True


async def sign_in(pool: Pool, email: str, zone: str) -> User:
    """The user of an address that has proved itself, made if new. `zone` "" keeps the known one. Raises Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_SQL["sign_in"], new_id(), email, zone)
    assert row is not None
    return msgspec.convert(dict(row), User)


async def zone_of(pool: Pool, user: UUID) -> str:
    """The user's IANA zone. Raises Unavailable."""
    async with reaching():
        return await pool.fetchval(_SQL["zone_of"], user) or "UTC"


async def settings_of(pool: Pool, user: UUID) -> Settings:
    """What the user has set. Raises Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_SQL["settings_of"], user)
    return Settings() if row is None else msgspec.convert(dict(row), Settings)


async def set_zone(pool: Pool, user: UUID, zone: str) -> None:
    """Keeps a zone that the user chose by hand. Raises Unavailable."""
    async with reaching():
        await pool.execute(_SQL["set_zone"], user, zone)


async def set_look(pool: Pool, user: UUID, theme: str, *, letter_keys: bool) -> None:
    """Keeps the theme, and whether single letters are shortcuts. Raises Unavailable."""
    async with reaching():
        await pool.execute(_SQL["set_look"], user, theme, letter_keys)
