"""A person deletes everything. From the commit of `begin` on nothing of theirs is sent, whoever dies when.

`begin` removes texts, messages, people and history in one transaction, behind a lock that the gate of a send needs too.
What stays is what logging the device out at WhatsApp takes: the account's link, key and store. The supervisor's
reconcile loop repeats `go_on` until those are gone as well, `limits.FAREWELL_S` after the confirmation at the latest.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from domain import limits
from domain.account import Link, LinkEvent, link_outcome, link_starts
from domain.refusal import RefusalCode, Refused
from store.database import Connection, Pool, transaction
from store.statements import Statements

_SQL: Final = Statements("farewell")


async def begin(pool: Pool, user: UUID) -> None:
    """The user has confirmed. Twice is once. Raises Refused(LEAVING_NOW), Unavailable."""
    async with transaction(pool) as connection:
        await connection.fetch(_SQL["lock_accounts"], user)
        since = datetime.now(UTC) - timedelta(seconds=limits.ON_THE_WIRE_S)
        if await connection.fetchval(_SQL["leaving_now"], user, since):
            raise Refused(RefusalCode.LEAVING_NOW)
        if await connection.fetchval(_SQL["mark"], user, f"deleted:{user}") is None:
            return
        await connection.execute(_SQL["drop_schedules"], user)
        await connection.execute(_SQL["drop_people"], user)
        await connection.execute(_SQL["drop_key"], user)
        await _unlink(connection)


async def go_on(pool: Pool, limit: int) -> int:
    """Unlinks what is still linked of those who are leaving, and removes who has nothing left; returns how many."""
    async with transaction(pool) as connection:
        await _unlink(connection)
    async with transaction(pool) as connection:
        before = datetime.now(UTC) - timedelta(seconds=limits.FAREWELL_S)
        return len(await connection.fetch(_SQL["finish"], str(Link.UNLINKED), before, limit))


async def _unlink(connection: Connection) -> None:
    starts = link_starts(LinkEvent.UNLINKED)
    given_up, outcome = link_starts(LinkEvent.ABANDONED), str(link_outcome(LinkEvent.ABANDONED))
    for row in await connection.fetch(_SQL["unlink"], starts, given_up, outcome):
        await connection.execute(_SQL["notify_wish"], str(row["id"]))
