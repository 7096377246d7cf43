"""The real client as tests see it: a child process, its events awaited with a deadline."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator import trust
from simulator.server import Simulator

DEADLINE_S = 30.0
DRIVER = Path(__file__).with_name("driver.py")
ROOT = DRIVER.parents[2]


class ClientError(RuntimeError):
    """The client answered a command with an error."""


def own_text(data: Any) -> bool:
    source = data.get("Info", {}).get("MessageSource", {})
    return bool(source.get("IsFromMe")) and "conversation" in data.get("Message", {})


class RealClient:
    def __init__(self, simulator: Simulator, store: Path, jid: str = "") -> None:
        self.events: list[dict[str, Any]] = []
        self.output: list[str] = []
        self._simulator = simulator
        self._config = {
            "proxy": simulator.proxy,
            "root_key": simulator.root_key.hex(),
            "store": str(store),
            "jid": jid,
            "log": os.environ.get("SIM_LOG", "WARNING"),
        }
        self._calls = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._news = asyncio.Condition()

    async def __aenter__(self) -> "RealClient":
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(Path(self._config["store"]).parent),
            "PYTHONPATH": str(ROOT),
            "SSL_CERT_FILE": str(self._simulator.ca_file),
            "NEONIZE_BOT_TAG": "off",
            trust.SWITCH: trust.SWITCH_ON,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(DRIVER),
            json.dumps(self._config),
            env=environment,
            cwd=Path(self._config["store"]).parent,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=1 << 22,
        )
        self._reading = asyncio.create_task(self._read())
        await self.event("Ready")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            try:
                said = json.loads(line)
            except ValueError:
                self.output.append(line.decode(errors="replace").rstrip())
                continue
            async with self._news:
                if "event" in said:
                    self.events.append(said)
                elif not (answer := self._answers.pop(said["answer"])).done():
                    answer.set_result(said)
                self._news.notify_all()

    async def call(self, do: str, **arguments: Any) -> Any:
        """Run a command; ClientError with the client's words."""
        answer = await self.start(do, **arguments)
        async with asyncio.timeout(DEADLINE_S):
            said = await answer
        if "error" in said:
            raise ClientError(said["error"])
        return said["value"]

    async def start(self, do: str, **arguments: Any) -> "asyncio.Future[Any]":
        """Begin a command; its raw answer comes later."""
        self._calls += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[self._calls] = answer
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "number_of_call": self._calls, **arguments}).encode() + b"\n")
        await self._process.stdin.drain()
        return answer

    def heard(self, name: str) -> list[Any]:
        return [event["data"] for event in self.events if event["event"] == name]

    async def text(self, count: int = 1) -> Any:
        """The ``count``-th message with a text, waited for."""
        return await self._wait("Message", count, lambda data: "conversation" in data.get("Message", {}))

    async def wait_for_copy(self) -> Any:
        """The next copy of an own message from another device, waited for."""
        return await self._wait("Message", 1, lambda data: "deviceSentMessage" in json.dumps(data) or own_text(data))

    async def until(self, do: str, fits: Callable[[Any], bool]) -> Any:
        """Repeat a question until its answer fits, after each event that the client reports at the latest."""
        async with asyncio.timeout(DEADLINE_S):
            while not fits(answer := await self.call(do)):
                pass
        return answer

    async def event(self, name: str, count: int = 1, **wanted: Any) -> Any:
        """The ``count``-th event of that name (with these values), waited for."""
        return await self._wait(name, count, lambda data: all(data.get(key) == value for key, value in wanted.items()))

    async def _wait(self, name: str, count: int, fits: Callable[[Any], bool]) -> Any:
        deadline = asyncio.get_running_loop().time() + DEADLINE_S
        while True:
            found = [data for data in self.heard(name) if fits(data)]
            if len(found) >= count:
                return found[count - 1]
            try:
                async with asyncio.timeout_at(deadline), self._news:
                    await self._news.wait()
            except TimeoutError:
                names = [event["event"] for event in self.events]
                raise AssertionError(f"no {name} #{count}; heard {names}; output {self.output[-15:]}") from None

    async def pair(self, number: str) -> str:
        """Connect, let the phone scan the code, wait until connected; gives the device's address user:device."""
        await self.call("connect")
        code = await self.event("QR")
        device = self._simulator.scan(number, code)
        await self.event("Connected")
        return f"{number}:{device}"
