"""The supervisor as a process: ready line, signals, exit codes."""

import asyncio
import json
import signal

from tests.rows import later
from tests.supervisor.engines import Engine
from tests.supervisor.processes import START_S, Process


def process_of(engine: Engine, **variables: str) -> Process:
    return Process(engine.settings, engine.broker.folder, **variables)


async def test_it_says_ready_sends_reports_begins_anew_and_ends_in_order(engine: Engine) -> None:
    account = await engine.link()
    process = process_of(engine)
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
    first, second = process_of(engine), process_of(engine)
    await first.start()
    message = await engine.schedule(account, later(3))
    await first.says("message_armed")
    await first.end(signal.SIGKILL)
    await second.start()
    await engine.state(message, "DELIVERED")
    assert await engine.store.pool.fetchval("SELECT count(*) FROM attempts") == 1
    assert await second.end(signal.SIGTERM) == 0


async def test_a_misspelt_variable_refuses_to_start(engine: Engine) -> None:
    process = process_of(engine, AUTOSENDR_HOT_SLOT="5")
    assert await process.start() == ""
    assert await asyncio.to_thread(process.child.wait, START_S) == 2
    assert "AUTOSENDR_HOT_SLOT" in process.log.read_text()


async def test_a_demo_supervisor_refuses_a_live_enclave(engine: Engine) -> None:
    process = process_of(engine, AUTOSENDR_SIMULATOR="127.0.0.1:9")
    assert await process.start() == ""
    assert await asyncio.to_thread(process.child.wait, START_S) == 1
    assert "WrongEnclave" in process.log.read_text()
