"""What has left or ended, for its page: one query, which names the user."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.message import MessageState
from store.database import Pool, reaching
from store.pages import Message
from store.statements import Statements

_SQL: Final = Statements("history")

END: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
"""The place behind every message."""


async def ended(
    pool: Pool, user: UUID, states: Iterable[MessageState], before: tuple[datetime, UUID], limit: int
) -> list[Message]:
    """The user's messages in one of `states`, newest first, before a place (due instant, id). Raises Unavailable."""
    async with reaching():
        rows = await pool.fetch(_SQL["ended"], user, [str(state) for state in states], *before, limit)
    return msgspec.convert([dict(row) for row in rows], list[Message])
