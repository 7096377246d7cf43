"""When a message will really leave, as the engine plans it, and why not at its own time (`domain/pacing.py`)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from domain.message import MessageState, Reason
from domain.pacing import HISTORY_S, WHY, Planned, Waiting
from store import pacing
from store.database import Pool
from store.pages import Message

_LAST: Final = UUID(int=2**128 - 1)
"""The id of what is only being written: of those due at one instant it is the newest."""


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """When it leaves, and why not before, inside a sentence."""

    at: datetime
    why: str


async def forecast(pool: Pool, account: UUID, to: str, due_at: datetime, now: datetime) -> Departure | None:
    """When a message that is being written leaves if it is scheduled now; None: at its time."""
    reach = await pacing.reach_of(pool, account, to)
    one = Waiting(id=_LAST, from_ms=int(due_at.timestamp() * 1000), chat=to, reach=reach)
    return _departure(_LAST, await pacing.plan_of(pool, [account], now, due_at, {account: [one]}))


async def forecast_of(pool: Pool, message: Message, now: datetime) -> Departure | None:
    """When a message that waits leaves; None: at its time, or nobody can say."""
    if message.state is not MessageState.SCHEDULED:
        return None
    spaced = timedelta(seconds=HISTORY_S if message.reason == Reason.SPACED else 0)
    return _departure(
        message.id, await pacing.plan_of(pool, [message.account_id], now, max(message.due_at, now) + spaced)
    )


def _departure(message: UUID, found: Mapping[UUID, pacing.Paced]) -> Departure | None:
    planned: Planned | None = found[message].planned if message in found else None
    if planned is None or planned.cause is None:
        return None
    return Departure(at=datetime.fromtimestamp(planned.at_ms / 1000, UTC), why=WHY[planned.cause])
