"""What benches of real sessions stand on: a simulated WhatsApp, an enclave, the relay, linked accounts."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import httpx
import msgspec

from enclave.sealer import seal
from enclave.wire.answers import AccountKey, Closed, ContactPage, Ingested, Opened, SealedStore
from enclave.wire.envelope import News
from enclave.wire.news import Connected, Drained, Paired, QrShown
from enclave.wire.operations import CloseSession, Ingest, ListContacts, NewAccountKey, OpenSession, PairSession, Send
from enclave.wire.sealing import Binding, recipient_hash
from standalone.children import bring_up
from standalone.demo_trust import ROOT_KEY
from standalone.plan import scratch_folder
from standalone.programs import Program
from store.database import new_id, new_secret
from store.door import Door
from supervisor.destinations import demo_of
from supervisor.relay import Relay

NEWS_S: Final = 60.0
PAIRED_S: Final = 20.0
"""From the scan to the first login. Now and then a client does not come back from the restart in between."""
CONTACTS_PER_ACCOUNT: Final = 100
SEAL_VALID_S: Final = 3600
CONTROL_S: Final = 30.0

N = TypeVar("N")


class Account(msgspec.Struct, kw_only=True):
    """A linked account as the bench's host keeps it."""

    id: str
    number: str
    wrapped_key: bytes
    jid: str = ""
    store: SealedStore | None = None


class Sealed(NamedTuple):
    """A text as the host keeps it."""

    binding: Binding
    content_key: bytes
    body: bytes


class Rig:
    """The running parts. `control` speaks to the simulator, `door` to the enclave."""

    def __init__(
        self, folder: Path, simulator: Program, enclave: Program, control: httpx.AsyncClient, relay: Relay
    ) -> None:
        """`open_rig` makes it."""
        self.folder = folder
        self.door_socket = folder / "door.sock"
        self.relay_socket = folder / "egress.sock"
        self.simulator = simulator
        self.enclave = enclave
        self.control = control
        self.door: Door
        self._relay = relay
        self._news: dict[str, list[Any]] = {}
        self._came = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def enclave_pids(self) -> list[int]:
        """The enclave's processes: broker, zygote, sessions. For benches: sessions are children of the zygote."""
        found, new = [], [pid for pid in (self.enclave.pid,) if pid is not None]
        while new:
            found += new
            new = [child for pid in new for child in _children(pid)]
        return found

    def hear(self, news: News) -> None:
        """The door's callback: keep each notice."""
        self._news.setdefault(news.account, []).append(news.notice)
        task = asyncio.create_task(self._wake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wake(self) -> None:
        async with self._came:
            self._came.notify_all()

    async def notice(self, account: Account, kind: type[N]) -> N:
        """The next notice of `kind` about `account`; it and what came before it is forgotten."""
        await self.heard(account, kind)
        heard = self._news[account.id]
        for place, notice in enumerate(heard):
            if isinstance(notice, kind):
                del heard[: place + 1]
                return notice
        raise AssertionError("it was heard")

    async def heard(self, account: Account, *kinds: type, patience_s: float = NEWS_S) -> None:
        """Wait until a notice of each of `kinds` has come, in any order, and forget none. Raises TimeoutError."""
        async with asyncio.timeout(patience_s), self._came:
            while not set(kinds) <= {type(notice) for notice in self._news.get(account.id, [])}:
                await self._came.wait()

    async def phone(self, number: str, **fields: Any) -> None:
        """Make or change a simulated phone."""
        (await self.control.post("/phones", json={"number": number, **fields})).raise_for_status()

    async def link(self, number: str) -> Account:
        """Link a new account to the phone `number`, fetch its names, and put it to sleep. Raises TimeoutError."""
        key = await self.door.call(NewAccountKey(account=(name := str(new_id()))))
        assert isinstance(key, AccountKey)
        account = Account(id=name, number=number, wrapped_key=key.wrapped_key)
        await self.door.call(PairSession(account=name, epoch=1, wrapped_key=key.wrapped_key, phone=""))
        shown = await self.notice(account, QrShown)
        (await self.control.post(f"/phones/{number}/scan", json={"qr": shown.text})).raise_for_status()
        # Which is first depends on how fast the store was sealed.
        await self.heard(account, Paired, Connected, patience_s=PAIRED_S)
        paired = await self.notice(account, Paired)
        account.jid, account.store = paired.jid, paired.store
        await self._names(account)
        await self.sleep(account)
        return account

    async def _names(self, account: Account) -> None:
        async with asyncio.timeout(NEWS_S):
            while True:
                page = await self.door.call(ListContacts(account=account.id, epoch=1, after="", limit=1))
                assert isinstance(page, ContactPage)
                if page.names_synced and page.contacts:
                    return
                await asyncio.sleep(0.05)

    async def hand_over(self) -> None:
        """A supervisor is to relay and to own the sessions from now on; our door is that of a page."""
        await self.door.close()
        await self._relay.close()
        self.door = await Door.open(self.door_socket, owner=False, on_news=self.hear)

    async def wake(self, account: Account) -> Opened:
        """Open the account's session and wait until it is ready to send: logged in, its queue drained."""
        self._news.pop(account.id, None)
        opened = await self.door.call(
            OpenSession(
                account=account.id,
                epoch=1,
                wrapped_key=account.wrapped_key,
                jid=account.jid,
                store=account.store,
                dirty=False,
            )
        )
        assert isinstance(opened, Opened)
        await self.heard(account, Connected, Drained)
        return opened

    async def sleep(self, account: Account) -> None:
        """Close the session and keep its store."""
        closed = await self.door.call(CloseSession(account=account.id, epoch=1))
        assert isinstance(closed, Closed)
        account.store = closed.store

    async def seal(self, account: Account, schedule: UUID, recipient: str, text: str) -> Sealed:
        """A text that the enclave has taken in, as a page has it do."""
        binding = Binding(
            environment=self.door.welcome.environment,
            account=account.id,
            schedule=str(schedule),
            recipient_hash=recipient_hash(account.id, recipient),
            not_after_s=int(time.time()) + SEAL_VALID_S,
        )
        body = seal(self.door.welcome.seal_public_key, binding, text)
        ingested = await self.door.call(
            Ingest(
                account=account.id,
                wrapped_key=account.wrapped_key,
                binding=binding,
                kid=self.door.welcome.seal_kid,
                envelope=body.envelope,
                body=body.body,
            )
        )
        assert isinstance(ingested, Ingested)
        return Sealed(binding, ingested.content_key, body.body)

    async def sealed(self, account: Account, number: str, text: str) -> Send:
        """A sealed text that the enclave has taken in, ready to be sent."""
        recipient = f"{number}@s.whatsapp.net"
        sealed = await self.seal(account, UUID(int=1), recipient, text)
        return Send(
            account=account.id,
            epoch=1,
            attempt=str(new_id()),
            secret=new_secret(),
            recipient=recipient,
            binding=sealed.binding,
            content_key=sealed.content_key,
            body=sealed.body,
        )


@contextlib.asynccontextmanager
async def open_rig(*, enclave: str = "standalone.bench._observed_enclave") -> AsyncGenerator[Rig]:
    """Everything running in a scratch folder; nothing is left at the end."""
    folder = scratch_folder()
    (folder / "log").mkdir()
    (folder / "state").mkdir(mode=0o700)
    simulator = Program(
        "simulator", "simulator", folder / "log/simulator.log", dict, ("--state", str(folder / "world"))
    )
    variables = {
        "AUTOSENDR_ENCLAVE_SOCKET": str(folder / "door.sock"),
        "AUTOSENDR_EGRESS_SOCKET": str(folder / "egress.sock"),
        "AUTOSENDR_STATE": str(folder / "state"),
        "AUTOSENDR_TMPFS": str(live_folder(folder)),
    }
    program = Program(
        "enclave",
        enclave,
        folder / "log/enclave.log",
        lambda: {
            **variables,
            ROOT_KEY: str(simulator.facts["root_key"]),
            "SSL_CERT_FILE": str(simulator.facts["ca_file"]),
        },
    )
    relay = None
    try:
        bring_up(simulator)
        relay = Relay(folder / "egress.sock", demo_of(str(simulator.facts["proxy"]).removeprefix("http://")))
        await relay.start()
        bring_up(program)
        async with httpx.AsyncClient(
            base_url=str(simulator.facts["control"]), trust_env=False, timeout=CONTROL_S
        ) as control:
            rig = Rig(folder, simulator, program, control, relay)
            rig.door = await Door.open(rig.door_socket, owner=True, on_news=rig.hear)
            yield rig
            await rig.door.close()
    finally:
        program.stop()
        if relay is not None:
            await relay.close()
        simulator.stop()
        shutil.rmtree(live_folder(folder), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def live_folder(folder: Path) -> Path:
    """Where live stores lie: in memory where the machine has such a folder, like the product."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, made 0700 by the enclave
    return memory / folder.name if memory.is_dir() else folder / "live"
