"""App state and history with the real client: what it cannot do, chunks inline and by file."""

from pathlib import Path

import pytest

from simulator import histories
from simulator.server import Simulator
from simulator.world import WorldError
from tests.simulator.real_client import ClientError, RealClient

ANNA, BEN = "491511000001", "491511000002"
DEADLINE_S = 20.0


async def test_the_client_of_neonize_sends_app_state_without_a_name_and_is_refused(
    simulator: Simulator, folder: Path
) -> None:
    """Its binding loses the collection's name; a client that names it is in test_strictness."""
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        wanted = {"kind": "app_state", "phone": ANNA, "collection": "regular_low"}
        assert await simulator.hub.journal.wait(0, wanted, DEADLINE_S)
        with pytest.raises(ClientError, match="400"):
            await client.call("mute", number=BEN)


@pytest.mark.parametrize("by_media", [False, True])
async def test_history_reaches_the_client(simulator: Simulator, folder: Path, by_media: bool) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        await client.event("HistorySync", 2)
        histories.share(simulator.hub, simulator.world.phone(ANNA), 30, 4, by_media)
        heard = await client.event("HistorySync", 3)
        conversations = heard["Data"]["conversations"]
        assert len(conversations) == 30
        assert [len(one["messages"]) for one in conversations] == [4] * 30


def test_counts_out_of_bounds_are_refused(simulator: Simulator) -> None:
    phone = simulator.world.phone(ANNA)
    for conversations, messages in ((0, 1), (2_001, 1), (1, 201), (1, -1)):
        with pytest.raises(WorldError):
            histories.share(simulator.hub, phone, conversations, messages, False)
