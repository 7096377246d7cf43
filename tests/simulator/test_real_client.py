"""The real client against the simulator, in a process of its own."""

from pathlib import Path

import pytest

from simulator import acts, contacts
from simulator.server import Simulator
from tests.simulator.real_client import ClientError, RealClient

ANNA, BEN, CLEO = "491511000001", "491511000002", "491511000003"


def texts(simulator: Simulator, number: str) -> list[str | None]:
    return [entry.text for entry in simulator.inbox(number)]


async def happened(simulator: Simulator, after: int, **wanted: str) -> dict:
    """The next event of that kind, waited for."""
    found = await simulator.hub.journal.wait(after, wanted, 30.0)
    assert found, f"nothing like {wanted}"
    return found[0]


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
        assert not [receipt for receipt in client.heard("Receipt") if receipt["Type"] == "READ"]
        acts.read(simulator.hub, simulator.world.phone(BEN), ANNA)
        await client.event("Receipt", Type="READ")
        said = simulator.say(BEN, ANNA, "hello Anna")
        message = await client.text()
        assert message["Message"]["conversation"] == "hello Anna"
        await client.call("send", to=BEN, text="and again")
        assert texts(simulator, BEN) == ["hello Ben", "and again"]
        await client.call("mark_read", id=said, chat=simulator.world.phone(BEN).lid_user, server="lid")
        assert await happened(simulator, 0, kind="receipt", phone=BEN, status="read")
        own = [entry for entry in simulator.world.phone(ANNA).entries if entry.own and entry.device]
        assert [entry.text for entry in own] == ["hello Ben", "and again"]


async def test_a_client_restarts_from_its_store_and_gets_what_waited(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        address = await client.pair(ANNA)
        await client.call("send", to=BEN, text="one")
    await happened(simulator, 0, kind="logout", phone=ANNA)
    for text in ("while", "you", "slept"):
        simulator.say(BEN, ANNA, text)
    async with RealClient(simulator, folder / "store", jid=address) as client:
        await client.call("connect")
        await client.event("Connected")
        preview = await client.event("OfflineSyncPreview")
        assert preview["Message"] >= 3
        await client.text(3)
        await client.event("OfflineSyncCompleted")
        await client.call("send", to=BEN, text="two")
        assert texts(simulator, BEN) == ["one", "two"]
        assert [m["Message"]["conversation"] for m in client.heard("Message") if "conversation" in m["Message"]] == [
            "while",
            "you",
            "slept",
        ]


async def test_the_world_outlives_the_simulator(folder: Path) -> None:
    async with Simulator(folder / "simulator") as first:
        first.make_phone(ANNA, "Anna")
        first.make_phone(BEN, "Ben")
        async with RealClient(first, folder / "store") as client:
            address = await client.pair(ANNA)
            await client.call("send", to=BEN, text="before")
        first.say(BEN, ANNA, "queued")
    async with (
        Simulator(folder / "simulator") as second,
        RealClient(second, folder / "store", jid=address) as client,
    ):
        await client.call("connect")
        await client.event("Connected")
        assert (await client.text())["Message"]["conversation"] == "queued"
        await client.call("send", to=BEN, text="after")
        assert texts(second, BEN) == ["before", "after"]


@pytest.mark.parametrize("seed", [0, 1])
async def test_contacts_come_by_history_and_app_state_in_either_order(folder: Path, seed: int) -> None:
    async with Simulator(folder / "simulator", seed=seed) as simulator:
        anna = simulator.make_phone(ANNA, "Anna")
        for number, name in ((BEN, "Ben"), (CLEO, "Cleo")):
            simulator.make_phone(number, name)
            contacts.set_contact(simulator.hub, anna, number, f"{name} in the book")
        async with RealClient(simulator, folder / "store") as client:
            await client.pair(ANNA)
            await happened(simulator, 0, kind="first_sync")
            await happened(simulator, 0, kind="app_state", collection="critical_unblock_low")
            names = await client.until("contacts", lambda found: {BEN, CLEO} <= named(found))
            book = {contact["JID"]["User"]: contact["Info"] for contact in names}
            assert book[BEN]["FullName"] == "Ben in the book"
            contacts.set_contact(simulator.hub, anna, CLEO, "Cleo renamed")
            await client.until("contacts", lambda found: "Cleo renamed" in {c["Info"].get("FullName") for c in found})


def named(found: list[dict]) -> set[str]:
    return {contact["JID"]["User"] for contact in found if contact["Info"].get("FullName")}


async def test_numbers_pictures_and_typing_are_answered(simulator: Simulator, folder: Path) -> None:
    simulator.world.phone(BEN).picture = "shown"
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        (known,) = await client.call("on_whatsapp", number=BEN)
        (unknown,) = await client.call("on_whatsapp", number="491519999999")
        assert (known["IsIn"], unknown["IsIn"]) == (True, False)
        assert (await client.call("picture", number=BEN))["URL"].startswith("https://mmg.whatsapp.net/v/pictures/")
        with pytest.raises(ClientError):
            await client.call("picture", number=CLEO)


async def test_two_clients_of_two_people_write_to_each_other(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "a") as anna, RealClient(simulator, folder / "b") as ben:
        await anna.pair(ANNA)
        await ben.pair(BEN)
        for number in range(5):
            await anna.call("send", to=BEN, text=f"to Ben {number}")
            await ben.call("send", to=ANNA, text=f"to Anna {number}")
        await anna.text(5)
        await ben.text(5)
        assert texts(simulator, BEN) == [f"to Ben {number}" for number in range(5)]
        assert texts(simulator, ANNA) == [f"to Anna {number}" for number in range(5)]


async def test_a_second_device_gets_copies_and_a_client_that_lost_its_sessions_recovers(
    simulator: Simulator, folder: Path
) -> None:
    async with RealClient(simulator, folder / "a") as first, RealClient(simulator, folder / "b") as second:
        await first.pair(ANNA)
        await second.pair(ANNA)
        await first.call("send", to=BEN, text="from the first")
        message = await second.wait_for_copy()
        assert message["Info"]["MessageSource"]["IsFromMe"]
        simulator.say(ANNA, BEN, "from the phone")
        assert [entry.text for entry in simulator.inbox(BEN)] == ["from the first", "from the phone"]


async def test_a_client_pairs_by_phone_code(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.call("connect")
        await client.event("QR")
        code = await client.call("pair_phone", number=ANNA)
        simulator.enter_code(ANNA, code)
        await client.event("Connected")
        await client.call("send", to=BEN, text="by code")
        assert texts(simulator, BEN) == ["by code"]


async def test_an_image_arrives(simulator: Simulator, folder: Path) -> None:
    pixel = (
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
        "c9fe92ef0000000049454e44ae426082"
    )
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        await client.call("image", to=BEN, data=pixel)
        (entry,) = simulator.inbox(BEN)
        assert (entry.kind, entry.text) == ("imageMessage", "a picture")


async def test_a_login_can_be_slow(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        simulator.hub.settings.login_delay_s = 0.2
        await client.pair(ANNA)
        assert simulator.hub.logins(ANNA, 1) == 1


async def test_an_unlinked_client_is_told_and_refused_afterwards(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        simulator.unlink(ANNA)
        gone = await client.event("LoggedOut")
        assert not gone.get("OnConnect")
        assert simulator.world.phone(ANNA).companions == {}


async def test_a_second_login_of_one_device_replaces_the_first(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as first:
        address = await first.pair(ANNA)
        (folder / "copy").write_bytes((folder / "store").read_bytes())
        async with RealClient(simulator, folder / "copy", jid=address) as second:
            await second.call("connect")
            await second.event("Connected")
            await first.event("StreamReplaced")
