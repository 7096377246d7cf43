"""When a message will really leave, as the engine plans it, and why not at its own time (`domain/pacing.py`)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from domain import limits
from domain.message import MessageState
from domain.pacing import WHY, Waiting
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
    found = await pacing.plan_until(pool, [account], now, (due_at, _LAST), {account: [one]})
    return _departure(found.get(_LAST))


async def forecasts(pool: Pool, messages: Sequence[Message], now: datetime) -> dict[UUID, Departure]:
    """When each of `messages` leaves that waits and does not leave at its time, as far as anybody can say."""
    waiting = [one for one in messages if one.state is MessageState.SCHEDULED]
    if not waiting:
        return {}
    last = max((one.due_at, one.id) for one in waiting)
    # What is late already has no order of its own any more.
    last = last if last[0] > now else (now, _LAST)
    found = await pacing.plan_until(pool, list({one.account_id for one in waiting}), now, last)
    departures = ((one.id, _departure(found.get(one.id))) for one in waiting)
    return {message: at for message, at in departures if at is not None}


async def forecast_of(pool: Pool, message: Message, now: datetime) -> Departure | None:
    """When one message that waits leaves; None: at its time, or nobody can say."""
    return (await forecasts(pool, [message], now)).get(message.id)


def late_at(on_time_until: datetime, leaves: Departure | None) -> datetime | None:
    """When it leaves, if that is later than on time by more than what people notice."""
    if leaves is None or (leaves.at - on_time_until).total_seconds() < limits.SOON_AFTER_S:
        return None
    return leaves.at


def _departure(found: pacing.Paced | None) -> Departure | None:
    if found is None or found.planned.cause is None:
        return None
    return Departure(at=datetime.fromtimestamp(found.planned.at_ms / 1000, UTC), why=WHY[found.planned.cause])
