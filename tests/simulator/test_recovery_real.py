"""What the real client does when its ratchets are lost or too old (docs/whatsapp.md §13)."""

import sqlite3
from pathlib import Path

from simulator.server import Simulator
from tests.simulator.real_client import RealClient

ANNA, BEN = "491511000001", "491511000002"


def drop_sessions(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("DELETE FROM whatsmeow_sessions")
    connection.close()


async def test_a_client_without_sessions_asks_again_and_gets_the_text(simulator: Simulator, folder: Path) -> None:
    store = folder / "store"
    async with RealClient(simulator, store) as client:
        address = await client.pair(ANNA)
        await client.call("send", to=BEN, text="one")
        simulator.say(BEN, ANNA, "two")
        await client.text()
        await client.call("send", to=BEN, text="three")
        await client.call("stop")
    drop_sessions(store)
    simulator.say(BEN, ANNA, "undecryptable at first")
    async with RealClient(simulator, store, jid=address) as client:
        await client.call("connect")
        assert (await client.text())["Message"]["conversation"] == "undecryptable at first"
        assert simulator.hub.journal.counts["retry"] >= 1
        await client.call("send", to=BEN, text="four")
        assert [entry.text for entry in simulator.inbox(BEN)] == ["one", "three", "four"]


async def test_a_phone_takes_messages_of_a_store_that_is_too_old_for_duplicates(
    simulator: Simulator, folder: Path
) -> None:
    store, copy = folder / "store", folder / "copy"
    async with RealClient(simulator, store) as client:
        address = await client.pair(ANNA)
        await client.call("send", to=BEN, text="before the copy")
        await client.call("stop")
    copy.write_bytes(store.read_bytes())
    async with RealClient(simulator, store, jid=address) as client:
        await client.call("connect")
        await client.event("Connected")
        await client.call("send", to=BEN, text="after the copy")
        await client.call("stop")
    async with RealClient(simulator, copy, jid=address) as client:
        await client.call("connect")
        await client.event("Connected")
        await client.call("send", to=BEN, text="acknowledged and lost")
        await client.call("send", to=BEN, text="arrives again")
        await client.call("stop")
    entries = simulator.inbox(BEN)
    assert [entry.text for entry in entries] == ["before the copy", "after the copy", None, "arrives again"]
    assert entries[2].error == "OldCounter"
    drop_sessions(copy)
    async with RealClient(simulator, copy, jid=address) as client:
        await client.call("connect")
        await client.event("Connected")
        await client.call("send", to=BEN, text="in a fresh session")
        assert simulator.inbox(BEN)[-1].text == "in a fresh session"
