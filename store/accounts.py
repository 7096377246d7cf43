"""The engine's half of accounts: ownership with epochs, wishes, the link, waits.

A method that takes an `epoch` does nothing when that is not the account's newest: it returns None or False then, and
the caller has lost the account.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from domain import limits
from domain.account import Link, LinkEvent, RunEvent, link_outcome, link_starts
from domain.hotset import WantKind
from domain.wake_limits import HISTORY_MAX, HISTORY_S
from store import keys
from store.database import Connection, Pool, reaching
from store.notices import Element, Notices
from store.statements import Statements

_SQL: Final = Statements("accounts")


class PhoneTaken(Exception):
    """Another account is linked to this phone already."""


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """What an actor needs to know. Times in Unix ms, 0: never; `wait_until_ms`: end of backoff or parking.

    `sticky_left_ms`: what was left of the first sync's budget when the row was read. `paced`: its sends are spaced;
    `refusals`: how often WhatsApp refused a message, in a row. `stopped`: an admin has stopped it; `sleep_ms`: one has
    sent it to sleep then. `wakes_ms`: its wakes, ascending, as far as they count (domain/wake_limits.py).
    """

    id: UUID
    user: UUID
    link: Link
    jid: str
    lid: str
    phone: str
    wrapped_key: bytes
    pair_phone: str
    wish: str
    wished_ms: int
    epoch: int
    owner: str
    store_dirty: bool
    failures: int
    restarts: int
    lead_ms: int
    contacts: int
    wait_until_ms: int
    banned_until_ms: int
    names_synced_ms: int
    link_changed_ms: int
    sleep_ms: int
    stopped: bool
    sticky_left_ms: int
    paced: bool
    refusals: int
    wakes_ms: tuple[int, ...]


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account stays COLD: counts of failures and restarts in a row, and the ends of the two waits."""

    failures: int = 0
    restarts: int = 0
    backoff_until: datetime | None = None
    parked_until: datetime | None = None


class Woken(msgspec.Struct, frozen=True, kw_only=True):
    """The wake that a session is: when it began and why."""

    at: datetime
    kind: WantKind

    @property
    def reason(self) -> str:
        """The kind as the column has it."""
        return self.kind.name.lower()


class Slept(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the wake that began at `woken_at`, and what ended it."""

    woken_at: datetime
    at: datetime
    ending: RunEvent


class Accounts:
    """Raises `Unavailable` where Postgres cannot be reached."""

    def __init__(self, pool: Pool, notices: Notices) -> None:
        """Works on `pool`; tells changes through `notices` once they are committed."""
        self.pool = pool
        self._pool = pool
        self._notices = notices

    async def load(self, account: UUID) -> AccountRow | None:
        """The account, None if there is none."""
        async with reaching():
            row = await self._pool.fetchrow(_SQL["load"], account, HISTORY_S, HISTORY_MAX)
        return _row(row) if row else None

    async def take(self, accounts: Sequence[UUID], node: str, dead: Sequence[str] = ()) -> dict[UUID, int]:
        """Makes `node` the owner of those that are free; returns their new epochs. `dead`: owners known to be gone."""
        async with reaching():
            rows = await self._pool.fetch(_SQL["take"], list(accounts), node, list(dead), limits.OWNER_LEASE_S)
        return {row["id"]: row["epoch"] for row in rows}

    async def renew(self, epochs: Mapping[UUID, int], node: str) -> set[UUID]:
        """Lengthens the leases; returns the accounts that are still ours."""
        async with reaching():
            rows = await self._pool.fetch(
                _SQL["renew"], list(epochs), list(epochs.values()), node, limits.OWNER_LEASE_S
            )
        return {row["id"] for row in rows}

    async def release(self, epochs: Mapping[UUID, int]) -> None:
        """Gives accounts up."""
        async with reaching():
            await self._pool.execute(_SQL["release"], list(epochs), list(epochs.values()))

    async def hand_over(self, epochs: Mapping[UUID, int], node: str) -> list[UUID]:
        """Gives accounts to another node; returns those that were still ours."""
        async with reaching():
            rows = await self._pool.fetch(
                _SQL["hand_over"], list(epochs), list(epochs.values()), node, limits.OWNER_LEASE_S
            )
        return [row["id"] for row in rows]

    async def owners(self) -> dict[str, bool]:
        """All owners there are, each with whether any lease of theirs still runs."""
        async with reaching():
            rows = await self._pool.fetch(_SQL["owners"])
        return {row["owner"]: row["alive"] for row in rows}

    async def owned_by(self, owners: Sequence[str], limit: int = limits.CLAIM_BATCH_MAX) -> list[UUID]:
        """Accounts that belong to one of `owners`."""
        return await self._ids("owned_by", list(owners), limit)

    async def wishes(self, node: str, limit: int = limits.CLAIM_BATCH_MAX) -> list[UUID]:
        """Accounts whose user wants something, oldest wish first."""
        return await self._ids("wishes", node, limit)

    async def unsynced(self, node: str, limit: int) -> list[UUID]:
        """Linked accounts whose first sync is not over, though its budget would allow it."""
        return await self._ids("unsynced", node, limit)

    async def unhealthy(self, node: str, now: datetime, limit: int) -> list[UUID]:
        """Linked accounts not connected for `limits.HEALTH_S`, and a share of `limits.HEALTH_JITTER_S` of their own."""
        since, tried = now - timedelta(seconds=limits.HEALTH_S), now - timedelta(seconds=limits.HEALTH_AGAIN_S)
        return await self._ids("unhealthy", node, since, limits.HEALTH_JITTER_S, limit, tried)

    async def stopped(self, node: str) -> list[UUID]:
        """Accounts of a node that an admin has stopped."""
        return await self._ids("stopped", node)

    async def ended_bans(self, node: str, limit: int = limits.CLAIM_BATCH_MAX) -> list[UUID]:
        """Banned accounts whose ban is over."""
        return await self._ids("ended_bans", node, limit)

    async def left_in_hand(self, limit: int = limits.CLAIM_BATCH_MAX) -> list[UUID]:
        """Accounts nobody owns whose messages a former owner left ARMED or SENDING."""
        return await self._ids("left_in_hand", limit)

    async def end_wish(self, account: UUID, epoch: int, wish: str) -> None:
        """The wish is served, or cannot be."""
        await self._told(await self._one("end_wish", account, epoch, wish), account)

    async def move_link(
        self, account: UUID, epoch: int, event: LinkEvent, reason: str = "", banned_until: datetime | None = None
    ) -> bool:
        """Moves the link by `event` if the table allows it from where it is. `reason`: a code, for the page."""
        user = await self._one(
            "move_link", account, epoch, link_starts(event), link_outcome(event), reason, banned_until, limits.EASED_S
        )
        await self._told(user, account)
        return user is not None

    async def pair(
        self,
        connection: Connection,
        account: UUID,
        epoch: int,
        *,
        jid: str,
        lid: str,
        phone: str,
        woken: Woken,
        new: bool,
    ) -> UUID | None:
        """A device is linked, in the session that began `woken`; inside the caller's transaction. Returns the user.

        `new`: the number counts as new to us for a while (domain/pacing.py). Raises `PhoneTaken`.
        """
        event = LinkEvent.PAIRED
        try:
            return await connection.fetchval(
                _SQL["pair"],
                account,
                epoch,
                link_starts(event),
                link_outcome(event),
                jid,
                lid,
                phone,
                woken.at,
                woken.reason,
                int(limits.STICKY_SYNC_S * 1000),
                new,
            )
        except asyncpg.UniqueViolationError:
            raise PhoneTaken from None

    async def doubt_link(self, phone: str) -> None:
        """Has the account that is linked to `phone` (digits) woken: its device may be gone without its knowing."""
        async with reaching():
            await self._pool.execute(_SQL["doubt_link"], phone)

    async def mark_dirty(self, account: UUID, epoch: int, woken: Woken) -> bool:
        """To be committed before a session opens. False: the account is not ours any more."""
        return await self._one("mark_dirty", account, epoch, woken.at, woken.reason) is not None

    async def mark_clean(self, connection: Connection, account: UUID, epoch: int, slept: Slept) -> None:
        """The closing store is persisted in the same transaction."""
        await connection.execute(_SQL["mark_clean"], account, epoch, slept.woken_at, slept.at, slept.ending)

    async def note_slept(self, account: UUID, epoch: int, slept: Slept) -> None:
        """A session has ended without a clean closing store."""
        async with reaching():
            await self._pool.execute(_SQL["note_slept"], account, epoch, slept.woken_at, slept.at, slept.ending)

    async def wait(self, account: UUID, epoch: int, wait: Wait) -> None:
        """Notes how long the account stays COLD, or that it need not any more."""
        user = await self._one(
            "back_off", account, epoch, wait.backoff_until, wait.parked_until, wait.failures, wait.restarts
        )
        await self._told(user, account)

    async def note_hot(self, account: UUID, epoch: int, woken_at: datetime, at: datetime, lead_ms: int | None) -> None:
        """The session woken at `woken_at` is ready since `at`. `lead_ms` None: how long that took says nothing."""
        most_ms, default_ms = int(limits.LEAD_MAX_S * 1000), int(limits.LEAD_DEFAULT_S * 1000)
        async with reaching():
            await self._pool.execute(_SQL["note_hot"], account, epoch, woken_at, at, lead_ms, most_ms, default_ms)

    async def note_phone(self, account: UUID, epoch: int, at: datetime) -> None:
        """The account's own phone gave a sign of life."""
        async with reaching():
            await self._pool.execute(_SQL["note_phone"], account, epoch, at, limits.PHONE_DAYS)

    async def note_synced(self, account: UUID, epoch: int) -> None:
        """The first sync is over."""
        await self._told(await self._one("note_synced", account, epoch), account)

    async def listen(self, on_wish: Callable[[UUID], None], on_begin: Callable[[], None]) -> None:
        """Calls `on_wish` for each NOTIFY until the connection ends, then raises `Unavailable`; cancel it to stop.

        `on_begin` is called once it listens: nobody is told of what was wished before.
        """
        async with reaching(), self._pool.acquire() as connection:
            ended = asyncio.Event()

            def heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
                on_wish(UUID(str(payload)))

            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(keys.WISHES, heard)
            try:
                on_begin()
                await ended.wait()
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(keys.WISHES, heard)
            raise ConnectionResetError

    async def _ids(self, name: str, *arguments: object) -> list[UUID]:
        async with reaching():
            return [row["id"] for row in await self._pool.fetch(_SQL[name], *arguments)]

    async def _one(self, name: str, *arguments: object) -> UUID | None:
        async with reaching():
            return await self._pool.fetchval(_SQL[name], *arguments)

    async def _told(self, user: UUID | None, account: UUID) -> None:
        if user is not None:
            await self._notices.tell(user, (Element.ACCOUNT, account))


def _row(row: asyncpg.Record) -> AccountRow:
    values = dict(row)
    wait_until_ms = values.pop("wait_until_ms")
    return AccountRow(
        user=values.pop("user_id"),
        link=Link(values.pop("link")),
        wait_until_ms=0 if wait_until_ms == float("-inf") else int(wait_until_ms),
        banned_until_ms=values.pop("banned_until_ms") or 0,
        names_synced_ms=values.pop("names_synced_ms") or 0,
        link_changed_ms=values.pop("link_changed_ms") or 0,
        sleep_ms=values.pop("sleep_ms") or 0,
        wished_ms=values.pop("wished_ms") or 0,
        wakes_ms=tuple(reversed(values.pop("wakes_ms"))),
        **values,
    )
