"""What a user takes along, in pages of bounded size. Bytes stay bytes; whoever writes them chooses how."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from domain import limits
from domain.message import CREATED
from store.database import Pool, reaching
from store.statements import Statements

_SQL: Final = Statements("export")
_NONE: Final = UUID(int=0)
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


async def whole(pool: Pool, name: str, user: UUID) -> list[Row]:
    """The few rows of `profile`, `accounts` or `viewing_keys`. Raises Unavailable."""
    async with reaching():
        return [dict(row) for row in await pool.fetch(_SQL[name], user)]


async def pages(pool: Pool, name: str, user: UUID) -> AsyncGenerator[list[Row]]:
    """The rows of `contacts`, `schedules`, `messages` or `wakes`, a page at a time. Raises Unavailable."""
    pairs = {"contacts": ("account_id", "jid", ""), "wakes": ("account_id", "woken_at", _NEVER)}
    first, second, least = pairs.get(name, ("id", "", None))
    after: tuple[Any, ...] = (_NONE, least) if second else (_NONE,)
    while True:
        async with reaching():
            rows = [dict(row) for row in await pool.fetch(_SQL[name], user, *after, limits.EXPORT_PAGE_ROWS)]
        if rows:
            yield rows
        if len(rows) < limits.EXPORT_PAGE_ROWS:
            return
        after = (rows[-1][first], rows[-1][second]) if second else (rows[-1][first],)


async def changes(pool: Pool, user: UUID, messages: list[UUID]) -> list[Row]:
    """The history of these messages of the user. Raises Unavailable."""
    async with reaching():
        return [dict(row) for row in await pool.fetch(_SQL["changes"], user, messages, CREATED)]
