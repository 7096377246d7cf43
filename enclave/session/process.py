"""The session process: one account, one client, orders in, reports out, every order under its own deadline.

The zygote's child calls `run`. The process holds nothing after its end: its store lies on tmpfs, the rest is gone with
it. A client call that hangs cannot be cancelled, so the process leaves by os._exit without waiting for threads.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec

from enclave.session.driver import Driver, DriverRefused, Surroundings
from enclave.session.neonize_driver import NeonizeDriver
from enclave.session.null_driver import NullDriver
from enclave.session.pipe import (
    ORDERS,
    Answered,
    BadFrame,
    FindSecret,
    Logout,
    LookUpNumber,
    Order,
    ReadContacts,
    ReadGroups,
    ReadPicture,
    Refusal,
    Report,
    Result,
    SecretFound,
    SendText,
    SessionNotice,
    Start,
    Started,
    Stop,
    Stopped,
    TakeSnapshot,
    Task,
    Told,
    frame,
    payload_bytes,
)
from enclave.wire.answers import Certainty, Done, NotSent, SendTrouble
from enclave.wire.envelope import Code
from enclave.wire.limits import SEND_DEADLINE_S
from enclave.wire.news import PairFailed

EXIT_ORDERLY: Final = 0
EXIT_PAIRING_ENDED: Final = 3
"""PairFailed was told."""
EXIT_DEADLINE: Final = 4
"""A send, a stop or a logout hung: the client cannot be trusted any more."""
EXIT_PIPE: Final = 5
"""The broker has gone or broke the protocol."""
EXIT_REFUSED: Final = 6
"""`Start` was refused."""
EXIT_BUG: Final = 70

EXECUTOR_THREADS: Final = 4
REPORTS_WAITING_MAX: Final = 10_000
FLUSH_DEADLINE_S: Final = 2.0

DEADLINES_S: Final[dict[type[Task], float]] = {
    Start: 20.0,
    SendText: float(SEND_DEADLINE_S),
    FindSecret: 10.0,
    TakeSnapshot: 20.0,
    Stop: 10.0,
    Logout: 20.0,
    ReadContacts: 10.0,
    ReadGroups: 60.0,
    ReadPicture: 20.0,
    LookUpNumber: 20.0,
}

DRIVERS: Final[dict[str, Callable[[Surroundings, Callable[[], None] | None], Driver]]] = {
    "neonize": NeonizeDriver,
    "null": NullDriver,
}


def run(descriptor: int, after_load: Callable[[], None] | None) -> int:
    """Serve the pipe on `descriptor` until it is over; returns the exit status. `after_load`: see `enclave.zygote`."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(EXECUTOR_THREADS))
    pipe = socket.socket(fileno=descriptor)
    pipe.setblocking(False)
    return loop.run_until_complete(Session(loop, pipe, after_load).live())


class Session:
    """The one session of this process."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pipe: socket.socket, after_load: Callable[[], None] | None
    ) -> None:
        """`pipe`: our end of the socketpair, non-blocking."""
        self._loop = loop
        self._pipe = pipe
        self._after_load = after_load
        self._driver: Driver | None = None
        self._reports: asyncio.Queue[Report] = asyncio.Queue(REPORTS_WAITING_MAX)
        self._leaving: asyncio.Future[int] = loop.create_future()
        self._running: set[asyncio.Task[None]] = set()

    async def live(self) -> int:
        """Serve until somebody says leave; then what was reported still goes out. Returns the exit status."""
        self._loop.set_exception_handler(self._crash)
        writing = asyncio.create_task(self._write_reports())
        self.spawn(self._take_orders())
        status = await self._leaving
        if status not in (EXIT_PIPE, EXIT_BUG):
            try:
                async with asyncio.timeout(FLUSH_DEADLINE_S):
                    await self._reports.join()
            except TimeoutError:
                status = EXIT_PIPE
        writing.cancel()
        return status

    def tell(self, notice: SessionNotice) -> None:
        """Report a notice; see `Surroundings`."""
        self._reports.put_nowait(Told(notice))
        if isinstance(notice, PairFailed):
            self._leave(EXIT_PAIRING_ENDED)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`; see `Surroundings`."""
        task = self._loop.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        """An exception of any task ends the process; the zygote's child prints it, mostly to nowhere."""
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._leaving.done():
            self._leaving.set_exception(error)

    def _crash(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception in a callback, such as those of the client's events, is a bug too."""
        if not self._leaving.done():
            self._leaving.set_exception(context.get("exception") or RuntimeError(context["message"]))

    def _leave(self, status: int) -> None:
        """End the process with `status`, unless it is ending already."""
        if not self._leaving.done():
            self._leaving.set_result(status)

    async def _take_orders(self) -> None:
        """Read orders until the pipe ends. Each runs on its own, except `Start`, which is awaited first."""
        try:
            while (payload := await self._read_payload()) is not None:
                order = ORDERS.decode(payload)
                if (self._driver is None) != isinstance(order.task, Start):
                    raise BadFrame("out of order")
                if isinstance(order.task, Start):
                    self._driver = DRIVERS[order.task.driver](self, self._after_load)
                    await self._execute(order, payload)
                else:
                    self.spawn(self._execute(order, payload))
        except (BadFrame, msgspec.MsgspecError, ConnectionError):
            pass
        self._leave(EXIT_PIPE)

    async def _read_payload(self) -> bytearray | None:
        """The next payload in a buffer of our own, to be zeroed; None at the end of the pipe."""
        head = await self._read_exactly(struct.calcsize(">I"))
        return None if head is None else await self._read_exactly(payload_bytes(bytes(head)))

    async def _read_exactly(self, size: int) -> bytearray | None:
        """`size` bytes, or None when the pipe ends before."""
        buffer = bytearray(size)
        filled = 0
        with memoryview(buffer) as view:
            while filled < size:
                got = await self._loop.sock_recv_into(self._pipe, view[filled:])
                if got == 0:
                    return None
                filled += got
        return buffer

    async def _execute(self, order: Order, payload: bytearray) -> None:
        """Do one order under its deadline and report; zero what it brought."""
        assert self._driver is not None
        try:
            async with asyncio.timeout(DEADLINES_S[type(order.task)]):
                result = await _perform(self._driver, order.task)
        except TimeoutError:
            if isinstance(order.task, SendText):
                late = NotSent(certainty=Certainty.MAYBE, trouble=SendTrouble.DEADLINE, server_code=0)
                self._reports.put_nowait(Answered(order.id, late))
                self._leave(EXIT_DEADLINE)
            else:
                self._refuse(order, Code.TIMEOUT)
                if isinstance(order.task, Logout):
                    self._leave(EXIT_DEADLINE)
        except DriverRefused as refused:
            self._refuse(order, refused.code)
        else:
            self._reports.put_nowait(Answered(order.id, result))
            if isinstance(order.task, Stop | Logout):
                self._leave(EXIT_ORDERLY)
        finally:
            payload[:] = bytes(len(payload))

    def _refuse(self, order: Order, code: Code) -> None:
        """Report that an order failed."""
        self._reports.put_nowait(Refusal(order.id, code))
        if isinstance(order.task, Start):
            self._leave(EXIT_REFUSED)
        elif isinstance(order.task, Stop):
            self._leave(EXIT_DEADLINE)

    async def _write_reports(self) -> None:
        """Put reports on the pipe, one after another."""
        while True:
            report = await self._reports.get()
            try:
                await self._loop.sock_sendall(self._pipe, frame(report))
            except ConnectionError:
                self._leave(EXIT_PIPE)
                return
            self._reports.task_done()


async def _perform(driver: Driver, task: Task) -> Result:
    """One order on the driver."""
    match task:
        case Start():
            await driver.start(task)
            return Started()
        case SendText(recipient=recipient, secret=secret, text=text):
            return await driver.send_text(recipient, secret, text)
        case FindSecret(secret=secret):
            return SecretFound(wa_id=await driver.find_secret(secret))
        case TakeSnapshot():
            return await driver.take_snapshot()
        case Stop():
            return Stopped(snapshot=await driver.stop())
        case Logout():
            await driver.logout()
            return Done()
        case ReadContacts(after=after, limit=limit):
            return await driver.read_contacts(after, limit)
        case ReadGroups():
            return await driver.read_groups()
        case ReadPicture(jid=jid, known_id=known_id):
            return await driver.read_picture(jid, known_id)
        case LookUpNumber(phone=phone):
            return await driver.look_up_number(phone)
