"""What admins order, and the trail of it. An order that changes nothing is not given, and leaves no trail."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from domain import limits
from domain.refusal import RefusalCode, Refused
from store.database import Pool, new_id, reaching
from store.statements import Statements

_SQL: Final = Statements("orders")


class Act(StrEnum):
    """What an admin may order: of an account the first three, of a node the others."""

    SLEEP = "sleep"
    PARK = "park"
    UNPARK = "unpark"
    DRAIN = "drain"
    UNDRAIN = "undrain"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order. `admin` "": they have left; `number` None: it was about `node`."""

    at: datetime
    admin: str
    act: Act
    number: int | None
    node: str


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """An account that an order was about, and whose it is."""

    id: UUID
    user: UUID


async def order_account(pool: Pool, admin: UUID, act: Act, number: int) -> Owned:
    """Orders `act` of the account with a number. Raises Refused(NOT_FOUND) if there is nothing to do, Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_SQL[act], new_id(), admin, number)
    if row is None:
        raise Refused(RefusalCode.NOT_FOUND)
    return Owned(id=row["id"], user=row["user_id"])


async def order_node(pool: Pool, admin: UUID, act: Act, node: str) -> bool:
    """Orders `act` of a node; False if that is so already. Raises Unavailable."""
    async with reaching():
        return await pool.fetchval(_SQL[act], new_id(), admin, node) is not None


async def is_drained(pool: Pool, node: str) -> bool:
    """Whether a node shall be empty. Raises Unavailable."""
    async with reaching():
        return bool(await pool.fetchval(_SQL["is_drained"], node))


async def drained(pool: Pool) -> dict[str, datetime]:
    """The nodes that shall be empty, and since when. Raises Unavailable."""
    async with reaching():
        rows = await pool.fetch(_SQL["drained"], limits.NODES_SHOWN_MAX)
    return {row["node"]: row["since"] for row in rows}


async def trail(pool: Pool, most: int, number: int | None = None) -> list[Order]:
    """What was ordered, newest first; of one account with `number`. Raises Unavailable."""
    async with reaching():
        rows = await pool.fetch(_SQL["trail"], most, number)
    return [msgspec.convert(dict(row), Order) for row in rows]


async def purge(pool: Pool, before: datetime) -> None:
    """Forgets what was ordered before an instant. Raises Unavailable."""
    async with reaching():
        await pool.execute(_SQL["purge"], before)
