"""The supervisor as a process of its own, with its log in a file."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from domain import limits
from supervisor.settings import Settings
from tests.enclave.brokers import REPOSITORY
from tests.waiting import eventually

START_S = 20.0


class Process:
    """`python -m supervisor`; `folder` takes its log."""

    def __init__(self, settings: Settings, folder: Path, **variables: str) -> None:
        self.log = folder / "supervisor.log"
        self._environment = {
            "PATH": os.defpath,
            "AUTOSENDR_DATABASE_URL": settings.database_url,
            "AUTOSENDR_REDIS_URL": settings.redis_url,
            "AUTOSENDR_ENCLAVE_SOCKET": str(settings.enclave_socket),
            "AUTOSENDR_STATE": str(settings.state),
            "AUTOSENDR_HOT_SLOTS": "5",
        }
        if settings.egress_socket is not None:
            self._environment["AUTOSENDR_EGRESS_SOCKET"] = str(settings.egress_socket)
        if settings.simulator:
            self._environment["AUTOSENDR_SIMULATOR"] = settings.simulator
        self._environment |= variables

    async def start(self) -> str:
        ours, theirs = os.pipe()
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(  # noqa: ASYNC220 - exec itself does not wait
                [sys.executable, "-m", "supervisor"],
                env={**self._environment, "AUTOSENDR_READY_FD": str(theirs)},
                cwd=REPOSITORY,
                pass_fds=[theirs],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )
        os.close(theirs)
        with os.fdopen(ours) as ready:
            async with asyncio.timeout(START_S):
                return await asyncio.to_thread(ready.readline)

    def lines(self, event: str) -> list[dict[str, object]]:
        text = self.log.read_text() if self.log.exists() else ""
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in found if line["event"] == event]

    async def says(self, event: str, count: int = 1) -> None:
        async def look() -> bool:
            return len(self.lines(event)) >= count

        await eventually(look, event, START_S)

    async def end(self, how: signal.Signals, patience_s: float = limits.TERM_DRAIN_S) -> int:
        self.child.send_signal(how)
        return await asyncio.to_thread(self.child.wait, patience_s)
