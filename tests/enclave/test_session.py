"""The session process with the null driver, and what the real driver refuses before it connects anywhere."""

import sqlite3
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
    SendText,
    SentText,
    Snapshot,
    Started,
    Stop,
    Stopped,
    TakeSnapshot,
)
from enclave.session.process import DEADLINES_S, EXIT_ORDERLY, EXIT_PAIRING_ENDED, EXIT_REFUSED
from enclave.wire.answers import ContactPage, Done, GroupList, NumberChecked, Picture
from enclave.wire.envelope import Code
from enclave.wire.news import Connected, PairFailed, PairTrouble, Receipt
from tests.enclave.session_rig import Line, open_line

SECRET = b"s" * 32
TO = "4917000000007@s.whatsapp.net"


@pytest.fixture(scope="module")
async def nursery() -> AsyncIterator[Nursery]:
    started = await Nursery.start(observed=True)
    yield started
    await started.close()


@pytest.fixture
async def line(nursery: Nursery, tmp_path: Path) -> AsyncIterator[Line]:
    opened = await open_line(nursery, tmp_path)
    yield opened
    await opened.hang_up()
    await opened.ended()


async def test_a_null_session_pairs_sends_settles_and_stops(line: Line) -> None:
    assert await line.start() == Started()
    paired = await line.told(DevicePaired)
    await line.told(Connected)
    sent = await line.ask(SendText(recipient=TO, secret=SECRET, text=memoryview(b"hello")))
    assert isinstance(sent, SentText)
    assert (await line.told(Receipt)).wa_ids == [sent.wa_id]
    assert await line.ask(FindSecret(secret=SECRET)) == SecretFound(wa_id=sent.wa_id)
    assert await line.ask(FindSecret(secret=b"?" * 32)) == SecretFound(wa_id="")
    stopped = await line.ask(Stop())
    assert isinstance(stopped, Stopped)
    assert stopped.snapshot is not None
    assert stopped.snapshot.path != paired.snapshot.path
    assert await line.ended() == EXIT_ORDERLY
    store = sqlite3.connect(stopped.snapshot.path)
    assert store.execute("SELECT wa_id FROM sent").fetchall() == [(sent.wa_id,)]
    store.close()


async def test_every_order_has_its_answer(line: Line) -> None:
    await line.start()
    assert isinstance(await line.ask(TakeSnapshot()), Snapshot)
    assert await line.ask(ReadContacts(after="", limit=10)) == ContactPage(contacts=[], after="", names_synced=True)
    assert await line.ask(ReadGroups()) == GroupList(groups=[])
    assert await line.ask(ReadPicture(jid=TO, known_id="")) == Picture(picture_id="", image=b"")
    assert await line.ask(LookUpNumber(phone="4917000000007")) == NumberChecked(jid=TO)
    assert await line.ask(Logout()) == Done()
    assert await line.ended() == EXIT_ORDERLY


async def test_a_null_session_without_its_store_is_refused(line: Line) -> None:
    assert await line.start(jid="4915100000001:1@s.whatsapp.net") == Code.STORE_CORRUPT
    assert await line.ended() == EXIT_REFUSED


@pytest.mark.parametrize(
    "proxy", ["", "http://192.0.2.1:3128", "https://127.0.0.1:1", "socks5://127.0.0.1:1", "http://127.0.0.1"]
)
async def test_the_client_does_not_start_without_a_proxy_on_this_machine(line: Line, proxy: str) -> None:
    assert await line.start("neonize", proxy=proxy) == Code.BAD_OPERATION
    assert await line.ended() == EXIT_REFUSED


@pytest.mark.parametrize("jid", ["4915100000001:1@s.whatsapp.net", "4915100000001@s.whatsapp.net", "nobody"])
async def test_the_client_does_not_wake_without_its_store(line: Line, jid: str) -> None:
    assert await line.start("neonize", jid=jid) == Code.STORE_CORRUPT
    assert await line.ended() == EXIT_REFUSED


async def test_the_client_does_not_wake_a_device_that_its_store_does_not_hold(nursery: Nursery, tmp_path: Path) -> None:
    pairing = await open_line(nursery, tmp_path)
    await pairing.start("neonize")
    await pairing.ended()
    waking = await open_line(nursery, tmp_path)
    assert await waking.start("neonize", jid="4915100000001:1@s.whatsapp.net") == Code.STORE_CORRUPT
    assert await waking.ended() == EXIT_REFUSED


async def test_the_client_does_not_pair_over_an_existing_store(line: Line) -> None:
    sqlite3.connect(line.folder / "store.db").execute("CREATE TABLE t (x)").connection.close()
    assert await line.start("neonize") == Code.STORE_CORRUPT
    assert await line.ended() == EXIT_REFUSED


async def test_pairing_without_a_way_out_ends_with_its_process(line: Line) -> None:
    assert await line.start("neonize") == Started()
    assert await line.told(PairFailed) == PairFailed(trouble=PairTrouble.UNREACHABLE)
    assert await line.ended() == EXIT_PAIRING_ENDED


def test_every_order_has_a_deadline() -> None:
    from typing import get_args

    from enclave.session.pipe import Task

    assert set(DEADLINES_S) == set(get_args(Task))
