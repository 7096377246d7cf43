"""The real client in session processes, against the simulator: linking, waking, sending, and every fault."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from enclave.session.nursery import Nursery
from enclave.session.pipe import (
    DevicePaired,
    FindSecret,
    Logout,
    LookUpNumber,
    ReadContacts,
    ReadPicture,
    SecretFound,
    SendText,
    SentText,
    SessionNotice,
    Snapshot,
    Started,
    Stop,
    Stopped,
    TakeSnapshot,
)
from enclave.session.process import EXIT_ORDERLY, EXIT_PAIRING_ENDED
from enclave.wire.answers import Certainty, ContactPage, Done, NotSent, NumberChecked, Picture, SendTrouble
from enclave.wire.envelope import Code
from enclave.wire.news import (
    Banned,
    Connected,
    ConnectFailed,
    ContactsChanged,
    Drained,
    Dropped,
    LoggedOut,
    Outdated,
    PairCodeShown,
    PairFailed,
    PairTrouble,
    QrShown,
    Receipt,
    ReceiptKind,
    Replaced,
    Restarted,
    StreamFailed,
)
from tests.enclave.session_rig import Line, open_line
from tests.enclave.simulator_rig import World, nursery_for, running_simulator

ADA = "4917000000007"
ADA_JID = f"{ADA}@s.whatsapp.net"
_numbers = itertools.count(4915100000001)
_secrets = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Account:
    """A linked account at rest: its number, its device, and its store."""

    number: str
    jid: str
    store: Path


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


async def new_phone(world: World) -> str:
    number = str(next(_numbers))
    contacts = [{"number": ADA, "name": "Ada Lovelace"}]
    await world.call("POST", "/phones", {"number": number, "name": "Me", "contacts": contacts})
    return number


def new_folder(folder: Path, store: Path | None = None) -> None:
    """An account's folder, with a copy of a store in it."""
    folder.mkdir()
    if store is not None:
        shutil.copy(store, folder / "store.db")


async def link(world: World, nursery: Nursery, folder: Path) -> tuple[str, DevicePaired, Line]:
    """A new phone, linked by QR, in a live session."""
    number = await new_phone(world)
    new_folder(folder)
    line = await open_line(nursery, folder)
    assert await line.start("neonize", proxy=world.proxy) == Started()
    shown = await line.told(QrShown)
    assert shown.valid_s == 60
    await world.call("POST", f"/phones/{number}/scan", {"qr": shown.text})
    paired = await line.told(DevicePaired)
    await line.told(Connected)
    return number, paired, line


@pytest.fixture(scope="module")
async def at_rest(world: World, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """One account for the tests that neither send nor lose it."""
    return await new_account(world, nursery, tmp_path_factory.mktemp("at-rest") / "account")


async def new_account(world: World, nursery: Nursery, folder: Path) -> Account:
    """A new phone, linked, its contacts arrived, and put to sleep."""
    number, paired, line = await link(world, nursery, folder)
    await line.told(ContactsChanged)
    return await put_to_sleep(line, number, paired.jid)


async def wake(world: World, nursery: Nursery, account: Account, folder: Path, dropped: bool = False) -> Line:
    """A session on a copy of the account's store."""
    new_folder(folder, account.store)
    line = await open_line(nursery, folder)
    started = await line.start("neonize", jid=account.jid, proxy=world.proxy, drop_ratchets=dropped)
    assert started == Started()
    return line


async def put_to_sleep(line: Line, number: str, jid: str) -> Account:
    """Stop a session; its account at rest."""
    stopped = await line.ask(Stop())
    assert isinstance(stopped, Stopped)
    assert stopped.snapshot is not None
    assert await line.ended() == EXIT_ORDERLY
    return Account(number, jid, Path(stopped.snapshot.path))


def text(body: str, to: str = ADA_JID) -> SendText:
    return SendText(recipient=to, secret=next(_secrets).to_bytes(32), text=memoryview(body.encode()))


async def texts_at(world: World, number: str, sender: str) -> list[tuple[str | None, str | None]]:
    entries = await world.inbox(number)
    return [(entry["text"], entry["error"]) for entry in entries if entry["sender"] == sender and not entry["own"]]


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
    assert page.after == ""
    beyond = await line.ask(ReadContacts(after=ADA_JID, limit=1))
    assert beyond == ContactPage(contacts=[], after="", names_synced=True)
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


LOGIN_FAULTS: list[tuple[dict[str, Any], SessionNotice]] = [
    ({"reason": 400}, ConnectFailed(code=400)),
    ({"reason": 401}, LoggedOut(code=401)),
    ({"reason": 402, "attrs": {"code": "104", "expire": "3600"}}, Banned(code=104, expire_s=3600)),
    ({"reason": 403}, LoggedOut(code=403)),
    ({"reason": 405}, Outdated(code=405)),
    ({"reason": 406}, LoggedOut(code=406)),
    ({"reason": 409}, Outdated(code=409)),
    ({"reason": 418}, ConnectFailed(code=0)),
    ({"reason": 501}, ConnectFailed(code=501)),
    ({"reason": 500}, Dropped()),
    ({"reason": 503}, Dropped()),
]


@pytest.mark.parametrize(("fault", "notice"), LOGIN_FAULTS, ids=lambda value: str(value))
async def test_a_refused_login_is_told(
    world: World, nursery: Nursery, at_rest: Account, tmp_path: Path, fault: dict[str, Any], notice: SessionNotice
) -> None:
    account = at_rest
    if isinstance(notice, LoggedOut):
        account = await new_account(world, nursery, tmp_path / "0")
    await world.call("POST", f"/phones/{account.number}/faults", {"when": "login", **fault})
    line = await wake(world, nursery, account, tmp_path / "1")
    assert await line.told(type(notice)) == notice
    if isinstance(notice, Dropped):
        await line.told(Connected)
    stopped = await line.ask(Stop())
    assert isinstance(stopped, Stopped)
    assert (stopped.snapshot is None) == isinstance(notice, LoggedOut)
    assert await line.ended() == EXIT_ORDERLY


STREAM_FAULTS: list[tuple[dict[str, Any], SessionNotice, bool]] = [
    ({"code": 515}, Restarted(), True),
    ({"code": 503}, Dropped(), True),
    ({"code": 516}, StreamFailed(code=516), True),
    ({"code": 429}, StreamFailed(code=429), True),
    ({"code": 409}, Replaced(), True),
    ({"abort": True}, Dropped(), True),
    ({"close": True}, Dropped(), True),
    ({"conflict": "replaced"}, Replaced(), False),
]


@pytest.mark.parametrize(("fault", "notice", "comes_back"), STREAM_FAULTS, ids=lambda value: str(value))
async def test_a_broken_stream_is_told(
    world: World, nursery: Nursery, at_rest: Account, tmp_path: Path, fault: dict[str, Any], notice: SessionNotice,
    comes_back: bool,
) -> None:  # fmt: skip
    line = await wake(world, nursery, at_rest, tmp_path / "1")
    await line.told(Connected)
    await world.call("POST", f"/phones/{at_rest.number}/kick", fault)
    assert await line.told(type(notice)) == notice
    if comes_back:
        await line.told(Connected)
    await line.ask(Stop())
    assert await line.ended() == EXIT_ORDERLY


MESSAGE_FAULTS: list[tuple[dict[str, Any], NotSent | None]] = [
    ({"op": "drop"}, None),
    ({"op": "drop_after"}, None),
    ({"op": "error", "code": 463}, NotSent(certainty=Certainty.REFUSED, trouble=SendTrouble.SERVER_REFUSED,
                                           server_code=463)),
    ({"op": "error", "code": 479}, NotSent(certainty=Certainty.REFUSED, trouble=SendTrouble.SERVER_REFUSED,
                                           server_code=479)),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "expected"), MESSAGE_FAULTS, ids=lambda value: str(value))
async def test_a_send_that_goes_wrong_arrives_once_or_is_refused(
    world: World, nursery: Nursery, tmp_path: Path, fault: dict[str, Any], expected: NotSent | None
) -> None:
    number, paired, line = await link(world, nursery, tmp_path / "1")
    await world.call("POST", f"/phones/{number}/faults", {"when": "message", **fault})
    result = await line.ask(text("once"))
    if expected is None:
        assert isinstance(result, SentText)
        assert await texts_at(world, ADA, number) == [("once", None)]
    else:
        assert result == expected
        assert await texts_at(world, ADA, number) == []
    await put_to_sleep(line, number, paired.jid)


async def test_a_number_that_is_not_on_whatsapp_is_told_as_such(world: World, nursery: Nursery, tmp_path: Path) -> None:
    number, paired, line = await link(world, nursery, tmp_path / "1")
    result = await line.ask(text("nobody there", "4917999999999@s.whatsapp.net"))
    expected = NotSent(certainty=Certainty.NOT_SENT, trouble=SendTrouble.NOT_ON_WHATSAPP, server_code=0)
    assert result == expected
    await put_to_sleep(line, number, paired.jid)


async def test_while_the_service_is_gone_nothing_is_sent_and_a_wake_fails(
    world: World, nursery: Nursery, at_rest: Account, tmp_path: Path
) -> None:
    line = await wake(world, nursery, at_rest, tmp_path / "1")
    await line.told(Connected)
    await world.call("POST", "/settings", {"listening": False})
    try:
        await line.told(Dropped)
        unsent = text("lost?")
        result = await line.ask(unsent)
        assert result == NotSent(certainty=Certainty.NOT_SENT, trouble=SendTrouble.NOT_CONNECTED, server_code=0)
        failing = await wake(world, nursery, at_rest, tmp_path / "2")
        assert await failing.told(ConnectFailed) == ConnectFailed(code=0)
        await put_to_sleep(failing, at_rest.number, at_rest.jid)
    finally:
        await world.call("POST", "/settings", {"listening": True})
    await line.told(Connected)
    await put_to_sleep(line, at_rest.number, at_rest.jid)


async def test_unlinking_on_the_phone_is_told_and_leaves_no_store(
    world: World, nursery: Nursery, tmp_path: Path
) -> None:
    number, _, line = await link(world, nursery, tmp_path / "1")
    await world.call("POST", f"/phones/{number}/unlink", {})
    assert await line.told(LoggedOut) == LoggedOut(code=401)
    assert await line.ask(Stop()) == Stopped(snapshot=None)
    assert await line.ended() == EXIT_ORDERLY


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
