"""What a supervisor tells whoever watches it: alive, ready or what is missing, and what it counted."""

import asyncio
import socket

import msgspec
import pytest

from supervisor.log import EVENTS
from tests.conftest import Engines
from tests.rows import later
from tests.supervisor.engines import Engine
from tests.supervisor.scrapes import ask, ready, scrape
from tests.waiting import eventually


@pytest.fixture
async def port(engine: Engine) -> int:
    """Give the port on which the started engine answers."""
    engine.settings = msgspec.structs.replace(engine.settings, metrics_port=0)
    await engine.start()
    return int((await engine.hears("listening"))["port"])


async def test_it_says_that_it_lives_and_is_ready_and_nothing_else(port: int) -> None:
    alive = await ask(port, "/healthz")
    assert (alive.status_code, alive.json()) == (200, {"alive": True})
    assert await ready(port) == {
        "state": "ready",
        "sentence": "Everything that is needed answers.",
        "dependencies": {"postgres": "up", "enclave": "up", "redis": "up"},
    }
    assert (await ask(port, "/")).status_code == 404
    assert (await ask(port, "/metrics", "POST")).status_code == 405


async def test_it_answers_on_loopback_only(port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", port))  # refused if it listened on every address


async def test_what_it_does_is_counted(engine: Engine, port: int) -> None:
    account = await engine.link()
    message = await engine.schedule(account, later(0.2))
    await engine.state(message, "DELIVERED")
    await engine.hears("message_sent", message=message)
    seen = await scrape(port)
    assert seen["autosendr_send_late_seconds_count", ""] == 1
    assert seen["autosendr_send_late_seconds_sum", ""] >= 0
    assert seen["autosendr_sends_total", "sent"] == 1
    assert seen["autosendr_wakes_total", "due"] == 1
    assert seen["autosendr_connects_total", "connected"] == 1
    assert seen["autosendr_slots", ""] == 5
    assert sum(value for (name, _), value in seen.items() if name == "autosendr_actors") <= 1
    assert seen["autosendr_door_calls_total", "ok OpenSession"] == 1
    assert seen["autosendr_door_calls_total", "ok Send"] == 1
    for loop in ("leases", "reconcile", "hot", "idle", "due", "sticky"):
        assert seen["autosendr_loop_turns_total", loop] >= 1
        assert seen["autosendr_loop_turn_seconds_count", loop] == seen["autosendr_loop_turns_total", loop]
    assert seen["autosendr_fleet_stopped", ""] == 0
    assert {seen["autosendr_degraded", name] for name in ("postgres", "redis", "enclave")} == {0}
    await engine.hears("account_retired", account=account)
    assert (await scrape(port))["autosendr_leases", ""] == 0


async def test_no_label_holds_an_account_or_a_number(engine: Engine, port: int) -> None:
    account = await engine.link()
    await engine.state(await engine.schedule(account, later(0.2)), "DELIVERED")
    text = (await ask(port, "/metrics")).text
    assert str(account) not in text
    assert "@" not in text
    assert max(len(label) for _, label in await scrape(port)) <= 40


async def test_without_redis_it_is_degraded_and_says_so_until_redis_is_back(
    engine: Engine, port: int, engines: Engines
) -> None:
    await asyncio.to_thread(engines.valkey.stop)
    try:
        await engine.hears("dependency_away", dependency="redis")
        seen = await ready(port)
        assert (seen["state"], seen["dependencies"]["redis"]) == ("degraded", "away")
        assert seen["sentence"] == "Redis does not answer. Messages leave by the database alone."
        assert (await ask(port, "/readyz")).status_code == 200
        assert (await scrape(port))["autosendr_degraded", "redis"] == 1
        account = await engine.link()
        message = await engine.unhinted(account, later(0.2))
        await engine.state(message, "DELIVERED")
    finally:
        engines.valkey.start()
    await engine.hears("dependency_back", dependency="redis")
    assert (await ready(port))["state"] == "ready"
    assert (await scrape(port))["autosendr_degraded", "redis"] == 0


async def test_without_the_enclave_it_is_not_ready(engine: Engine, port: int) -> None:
    await engine.broker.end()
    await engine.hears("dependency_away", dependency="enclave")
    assert (await ask(port, "/readyz")).status_code == 503
    assert (await ready(port))["sentence"] == "The enclave does not answer, so no session can live."
    assert (await ask(port, "/healthz")).status_code == 200
    await engine.broker.start()
    await engine.hears("dependency_back", dependency="enclave")
    assert (await ready(port))["state"] == "ready"


async def test_a_port_that_somebody_has_keeps_nobody_from_sending(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        engine.settings = msgspec.structs.replace(engine.settings, metrics_port=taken.getsockname()[1])
        await engine.start()
        await engine.hears("port_taken")
        account = await engine.link()
        await engine.state(await engine.schedule(account, later(0.2)), "DELIVERED")
    port = int((await engine.hears("listening"))["port"])
    assert (await ask(port, "/healthz")).status_code == 200


async def test_what_speaks_no_http_harms_nobody(port: int) -> None:
    for noise in (b"\x00\xff\r\n\r\n", b"GET", b"x" * 100_000, b"GET /metrics\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(noise)
        writer.write_eof()
        await reader.read()
        writer.close()
    assert (await ask(port, "/healthz")).status_code == 200


async def test_counts_go_on_when_the_tree_is_begun_anew(engine: Engine, port: int) -> None:
    account = await engine.link()
    await engine.schedule(account, later(0.2))
    await engine.hears("message_sent")
    metrics = engine.supervisor.metrics
    await engine.stop()
    assert "autosendr_slots " not in metrics.text().decode()
    await engine.start(metrics)
    again = int((await engine.hears("listening"))["port"])
    seen = await scrape(again)
    assert (seen["autosendr_sends_total", "sent"], seen["autosendr_slots", ""]) == (1, 5)


def test_every_event_that_is_counted_is_in_the_table() -> None:
    assert {"message_sent", "message_not_sent", "message_ended", "session_opening", "account_run"} <= set(EVENTS)
    assert {"account_link", "pairing_done", "pairing_failed", "account_wait", "account_lost", "child_failed"} <= set(
        EVENTS
    )


async def test_all_answer_again_after_every_store_was_away(engine: Engine, port: int, engines: Engines) -> None:
    await asyncio.to_thread(engines.postgres.stop)
    try:
        await engine.hears("dependency_away", dependency="postgres")
        seen = await ready(port)
        assert (seen["state"], seen["dependencies"]["postgres"]) == ("not ready", "away")
    finally:
        engines.postgres.start()

    async def look() -> bool:
        return (await ready(port))["state"] == "ready"

    await eventually(look, "everything to answer")
