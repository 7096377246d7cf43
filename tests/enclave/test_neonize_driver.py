"""The real client in session processes, against the simulator: linking, waking, sending, reading."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from enclave.session.nursery import Nursery
from enclave.session.pipe import (
    DevicePaired,
    FindSecret,
    Logout,
    LookUpNumber,
    ReadContacts,
    ReadGroups,
    ReadPicture,
    SecretFound,
    SentText,
    Snapshot,
    Started,
    Stop,
    Stopped,
    TakeSnapshot,
)
from enclave.session.process import EXIT_ORDERLY, EXIT_PAIRING_ENDED
from enclave.wire.answers import (
    ContactPage,
    Done,
    Group,
    GroupList,
    NumberChecked,
    Picture,
)
from enclave.wire.envelope import Code
from enclave.wire.news import (
    Connected,
    ContactsChanged,
    Drained,
    DrainStarted,
    PairCodeShown,
    PairFailed,
    PairTrouble,
    QrShown,
    Receipt,
    ReceiptKind,
    Restarted,
)
from tests.enclave.linked import ADA, ADA_JID, Account, link, new_account, new_phone, put_to_sleep, text, texts_at, wake
from tests.enclave.session_rig import Line, open_line
from tests.enclave.simulator_rig import World, nursery_for, running_simulator


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        await running.call("POST", "/phones", {"number": ADA, "name": "Ada", "picture": "shown"})
        yield running


@pytest.fixture(scope="module")
async def nursery(world: World) -> AsyncIterator[Nursery]:
    started = await nursery_for(world)
    yield started
    await started.close()


@pytest.fixture(scope="module")
async def at_rest(world: World, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """One account for the tests that neither send nor lose it."""
    return await new_account(world, nursery, tmp_path_factory.mktemp("at-rest") / "account")


async def test_linking_sending_sleeping_and_waking_in_another_process(
    world: World, nursery: Nursery, tmp_path: Path
) -> None:
    number, paired, line = await link(world, nursery, tmp_path / "1")
    first = text("the first, naïve 🎉")
    sent = await line.ask(first)
    assert isinstance(sent, SentText)
    receipt = await line.told(Receipt, lambda told: told.kind is ReceiptKind.DELIVERED)
    assert (receipt.wa_ids, receipt.chat) == ([sent.wa_id], ADA_JID)
    assert abs(receipt.at_s - sent.server_time_s) < 60
    assert await line.ask(FindSecret(secret=first.secret)) == SecretFound(wa_id=sent.wa_id)
    account = await put_to_sleep(line, number, paired.jid)
    second = await wake(world, nursery, account, tmp_path / "2")
    assert second.pid != line.pid
    await second.told(Connected)
    assert await second.ask(FindSecret(secret=first.secret)) == SecretFound(wa_id=sent.wa_id)
    assert isinstance(await second.ask(text("the second")), SentText)
    assert await texts_at(world, ADA, number) == [("the first, naïve 🎉", None), ("the second", None)]
    assert not [entry for entry in await world.inbox(ADA) if entry["bot_label"]]
    await world.call("POST", f"/phones/{ADA}/read", {"chat": number})
    await second.told(Receipt, lambda told: told.kind is ReceiptKind.READ)
    await put_to_sleep(second, number, paired.jid)


async def test_a_killed_session_wakes_from_its_own_folder(world: World, nursery: Nursery, tmp_path: Path) -> None:
    number, paired, line = await link(world, nursery, tmp_path / "1")
    assert isinstance(await line.ask(text("before")), SentText)
    await nursery_kill(line)
    account = Account(number, paired.jid, tmp_path / "1" / "store.db")
    second = await wake(world, nursery, account, tmp_path / "2")
    await second.told(Connected)
    assert isinstance(await second.ask(text("after")), SentText)
    assert await texts_at(world, ADA, number) == [("before", None), ("after", None)]
    await put_to_sleep(second, number, paired.jid)


async def nursery_kill(line: Line) -> None:
    import os
    import signal

    os.kill(line.pid, signal.SIGKILL)
    assert await line.ended() == -signal.SIGKILL


async def test_a_stale_store_without_its_ratchets_still_reaches_the_phone(
    world: World, nursery: Nursery, tmp_path: Path
) -> None:
    number, paired, line = await link(world, nursery, tmp_path / "1")
    assert isinstance(await line.ask(text("one")), SentText)
    old = await line.ask(TakeSnapshot())
    assert isinstance(old, Snapshot)
    assert isinstance(await line.ask(text("two")), SentText)
    await put_to_sleep(line, number, paired.jid)
    stale = Account(number, paired.jid, Path(old.path))
    second = await wake(world, nursery, stale, tmp_path / "2", dropped=True)
    await second.told(Connected)
    assert isinstance(await second.ask(text("three")), SentText)
    assert await texts_at(world, ADA, number) == [("one", None), ("two", None), ("three", None)]
    await put_to_sleep(second, number, paired.jid)


async def test_contacts_carry_names_and_lids_page_by_page(
    world: World, nursery: Nursery, at_rest: Account, tmp_path: Path
) -> None:
    line = await wake(world, nursery, at_rest, tmp_path / "1")
    page = await line.ask(ReadContacts(after="", limit=1))
    assert isinstance(page, ContactPage)
    assert [(contact.jid, contact.full_name) for contact in page.contacts] == [(ADA_JID, "Ada Lovelace")]
    assert page.contacts[0].lid.endswith("@lid")
    assert page.names_synced
    assert page.own_name == "Me"
    assert page.after == ""
    beyond = await line.ask(ReadContacts(after=ADA_JID, limit=1))
    assert beyond == ContactPage(contacts=[], after="", names_synced=True, own_name="Me")
    await put_to_sleep(line, at_rest.number, at_rest.jid)


async def test_a_new_contact_is_told_while_the_session_lives(
    world: World, nursery: Nursery, at_rest: Account, tmp_path: Path
) -> None:
    line = await wake(world, nursery, at_rest, tmp_path / "1")
    await line.told(Drained)
    await world.call("POST", f"/phones/{at_rest.number}/contacts", {"number": "4917000000099", "name": "Grace H."})
    await line.told(ContactsChanged)
    page = await line.ask(ReadContacts(after="", limit=10))
    assert isinstance(page, ContactPage)
    assert "Grace H." in [contact.full_name for contact in page.contacts]
    await put_to_sleep(line, at_rest.number, at_rest.jid)


async def test_pictures_and_numbers_are_looked_up(
    world: World, nursery: Nursery, at_rest: Account, tmp_path: Path
) -> None:
    line = await wake(world, nursery, at_rest, tmp_path / "1")
    await line.told(Connected)
    picture = await line.ask(ReadPicture(jid=ADA_JID, known_id=""))
    assert isinstance(picture, Picture)
    assert picture.picture_id
    assert picture.image
    again = await line.ask(ReadPicture(jid=ADA_JID, known_id=picture.picture_id))
    assert again == Picture(picture_id=picture.picture_id, image=b"")
    none = await line.ask(ReadPicture(jid=f"{await new_phone(world)}@s.whatsapp.net", known_id=""))
    assert none == Picture(picture_id="", image=b"")
    assert await line.ask(LookUpNumber(phone=ADA)) == NumberChecked(jid=ADA_JID)
    assert await line.ask(LookUpNumber(phone="4917999999999")) == NumberChecked(jid="")
    assert await line.ask(LookUpNumber(phone="+49170 1")) == Code.BAD_OPERATION
    await put_to_sleep(line, at_rest.number, at_rest.jid)


async def test_a_session_never_appears_online(world: World, nursery: Nursery, at_rest: Account, tmp_path: Path) -> None:
    before = await world.seq()
    line = await wake(world, nursery, at_rest, tmp_path / "1")
    presence = await world.event(before, kind="presence", phone=at_rest.number)
    assert presence["type"] == "unavailable"
    await put_to_sleep(line, at_rest.number, at_rest.jid)


async def test_linking_by_code(world: World, nursery: Nursery, tmp_path: Path) -> None:
    number = await new_phone(world)
    line = await open_line(nursery, tmp_path)
    assert await line.start("neonize", phone=number, proxy=world.proxy) == Started()
    shown = await line.told(PairCodeShown)
    await world.call("POST", f"/phones/{number}/code", {"code": shown.code})
    assert (await line.told(DevicePaired)).jid.startswith(number)
    await line.told(Connected)
    assert not [notice for notice in line.notices if isinstance(notice, QrShown | Restarted)]
    await line.ask(Stop())
    await line.ended()


async def test_linking_that_the_service_refuses_ends_with_its_process(
    world: World, nursery: Nursery, tmp_path: Path
) -> None:
    await world.call("POST", "/faults", {"when": "login", "reason": 405})
    line = await open_line(nursery, tmp_path)
    assert await line.start("neonize", proxy=world.proxy) == Started()
    assert (await line.told(PairFailed)).trouble is PairTrouble.OUTDATED
    assert await line.ended() == EXIT_PAIRING_ENDED


async def test_stopping_before_the_scan_leaves_no_store(world: World, nursery: Nursery, tmp_path: Path) -> None:
    line = await open_line(nursery, tmp_path)
    await line.start("neonize", proxy=world.proxy)
    await line.told(QrShown)
    assert await line.ask(text("too early")) == Code.NOT_CONNECTED
    assert await line.ask(Stop()) == Stopped(snapshot=None)
    assert await line.ended() == EXIT_ORDERLY


async def test_unlinking_logs_out_at_the_service(world: World, nursery: Nursery, tmp_path: Path) -> None:
    number, _, line = await link(world, nursery, tmp_path / "1")
    assert await line.ask(Logout()) == Done()
    assert await line.ended() == EXIT_ORDERLY
    assert (await world.call("GET", f"/phones/{number}"))["devices"] == []


async def test_several_sessions_at_once_are_each_in_a_process_of_its_own(
    world: World, nursery: Nursery, at_rest: Account, tmp_path: Path
) -> None:
    linked = await asyncio.gather(*(link(world, nursery, tmp_path / str(n)) for n in range(4)))
    sent = await asyncio.gather(*(line.ask(text(f"from {number}")) for number, _, line in linked))
    assert all(isinstance(result, SentText) for result in sent)
    assert len({line.pid for _, _, line in linked}) == 4
    for number, _, line in linked:
        assert await texts_at(world, ADA, number) == [(f"from {number}", None)]
        await line.ask(Stop())
        await line.ended()


async def test_groups_are_listed_and_written_to(world: World, nursery: Nursery, tmp_path: Path) -> None:
    number, paired, line = await link(world, nursery, tmp_path / "1")
    order = {"owner": ADA, "subject": "Engines", "members": [number]}
    group = (await world.call("POST", "/groups", order))["id"]
    listed = await line.ask(ReadGroups())
    assert isinstance(listed, GroupList)
    expected = Group(jid=group, name="Engines", members=2, can_send=True, expiration_s=0)
    assert listed.groups == [expected]
    for words in ("to all", "to all again"):
        assert isinstance(await line.ask(text(words, group)), SentText)
    assert await texts_at(world, ADA, number) == [("to all", None), ("to all again", None)]
    await put_to_sleep(line, number, paired.jid)


async def test_what_came_while_asleep_is_drained_and_not_told_as_text(
    world: World, nursery: Nursery, tmp_path: Path
) -> None:
    account = await new_account(world, nursery, tmp_path / "1")
    await world.call("POST", f"/phones/{ADA}/say", {"to": account.number, "text": "a canary sang"})
    line = await wake(world, nursery, account, tmp_path / "2")
    assert (await line.told(DrainStarted)).total >= 1
    await line.told(Drained)
    stopped = await put_to_sleep(line, account.number, account.jid)
    assert "canary" not in repr(line.notices)
    assert b"a canary sang" not in stopped.store.read_bytes()
