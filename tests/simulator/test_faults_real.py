"""The fault table, row by row, as the real client shows it (docs/whatsapp.md §5)."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.faults import read_fault
from simulator.server import Simulator
from tests.simulator.real_client import ClientError, RealClient
from tests.waiting import eventually

ANNA, BEN = "491511000001", "491511000002"


def order(simulator: Simulator, **fault: Any) -> None:
    simulator.hub.faults.order(ANNA, read_fault(fault))


def is_left_alone(simulator: Simulator) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return not simulator.hub.links

    return look


def texts(simulator: Simulator) -> list[str | None]:
    return [entry.text for entry in simulator.inbox(BEN)]


@pytest.mark.parametrize(
    ("fault", "event"),
    [
        ({"code": 515}, None),
        ({"code": 503}, "Disconnected"),
        ({"code": 516}, "StreamError"),
        ({"abort": True}, "Disconnected"),
        ({"close": True}, "Disconnected"),
    ],
)
async def test_the_client_comes_back_by_itself(
    simulator: Simulator, folder: Path, fault: dict[str, Any], event: str | None
) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        simulator.kick(ANNA, **fault)
        await client.event("Connected", 2)
        assert simulator.hub.logins(ANNA, 1) == 2
        assert (event is None and not client.heard("Disconnected")) or client.heard(event or "")
        await client.call("send", to=BEN, text="still here")
        assert texts(simulator) == ["still here"]


@pytest.mark.parametrize(
    ("fault", "event", "fields"),
    [
        ({"reason": 401}, "LoggedOut", {"OnConnect": True}),
        ({"reason": 403}, "LoggedOut", {"OnConnect": True}),
        ({"reason": 406}, "LoggedOut", {"OnConnect": True}),
        ({"reason": 402, "attrs": {"code": "101", "expire": "3600"}}, "TemporaryBan", {}),
        ({"reason": 405}, "ClientOutdated", {}),
        ({"reason": 409}, "ConnectFailure", {}),
    ],
)
async def test_a_refused_login_stays_down(
    simulator: Simulator, folder: Path, fault: dict[str, Any], event: str, fields: dict[str, Any]
) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        order(simulator, when="login", **fault)
        simulator.kick(ANNA, code=515)
        heard = await client.event(event)
        assert fields.items() <= heard.items()
        assert len(client.heard("Connected")) == 1


async def test_who_is_cut_off_before_it_is_told_to_log_in_never_does(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        order(simulator, when="paired")
        await client.call("connect")
        simulator.scan(ANNA, await client.event("QR"))
        await client.event("PairStatus")
        await eventually(is_left_alone(simulator), "the end of the connection")
        with pytest.raises(ClientError, match="not connected"):
            await client.call("send", to=BEN, text="nobody hears this")
        assert simulator.hub.journal.counts["login"] == 0


async def test_a_share_of_all_logins_can_be_refused(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        simulator.hub.settings.refused_logins = 1.0
        simulator.kick(ANNA, code=515)
        await client.event("ConnectFailure")
        assert simulator.hub.journal.counts["login_refused"] == 1
        assert len(client.heard("Connected")) == 1


@pytest.mark.parametrize("reason", [500, 503])
async def test_a_server_error_at_login_is_tried_again(simulator: Simulator, folder: Path, reason: int) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        order(simulator, when="login", reason=reason)
        simulator.kick(ANNA, code=503)
        await client.event("Connected", 2)


async def test_515_after_every_login_is_a_storm_of_logins(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        order(simulator, when="after_login", code=515, n=5)
        simulator.kick(ANNA, code=515)
        seen = 0
        for _ in range(6):
            (login, *_) = await simulator.hub.journal.wait(seen, {"kind": "login"}, 30.0)
            seen = login["seq"]
        assert simulator.hub.logins(ANNA, 1) == 6


async def test_a_message_dropped_before_the_ack_is_sent_again_with_its_id(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        order(simulator, when="message", op="drop")
        sent = await client.call("send", to=BEN, text="once")
        assert [(entry.id, entry.text) for entry in simulator.inbox(BEN)] == [(sent["id"], "once")]
        assert simulator.hub.logins(ANNA, 1) == 2


async def test_a_lost_ack_leads_to_one_delivery(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        order(simulator, when="message", op="drop_after")
        await client.call("send", to=BEN, text="once")
        assert texts(simulator) == ["once"]
        assert simulator.hub.journal.counts["message_repeated"] == 1


@pytest.mark.parametrize("code", [463, 479, 429])
async def test_a_refused_message_raises_and_is_not_delivered(simulator: Simulator, folder: Path, code: int) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        order(simulator, when="message", op="error", code=code)
        with pytest.raises(ClientError, match=str(code)):
            await client.call("send", to=BEN, text="never")
        assert texts(simulator) == []


async def test_without_an_ack_the_send_hangs_though_it_was_delivered(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        order(simulator, when="message", op="mute")
        answer = await client.start("send", to=BEN, text="unconfirmed")
        await client.event("Receipt", Type="DELIVERED")
        assert texts(simulator) == ["unconfirmed"]
        assert not answer.done()


async def test_a_server_that_is_gone_comes_back(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        simulator.set_listening(False)
        await client.event("Disconnected")
        with pytest.raises(ClientError, match="not connected"):
            await client.call("send", to=BEN, text="no")
        simulator.set_listening(True)
        await client.event("Connected", 2)


async def test_a_client_that_starts_while_the_server_is_gone_fails_at_once(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        address = await client.pair(ANNA)
    simulator.set_listening(False)
    async with RealClient(simulator, folder / "store", jid=address) as client:
        await client.call("connect")
        assert await client.event("TaskEnded")


async def test_a_removed_device_is_logged_out(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        simulator.kick(ANNA, code=401, conflict="device_removed")
        assert not (await client.event("LoggedOut")).get("OnConnect")


async def test_a_replaced_device_stays_down(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        simulator.kick(ANNA, conflict="replaced")
        await client.event("StreamReplaced")
        assert simulator.hub.logins(ANNA, 1) == 1
