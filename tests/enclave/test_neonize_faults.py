"""Every fault that the simulator can make, and what the session tells of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from enclave.session.nursery import Nursery
from enclave.session.pipe import (
    ReadPicture,
    SentText,
    SessionNotice,
    Stop,
    Stopped,
)
from enclave.session.process import EXIT_ORDERLY
from enclave.wire.answers import Certainty, NotSent, Picture, SendTrouble
from enclave.wire.envelope import Code
from enclave.wire.news import (
    Banned,
    Connected,
    ConnectFailed,
    Dropped,
    LoggedOut,
    Outdated,
    Replaced,
    Restarted,
    StreamFailed,
)
from tests.enclave.linked import ADA, ADA_JID, Account, link, new_account, put_to_sleep, text, texts_at, wake
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


async def test_a_picture_too_many_is_told_apart_from_a_lost_connection(
    world: World, nursery: Nursery, at_rest: Account, tmp_path: Path
) -> None:
    line = await wake(world, nursery, at_rest, tmp_path / "1")
    await line.told(Connected)
    for status, code in ((429, Code.RATE_LIMITED), (503, Code.NOT_CONNECTED)):
        fault = {"when": "iq", "code": status, "xmlns": "w:profile:picture"}
        await world.call("POST", f"/phones/{at_rest.number}/faults", fault)
        assert await line.ask(ReadPicture(jid=ADA_JID, known_id="")) == code
    assert isinstance(await line.ask(ReadPicture(jid=ADA_JID, known_id="")), Picture)
    await put_to_sleep(line, at_rest.number, at_rest.jid)
