"""What `domain/pacing.py` is asked with, and what follows from it: who was written to, what waits, what pauses."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from domain import limits
from domain.message import Reason
from domain.pacing import HISTORY_S, Planned, Reach, Restraint, Send, Standing, Waiting, after_refusal, plan
from store.database import Pool, reaching
from store.notices import Element, Notices
from store.statements import Statements

_SQL: Final = Statements("pacing")


class Paced(msgspec.Struct, frozen=True, kw_only=True):
    """When a message leaves that waits on an account whose sends are spaced. `last_ms`: later it would be missed."""

    account: UUID
    planned: Planned
    last_ms: int


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """An account, what it has sent, and what waits on it. `last_ms`: by message, later it would be missed."""

    account: UUID
    standing: Standing
    sends: list[Send]
    waiting: list[Waiting]
    last_ms: dict[UUID, int]


class Pacing:
    """The engine's half. Raises `Unavailable` where Postgres cannot be reached."""

    def __init__(self, pool: Pool, notices: Notices) -> None:
        """Works on `pool`; tells changes through `notices` once they are committed."""
        self._pool = pool
        self._notices = notices

    async def plan(self, accounts: Sequence[UUID], now: datetime, until: datetime) -> dict[UUID, Paced]:
        """When each message leaves that waits on one of `accounts` and may leave until an instant."""
        asked = (_SQL["waiting"], until, limits.CLAIM_BATCH_MAX)
        return _planned(await _lines(self._pool, accounts, now, asked))

    async def defer(self, at: Mapping[UUID, datetime]) -> list[UUID]:
        """Those messages leave then and not before; returns the ones that still wait."""
        async with reaching():
            rows = await self._pool.fetch(_SQL["defer"], list(at), list(at.values()), Reason.SPACED)
        await self._notices.tell_messages((row["user_id"], row["id"]) for row in rows)
        return [row["id"] for row in rows]

    async def note_refusal(self, account: UUID, epoch: int, code: int, now: datetime) -> Restraint | None:
        """WhatsApp has refused a message with a server code; returns what follows. None: not ours any more."""
        async with reaching():
            before = now - timedelta(seconds=limits.COLD_PAUSES_FORGOTTEN_S)
            row = await self._pool.fetchrow(_SQL["restraint_of"], account, before)
            if row is None:
                return None
            found = after_refusal(code, row["refusals"], row["cold_pauses"])
            user = await self._pool.fetchval(
                _SQL["note_refusal"],
                account,
                epoch,
                now + timedelta(seconds=found.cold_s) if found.cold_s else None,
                now + timedelta(seconds=found.all_s) if found.all_s else None,
                found.refusals,
                found.cold_pauses,
            )
        if user is None:
            return None
        await self._notices.tell(user, (Element.ACCOUNT, account))
        return found

    async def forgive(self, account: UUID, epoch: int) -> None:
        """A message was accepted: refusals in a row have ended."""
        async with reaching():
            await self._pool.execute(_SQL["forgive"], account, epoch)


async def plan_until(
    pool: Pool,
    accounts: Sequence[UUID],
    now: datetime,
    last: tuple[datetime, UUID],
    more: Mapping[UUID, Sequence[Waiting]] | None = None,
) -> dict[UUID, Paced]:
    """When each message leaves that waits on `accounts`, until `last` in line (its instant, its id); the pages' half.

    Empty where nothing is spaced. `more`: by account, messages that are not there yet, as if they waited too; they are
    never missed. Three queries, and a plan beside the loop: an account may have thousands in line.
    """
    asked = (_SQL["in_line"], *last, limits.OPEN_MESSAGES_PER_ACCOUNT_MAX)
    lines = await _lines(pool, accounts, now, asked)
    return await asyncio.to_thread(_planned, lines, more)


async def _lines(pool: Pool, accounts: Sequence[UUID], now: datetime, asked: tuple[object, ...]) -> list[_Line]:
    """Of `accounts` those whose sends are spaced. `asked`: the query for what waits, and its arguments after them."""
    query, *arguments = asked
    async with reaching():
        rows = await pool.fetch(_SQL["standing"], list(accounts))
        if not rows:
            return []
        ids = [row["id"] for row in rows]
        sends = await pool.fetch(_SQL["sends"], ids, now - timedelta(seconds=HISTORY_S))
        waiting = await pool.fetch(query, ids, *arguments)
    now_ms = int(now.timestamp() * 1000)  # what is late already is placed from now on
    return [_line(row, sends, waiting, now_ms) for row in rows]


def _line(row: asyncpg.Record, sends: list[asyncpg.Record], waiting: list[asyncpg.Record], now_ms: int) -> _Line:
    values = dict(row)
    account = values.pop("id")
    own = [one for one in waiting if one["account_id"] == account]
    return _Line(
        account=account,
        standing=Standing(**values),
        sends=[
            Send(at_ms=one["at_ms"], chat=one["chat"], reach=Reach(one["reach"]))
            for one in sends
            if one["account_id"] == account
        ],
        waiting=[
            Waiting(id=one["id"], from_ms=max(one["from_ms"], now_ms), chat=one["chat"], reach=Reach(one["reach"]))
            for one in own
        ],
        last_ms={one["id"]: one["last_ms"] for one in own},
    )


def _planned(lines: Sequence[_Line], more: Mapping[UUID, Sequence[Waiting]] | None = None) -> dict[UUID, Paced]:
    found = {}
    for line in lines:
        ones = [*line.waiting, *(more or {}).get(line.account, ())]
        for message, at in plan(line.standing, line.sends, ones).items():
            found[message] = Paced(account=line.account, planned=at, last_ms=line.last_ms.get(message, at.at_ms))
    return found


async def reach_of(pool: Pool, account: UUID, recipient: str) -> Reach:
    """Who a recipient is to an account."""
    async with reaching():
        return Reach(await pool.fetchval(_SQL["reach"], account, recipient))
