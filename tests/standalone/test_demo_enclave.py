"""The demo's enclave, started as the plan describes it, with the real client: it links a simulated phone and sends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from enclave.wire.answers import AccountKey, Opened, Sent
from enclave.wire.news import Connected, Paired, QrShown
from enclave.wire.operations import NewAccountKey, PairSession
from standalone.children import bring_up
from standalone.demo_world import CONTACTS, OWN_NUMBER, Phones
from standalone.home import Home
from standalone.plan import Plan
from standalone.programs import Program
from supervisor.destinations import demo_of
from supervisor.relay import Relay
from tests.enclave.brokers import ACCOUNT, Broker, Host
from tests.waiting import eventually

UNUSED = {"DATABASE_URL": "unused", "REDIS_URL": "unused"}


def enclave_of(plan: Plan) -> Program:
    """Return the plan's enclave."""
    return next(service for service in plan.services if isinstance(service, Program) and service.name == "enclave")


@dataclass
class Demo:
    """A running simulator and enclave, and the simulator's control interface."""

    enclave: Program
    control: httpx.AsyncClient

    async def ask(self, method: str, path: str, **body: str) -> dict[str, Any]:
        """One control request."""
        return (await self.control.request(method, path, json=body or None)).raise_for_status().json()


@pytest.fixture
async def demo(own_home: Home) -> AsyncIterator[Demo]:
    plan = Plan(own_home, UNUSED, demo=True, port=0)
    assert plan.simulator is not None
    enclave = enclave_of(plan)
    try:
        bring_up(plan.simulator)
        Phones(plan.simulator.facts["control"]).furnish()
        bring_up(enclave)
        relay = Relay(own_home.socket("egress.sock"), demo_of(f"127.0.0.1:{plan.simulator.facts['port']}"))
        await relay.start()
        async with httpx.AsyncClient(base_url=plan.simulator.facts["control"], trust_env=False, timeout=30) as control:
            yield Demo(enclave, control)
        await relay.close()
    finally:
        await asyncio.to_thread(enclave.stop)
        plan.simulator.stop()
        plan.close()


async def test_it_links_a_simulated_phone_and_a_sealed_text_arrives(demo: Demo, own_home: Home) -> None:
    broker = Broker(own_home.run)
    broker.socket = own_home.socket("door.sock")
    host = await Host(broker).connect()
    assert host.door.welcome.environment == "demo"
    host.key = (await host.call(NewAccountKey(account=ACCOUNT), AccountKey)).wrapped_key
    await host.call(PairSession(account=ACCOUNT, epoch=1, wrapped_key=host.key, phone=""), Opened)
    await demo.ask("POST", f"/phones/{OWN_NUMBER}/scan", qr=(await host.hear(QrShown)).text)
    await host.hear(Paired)
    await host.hear(Connected)
    friend, _ = CONTACTS[0]
    sent = await host.call(await host.body("see you at nine", recipient=f"{friend}@s.whatsapp.net"), Sent)

    async def arrived() -> list[str]:
        entries = (await demo.ask("GET", f"/phones/{friend}/inbox"))["entries"]
        return [entry["text"] for entry in entries if entry["id"] == sent.wa_id]

    assert await eventually(arrived, "the text on the friend's phone") == ["see you at nine"]
    await host.door.close()


async def test_it_stops_in_time_and_the_live_one_is_another_program(demo: Demo, own_home: Home) -> None:
    assert demo.enclave.facts["environment"] == "demo"
    await asyncio.to_thread(demo.enclave.stop)
    assert demo.enclave.exit_code() == 0
    plan = Plan(own_home, UNUSED, demo=False, port=0)
    live = enclave_of(plan)
    try:
        bring_up(live)
        assert live.facts["environment"] == "local"
    finally:
        live.stop()
        plan.close()
