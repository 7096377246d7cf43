"""The product but its pages as processes of a bench's own, kept running: what ends is started again."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import httpx

from standalone import settings
from standalone.children import READY_LOOK_S, Rise, Service
from standalone.home import CannotStart, Home, open_home_at
from standalone.plan import POSTGRES, VALKEY, Plan, scratch_folder
from standalone.postgres import Postgres
from standalone.programs import Program
from standalone.running import say
from standalone.valkey import Valkey

CONTROL_S: Final = 60.0
OBSERVED_ENCLAVE: Final = "standalone.bench._observed_enclave"
KEPT: Final = (POSTGRES, VALKEY, settings.ENCLAVE, settings.SUPERVISOR)
LOOK_S: Final = 0.02
RESTART_S: Final = 90.0
RETRY_S: Final = 0.2
"""After a start that failed, for example of a supervisor whose database is away."""


class Start(NamedTuple):
    """A service was started again: when it had ended, when it was launched, when it was ready (Unix s)."""

    name: str
    ended_s: float
    launched_s: float
    ready_s: float


class Lines:
    """The supervisor's log lines, read on as they come."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path
        self._file: IO[bytes] | None = None
        self.all: list[dict[str, Any]] = []

    def read(self) -> list[dict[str, Any]]:
        """The lines that came since."""
        new: list[dict[str, Any]] = []
        while True:
            if self._file is None:
                if not self._path.exists():
                    return new
                self._file = self._path.open("rb")
            at = self._file.tell()
            while (line := self._file.readline()).endswith(b"\n"):
                at = self._file.tell()
                with contextlib.suppress(ValueError):  # a killed writer's half line, or words of an interpreter
                    new.append(json.loads(line))
            self._file.seek(at)
            if self._path.exists() and os.fstat(self._file.fileno()).st_ino == self._path.stat().st_ino:
                break
            self._file.close()
            self._file = None
        new = [line for line in new if isinstance(line, dict) and "event" in line]
        self.all += new
        return new


class Product:
    """The running parts. `control` speaks to the simulator."""

    def __init__(self, home: Home, plan: Plan, *, observed: bool) -> None:
        """`open_product` makes it."""
        self.services: dict[str, Service] = {
            service.name: service for service in plan.services if service.name != settings.WEB
        }
        if observed:
            enclave = self.services[settings.ENCLAVE]
            assert isinstance(enclave, Program)
            self.services[settings.ENCLAVE] = Program(
                enclave.name, OBSERVED_ENCLAVE, enclave.log, enclave.variables, stop_s=enclave.stop_s
            )
        self.postgres = next(one for one in self.services.values() if isinstance(one, Postgres))
        self.valkey = next(one for one in self.services.values() if isinstance(one, Valkey))
        self.live_stores = plan.live_stores
        self.door_socket = home.socket("door.sock")
        self.lines = Lines(home.log(settings.SUPERVISOR))
        self.control: httpx.AsyncClient
        self.starts: list[Start] = []
        self._away_until_s: dict[str, float] = {}

    async def begin(self) -> None:
        """Start all of it. Raises CannotStart."""
        for service in self.services.values():
            await _rise(service)

    async def keep(self) -> None:
        """Start again what ends, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in KEPT:
                group.create_task(self._keep(self.services[name]))

    def kill(self, name: str, away_s: float) -> None:
        """SIGKILL; it is not started again before `away_s`."""
        self._away_until_s[name] = time.time() + away_s
        if (pid := self.services[name].pid) is not None:
            os.kill(pid, signal.SIGKILL)

    async def restart(self, name: str) -> None:
        """Have it end in order and start again; what it did before is no part of `starts`. Raises TimeoutError."""
        before = len(self.starts)
        self.services[name].ask_to_stop()
        async with asyncio.timeout(RESTART_S):
            while all(start.name != name for start in self.starts[before:]):  # noqa: ASYNC110 - `keep` starts it
                await asyncio.sleep(LOOK_S)
        self.starts.clear()

    async def hold(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT `seconds` later, if it is the same process still."""
        pid = self.services[name].pid
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            if self.services[name].pid == pid:
                os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """Stop all that runs."""
        for service in reversed(self.services.values()):
            service.stop()

    async def _keep(self, service: Service) -> None:
        while True:
            while service.exit_code() is None:  # noqa: ASYNC110 - many are looked at, and none tells an event loop
                await asyncio.sleep(LOOK_S)
            ended_s = time.time()
            await asyncio.sleep(max(0.0, self._away_until_s.get(service.name, 0.0) - ended_s))
            launched_s = time.time()
            try:
                await _rise(service)
            except CannotStart as cannot:
                say(f"  {service.name} did not start: {str(cannot)[:200]}\n")
                await asyncio.sleep(RETRY_S)
                continue
            self.starts.append(Start(service.name, ended_s, launched_s, time.time()))


async def _rise(service: Service) -> None:
    rise = Rise(service)
    while not rise.over():  # noqa: ASYNC110 - as `bring_up` does it
        await asyncio.sleep(READY_LOOK_S)


@contextlib.asynccontextmanager
async def open_product(
    variables: Mapping[str, str], logs: Path | None = None, *, observed: bool = False
) -> AsyncGenerator[Product]:
    """All of it running and kept so; nothing is left at the end. From the main thread.

    `variables`: settings of the supervisor. `logs`: a folder into which the logs are copied at the end. `observed`: the
    enclave's processes may be looked at.
    """
    folder = scratch_folder()
    try:
        with open_home_at(folder / "home", folder / "run", folder.name[-8:]) as home:
            plan = Plan(home, variables, demo=True, port=0)
            product = Product(home, plan, observed=observed)
            try:
                await product.begin()
                assert plan.simulator is not None
                async with httpx.AsyncClient(
                    base_url=str(plan.simulator.facts["control"]), trust_env=False, timeout=CONTROL_S
                ) as product.control:
                    keeping = asyncio.create_task(product.keep())
                    try:
                        yield product
                    finally:
                        keeping.cancel()
                        await asyncio.wait([keeping])
            finally:
                product.stop()
                plan.close()
                if logs is not None:
                    shutil.copytree(home.folder("log"), logs, dirs_exist_ok=True)
    finally:
        shutil.rmtree(folder)
