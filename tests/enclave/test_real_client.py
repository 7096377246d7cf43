"""The real client behind the door, against the simulator: what the host sees, and what the recipient's phone got."""

import asyncio
import itertools
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from enclave.wire.answers import (
    Certainty,
    Done,
    NotSent,
    Opened,
    SendTrouble,
    Sent,
    Settled,
    SettleFound,
)
from enclave.wire.news import Connected, Drained, Ended, LoggedOut, PairFailed, QrShown, Receipt, ReceiptKind
from enclave.wire.operations import PairSession, Settle, Unlink
from supervisor.destinations import demo_of
from supervisor.relay import Relay
from tests.enclave.brokers import Broker, Host, reopened, wait_free
from tests.enclave.simulator_rig import World, running_simulator
from tests.waiting import eventually

ADA = "4917000000007"
TO = f"{ADA}@s.whatsapp.net"
_numbers = itertools.count(4915200000001)


@dataclass(frozen=True, slots=True)
class Rig:
    """A simulated WhatsApp, the host's relay in demo mode, and the demo's broker."""

    world: World
    broker: Broker


@pytest.fixture(scope="module")
async def rig() -> AsyncIterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as name:
        folder = Path(name)
        async with running_simulator(folder / "world") as world:
            await world.call("POST", "/phones", {"number": ADA, "name": "Ada"})
            relay = Relay(folder / "egress", demo_of(world.proxy.removeprefix("http://")))
            await relay.start()
            trusted = {"TEST_ROOT_KEY": world.root_key, "AUTOSENDR_SIMULATOR_TRUST": "replace-noise-root"}
            broker = Broker(
                folder,
                environment="demo",
                driver="neonize",
                ca_file=world.ca_file,
                after_load="tests.enclave.hooks:trust_the_simulator",
                hook_environment=trusted,
                observed=True,
            )
            await broker.start()
            yield Rig(world, broker)
            await broker.end()
            await relay.close()
            print(broker.log.read_text()[-6000:])
            assert "bug" not in broker.log.read_text(), broker.log.read_text()


@pytest.fixture
async def host(rig: Rig) -> AsyncIterator[Host]:
    """A host whose account is linked to a phone of its own, and asleep."""
    number = str(next(_numbers))
    await rig.world.call("POST", "/phones", {"number": number, "name": "Owner"})
    host = await Host(rig.broker, account=str(uuid.uuid4())).connect()
    await host.pair()
    shown = await host.hear(QrShown)
    await rig.world.call("POST", f"/phones/{number}/scan", {"qr": shown.text})
    await host.take_pairing()
    assert host.jid.startswith(number)
    await host.hear(Connected)
    await host.put_to_sleep()
    yield host
    await host.door.close()


async def awake(host: Host, *, dirty: bool = False) -> Opened:
    opened = await host.wake(dirty=dirty)
    await host.hear(Connected)
    return opened


async def texts(rig: Rig, host: Host) -> list[str]:
    """What Ada's phone has of this account, errors included."""
    number = host.jid.partition(":")[0]
    return [entry["text"] or entry["error"] for entry in await rig.world.inbox(ADA) if entry["sender"] == number]


async def test_linked_by_qr_asleep_woken_sent_arrives_decrypted(rig: Rig, host: Host) -> None:
    assert not (await awake(host)).continued
    sent = await host.call(await host.body("See you at nine 👋", recipient=TO), Sent)
    host.store = sent.store
    delivered = await host.hear_when(Receipt, lambda receipt: receipt.kind is ReceiptKind.DELIVERED)
    assert delivered.wa_ids == [sent.wa_id]
    await host.put_to_sleep()
    await awake(host)
    await host.call(await host.body("and again", recipient=TO, secret=b"\2" * 32), Sent)
    await host.put_to_sleep()
    assert await texts(rig, host) == ["See you at nine 👋", "and again"]


async def fault(rig: Rig, host: Host, **what: str) -> None:
    await rig.world.call("POST", f"/phones/{host.jid.partition(':')[0]}/faults", {"when": "message", **what})


async def test_a_session_killed_between_wire_and_acknowledgement_is_settled_and_arrives_once(
    rig: Rig, host: Host
) -> None:
    opened = await awake(host)
    await fault(rig, host, op="mute")
    assert host.store is not None
    before = host.store.version
    call = asyncio.ensure_future(host.door.call(await host.body("once", recipient=TO)))
    await arrives(rig, host, ["once"])
    os.kill(opened.pid, signal.SIGKILL)
    assert await call == NotSent(certainty=Certainty.MAYBE, trouble=SendTrouble.PROCESS_DIED, server_code=0)
    await host.hear(Ended)
    assert (await awake(host, dirty=True)).continued
    settled = await host.call(settle(host, before), Settled)
    assert settled.found is SettleFound.PRESENT
    assert settled.wa_id.startswith("3EB0")
    await host.call(await host.body("next", recipient=TO, secret=b"\2" * 32), Sent)
    await host.put_to_sleep()
    assert await texts(rig, host) == ["once", "next"]


def settle(host: Host, after_version: int, secret: bytes = bytes(32)) -> Settle:
    return Settle(account=host.account, epoch=1, secret=secret, after_version=after_version)


async def arrives(rig: Rig, host: Host, wanted: list[str]) -> None:
    async def look() -> bool:
        return await texts(rig, host) == wanted

    await eventually(look, f"{wanted} on the phone")


async def test_a_broker_killed_between_wire_and_acknowledgement_is_settled_and_arrives_once(
    rig: Rig, host: Host
) -> None:
    await awake(host)
    await fault(rig, host, op="mute")
    assert host.store is not None
    before = host.store.version
    call = asyncio.ensure_future(host.door.call(await host.body("once", recipient=TO)))
    await arrives(rig, host, ["once"])
    await rig.broker.end(signal.SIGKILL)
    await asyncio.wait([call])
    await rig.broker.start()
    again = await reopened(rig.broker, host)
    assert (await awake(again, dirty=True)).continued
    assert (await again.call(settle(again, before), Settled)).found is SettleFound.PRESENT
    await again.call(await again.body("next", recipient=TO, secret=b"\2" * 32), Sent)
    await again.put_to_sleep()
    assert await texts(rig, again) == ["once", "next"]
    await again.door.close()


async def test_a_supervisor_lost_before_the_wire_is_told_absent(rig: Rig, host: Host) -> None:
    await awake(host)
    assert host.store is not None
    before = host.store.version
    again = await reopened(rig.broker, host)
    assert (await wait_free(again, 1)).continued
    await again.hear(Connected)
    assert await again.call(settle(again, before), Settled) == Settled(found=SettleFound.ABSENT, wa_id="")
    await again.call(await again.body("safely again", recipient=TO), Sent)
    await again.put_to_sleep()
    assert await texts(rig, again) == ["safely again"]
    await again.door.close()


async def test_when_memory_is_lost_too_the_old_store_sends_on_fresh_ratchets(rig: Rig, host: Host) -> None:
    await awake(host)
    await host.call(await host.body("one", recipient=TO), Sent)
    await host.put_to_sleep()
    opened = await awake(host)
    assert host.store is not None
    before = host.store.version
    for n in range(3):  # whose stores the host never kept
        await host.call(await host.body(f"lost {n}", recipient=TO, secret=bytes([n + 1]) * 32), Sent)
    os.kill(opened.pid, signal.SIGKILL)
    await host.hear(Ended)
    shutil.rmtree(rig.broker.tmpfs / host.account)
    assert not (await awake(host, dirty=True)).continued
    assert (await host.call(settle(host, before, b"\1" * 32), Settled)).found is SettleFound.UNKNOWN
    await host.call(await host.body("fresh", recipient=TO, secret=b"\x09" * 32), Sent)
    await host.put_to_sleep()
    assert await texts(rig, host) == ["one", "lost 0", "lost 1", "lost 2", "fresh"]


async def test_unlinking_is_seen_by_the_phone_and_leaves_nothing(rig: Rig, host: Host) -> None:
    await awake(host)
    await host.call(Unlink(account=host.account, epoch=1), Done)
    number = host.jid.partition(":")[0]
    assert (await rig.world.call("GET", f"/phones/{number}"))["devices"] == []
    assert host.account not in rig.broker.leftovers()


async def test_a_device_unlinked_by_its_phone_is_told_and_its_store_destroyed(rig: Rig, host: Host) -> None:
    await awake(host)
    await host.hear(Drained)
    await rig.world.call("POST", f"/phones/{host.jid.partition(':')[0]}/unlink", {})
    assert (await host.hear(LoggedOut)).code == 401
    assert await host.close_session() is None
    assert host.account not in rig.broker.leftovers()


async def test_pairing_that_ends_without_a_device_leaves_nothing_and_may_be_tried_again(rig: Rig) -> None:
    host = await Host(rig.broker, account=str(uuid.uuid4())).connect()
    await rig.world.call("POST", "/faults", {"when": "login", "reason": 405})
    await host.pair()
    await host.hear(PairFailed)
    assert host.account not in rig.broker.leftovers()
    await host.call(PairSession(account=host.account, epoch=1, wrapped_key=host.key, phone=""), Opened)
    await host.hear(QrShown)
    await host.door.close()


def memory_hits(pid: int, needle: bytes) -> int:
    """How often `needle` is in the writable memory of a process."""
    hits = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, mode = line.split()[:2]
            if mode.startswith("rw"):
                start, end = (int(part, 16) for part in span.split("-"))
                memory.seek(start)
                hits += memory.read(end - start).count(needle)
    return hits


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root reads memory that is not dumpable")
@pytest.mark.parametrize("characters", [60, 4000])
async def test_a_sent_text_is_nowhere_in_the_brokers_memory(rig: Rig, host: Host, characters: int) -> None:
    opened = await awake(host)
    canary = os.urandom(8).hex()
    text = (canary + " ") * (characters // 17)
    await host.call(await host.body(text, recipient=TO), Sent)
    assert rig.broker.process is not None
    assert memory_hits(opened.pid, canary.encode()) > 0  # the control: where it must be, it is found
    assert memory_hits(rig.broker.process.pid, canary.encode()) == 0
    await host.put_to_sleep()
