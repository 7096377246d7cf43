"""What a user asks of an account's link: make it, link it, unlink it. The supervisor reads the wish and acts."""

import time
from uuid import UUID

from domain import limits
from domain.account import LINK_TABLE, Link, LinkEvent
from domain.hotset import WantKind
from domain.machine import sources, targets
from domain.refusal import RefusalCode, Refused
from domain.wake_limits import HISTORY_MAX, HISTORY_S, free_at_ms
from store.database import Pool, reaching
from store.statements import Statements

_SQL = Statements("links")
_ADD_ACCOUNT = _SQL["add_account"]
_ACCOUNT_OWNER = _SQL["account_owner"]
_WISH_PAIRING = _SQL["wish_pairing"]
_WISH_UNLINK = _SQL["wish_unlink"]
_WISH_WAKE = _SQL["wish_wake"]
_LINK_OF = _SQL["link_of"]
_WOKEN = _SQL["woken"]
_NOTIFY_WISH = _SQL["notify_wish"]


async def add_account(pool: Pool, user: UUID, account: UUID, wrapped_key: bytes) -> None:
    """Adds an account that is not linked yet. Asking twice with one id adds one. Raises Refused, Unavailable."""
    async with reaching():
        added = await pool.fetchval(_ADD_ACCOUNT, account, user, wrapped_key, limits.ACCOUNTS_PER_USER_MAX)
        if added:
            return
        owner = await pool.fetchval(_ACCOUNT_OWNER, account)
    if owner is None:
        raise Refused(RefusalCode.TOO_MANY_ACCOUNTS)
    if owner != user:
        raise Refused(RefusalCode.NOT_FOUND)


async def wish_pairing(pool: Pool, user: UUID, account: UUID, phone: str) -> None:
    """Asks for linking: by QR, or by code for `phone` (digits).

    Raises Refused (not found, already linked, woken too often), Unavailable.
    """
    await _spare(pool, user, account, WantKind.PAIRING)
    starts = [str(link) for link in sources(LINK_TABLE, LinkEvent.REQUESTED)]
    (outcome,) = targets(LINK_TABLE, LinkEvent.REQUESTED)
    await _wish(pool, user, account, _WISH_PAIRING, starts, str(outcome), phone)


async def wish_unlink(pool: Pool, user: UUID, account: UUID) -> None:
    """Asks for unlinking. Raises Refused (not found, not linked), Unavailable."""
    starts = [str(link) for link in sources(LINK_TABLE, LinkEvent.UNLINKED)]
    await _wish(pool, user, account, _WISH_UNLINK, starts)


async def wish_wake(pool: Pool, user: UUID, account: UUID) -> None:
    """Asks for a wake, which fetches names anew.

    Raises Refused (not found, not linked, resting, woken too often), Unavailable.
    """
    await _spare(pool, user, account, WantKind.WISH)
    async with reaching(), pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(_WISH_WAKE, account, user, [str(Link.LINKED)]):
            await connection.execute(_NOTIFY_WISH, str(account))
            return
        link = await connection.fetchval(_LINK_OF, account, user)
    if link is None:
        raise Refused(RefusalCode.NOT_FOUND)
    raise Refused(RefusalCode.RESTING if link == Link.LINKED else RefusalCode.NOT_LINKED)


async def _spare(pool: Pool, user: UUID, account: UUID, kind: WantKind) -> None:
    """Raises Refused when the account has had all the wakes of an hour or a day that are not kept for sends."""
    async with reaching():
        rows = await pool.fetch(_WOKEN, account, user, HISTORY_S, HISTORY_MAX)
    free_ms = free_at_ms([row["woken_ms"] for row in reversed(rows)], kind, again=True)
    left_ms = free_ms - time.time_ns() // 1_000_000
    if left_ms > 0:
        raise Refused(RefusalCode.TOO_MANY_WAKES, after_s=-(-left_ms // 1000))


async def _wish(pool: Pool, user: UUID, account: UUID, statement: str, *arguments: object) -> None:
    async with reaching(), pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(statement, account, user, *arguments):
            await connection.execute(_NOTIFY_WISH, str(account))
            return
        owner = await connection.fetchval(_ACCOUNT_OWNER, account)
    if owner != user:
        raise Refused(RefusalCode.NOT_FOUND)
    raise Refused(RefusalCode.ALREADY_LINKED if statement is _WISH_PAIRING else RefusalCode.NOT_LINKED)
