"""One live session as the broker sees it: a process at the other end of a pipe, its store, and its last word.

Orders go out one frame at a time; one task takes the reports. When that task finds the pipe at its end it waits for the
process's end, and only then the session is over: nothing of it can come later.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from enclave.door import CallFailed
from enclave.keys import AccountKeys
from enclave.lineage import Folder, Record
from enclave.session.nursery import Nursery, NurseryClosed
from enclave.session.pipe import (
    Answered,
    BadFrame,
    DevicePaired,
    Order,
    Refusal,
    Report,
    Result,
    Snapshot,
    Start,
    Task,
    Told,
    frame,
    read_report,
)
from enclave.stores import OpenedStore, StoreRefused, seal_store
from enclave.wire.answers import SealedStore
from enclave.wire.envelope import Code
from enclave.wire.news import Ended, LoggedOut, Notice, Paired, PairFailed

START_S: Final = 30.0
"""From the first order to its answer: the library is loaded, the client tries to connect."""

LEAVE_S: Final = 2.0
"""From the end of the pipe to the end of the process; then it is killed."""


class ProcessGone(Exception):
    """The session process has ended before it answered."""


class LiveSession:
    """A session from the moment its account is claimed until its process has ended."""

    def __init__(
        self,
        folder: Folder,
        epoch: int,
        environment: str,
        tell: Callable[[Notice], None],
        over: Callable[["LiveSession"], None],
    ) -> None:
        """Claim; `start` brings the process. `tell` takes news for the owner, `over` is called once at the end."""
        self.folder = folder
        self.epoch = epoch
        self.pid = 0
        self.keys: AccountKeys
        self.record: Record
        self.expected = False
        """The end was asked for, so it is no news."""
        self.worthless = False
        """No device is linked to what is in the folder (any more)."""
        self.held = False
        """Somebody still works on the folder: it stays claimed past the end of the process, until they release it."""
        self.ended = asyncio.Event()
        """The process has ended."""
        self.released = asyncio.Event()
        """The account is free again; set by the registry."""
        self._environment = environment
        self._tell = tell
        self._over = over
        self._doomed = False
        self._last_word: Notice | None = None
        self._pipe: socket.socket | None = None
        self._pidfd = -1
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._orders: dict[int, asyncio.Future[Result]] = {}
        self._last_id = 0
        self._writing = asyncio.Lock()
        self._sealing = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None

    async def start(self, nursery: Nursery, keys: AccountKeys, record: Record, task: Start) -> None:
        """Fork the process and give it its first order. Raises CallFailed, ProcessGone."""
        self.keys, self.record = keys, record
        if self._doomed:
            raise ProcessGone
        try:
            self.pid, self._pipe = await nursery.fork(self._exited)
        except NurseryClosed:
            raise ProcessGone from None
        try:
            self._pidfd = os.pidfd_open(self.pid) if hasattr(os, "pidfd_open") else -1
        except ProcessLookupError:
            self._pidfd = -1  # it has ended already, which the pipe will tell
        self.remember(record_pid=True)
        self._reading = asyncio.create_task(self._read(self._pipe.dup()))
        if self._doomed:
            self.kill()
        await self.order(task, START_S)

    def kill(self) -> None:
        """End the process at once, or keep it from starting."""
        self._doomed = True
        if self.pid == 0 or self._status.done():
            return
        try:
            if self._pidfd >= 0:
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    async def leave(self) -> None:
        """Give a process that was told to stop its time to leave; then kill it."""
        if self._reading is None:
            return
        try:
            async with asyncio.timeout(LEAVE_S):
                await self.ended.wait()
        except TimeoutError:
            self.kill()

    async def order(self, task: Task, deadline_s: float) -> Result:
        """Have the process do `task`. A process that does not answer in time hangs, and is killed.

        Raises CallFailed with the process's code or timeout; ProcessGone.
        """
        if self._reading is None or self.ended.is_set():
            raise ProcessGone
        self._last_id += 1
        order_id = self._last_id
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._orders[order_id] = answer
        try:
            async with asyncio.timeout(deadline_s):
                await self._write(Order(order_id, task))
                return await answer
        except TimeoutError:
            self.kill()
            raise CallFailed(Code.TIMEOUT) from None
        finally:
            del self._orders[order_id]

    async def _write(self, order: Order) -> None:
        assert self._pipe is not None
        buffer = frame(order)
        try:
            # Not through a transport: it could keep a copy, and this frame may hold a text.
            async with self._writing:
                await asyncio.get_running_loop().sock_sendall(self._pipe, buffer)
        except OSError:
            raise ProcessGone from None
        except BaseException:
            self.kill()  # half a frame may be on the pipe
            raise
        finally:
            buffer[:] = bytes(len(buffer))

    def remember(self, *, record_pid: bool = False, attempt: bytes | None = None) -> None:
        """Note on tmpfs, before it matters, the process that works on the store, or a send that is about to begin.

        Raises ProcessGone if the folder is gone, which only happens when the session is over.
        """
        if record_pid:
            self.record = self.record.run_by(self.pid)
        if attempt is not None:
            self.record = self.record.attempted(attempt)
        try:
            self.folder.write(self.record)
        except FileNotFoundError:
            raise ProcessGone from None

    async def seal(self, snapshot: Snapshot, *, clean: bool) -> SealedStore:
        """Seal a snapshot as the next version. Raises CallFailed(store_too_large), ProcessGone."""
        async with self._sealing:
            try:
                return await self._seal(Path(snapshot.path), clean)
            except FileNotFoundError:
                raise ProcessGone from None  # the folder went meanwhile, and the session with it
            except StoreRefused as refused:
                raise CallFailed(refused.code) from None

    async def _seal(self, path: Path, clean: bool) -> SealedStore:
        version, since = self.record.version + 1, self.record.continuous_since

        def read_and_seal() -> SealedStore:
            store = OpenedStore(self.folder.take(path), since)
            return seal_store(
                self.keys.state,
                account=self.folder.account,
                environment=self._environment,
                version=version,
                clean=clean,
                store=store,
            )

        sealed = await asyncio.to_thread(read_and_seal)
        if self.ended.is_set() and not self.expected:
            # The folder may have a new session already, which counts its own versions.
            raise ProcessGone
        self.record = self.record.sealed(sealed)
        self.folder.write(self.record)
        return sealed

    async def _read(self, pipe: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=pipe)
        try:
            while (report := await read_report(reader)) is not None:
                await self._take(report)
        except BadFrame:
            self.kill()
        except (ProcessGone, CallFailed):
            self.kill()  # the store of a new device could not be sealed: without it the device is lost anyway
        finally:
            writer.close()
        try:
            async with asyncio.timeout(LEAVE_S):
                await asyncio.shield(self._status)
        except TimeoutError:
            self.kill()
        self._conclude(await self._status)

    async def _take(self, report: Report) -> None:
        match report:
            case Answered(id=order_id, result=result):
                if (answer := self._orders.get(order_id)) and not answer.done():
                    answer.set_result(result)
            case Refusal(id=order_id, code=code):
                if (answer := self._orders.get(order_id)) and not answer.done():
                    answer.set_exception(CallFailed(code))
            case Told(notice=DevicePaired() as device):
                store = await self.seal(device.snapshot, clean=False)
                self.worthless = False
                self._tell(Paired(jid=device.jid, lid=device.lid, platform=device.platform, store=store))
            case Told(notice=PairFailed() as failed):
                # Its owner hears of it when the process has gone, and may try again at once.
                self._last_word, self.expected = failed, True
                self.kill()
            case Told(notice=notice) if not isinstance(notice, DevicePaired):
                self.worthless = self.worthless or isinstance(notice, LoggedOut)
                self._tell(notice)

    def _exited(self, status: int) -> None:
        if not self._status.done():
            self._status.set_result(status)

    def _conclude(self, status: int) -> None:
        assert self._pipe is not None
        self._pipe.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
        self.ended.set()
        for answer in self._orders.values():
            if not answer.done():
                answer.set_exception(ProcessGone())
        self._over(self)
        if self._last_word is not None:
            self._tell(self._last_word)
        elif not self.expected:
            self._tell(Ended(status=status))
