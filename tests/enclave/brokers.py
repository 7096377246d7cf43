"""A real broker with its real zygote and null-driver sessions, and a host that remembers what it heard."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from enclave.sealer import seal
from enclave.wire.answers import AccountKey, Answer, Closed, Ingested, Opened, SealedStore
from enclave.wire.envelope import Code, News
from enclave.wire.news import Paired
from enclave.wire.operations import (
    CloseSession,
    Ingest,
    NewAccountKey,
    OpenSession,
    Operation,
    PairSession,
    Send,
)
from enclave.wire.sealing import Binding, recipient_hash
from store.door import Door, DoorFailed
from tests.waiting import Signals, eventually

REPOSITORY = Path(__file__).parents[2]
START_S = 30.0
END_S = 20.0
ACCOUNT = "00000000-0000-4000-8000-000000000001"
SCHEDULE = "00000000-0000-4000-8000-0000000000aa"
RECIPIENT = "491510000001@s.whatsapp.net"
VALID_S = 3600

T = TypeVar("T")


class Broker:
    """The enclave's process. `folder` must be short, private and the test's own."""

    def __init__(self, folder: Path, *, driver: str = "null", **setup: object) -> None:
        """`setup`: further arguments of `enclave.broker.main`."""
        self.folder = folder
        self.socket = folder / "door"
        self.tmpfs = folder / "live"
        self.log = folder / "log"
        self._setup = {"driver": driver, **setup}
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        (self.folder / "state").mkdir(mode=0o700, exist_ok=True)
        return {
            "PATH": os.defpath,
            "AUTOSENDR_ENCLAVE_SOCKET": str(self.socket),
            "AUTOSENDR_EGRESS_SOCKET": str(self.folder / "egress"),
            "AUTOSENDR_STATE": str(self.folder / "state"),
            "AUTOSENDR_TMPFS": str(self.tmpfs),
        }

    async def start(self) -> dict[str, object]:
        """Start it; return its ready line."""
        ours, theirs = os.pipe()
        line = f"from enclave.broker import main; main(**{self._setup!r})"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - exec itself does not wait
                [sys.executable, "-c", line],
                env={**self.environment(), "AUTOSENDR_READY_FD": str(theirs)},
                cwd=REPOSITORY,
                pass_fds=[theirs],
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        os.close(theirs)
        with os.fdopen(ours) as ready:
            async with asyncio.timeout(START_S):
                told = await asyncio.to_thread(ready.readline)
        assert told, self.log.read_text()
        return json.loads(told)

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; return its exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return await asyncio.to_thread(self.process.wait, END_S)

    def leftovers(self) -> list[str]:
        """Accounts that have a folder."""
        return sorted(path.name for path in self.tmpfs.iterdir())


class Host:
    """A supervisor in small: one connection, its news, the newest store and version, as the host would keep them."""

    def __init__(self, broker: Broker, account: str = ACCOUNT) -> None:
        self.broker = broker
        self.account = account
        self.heard: list[News] = []
        self.signals = Signals()
        self.door: Door
        self.key = b""
        self.store: SealedStore | None = None
        self.jid = ""

    async def connect(self, *, owner: bool = True) -> "Host":
        self.door = await Door.open(self.broker.socket, owner=owner, on_news=self._hear)
        return self

    def _hear(self, news: News) -> None:
        self.heard.append(news)
        self.signals.notify()

    async def hear(self, kind: type[T]) -> T:
        """Wait for the next news of `kind`; forget what came before it."""
        return await self.hear_when(kind, lambda _: True)

    async def hear_when(self, kind: type[T], when: Callable[[T], bool]) -> T:
        """Wait for the next news of `kind` with that condition."""

        def found() -> T | None:
            for at, news in enumerate(self.heard):
                if isinstance(news.notice, kind) and when(news.notice):
                    del self.heard[: at + 1]
                    return news.notice
            return None

        notice = await self.signals.until(found, f"news {kind.__name__}")
        assert notice is not None
        return notice

    async def call(self, operation: Operation, kind: type[T]) -> T:
        answer: Answer = await self.door.call(operation)
        assert isinstance(answer, kind), answer
        return answer

    async def pair(self, epoch: int = 1) -> None:
        """Make a key, start to pair."""
        self.key = (await self.call(NewAccountKey(account=self.account), AccountKey)).wrapped_key
        await self.call(PairSession(account=self.account, epoch=epoch, wrapped_key=self.key, phone=""), Opened)

    async def take_pairing(self) -> None:
        """Wait for the new device, keep its first store."""
        paired = await self.hear(Paired)
        self.store, self.jid = paired.store, paired.jid

    async def link(self, epoch: int = 1) -> None:
        """Pair the null driver's device."""
        await self.pair(epoch)
        await self.take_pairing()

    async def wake(self, epoch: int = 1, *, dirty: bool = False) -> Opened:
        """Open a session on the newest store."""
        operation = OpenSession(
            account=self.account, epoch=epoch, wrapped_key=self.key, jid=self.jid, store=self.store, dirty=dirty
        )
        return await self.call(operation, Opened)

    async def close_session(self, epoch: int = 1) -> SealedStore | None:
        """Close the session; its store."""
        return (await self.call(CloseSession(account=self.account, epoch=epoch), Closed)).store

    async def put_to_sleep(self, epoch: int = 1) -> SealedStore:
        """Close the session and keep its store, which must be newer than ours."""
        store = await self.close_session(epoch)
        assert store is not None
        assert self.store is None or store.version > self.store.version
        self.store = store
        return store

    async def body(self, text: str = "hello", *, recipient: str = RECIPIENT, secret: bytes = bytes(32)) -> Send:
        """Seal and ingest a text; return the Send for it in epoch 1."""
        account = self.account
        binding = Binding(
            environment=self.door.welcome.environment,
            account=account,
            schedule=SCHEDULE,
            recipient_hash=recipient_hash(account, recipient),
            not_after_s=int(time.time()) + VALID_S,
        )
        sealed = seal(self.door.welcome.seal_public_key, binding, text)
        operation = Ingest(
            account=account,
            wrapped_key=self.key,
            binding=binding,
            kid=self.door.welcome.seal_kid,
            envelope=sealed.envelope,
            body=sealed.body,
        )
        kept = (await self.call(operation, Ingested)).content_key
        return Send(
            account=account,
            epoch=1,
            attempt="a",
            secret=secret,
            recipient=recipient,
            binding=binding,
            content_key=kept,
            body=sealed.body,
        )


async def code_of(host: Host, operation: object) -> Code:
    with pytest.raises(DoorFailed) as failed:
        await host.door.call(operation)  # ty: ignore[invalid-argument-type]
    return failed.value.code


async def reopened(broker: Broker, host: Host) -> Host:
    """The same host on a new connection, as after a restart of the supervisor."""
    await host.door.close()
    again = await Host(broker, host.account).connect()
    again.key, again.store, again.jid = host.key, host.store, host.jid
    return again


async def wait_free(host: Host, epoch: int) -> Opened:
    """Wake, dirty, as soon as the account is free: the end of a connection is not an answered call."""

    async def look() -> Opened | None:
        try:
            return await host.wake(epoch, dirty=True)
        except DoorFailed as failed:
            if failed.code is not Code.SESSION_EXISTS:
                raise
            return None

    opened = await eventually(look, "the end of the session before")
    assert opened is not None
    return opened


def pid_lives_other_than(pid: int, broker: Broker) -> bool:
    """Whether the zygote has a second session process."""
    assert broker.process is not None
    (zygote,) = children(broker.process.pid)
    return children(zygote) != [pid]


def runs(pid: int) -> bool:
    """Whether the process exists and is more than an entry that nobody has read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
