"""Viewing keys, closed under their owners' recovery codes, and the texts that they open (domain/viewing.py)."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.refusal import RefusalCode, Refused
from store.database import Pool, reaching
from store.statements import Statements

_SQL = Statements("viewing")
_FIND = _SQL["find"]
_ADD = _SQL["add"]
_FORGET = _SQL["forget"]
_SEALED_OF = _SQL["sealed_of"]


class ViewingKey(msgspec.Struct, frozen=True, kw_only=True):
    """A user's viewing key as the server has it: closed."""

    id: UUID
    wrapped: bytes
    proof_hash: bytes
    created_at: datetime


class Viewing(msgspec.Struct, frozen=True, kw_only=True):
    """A content key under the viewing key `key`."""

    key: UUID
    wrapped: bytes


class SealedText(msgspec.Struct, frozen=True, kw_only=True):
    """A message's text as its owner's browser gets it: closed, with all that it is bound to."""

    id: UUID
    body: bytes
    viewing: bytes | None
    viewing_key: UUID | None
    environment: str
    account: UUID
    schedule: UUID
    recipient: str
    not_after_s: int


async def find(pool: Pool, user: UUID) -> ViewingKey | None:
    """The user's viewing key, or None. Raises Unavailable."""
    async with reaching():
        row = await pool.fetchrow(_FIND, user)
    return None if row is None else msgspec.convert(dict(row), ViewingKey)


async def add(pool: Pool, user: UUID, key: UUID, wrapped: bytes, proof_hash: bytes) -> None:
    """Stores the user's viewing key. Twice is once. Raises Refused(VIEWING_KEY_EXISTS), Unavailable."""
    async with reaching():
        added = await pool.fetchval(_ADD, user, key, wrapped, proof_hash)
    if added is not None:
        return
    known = await find(pool, user)
    if known is None or (known.id, known.wrapped, known.proof_hash) != (key, wrapped, proof_hash):
        raise Refused(RefusalCode.VIEWING_KEY_EXISTS)


async def forget(pool: Pool, user: UUID, key: UUID) -> None:
    """Takes the user's viewing key `key` away, for good. Raises Refused(VIEWING_KEY_CHANGED), Unavailable."""
    async with reaching():
        gone = await pool.fetchval(_FORGET, user, key)
    if gone is None:
        raise Refused(RefusalCode.VIEWING_KEY_CHANGED)


async def sealed(pool: Pool, user: UUID, messages: list[UUID]) -> list[SealedText]:
    """The sealed texts of those of the messages that are the user's, in no order. Raises Unavailable."""
    async with reaching():
        rows = await pool.fetch(_SEALED_OF, user, messages)
    return msgspec.convert([dict(row) for row in rows], list[SealedText])
