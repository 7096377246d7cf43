"""The supervisor as a process: ready line, signals, exit codes."""

import asyncio
import json
import os
import signal
from pathlib import Path

from domain import limits
from store.engine import EngineStore
from tests.conftest import Engines
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


async def test_its_log_has_no_words_but_its_own_though_the_database_goes_and_comes(
    engine: Engine, engines: Engines
) -> None:
    account = await engine.link()
    process = process_of(engine)
    await process.start()
    await asyncio.to_thread(engines.postgres.stop)
    await process.says("dependency_away")
    engines.postgres.start()
    await process.says("dependency_back")
    await engine.store.close()
    engine.store = await EngineStore.open(engine.settings.database_url, engine.settings.redis_url)
    await engine.state(await engine.schedule(account, later(0)), "DELIVERED", "READ")
    assert await process.end(signal.SIGTERM) == 0
    assert [line for line in process.log.read_text().splitlines() if not line.startswith("{")] == []
    await engine.store.close()


async def test_a_misspelt_variable_refuses_to_start(engine: Engine) -> None:
    process = process_of(engine, AUTOSENDR_HOT_SLOT="5")
    assert await process.start() == ""
    assert await asyncio.to_thread(process.child.wait, START_S) == 2
    assert "AUTOSENDR_HOT_SLOT" in process.log.read_text()


async def test_a_log_that_cannot_be_written_ends_it(engine: Engine) -> None:
    process = process_of(engine)
    process.log = Path("/dev/full")
    assert await process.start() == ""
    assert await asyncio.to_thread(process.child.wait, START_S) != 0


async def test_a_demo_supervisor_refuses_a_live_enclave(engine: Engine) -> None:
    process = process_of(engine, AUTOSENDR_SIMULATOR="127.0.0.1:9")
    assert await process.start() == ""
    assert await asyncio.to_thread(process.child.wait, START_S) == 1
    assert "WrongEnclave" in process.log.read_text()


async def test_hup_begins_anew_by_what_the_file_says_now_and_the_process_stays(engine: Engine) -> None:
    settings = engine.broker.folder / "supervisor.env"
    settings.write_text('# how it runs\n\nAUTOSENDR_HOT_SLOTS=6\nAUTOSENDR_WEB_PORT="8080"\n')
    process = process_of(engine, AUTOSENDR_SETTINGS_FILE=str(settings))
    await process.start()
    message = await engine.schedule(await engine.link(), later(4))
    await process.says("message_armed")
    settings.write_text("AUTOSENDR_HOT_SLOTS=7\n")
    process.child.send_signal(signal.SIGHUP)
    await process.says("supervisor_started", 2)
    await engine.state(message, "DELIVERED")
    assert [line["slots"] for line in process.lines("supervisor_started")] == [6, 7]
    assert [line["signal"] for line in process.lines("supervisor_stopping")] == ["HUP"]
    assert process.child.poll() is None
    assert await process.end(signal.SIGTERM) == 0
    assert await engine.store.pool.fetchval("SELECT count(*) FROM attempts") == 1


async def test_a_file_that_cannot_be_read_changes_nothing(engine: Engine) -> None:
    settings = engine.broker.folder / "supervisor.env"
    settings.write_text("AUTOSENDR_HOT_SLOTS=6\n")
    process = process_of(engine, AUTOSENDR_SETTINGS_FILE=str(settings))
    await process.start()
    settings.write_text("AUTOSENDR_HOT_SLOTS=none\n")
    process.child.send_signal(signal.SIGHUP)
    await process.says("settings_refused")
    settings.unlink()
    process.child.send_signal(signal.SIGHUP)
    await process.says("settings_refused", 2)
    await engine.state(await engine.schedule(await engine.link(), later(0.2)), "DELIVERED")
    assert "AUTOSENDR_HOT_SLOTS" in str(process.lines("settings_refused")[0]["problem"])
    assert "AUTOSENDR_SETTINGS_FILE" in str(process.lines("settings_refused")[1]["problem"])
    assert process.lines("supervisor_stopping") == []
    assert await process.end(signal.SIGTERM) == 0


async def test_hup_mends_a_supervisor_that_cannot_start(engine: Engine) -> None:
    settings = engine.broker.folder / "supervisor.env"
    settings.write_text("AUTOSENDR_ENCLAVE_SOCKET=/nowhere/door\n")
    process = process_of(engine, AUTOSENDR_SETTINGS_FILE=str(settings))
    starting = asyncio.create_task(process.start())
    await process.says("lock_taken")
    settings.write_text(f"AUTOSENDR_ENCLAVE_SOCKET={engine.broker.socket}\n")
    process.child.send_signal(signal.SIGHUP)
    assert json.loads(await starting) == {"ready": True}
    assert await process.end(signal.SIGTERM) == 0


async def test_term_ends_it_though_the_enclave_hangs(engine: Engine) -> None:
    account = await engine.link()
    process = process_of(engine)
    await process.start()
    await engine.state(await engine.schedule(account, later(0.2)), "DELIVERED")
    assert engine.broker.process is not None
    os.kill(engine.broker.process.pid, signal.SIGSTOP)
    try:
        assert await process.end(signal.SIGTERM, limits.TERM_DRAIN_S + 10.0) == 0
    finally:
        os.kill(engine.broker.process.pid, signal.SIGCONT)
    assert process.lines("supervisor_stopped") != []
    assert process.lines("child_failed") == []


async def test_every_actor_is_reported(engine: Engine) -> None:
    accounts = [await engine.link() for _ in range(3)]
    process = process_of(engine)
    await process.start()
    for account in accounts:
        await engine.schedule(account, later(15))
    await process.says("message_armed", 3)
    process.child.send_signal(signal.SIGUSR1)
    await process.says("account_state", 3)
    assert {line["account"] for line in process.lines("account_state")} == {str(account) for account in accounts}
    assert await process.end(signal.SIGTERM) == 0
