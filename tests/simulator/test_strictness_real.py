"""What the service does of its own accord, and what it refuses, with the real client on the other side."""

import asyncio
from pathlib import Path

import pytest

from simulator import acts, people
from simulator.faults import Fault
from simulator.server import Simulator
from simulator.signal.keys import Bundle
from simulator.stanzas.encrypt import bundle_of
from tests.simulator.real_client import ClientError, RealClient

ANNA, BEN, CLEO = "491511000001", "491511000002", "491511000003"
DEADLINE_S = 20.0


def texts(simulator: Simulator, number: str) -> list[tuple[str | None, str | None]]:
    return [(entry.text, entry.error) for entry in simulator.inbox(number)]


async def happened(simulator: Simulator, kind: str, phone: str, **wanted: str) -> dict[str, object]:
    """The first event of that kind, waited for."""
    found = await simulator.hub.journal.wait(0, {"kind": kind, "phone": phone, **wanted}, DEADLINE_S)
    assert found, f"no {kind}"
    return found[0]


async def test_a_locked_account_reaches_only_who_wrote_to_it(simulator: Simulator, folder: Path) -> None:
    simulator.world.phone(ANNA).reachout_locked = True
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        with pytest.raises(ClientError, match="463"):
            await client.call("send", to=BEN, text="may I?")
        assert texts(simulator, BEN) == []
        simulator.say(BEN, ANNA, "of course")
        await client.text()
        await client.call("send", to=BEN, text="thank you")
        assert texts(simulator, BEN) == [("thank you", None)]
        with pytest.raises(ClientError, match="463"):
            await client.call("send", to=CLEO, text="and you?")


async def test_trust_from_before_the_link_comes_with_the_history(simulator: Simulator, folder: Path) -> None:
    simulator.world.phone(ANNA).reachout_locked = True
    simulator.say(BEN, ANNA, "hello")
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        await client.event("HistorySync", 2)
        await sent_once_trusted(client, BEN, "hello yourself")
        assert texts(simulator, BEN) == [("hello yourself", None)]


async def sent_once_trusted(client: RealClient, to: str, text: str) -> None:
    """The client stores tokens of a history beside its event, so the first tries may come too early."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                await client.call("send", to=to, text=text)
            except ClientError as error:
                assert "463" in str(error)
            else:
                return


async def test_a_client_with_few_prekeys_left_uploads_more(simulator: Simulator, folder: Path) -> None:
    anna = simulator.world.phone(ANNA)
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        companion = anna.companions[1]
        await happened(simulator, "prekeys", ANNA)
        while len(companion.prekeys) > 5:
            companion.prekeys.popitem()
        before = simulator.hub.journal.seq
        assert bundle_of(simulator.hub, anna, 1) is not None
        assert await simulator.hub.journal.wait(before, {"kind": "prekeys", "phone": ANNA}, DEADLINE_S)
        assert len(companion.prekeys) > 5


async def test_too_many_questions_are_refused_as_the_service_refuses_them(simulator: Simulator, folder: Path) -> None:
    simulator.world.phone(BEN).picture = "shown"
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        simulator.hub.faults.order(ANNA, Fault("iq", code=429, xmlns="w:profile:picture"))
        with pytest.raises(ClientError, match="429"):
            await client.call("picture", number=BEN)
        assert (await client.call("picture", number=BEN))["URL"]


async def test_a_device_linked_later_is_missed_by_a_running_session_and_told_by_the_hash(
    simulator: Simulator, folder: Path
) -> None:
    """The client drops the notice of a new device where it knows the person by hidden number alone."""
    async with RealClient(simulator, folder / "ben") as ben:
        async with RealClient(simulator, folder / "anna") as anna:
            address = await anna.pair(ANNA)
            await anna.call("send", to=BEN, text="to the phone")
            await ben.pair(BEN)
            await anna.call("send", to=BEN, text="to the phone alone")
            sent = simulator.hub.journal.since(0, {"kind": "message", "phone": ANNA, "resend": "False"})
            assert [event["stale"] for event in sent] == [False, True]
        async with RealClient(simulator, folder / "anna", address) as anna:
            await anna.call("connect")
            await anna.event("Connected")
            await anna.call("send", to=BEN, text="to both")
            assert (await ben.text())["Message"]["conversation"] == "to both"


async def test_a_phone_that_lost_its_sessions_asks_the_client_again(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        await client.call("send", to=BEN, text="one")
        simulator.say(BEN, ANNA, "two")
        await client.text()
        ben = simulator.world.phone(BEN)
        ben.party.drop_session(people.address(simulator.world.phone(ANNA), 1))
        await client.call("send", to=BEN, text="three")
        await happened(simulator, "inbox", BEN, text="three")
        assert texts(simulator, BEN) == [("one", None), ("three", None)]


async def test_a_client_that_cannot_read_asks_the_phone_again(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        ben, anna = simulator.world.phone(BEN), simulator.world.phone(ANNA)
        foreign: Bundle = simulator.world.phone(CLEO).party.bundle()
        # A session that the client never had: what Ben's phone sends under it is noise to the client.
        ben.party.encrypt(people.address(anna, 1), b"", foreign)
        simulator.say(BEN, ANNA, "can you read this?")
        assert (await client.text())["Message"]["conversation"] == "can you read this?"
        assert (await happened(simulator, "retry", BEN))["count"]


async def test_a_person_who_installs_anew_still_gets_messages(simulator: Simulator, folder: Path) -> None:
    ben = simulator.world.phone(BEN)
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        await client.call("send", to=BEN, text="one")
        old = ben.party.identity_public
        acts.reinstall(simulator.hub, ben)
        assert ben.party.identity_public != old
        await client.event("IdentityChange")
        await client.call("send", to=BEN, text="two")
        await happened(simulator, "inbox", BEN, text="two")
        simulator.say(BEN, ANNA, "three")
        assert (await client.text())["Message"]["conversation"] == "three"


async def test_a_wrong_phone_code_links_nothing(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.call("connect")
        await client.event("QR")
        code = await client.call("pair_phone", number=ANNA)
        wrong = code[:-1] + ("1" if code[-1] != "1" else "2")
        simulator.enter_code(ANNA, wrong)
        await happened(simulator, "pairing_refused", ANNA)
        assert simulator.world.phone(ANNA).companions == {}
