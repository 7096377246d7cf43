"""Groups with the real client: made, listed, written to, read from, confirmed, asked again."""

from pathlib import Path

import pytest

from simulator import acts, group_delivery
from simulator.groups import Group
from simulator.server import Simulator
from simulator.signal.keys import Bundle
from simulator.stanzas import groups
from tests.simulator.real_client import ClientError, RealClient

ANNA, BEN, CLEO = "491511000001", "491511000002", "491511000003"


def friends(simulator: Simulator, *numbers: str) -> Group:
    maker, *others = (simulator.world.phone(number) for number in numbers)
    return groups.create(simulator.hub, maker, "Friends", others)


def said(simulator: Simulator, number: str, group: Group) -> list[tuple[str | None, str | None]]:
    entries = simulator.world.phone(number).entries
    return [(entry.text, entry.error) for entry in entries if entry.chat == str(group.jid)]


async def test_a_client_makes_a_group_and_sees_what_others_made(simulator: Simulator, folder: Path) -> None:
    theirs = friends(simulator, BEN, ANNA, CLEO)
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        made = await client.call("create_group", name="Ours", members=[BEN, CLEO])
        assert made["GroupName"]["Name"] == "Ours"
        listed = {group["JID"]["User"]: group for group in await client.call("joined_groups")}
        assert set(listed) == {theirs.id, made["JID"]["User"]}
        assert listed[theirs.id]["GroupName"]["Name"] == "Friends"
        assert len(listed[theirs.id]["Participants"]) == 3
        later = friends(simulator, CLEO, ANNA)
        joined = await client.event("JoinedGroup", 2)
        assert joined["GroupInfo"]["JID"]["User"] == later.id


async def test_group_texts_go_both_ways(simulator: Simulator, folder: Path) -> None:
    group = friends(simulator, ANNA, BEN, CLEO)
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        for text in ("hello all", "hello again"):
            await client.call("send", to=group.id, text=text, server="g.us")
        for number in (ANNA, BEN, CLEO):
            assert said(simulator, number, group) == [("hello all", None), ("hello again", None)]
        receipt = await client.event("Receipt", Type="DELIVERED")
        assert receipt["MessageSource"]["Chat"]["User"] == group.id
        # The client's own hash of the device list is the one that the server computes.
        sent = simulator.hub.journal.since(0, {"kind": "message", "phone": ANNA})
        assert [event["stale"] for event in sent] == [False, False]
        for text in ("hello Anna", "how are you?"):
            group_delivery.say(simulator.hub, simulator.world.phone(BEN), group, text)
        heard = [(await client.text(count))["Message"]["conversation"] for count in (1, 2)]
        assert heard == ["hello Anna", "how are you?"]


async def test_reading_in_a_group_reaches_the_writer_both_ways(simulator: Simulator, folder: Path) -> None:
    group = friends(simulator, ANNA, BEN)
    ben = simulator.world.phone(BEN)
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        await client.call("send", to=group.id, text="read me", server="g.us")
        await client.event("Receipt", Type="DELIVERED")
        acts.read(simulator.hub, ben, str(group.jid))
        receipt = await client.event("Receipt", Type="READ")
        assert receipt["MessageSource"]["Sender"]["User"] == ben.lid_user
        message_id = group_delivery.say(simulator.hub, ben, group, "and me")
        await client.text()
        await client.call("mark_read", id=message_id, chat=group.id, server="g.us", sender=ben.lid_user)
        wanted = {"kind": "receipt", "phone": BEN, "status": "read", "group": str(group.jid)}
        assert await simulator.hub.journal.wait(0, wanted, 20.0)


async def test_two_clients_share_a_group(simulator: Simulator, folder: Path) -> None:
    group = friends(simulator, ANNA, BEN)
    async with (
        RealClient(simulator, folder / "anna") as anna,
        RealClient(simulator, folder / "ben") as ben,
    ):
        await anna.pair(ANNA)
        await ben.pair(BEN)
        await anna.call("send", to=group.id, text="from Anna", server="g.us")
        assert (await ben.text())["Message"]["conversation"] == "from Anna"
        await ben.call("send", to=group.id, text="from Ben", server="g.us")
        assert (await anna.text())["Message"]["conversation"] == "from Ben"


async def test_a_stranger_is_kept_out(simulator: Simulator, folder: Path) -> None:
    group = friends(simulator, BEN, CLEO)
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        with pytest.raises(ClientError, match="participating"):
            await client.call("group_info", group=group.id)
        with pytest.raises(ClientError):
            await client.call("send", to=group.id, text="let me in", server="g.us")
        assert said(simulator, BEN, group) == []


async def test_lost_keys_are_asked_for_again_both_ways(simulator: Simulator, folder: Path) -> None:
    group = friends(simulator, ANNA, BEN)
    ben = simulator.world.phone(BEN)
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        await client.call("send", to=group.id, text="one", server="g.us")
        # Ben's phone forgets everything, as after a reinstallation without a backup.
        anna = f"{simulator.world.phone(ANNA).lid_user}.1"
        ben.party.drop_session(anna)
        ben.party._sender_keys.clear()
        await client.call("send", to=group.id, text="two", server="g.us")
        await simulator.hub.journal.wait(0, {"kind": "inbox", "phone": BEN, "text": "two"}, 20.0)
        assert said(simulator, BEN, group) == [("one", None), ("two", None)]
        # Anna's device cannot read under a session that it never had.
        ben.party.encrypt(anna, b"", _unrelated(simulator))
        group_delivery.say(simulator.hub, ben, group, "three")
        assert (await client.text())["Message"]["conversation"] == "three"


def _unrelated(simulator: Simulator) -> Bundle:
    """Keys of somebody else."""
    return simulator.world.phone(CLEO).party.bundle()


async def test_groups_survive_a_restart_of_the_service(folder: Path) -> None:
    async with Simulator(folder / "simulator") as first:
        for number in (ANNA, BEN):
            first.make_phone(number, number)
        group = friends(first, ANNA, BEN)
    async with Simulator(folder / "simulator") as second:
        assert second.world.groups.get(group.id) == group
