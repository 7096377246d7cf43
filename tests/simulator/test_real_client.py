"""The real client against the simulator, in a process of its own."""

from pathlib import Path

from simulator.server import Simulator
from tests.simulator.real_client import RealClient

ANNA, BEN, CLEO = "491511000001", "491511000002", "491511000003"


async def test_a_client_pairs_by_code_and_logs_in(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        address = await client.pair(ANNA)
        assert address == f"{ANNA}:1"
        status = await client.event("PairStatus")
        assert status["ID"]["User"] == ANNA
        assert simulator.hub.logins(ANNA, 1) == 1


async def test_text_goes_to_a_phone_and_comes_back(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        sent = await client.call("send", to=BEN, text="hello Ben")
        (entry,) = simulator.inbox(BEN)
        assert (entry.id, entry.text, entry.error, entry.sender) == (sent["id"], "hello Ben", None, ANNA)
        assert not entry.bot_label
        await client.event("Receipt", Type="DELIVERED")
        simulator.say(BEN, ANNA, "hello Anna")
        message = await client.text()
        assert message["Message"]["conversation"] == "hello Anna"
