"""Runs the web process: one event loop, one uvicorn server that lets go of open streams when told to end."""

import asyncio
import os
from types import FrameType

import msgspec
import uvicorn

from app.logs import open_log
from app.routes import make_app
from app.settings import Settings
from app.site import open_site

GRACE_S = 5
"""For answers under way; open streams end at once by themselves."""

BACKLOG = 2048


class Server(uvicorn.Server):
    """uvicorn, except that it says when it is told to end, and when it listens."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event, ready_fd: int | None) -> None:
        """`stopping` is set by SIGTERM or SIGINT; the ready line goes to `ready_fd`."""
        super().__init__(config)
        self._stopping = stopping
        self._ready_fd = ready_fd

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends the open streams, then everything else. uvicorn's own would raise the signal again after its end."""
        self._stopping.set()
        self.should_exit = True

    async def startup(self, sockets: list | None = None) -> None:
        """Starts listening, then says so."""
        await super().startup(sockets)
        if self._ready_fd is not None and self.started:
            os.write(self._ready_fd, msgspec.json.encode({"ready": True, "port": self.port()}) + b"\n")
            os.close(self._ready_fd)
            self._ready_fd = None

    def port(self) -> int:
        """The port that it listens on."""
        return self.servers[0].sockets[0].getsockname()[1]


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises Unavailable when there is no database."""
    log = open_log()
    stopping = asyncio.Event()
    async with open_site(settings, log, stopping) as site:
        config = uvicorn.Config(
            make_app(site),
            host=settings.host,
            port=settings.port,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            backlog=BACKLOG,
            forwarded_allow_ips="127.0.0.1",  # a proxy on this machine may say who asks; rates go by it
        )
        log.info("started", host=settings.host, port=settings.port)
        await Server(config, stopping, settings.ready_fd).serve()
    log.info("stopped")
