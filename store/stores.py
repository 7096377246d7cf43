"""Sealed session stores: the newest version of each, compare-and-set on it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from enclave.wire.answers import SealedStore
from store.accounts import Accounts, Slept
from store.database import Connection, Pool, reaching, transaction
from store.statements import Statements

_SQL: Final = Statements("stores")


class Stores:
    """Raises `Unavailable` where Postgres cannot be reached."""

    def __init__(self, pool: Pool, accounts: Accounts) -> None:
        """Works on `pool`."""
        self._pool = pool
        self._accounts = accounts

    async def get(self, account: UUID) -> SealedStore | None:
        """The newest store, None without one."""
        async with reaching():
            envelope = await self._pool.fetchval(_SQL["get"], account)
        return None if envelope is None else msgspec.convert(envelope, SealedStore, builtin_types=(), strict=False)

    async def put(self, account: UUID, epoch: int, store: SealedStore) -> bool:
        """Keeps a store. True when this version, or a newer one, is persisted; False if the epoch is not the newest."""
        async with transaction(self._pool) as connection:
            return await self.put_within(connection, account, epoch, store)

    async def put_closing(self, account: UUID, epoch: int, store: SealedStore, slept: Slept) -> bool:
        """Keeps the store of a session that has ended, and with it the end of doubt about it and of its wake."""
        async with transaction(self._pool) as connection:
            kept = await self.put_within(connection, account, epoch, store)
            if kept and store.clean:
                await self._accounts.mark_clean(connection, account, epoch, slept)
            return kept

    async def put_within(self, connection: Connection, account: UUID, epoch: int, store: SealedStore) -> bool:
        """Does what `put` does inside the caller's transaction."""
        return account in await self.put_all_within(connection, [(account, epoch, store)])

    async def put_all_within(
        self, connection: Connection, stores: Sequence[tuple[UUID, int, SealedStore]]
    ) -> set[UUID]:
        """Does the same for many accounts, each at most once; returns those of whom `put` would say True."""
        accounts, epochs = [account for account, _, _ in stores], [epoch for _, epoch, _ in stores]
        rows = await connection.fetch(
            _SQL["put"],
            accounts,
            epochs,
            [store.version for _, _, store in stores],
            [store.clean for _, _, store in stores],
            [msgspec.json.encode(store).decode() for _, _, store in stores],
        )
        kept = {row["account_id"] for row in rows}
        if len(kept) < len(stores):
            found = await connection.fetch(_SQL["versions"], accounts, epochs)
            have = {row["account_id"]: row["version"] for row in found}
            kept |= {account for account, _, store in stores if have.get(account, 0) >= store.version}
        return kept

    async def drop(self, account: UUID, epoch: int) -> None:
        """The device is gone, its store is worth nothing."""
        async with reaching():
            await self._pool.execute(_SQL["drop"], account, epoch)
