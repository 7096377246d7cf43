"""The supervisor as a process: ready line, signals, exit codes."""

import asyncio
import json
import os
import signal
import subprocess
import sys

from domain import limits
from tests.enclave.brokers import REPOSITORY
from tests.rows import later
from tests.supervisor.engines import Engine
from tests.waiting import eventually

START_S = 20.0


class Process:
    """`python -m supervisor` with its log in a file."""

    def __init__(self, engine: Engine, **variables: str) -> None:
        settings, self.log = engine.settings, engine.broker.folder / "supervisor.log"
        self._environment = {
            "PATH": os.defpath,
            "AUTOSENDR_DATABASE_URL": settings.database_url,
            "AUTOSENDR_REDIS_URL": settings.redis_url,
            "AUTOSENDR_ENCLAVE_SOCKET": str(settings.enclave_socket),
            "AUTOSENDR_STATE": str(settings.state),
            "AUTOSENDR_HOT_SLOTS": "5",
            **variables,
        }

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
        found = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in found if line["event"] == event]

    async def says(self, event: str, count: int = 1) -> None:
        async def look() -> bool:
            return len(self.lines(event)) >= count

        await eventually(look, event, START_S)

    async def end(self, how: signal.Signals) -> int:
        self.child.send_signal(how)
        return await asyncio.to_thread(self.child.wait, limits.TERM_DRAIN_S)


async def test_it_says_ready_sends_reports_begins_anew_and_ends_in_order(engine: Engine) -> None:
    account = await engine.link()
    process = Process(engine)
    assert json.loads(await process.start()) == {"ready": True}
    message = await engine.schedule(account, later(15))
    await process.says("message_armed")
    process.child.send_signal(signal.SIGUSR1)
    await process.says("account_state")
    assert process.lines("account_state")[0]["in_hand"] == 1
    process.child.send_signal(signal.SIGHUP)
    await process.says("supervisor_started", 2)
    await engine.store.pool.execute("UPDATE messages SET due_at = now() WHERE id = $1", message)
    await engine.state(message, "DELIVERED")
    assert await process.end(signal.SIGTERM) == 0
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert (row.owner, row.store_dirty) == ("", False)
    assert process.lines("child_failed") == []


async def test_a_killed_process_is_succeeded_at_once(engine: Engine) -> None:
    account = await engine.link()
    first, second = Process(engine), Process(engine)
    await first.start()
    message = await engine.schedule(account, later(3))
    await first.says("message_armed")
    await first.end(signal.SIGKILL)
    await second.start()
    await engine.state(message, "DELIVERED")
    assert await engine.store.pool.fetchval("SELECT count(*) FROM attempts") == 1
    assert await second.end(signal.SIGTERM) == 0


async def test_a_misspelt_variable_refuses_to_start(engine: Engine) -> None:
    process = Process(engine, AUTOSENDR_HOT_SLOT="5")
    assert await process.start() == ""
    assert await asyncio.to_thread(process.child.wait, START_S) == 2
    assert "AUTOSENDR_HOT_SLOT" in process.log.read_text()


async def test_a_demo_supervisor_refuses_a_live_enclave(engine: Engine) -> None:
    process = Process(engine, AUTOSENDR_SIMULATOR="127.0.0.1:9")
    assert await process.start() == ""
    assert await asyncio.to_thread(process.child.wait, START_S) == 1
    assert "WrongEnclave" in process.log.read_text()
