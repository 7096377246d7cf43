"""All live sessions by account: who may have one, what it starts from, what becomes of its store.

The host is believed in nothing that could send a text twice or on stale ratchets: epochs only grow, versions only grow,
and one account has one process.
"""

import asyncio
from pathlib import Path
from typing import Final

from enclave.door import CallFailed, Connection
from enclave.keys import AccountKeys
from enclave.lineage import (
    LEFTOVER_S,
    RECORD_FILE,
    Adopt,
    Folder,
    Record,
    Restore,
    await_end_of,
    decide,
    folders,
    fresh_record,
    pairing_version,
)
from enclave.live import LiveSession, ProcessGone
from enclave.session.nursery import Nursery
from enclave.session.pipe import Logout, Start, Stop, Stopped
from enclave.stores import StoreRefused, open_store
from enclave.wire.answers import Opened, SealedStore
from enclave.wire.envelope import Code, News
from enclave.wire.news import Ended, Notice
from enclave.wire.operations import OpenSession, PairSession

SESSIONS_MAX: Final = 512
"""Live sessions at one time, whatever the host wants."""

ACCOUNTS_MAX: Final = 1_000_000
"""Accounts whose epoch and version are remembered."""

LEFTOVERS_MAX: Final = 1024
"""Folders without a session that are kept; the oldest goes first."""

END_S: Final = 10.0
"""From a kill to the end of a process."""

STOP_S: Final = 15.0
LOGOUT_S: Final = 25.0


class Mark:
    """The highest epoch and sealed version of an account that this enclave has seen."""

    __slots__ = ("epoch", "version")

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.epoch = 0
        self.version = 0


class Counters:
    """What was counted since boot."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.opened = self.closed = self.killed = self.sends = 0


class Sessions:
    """The registry. `root`: the folder on tmpfs; `proxy_url`: the way out for session processes."""

    def __init__(self, root: Path, nursery: Nursery, environment: str, driver: str, proxy_url: str) -> None:
        """Start without sessions; `inherit` looks at what an earlier broker left."""
        self.counters = Counters()
        self._root = root
        self._nursery = nursery
        self._environment = environment
        self._driver = driver
        self._proxy_url = proxy_url
        self._live: dict[str, LiveSession] = {}
        self._owners: dict[LiveSession, Connection] = {}
        self._marks: dict[str, Mark] = {}

    def __len__(self) -> int:
        """How many sessions live."""
        return len(self._live)

    def inherit(self) -> None:
        """Learn from the folders that a killed broker left; wait for the end of the processes that worked on them."""
        for folder in folders(self._root):
            record = folder.read()
            if record is None:
                folder.destroy()
                continue
            await_end_of(record.pid)
            mark = self._mark(folder.account)
            mark.epoch, mark.version = record.epoch, record.version

    async def open(self, connection: Connection, operation: OpenSession, keys: AccountKeys) -> Opened:
        """Start a session on what is left, if the host's store is its ancestor, else on that. Raises CallFailed."""
        session = await self._claim(connection, operation.account, operation.epoch)
        try:
            folder = session.folder
            mark = self._mark(operation.account)
            left = folder.read()
            found = decide(left, operation.store, dirty=operation.dirty, sealed_version=mark.version)
            if isinstance(found, Code):
                raise CallFailed(found)
            if isinstance(found, Adopt):
                folder.drop_snapshots()
                record = found.record.opened_in(operation.epoch)
            else:
                record = await self._restore(folder, found, keys, operation.epoch)
            drop = isinstance(found, Restore) and found.drop_ratchets
            await self._start(session, keys, record, jid=operation.jid, phone="", drop_ratchets=drop)
        except BaseException:
            self._give_up(session)
            raise
        return Opened(continued=isinstance(found, Adopt), pid=session.pid)

    async def pair(self, connection: Connection, operation: PairSession, keys: AccountKeys) -> Opened:
        """Start a session that links a new device; what is left of an earlier one goes. Raises CallFailed."""
        session = await self._claim(connection, operation.account, operation.epoch)
        session.worthless = True
        try:
            session.folder.begin(None)
            version = max(self._mark(operation.account).version, pairing_version())
            record = fresh_record(epoch=operation.epoch, version=version, opened=None, restore=None)
            await self._start(session, keys, record, jid="", phone=operation.phone, drop_ratchets=False)
        except BaseException:
            self._give_up(session)
            raise
        return Opened(continued=False, pid=session.pid)

    def find(self, connection: Connection, account: str, epoch: int) -> LiveSession:
        """The account's session, if `connection` opened it in `epoch`. Raises CallFailed: fenced, no_session."""
        if epoch < self._mark_epoch(account):
            raise CallFailed(Code.FENCED)
        session = self._live.get(account)
        if session is None or session.epoch != epoch or self._owners[session] is not connection or session.held:
            raise CallFailed(Code.NO_SESSION)
        return session

    async def close(self, session: LiveSession) -> SealedStore | None:
        """End a session in order and return its clean store; None without a device, or if the process died over it."""
        session.expected = session.held = True
        store = None
        in_order = False
        try:
            stopped = await session.order(Stop(), STOP_S)
            assert isinstance(stopped, Stopped)
            store = None if stopped.snapshot is None else await session.seal(stopped.snapshot, clean=True)
            in_order = True
        except (ProcessGone, CallFailed):
            pass  # what is on tmpfs stays for the next OpenSession
        finally:
            session.worthless = session.worthless or in_order
            await session.leave()
            await self._release(session)
        self.counters.closed += 1
        return store

    async def unlink(self, session: LiveSession) -> None:
        """Log the device out at WhatsApp, then destroy. Raises CallFailed (the session lives on), ProcessGone."""
        session.expected = session.held = True
        try:
            await session.order(Logout(), LOGOUT_S)
        except BaseException:
            session.expected = session.held = False
            if session.ended.is_set():
                self._drop(session)
            raise
        await self.destroy(session)

    async def destroy(self, session: LiveSession) -> None:
        """End a session at once, and its store."""
        session.expected = session.held = session.worthless = True
        session.kill()
        await self._release(session)

    async def forget(self, account: str, epoch: int) -> None:
        """Destroy what is held of an account. Raises CallFailed: fenced, timeout."""
        await self._fence(account, epoch, takeover=True)
        Folder(self._root, account).destroy()

    def connection_lost(self, connection: Connection) -> None:
        """Kill the sessions of an owner that has gone; their stores stay for the next owner."""
        for session in [session for session, owner in self._owners.items() if owner is connection]:
            session.kill()

    def expire(self) -> None:
        """Destroy leftovers that nobody came for, and the oldest of too many."""
        left = sorted((folder for folder in folders(self._root) if folder.account not in self._live), key=Folder.age_s)
        for place, folder in enumerate(left):
            if folder.age_s() >= LEFTOVER_S or place >= LEFTOVERS_MAX:
                folder.destroy()

    async def shut_down(self) -> None:
        """End every session in order and give each store to its owner; destroy leftovers, but those of open attempts.

        An attempt of a session that ended uncleanly can be settled by its store alone: that one may wait for the next
        broker, for as long as any leftover does.
        """
        await asyncio.gather(*(self._end_in_order(session) for session in list(self._live.values())))
        for folder in folders(self._root):
            record = folder.read()
            if record is None or not record.attempts:
                folder.destroy()

    async def _end_in_order(self, session: LiveSession) -> None:
        owner, account, epoch = self._owners[session], session.folder.account, session.epoch
        store = await self.close(session)
        owner.tell(News(account, epoch, Ended(status=0, store=store)))

    async def _claim(self, connection: Connection, account: str, epoch: int) -> LiveSession:
        await self._fence(account, epoch, takeover=False)
        if len(self._live) >= SESSIONS_MAX:
            raise CallFailed(Code.BUSY)

        def tell(notice: Notice) -> None:
            connection.tell(News(account, epoch, notice))

        session = LiveSession(Folder(self._root, account), epoch, self._environment, tell, self._over)
        self._live[account] = session
        self._owners[session] = connection
        return session

    async def _fence(self, account: str, epoch: int, *, takeover: bool) -> None:
        """Make `epoch` the account's, ending the session of a lower one (or, with `takeover`, any)."""
        mark = self._mark(account)
        if epoch < mark.epoch:
            raise CallFailed(Code.FENCED)
        mark.epoch = epoch
        while (session := self._live.get(account)) is not None:
            if session.epoch >= epoch and not takeover:
                raise CallFailed(Code.SESSION_EXISTS)
            session.kill()
            try:
                async with asyncio.timeout(END_S):
                    await session.released.wait()
            except TimeoutError:
                raise CallFailed(Code.TIMEOUT) from None
            if epoch < mark.epoch:
                raise CallFailed(Code.FENCED)

    async def _restore(self, folder: Folder, found: Restore, keys: AccountKeys, epoch: int) -> Record:
        try:
            opened = await asyncio.to_thread(
                open_store,
                keys.state,
                account=folder.account,
                environment=self._environment,
                sealed=found.store,
            )
        except StoreRefused as refused:
            raise CallFailed(refused.code) from None
        folder.begin(opened.sqlite)
        return fresh_record(epoch=epoch, version=found.version, opened=opened, restore=found)

    async def _start(
        self, session: LiveSession, keys: AccountKeys, record: Record, *, jid: str, phone: str, drop_ratchets: bool
    ) -> None:
        task = Start(
            driver=self._driver,
            folder=str(session.folder.path),
            jid=jid,
            phone=phone,
            proxy_url=self._proxy_url,
            drop_ratchets=drop_ratchets,
        )
        session.expected = True  # until it has started, its end is the call's failure and no news
        try:
            await session.start(self._nursery, keys, record, task)
        except ProcessGone:
            raise CallFailed(Code.INTERNAL) from None
        except CallFailed as failed:
            session.worthless = session.worthless or failed.code is Code.STORE_CORRUPT
            raise
        if session.ended.is_set():
            raise CallFailed(Code.INTERNAL)
        session.expected = False
        self.counters.opened += 1

    def _give_up(self, session: LiveSession) -> None:
        """End a session that never came to be; the host learns it by its call's failure."""
        session.expected = True
        if session.pid == 0 or session.ended.is_set():
            self._drop(session)
        else:
            session.kill()

    def _over(self, session: LiveSession) -> None:
        if not session.expected:
            self.counters.killed += 1
        if not session.held:
            self._drop(session)

    async def _release(self, session: LiveSession) -> None:
        try:
            async with asyncio.timeout(END_S):
                await session.ended.wait()
        except TimeoutError:
            # The kernel has not ended a killed process in ten seconds: keep the account claimed until it has.
            session.held = False
            raise CallFailed(Code.TIMEOUT) from None
        self._drop(session)

    def _drop(self, session: LiveSession) -> None:
        account = session.folder.account
        if self._live.get(account) is not session:
            return
        del self._live[account]
        del self._owners[session]
        if session.pid:
            mark = self._mark(account)
            mark.version = max(mark.version, session.record.version)
        if session.worthless:
            session.folder.destroy()
        elif (session.folder.path / RECORD_FILE).exists():
            session.folder.touch()
        session.released.set()

    def _mark(self, account: str) -> Mark:
        mark = self._marks.get(account)
        if mark is None:
            if len(self._marks) >= ACCOUNTS_MAX:
                raise CallFailed(Code.BUSY)
            mark = self._marks[account] = Mark()
        return mark

    def _mark_epoch(self, account: str) -> int:
        mark = self._marks.get(account)
        return 0 if mark is None else mark.epoch
