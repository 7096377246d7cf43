"""The simulator as a whole: listeners, world, persistence. ``async with Simulator(folder) as sim:`` in tests, or a
process.

One loopback port is the proxy (CONNECT), the service behind it, and the control interface; a second one is the service
directly over TLS, for clients without a proxy setting (docs/whatsapp.md §14).
"""

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from simulator import linking, pairing, people
from simulator.certificates import Trust, open_trust
from simulator.connection import Connection, is_upgrade
from simulator.control import Control
from simulator.dictionary import installed
from simulator.http import Answer, HttpError, read_request
from simulator.hub import Hub
from simulator.login import kick
from simulator.media_store import MediaStore
from simulator.pages import Pages
from simulator.saved import Folder
from simulator.world import Entry, Phone, World

HOST = "127.0.0.1"
SERVICE_HOSTS = (".whatsapp.com", ".whatsapp.net")
MEDIA_HOST = "mmg.whatsapp.net"
SAVE_DELAY_S = 0.25
SAVE_STEP_S = 0.01
BACKLOG = 1_024
TLS_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0


class SimulatorError(RuntimeError):
    """The simulator cannot start."""


class Simulator:
    """A local WhatsApp on loopback, its state in ``folder``. ``port`` and ``tls_port`` 0 choose free ones."""

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        tls_port: int = 0,
        seed: int = 0,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._folder = folder
        self.port = port
        self.tls_port = tls_port
        self.world = World(random_bytes)
        self.hub = Hub(self.world, self._call_later, seed)
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._dirty: dict[str, Phone] = {}
        self._groups_dirty = False
        self._save_timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> "Simulator":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def proxy(self) -> str:
        """The address for a client's proxy setting; also the base of the control interface."""
        return f"http://{HOST}:{self.port}"

    @property
    def ca_file(self) -> Path:
        """The authority that a client's environment must trust."""
        return self._trust.ca_file

    @property
    def root_key(self) -> bytes:
        """The Noise root key (32 bytes) that a client must trust."""
        return self._trust.root_key

    async def start(self) -> None:
        """Load the world and listen. SimulatorError if another simulator uses the folder, OSError if a
        port is taken."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (self._folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise SimulatorError("another simulator uses this folder") from None
        installed()
        self._trust: Trust = open_trust(self._folder / "trust")
        self._saved = Folder(self._folder / "phones")
        self._media = MediaStore(self._folder / "media")
        self.hub.media = self._media
        self._saved.load(self.world)
        self.world.changed = self._note_change
        self.world.groups_changed = self._note_groups_change
        self._pages = Pages(self.hub)
        self._control = Control(self.hub, self.set_listening)
        try:
            await self._listen()
        except OSError:
            await self.stop()
            raise

    async def _listen(self) -> None:
        front = await asyncio.start_server(self._front, HOST, self.port, backlog=BACKLOG)
        self._servers.append(front)
        self.port = front.sockets[0].getsockname()[1]
        direct = await asyncio.start_server(self._direct, HOST, self.tls_port, ssl=self._trust.tls, backlog=BACKLOG)
        self._servers.append(direct)
        self.tls_port = direct.sockets[0].getsockname()[1]

    def make_phone(self, number: str, name: str) -> Phone:
        """A simulated person; the same one again if the number is known."""
        return self.world.make(number, name)

    def scan(self, number: str, qr_text: str) -> int:
        """That phone scans a code; gives the new device's number. WorldError as ``pairing.scan``."""
        return pairing.scan(self.hub, self.world.phone(number), qr_text)

    def enter_code(self, number: str, code: str) -> None:
        """The person types a client's eight characters on that phone. WorldError as ``linking.enter_code``."""
        linking.enter_code(self.hub, self.world.phone(number), code)

    def unlink(self, number: str) -> None:
        """The person unlinks all devices of that phone."""
        phone = self.world.phone(number)
        for device in list(phone.companions):
            pairing.unlink(self.hub, phone, device)

    def kick(self, number: str, **fault: Any) -> int:
        """Strike the phone's live connections now (fields as of an ``after_login`` fault); gives how many."""
        return kick(self.hub, self.world.phone(number), fault)

    def say(self, number: str, to: str, text: str) -> str:
        """A phone writes to another number; gives the message id."""
        return people.say(self.hub, self.world.phone(number), to, text)

    def inbox(self, number: str) -> list[Entry]:
        """What others wrote to that phone, and what it could not decrypt."""
        return [entry for entry in self.world.phone(number).entries if not entry.own]

    def set_listening(self, listening: bool) -> None:
        """Serve clients, or be gone for them: live ones are cut off and new ones refused; control stays."""
        self.hub.settings.listening = listening
        if not listening:
            for link in list(self.hub.links):
                link.abort()

    async def stop(self) -> None:
        """Close everything, save the world. Clients see a lost connection."""
        for server in self._servers:
            server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_TIMEOUT_S)
        for phone in self.world:
            self.hub.set_offline(phone, offline=False)  # what waits for it is in memory only
        self._save_all()
        self._lock.close()

    def _call_later(self, delay_s: float, then: Callable[[], None]) -> asyncio.Handle:
        loop = asyncio.get_running_loop()
        return loop.call_later(delay_s, then) if delay_s > 0 else loop.call_soon(then)

    def _note_change(self, phone: Phone) -> None:
        self._dirty[phone.number] = phone
        self._save_soon()

    def _note_groups_change(self) -> None:
        self._groups_dirty = True
        self._save_soon()

    def _save_soon(self) -> None:
        if self._save_timer is None:
            self._save_timer = asyncio.get_running_loop().call_later(SAVE_DELAY_S, self._save_next)

    def _save_next(self) -> None:
        """Save one thing, then let the loop breathe: many changed phones at once must not hold up a login."""
        self._save_timer = None
        if self._groups_dirty:
            self._groups_dirty = False
            self._saved.save_groups(self.world.groups)
        elif self._dirty:
            self._saved.save(self._dirty.pop(next(iter(self._dirty))))
        if self._dirty:
            self._save_timer = asyncio.get_running_loop().call_later(SAVE_STEP_S, self._save_next)

    def _save_all(self) -> None:
        if self._save_timer is not None:
            self._save_timer.cancel()
        while self._groups_dirty or self._dirty:
            self._save_next()
            if self._save_timer is not None:
                self._save_timer.cancel()

    async def _front(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._guarded(writer, self._serve_front(reader, writer))

    async def _direct(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._guarded(writer, self._serve_service(reader, writer, f"{HOST}:{self.tls_port}"))

    async def _guarded(self, writer: asyncio.StreamWriter, serving) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await serving
        except (HttpError, ConnectionError, TimeoutError, OSError) as error:
            self.hub.journal.add("network_error", why=type(error).__name__)
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def _serve_front(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            if request.method != "CONNECT":
                answer = self._pages.answer(request) or await self._control.answer(request)
                writer.write(answer.encode())
                await writer.drain()
                continue
            host, _, port = request.target.rpartition(":")
            if not self.hub.settings.listening:
                writer.transport.abort()
                return
            if port != "443" or not host.endswith(SERVICE_HOSTS):
                self.hub.journal.add("foreign_connect")
                writer.write(Answer(403).encode())
                return
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await writer.drain()
            async with asyncio.timeout(TLS_TIMEOUT_S):
                await writer.start_tls(self._trust.tls)
            await self._serve_service(reader, writer, MEDIA_HOST)
            return

    async def _serve_service(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, media_host: str) -> None:
        while self.hub.settings.listening and (request := await read_request(reader)) is not None:
            if is_upgrade(request):
                await Connection(self.hub, self._trust, reader, writer, media_host).run(request)
                return
            writer.write(self._media.answer(request, media_host).encode())
            await writer.drain()
