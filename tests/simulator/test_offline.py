"""A phone without a network: what comes for it waits, and happens in its order once it is back."""

from pathlib import Path

from simulator.server import Simulator
from tests.simulator.real_client import RealClient

ANNA, BEN, CLEO = "491511000001", "491511000002", "491511000003"


async def test_what_a_client_sends_waits_undelivered_until_the_phone_is_back(
    simulator: Simulator, folder: Path
) -> None:
    ben = simulator.world.phone(BEN)
    async with RealClient(simulator, folder / "store") as client:
        await client.call("connect")
        simulator.scan(ANNA, await client.event("QR"))
        await client.event("Connected")
        simulator.hub.set_offline(ben, offline=True)
        for text in ("first", "second"):
            await client.call("send", to=BEN, text=text)
        assert simulator.inbox(BEN) == []
        simulator.hub.set_offline(ben, offline=False)
        assert [(entry.text, entry.error) for entry in simulator.inbox(BEN)] == [("first", None), ("second", None)]
        await client.event("Receipt", Type="DELIVERED")


async def test_what_another_phone_or_a_group_says_waits_too(simulator: Simulator) -> None:
    ben = simulator.world.phone(BEN)
    simulator.hub.set_offline(ben, offline=True)
    simulator.say(ANNA, BEN, "are you there?")
    assert (simulator.inbox(BEN), simulator.world.phone(ANNA).entries[-1].status) == ([], "")
    simulator.hub.set_offline(ben, offline=False)
    assert [entry.text for entry in simulator.inbox(BEN)] == ["are you there?"]
    assert simulator.world.phone(ANNA).entries[-1].status == "delivered"


async def test_nothing_that_waits_is_lost_when_the_simulator_stops(folder: Path) -> None:
    async with Simulator(folder / "simulator") as simulator:
        simulator.make_phone(ANNA, "Anna")
        ben = simulator.make_phone(BEN, "Ben")
        simulator.hub.set_offline(ben, offline=True)
        simulator.say(ANNA, BEN, "later")
    async with Simulator(folder / "simulator") as again:
        assert [entry.text for entry in again.inbox(BEN)] == ["later"]
        assert not again.world.phone(BEN).offline
