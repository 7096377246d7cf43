"""The engine with the real client against the simulated WhatsApp: the main job, and each window of a crash."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from domain import limits
from domain.account import Link, PairPhase, RunEvent
from tests.enclave.simulator_rig import World, running_simulator
from tests.rows import later, state_of
from tests.supervisor.engines import Engine
from tests.supervisor.worlds import ADA, ADA_JID, CERTAIN, arrived, linked, outcomes, pair, running_engine, to_sleep

PAUSE_MS = 5_000
"""Longer than a linking takes from the scan to the last name, and than anybody waits for an answer of Redis."""


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        async with running_simulator(Path(folder)) as running:
            yield running


@pytest.fixture
async def engine(world: World, database_url: str, redis_url: str) -> AsyncIterator[Engine]:
    async with running_engine(world, database_url, redis_url) as running:
        yield running


async def test_a_phone_is_linked_and_a_message_arrives_once(engine: Engine, world: World) -> None:
    account, number = await linked(engine, world)
    copied = await engine.hears("contacts_copied", account=account, synced=True)
    assert copied["people"] >= 1
    message = await engine.schedule(account, later(1), f"hello from {number}", ADA_JID)
    await engine.state(message, "DELIVERED", "READ")
    assert await arrived(world, f"hello from {number}") == 1


async def test_how_far_a_linking_came_is_shown_even_if_redis_did_not_answer_meanwhile(
    engine: Engine, world: World
) -> None:
    await world.call("POST", "/phones", {"number": ADA, "name": "Ada"})
    contacts = [{"number": ADA, "name": "Ada Lovelace"}]
    await world.call("POST", "/phones", {"number": "447700900555", "name": "Me", "contacts": contacts})
    account = await engine.new_account()
    await engine.wish(account, "pair", "PAIRING")
    await engine.hears("pairing_shown", account=account)
    shown = await engine.store.run_state.look_pairing(account)
    assert shown is not None
    redis = engine.store.redis
    await redis.ask(redis.client.client_pause(PAUSE_MS))
    await world.call("POST", "/phones/447700900555/scan", {"qr": shown.qr})
    await engine.hears("contacts_copied", account=account, synced=True)
    await engine.hears("pairing_phase", account=account, phase=PairPhase.READY)
    shown = await engine.store.run_state.look_pairing(account)
    assert shown is not None
    assert shown.phase is PairPhase.READY


async def test_a_linked_phone_is_woken_anew_if_the_client_does_not_log_in(engine: Engine, world: World) -> None:
    await world.call("POST", "/phones", {"number": "447700900556", "name": "Me"})
    await world.call("POST", "/phones/447700900556/faults", {"when": "paired"})
    account = await pair(engine, world, "447700900556")
    await engine.hears("contacts_copied", account=account, synced=True)


async def test_the_next_wake_goes_on_with_the_sealed_store_in_another_enclave(engine: Engine, world: World) -> None:
    account, number = await linked(engine, world)
    first = await engine.schedule(account, later(0), f"first {number}", ADA_JID)
    await engine.state(first, *CERTAIN)
    await engine.broker.end()
    await engine.hears("door_lost")
    await engine.broker.start()
    second = await engine.schedule(account, later(0), f"second {number}", ADA_JID)
    await engine.state(second, "DELIVERED", "READ")
    assert [await arrived(world, f"{word} {number}") for word in ("first", "second")] == [1, 1]


@pytest.mark.parametrize("who", ["broker", "session", "supervisor"])
@pytest.mark.parametrize("window", ["message_begun", "message_sent"])
async def test_a_kill_in_any_window_of_a_send_delivers_exactly_once_or_says_so(
    engine: Engine, world: World, who: str, window: str
) -> None:
    account, number = await linked(engine, world)
    text = f"{who} {window} {number}"
    message = await engine.schedule(account, later(1), text, ADA_JID)
    await engine.hears(window, message=message)
    await _kill(engine, who, account)
    state = await engine.state(message, *CERTAIN, "UNCONFIRMED", wait_s=90)
    if state in CERTAIN:
        await world.event(kind="inbox", text=text)
        assert await arrived(world, text) == 1
        assert (await outcomes(engine, message)).count("SENT") == 1
    else:
        assert await arrived(world, text) <= 1


@pytest.mark.parametrize("who", ["broker", "session", "supervisor"])
async def test_a_send_that_arrived_without_its_acknowledgement_is_settled_by_receipts(
    engine: Engine, world: World, who: str
) -> None:
    account, number = await linked(engine, world)
    await world.call("POST", f"/phones/{number}/faults", {"when": "message", "op": "mute"})
    text = f"muted {who} {number}"
    seq = await world.seq()
    message = await engine.schedule(account, later(0), text, ADA_JID)
    await world.event(seq, kind="inbox", text=text)
    # What was logged before this line is forgotten: the connection waited for below is the one after the kill.
    await engine.hears("message_begun", message=message)
    await _kill(engine, who, account)
    # The first receipt may have gone down with whoever was killed; the next one settles it.
    await engine.hears("account_run", account=account, after="HOT")
    await world.call("POST", f"/phones/{ADA}/read", {"chat": number})
    await engine.state(message, *CERTAIN, wait_s=30)
    assert await arrived(world, text) == 1
    assert await outcomes(engine, message) == ["SENT"]
    await engine.hears("attempt_settled", message=message, by="accepted")
    assert engine.supervisor.actors.by_account[account].waits.failures == 0


async def _kill(engine: Engine, who: str, account: UUID) -> None:
    if who == "broker":
        await engine.broker.end(signal.SIGKILL)
        await engine.broker.start()
    elif who == "session":
        os.kill(engine.pids[str(account)], signal.SIGKILL)
    else:
        await engine.crash()
        await engine.start()


@pytest.mark.parametrize(
    ("fault", "event"),
    [
        ({"when": "login", "reason": 405}, RunEvent.OUTDATED),
        ({"when": "login", "reason": 409}, RunEvent.REFUSED),
        ({"when": "login", "reason": 400}, RunEvent.REFUSED),
        ({"when": "login", "reason": 501}, RunEvent.REFUSED),
    ],
)
async def test_a_login_that_is_refused_for_now_backs_off(
    engine: Engine, world: World, fault: dict[str, object], event: RunEvent
) -> None:
    account, number = await linked(engine, world)
    await to_sleep(engine, account)
    await world.call("POST", f"/phones/{number}/faults", fault)
    message = await engine.schedule(account, later(0), f"again {number}", ADA_JID)
    heard = await engine.hears("account_run", account=account, before="CONNECTING", after="DISCONNECTING")
    if fault["reason"] in (405, 409):
        assert heard["by"] == RunEvent.OUTDATED
        await engine.supervisor.actors.by_account[account].chores.settle()
        assert engine.supervisor.context.fleet_stopped_until_ms > 0
        assert await engine.store.run_state.fleet_stop_ms() > 0
    else:
        assert heard["by"] == event
        await engine.state(message, *CERTAIN)


@pytest.mark.parametrize(
    "fault",
    [
        {"code": 503},
        {"code": 516},
        {"abort": True},
        {"close": True},
        {"code": 515},
    ],
)
async def test_a_broken_stream_is_mended_and_the_message_leaves(
    engine: Engine, world: World, fault: dict[str, object]
) -> None:
    account, number = await linked(engine, world)
    await _kick(engine, world, number, fault)
    message = await engine.schedule(account, later(1), f"mended {number} {fault}", ADA_JID)
    await engine.state(message, *CERTAIN, wait_s=30)
    await world.event(kind="inbox", text=f"mended {number} {fault}")
    assert await arrived(world, f"mended {number} {fault}") == 1


async def _kick(engine: Engine, world: World, number: str, fault: dict[str, object]) -> None:
    """Strike the live connection, once there is one."""
    await engine.hears("contacts_copied")
    assert (await world.call("POST", f"/phones/{number}/kick", fault))["struck"] == 1


async def test_being_replaced_parks_the_account(engine: Engine, world: World) -> None:
    account, number = await linked(engine, world)
    await _kick(engine, world, number, {"conflict": "replaced"})
    wait = await engine.hears("account_wait", account=account)
    assert wait["reason"] == "replaced"
    assert wait["wait_s"] >= limits.PARK_S


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [(463, "FAILED", "reach_out_limit"), (429, "FAILED", "server_refused")],
)
async def test_a_message_that_the_server_refuses_says_why(
    engine: Engine, world: World, code: int, state: str, reason: str
) -> None:
    account, number = await linked(engine, world)
    await world.call("POST", f"/phones/{number}/faults", {"when": "message", "op": "error", "code": code})
    message = await engine.schedule(account, later(0), f"refused {number}", ADA_JID)
    await engine.state(message, state)
    assert await state_of(engine.store.pool, message) == (state, reason)


@pytest.mark.parametrize(
    ("fault", "link", "state"),
    [
        ({"when": "login", "reason": 401}, Link.LOGGED_OUT, "BLOCKED"),
        ({"when": "login", "reason": 403}, Link.LOCKED, "BLOCKED"),
        ({"when": "login", "reason": 406}, Link.LOCKED, "BLOCKED"),
        ({"when": "login", "reason": 402, "attrs": {"code": "101", "expire": "3600"}}, Link.BANNED, "BLOCKED"),
    ],
)
async def test_a_login_that_is_refused_for_good_blocks_what_waits(
    engine: Engine, world: World, fault: dict[str, object], link: Link, state: str
) -> None:
    account, number = await linked(engine, world)
    await to_sleep(engine, account)
    await world.call("POST", f"/phones/{number}/faults", fault)
    message = await engine.schedule(account, later(0), f"never {number}", ADA_JID)
    assert await engine.state(message, state) == state
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert row.link is link


async def test_unlinking_removes_the_device_from_the_phone(engine: Engine, world: World) -> None:
    account, number = await linked(engine, world)
    await engine.wish(account, "unlink")
    await engine.hears("account_link", account=account, by="unlinked")
    await world.event(kind="unlinked", phone=number)
    phone = await world.call("GET", f"/phones/{number}")
    assert phone["devices"] == []


async def test_removing_the_device_on_the_phone_is_noticed(engine: Engine, world: World) -> None:
    account, number = await linked(engine, world)
    waiting = await engine.schedule(account, later(3600), "later", ADA_JID)
    await asyncio.gather(
        world.call("POST", f"/phones/{number}/unlink", {}),
        engine.hears("account_link", account=account, by="logged_out"),
    )
    assert await engine.state(waiting, "BLOCKED") == "BLOCKED"
