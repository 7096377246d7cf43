"""The broker's hold on the zygote: start it, have it fork, learn who ended."""

import array
import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Self

from enclave.session.library import BOT_TAG
from enclave.session.pipe import (
    ZYGOTE_WORDS,
    BadFrame,
    Exited,
    Fork,
    Forked,
    Ready,
    frame,
    read_payload,
)

READY_DEADLINE_S: Final = 30.0
FORK_DEADLINE_S: Final = 10.0
CLOSE_DEADLINE_S: Final = 5.0
_ROOT: Final = Path(__file__).resolve().parents[2]


class NurseryClosed(Exception):
    """The zygote is gone; every session process died with it."""


class Nursery:
    """A running zygote. Make it with `start`, from the main thread: the zygote dies with the thread that started it."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        """Use `start`."""
        self.pid = process.pid
        self.gone = asyncio.Event()
        self._process = process
        self._channel = channel
        self._one_at_a_time = asyncio.Lock()
        self._forked: asyncio.Future[int] | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers: dict[int, Callable[[int], None]] = {}
        self._ended_early: dict[int, int] = {}
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        *,
        certificates: str = "",
        after_load: str = "",
        hook_environment: Mapping[str, str] | None = None,
        observed: bool = False,
    ) -> Self:
        """Start a zygote and wait until it has imported everything. Raises NurseryClosed.

        `certificates`: path of the CA file that replaces the system's ("" for the system's); the Go library sees it
        only this way. `after_load`: "module:function", called in every session process once the library is loaded;
        demo and tests alone pass it, with what it needs in `hook_environment`. `observed`: sessions write to our
        stderr and their memory use is ours to read; tests and benches alone pass it.
        """
        ours, theirs = socket.socketpair()
        arguments = [str(os.getpid()), str(theirs.fileno()), str(int(observed)), after_load]
        process = subprocess.Popen(  # noqa: ASYNC220 - exec itself does not wait for anything
            [sys.executable, "-m", "enclave.zygote", *arguments],
            env={**(hook_environment or {}), **_environment(certificates)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            process_group=0,
        )
        theirs.close()
        ours.setblocking(False)
        nursery = cls(process, ours)
        reader, writer = await asyncio.open_unix_connection(sock=ours.dup())
        nursery._listening = asyncio.create_task(nursery._listen(reader, writer))
        try:
            async with asyncio.timeout(READY_DEADLINE_S):
                await asyncio.shield(nursery._ready)
        except (NurseryClosed, TimeoutError):
            await nursery.close()
            raise NurseryClosed from None
        return nursery

    async def fork(self, on_exit: Callable[[int], None]) -> tuple[int, socket.socket]:
        """A new session process: its pid and our end of its pipe (non-blocking). Raises NurseryClosed.

        `on_exit` is called once with its exit status (minus the signal, if one ended it), on the event loop.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            async with self._one_at_a_time:
                pid = await self._fork_on(theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        if pid in self._ended_early:
            asyncio.get_running_loop().call_soon(on_exit, self._ended_early.pop(pid))
        else:
            self._watchers[pid] = on_exit
        return pid, ours

    async def _fork_on(self, theirs: socket.socket) -> int:
        """Send the order with the descriptor and wait for the pid."""
        if self.gone.is_set():
            raise NurseryClosed
        self._forked = asyncio.get_running_loop().create_future()
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))
        try:
            # One frame of a few bytes, and never a second in flight: the socket buffer always takes it whole.
            self._channel.sendmsg([frame(Fork())], [rights])
            async with asyncio.timeout(FORK_DEADLINE_S):
                return await self._forked
        except (OSError, TimeoutError):
            raise NurseryClosed from None
        finally:
            self._forked = None

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the zygote's words until it has gone; then everybody has ended."""
        try:
            while (payload := await read_payload(reader)) is not None:
                match ZYGOTE_WORDS.decode(payload):
                    case Ready():
                        self._ready.set_result(None)
                    case Forked(pid=pid) if self._forked is not None:
                        self._forked.set_result(pid)
                    case Exited(pid=pid, status=status):
                        self._tell_exit(pid, status)
        except BadFrame:
            pass  # it was killed while it wrote: the same as gone
        finally:
            writer.close()
            self.gone.set()
            for waiting in (self._ready, self._forked):
                if waiting is not None and not waiting.done():
                    waiting.set_exception(NurseryClosed())
            for pid in list(self._watchers):
                self._tell_exit(pid, -9)

    def _tell_exit(self, pid: int, status: int) -> None:
        """Tell who waits for `pid`; a process may end before `fork` has returned its pid."""
        watcher = self._watchers.pop(pid, None)
        if watcher is None:
            self._ended_early[pid] = status
        else:
            watcher(status)

    async def close(self) -> None:
        """End the zygote and with it every session process; returns when the zygote is gone."""
        self._channel.close()
        self._process.terminate()
        try:
            await asyncio.wait_for(asyncio.to_thread(self._process.wait, CLOSE_DEADLINE_S), CLOSE_DEADLINE_S + 1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._listening is not None:
            await self._listening


def _environment(certificates: str) -> dict[str, str]:
    """All that the zygote, and so the Go library, sees of our environment."""
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(_ROOT),
        "MALLOC_ARENA_MAX": "1",
        BOT_TAG: "off",
    }
    if certificates:
        environment["SSL_CERT_FILE"] = certificates
    return environment
