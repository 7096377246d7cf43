"""Drives session processes over their pipe, as the broker does."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TypeVar

from enclave.session.nursery import Nursery
from enclave.session.pipe import (
    Answered,
    Order,
    Refusal,
    Report,
    Result,
    SessionNotice,
    Start,
    Task,
    Told,
    frame,
    read_report,
)
from enclave.wire.envelope import Code
from tests.waiting import Signals

N = TypeVar("N", bound=SessionNotice)
NOWHERE = "http://127.0.0.1:9"


class Line:
    """The broker's end of one session's pipe."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, folder: Path) -> None:
        self.pid = pid
        self.folder = folder
        self.notices: list[SessionNotice] = []
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Result | Code]] = {}
        self._signals = Signals()
        self._taken: set[int] = set()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while (report := await read_report(self._reader)) is not None:
            self._take(report)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(EOFError("the session ended"))
        self._writer.close()

    def _take(self, report: Report) -> None:
        match report:
            case Told(notice):
                self.notices.append(notice)
                self._signals.notify()
            case Answered(number, result):
                self._answers[number].set_result(result)
            case Refusal(number, code):
                self._answers[number].set_result(code)

    async def ask(self, task: Task, wait_s: float = 30.0) -> Result | Code:
        """The answer to one order, or the code it failed with."""
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._writer.write(frame(Order(number, task)))
        return await asyncio.wait_for(self._answers[number], wait_s)

    async def start(self, driver: str = "null", jid: str = "", phone: str = "", proxy: str = NOWHERE,
                    drop_ratchets: bool = False) -> Result | Code:  # fmt: skip
        """Order `Start`."""
        order = Start(
            driver=driver,
            folder=str(self.folder),
            jid=jid,
            phone=phone,
            proxy_url=proxy,
            drop_ratchets=drop_ratchets,
        )
        return await self.ask(order)

    async def told(self, kind: type[N], when: Callable[[N], bool] = lambda _: True, wait_s: float = 20.0) -> N:
        """The first notice of a kind (and condition) that `told` has not returned yet."""

        def look() -> N | None:
            for place, notice in enumerate(self.notices):
                if place not in self._taken and isinstance(notice, kind) and when(notice):
                    self._taken.add(place)
                    return notice
            return None

        found = await self._signals.until(look, kind.__name__, wait_s)
        assert found is not None
        return found

    async def ended(self, wait_s: float = 20.0) -> int:
        """Its exit status."""
        return await asyncio.wait_for(asyncio.shield(self.status), wait_s)

    async def hang_up(self) -> None:
        """Close the pipe."""
        self._writer.close()
        self._listening.cancel()


async def open_line(nursery: Nursery, folder: Path) -> Line:
    """Fork a session process whose account folder is `folder`."""
    statuses: list[int] = []
    waiting: list[asyncio.Future[int]] = []

    def on_exit(status: int) -> None:
        statuses.append(status)
        for future in waiting:
            if not future.done():
                future.set_result(status)

    pid, pipe = await nursery.fork(on_exit)
    reader, writer = await asyncio.open_unix_connection(sock=pipe)
    line = Line(pid, reader, writer, folder)
    waiting.append(line.status)
    if statuses and not line.status.done():
        line.status.set_result(statuses[0])
    return line


@contextlib.asynccontextmanager
async def lines(nursery: Nursery) -> AsyncGenerator[Callable[[Path], "asyncio.Future[Line]"]]:
    """Opens lines and hangs them all up at the end."""
    opened: list[Line] = []

    async def open_one(folder: Path) -> Line:
        opened.append(await open_line(nursery, folder))
        return opened[-1]

    yield lambda folder: asyncio.ensure_future(open_one(folder))
    for line in opened:
        await line.hang_up()
        await line.ended()
