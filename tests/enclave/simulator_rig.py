"""A simulator of the test's own, in a process of its own, driven by its control interface (docs/simulator.md)."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from enclave.session.nursery import Nursery
from standalone.home import REPOSITORY

CONTROL_DEADLINE_S = 30.0
READY_DEADLINE_S = 30.0
STOP_DEADLINE_S = 10.0


class ControlError(AssertionError):
    """The simulator refused a request."""


class World:
    """The running simulator."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.proxy: str = ready["proxy"]
        self.ca_file: str = ready["ca_file"]
        self.root_key: str = ready["root_key"]
        self._port: int = ready["port"]

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One control request."""
        return await asyncio.to_thread(self._call, method, path, body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=CONTROL_DEADLINE_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 400:
            raise ControlError(f"{method} {path}: {response.status} {answer}")
        return answer

    async def event(self, after: int = 0, **wanted: str) -> dict[str, Any]:
        """The first event after `after` with these fields, waited for."""
        query = urlencode({"after": after, "timeout_s": 20, **wanted})
        events = (await self.call("GET", f"/events?{query}"))["events"]
        assert events, f"waited in vain for {wanted}"
        return events[0]

    async def inbox(self, number: str) -> list[dict[str, Any]]:
        """A phone's lines."""
        return (await self.call("GET", f"/phones/{number}/inbox"))["entries"]

    async def seq(self) -> int:
        """Number of the last event."""
        return (await self.call("GET", "/state"))["seq"]


@contextlib.asynccontextmanager
async def running_simulator(folder: Path) -> AsyncGenerator[World]:
    """Run a simulator whose state is in `folder`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", "--state", str(folder), cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_DEADLINE_S)
        yield World(json.loads(line))
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), STOP_DEADLINE_S)


async def nursery_for(world: World) -> Nursery:
    """A zygote whose sessions trust the simulator and nothing else."""
    return await Nursery.start(
        certificates=world.ca_file,
        after_load="tests.enclave.hooks:trust_the_simulator",
        hook_environment={
            "TEST_ROOT_KEY": world.root_key,
            "AUTOSENDR_SIMULATOR_TRUST": "replace-noise-root",
        },
        observed=True,
    )
