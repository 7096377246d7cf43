"""The whole enclave from the host's side: real broker, real zygote, one process per session, null driver."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from enclave.broker import report_bug
from enclave.wire.answers import (
    ContactPage,
    Done,
    NumberChecked,
    Sent,
    Settled,
    SettleFound,
    StatsTaken,
    StoreTaken,
)
from enclave.wire.envelope import Code
from enclave.wire.news import Connected, Ended
from enclave.wire.operations import (
    CheckNumber,
    CloseSession,
    Forget,
    ListContacts,
    OpenSession,
    PairSession,
    Settle,
    Stats,
    TakeStore,
    Unlink,
)
from store.door import DoorFailed
from tests.enclave.brokers import (
    ACCOUNT,
    REPOSITORY,
    Broker,
    Host,
    children,
    code_of,
    reopened,
)

OTHER = "00000000-0000-4000-8000-000000000002"


async def test_a_device_is_linked_put_to_sleep_woken_and_sends(host: Host, broker: Broker) -> None:
    await host.link()
    await host.hear(Connected)
    first = await host.put_to_sleep()
    assert first.clean
    assert broker.leftovers() == []
    assert not (await host.wake()).continued
    await host.hear(Connected)
    send = await host.body()
    sent = await host.call(send, Sent)
    assert sent.wa_id.startswith("3EB0")
    assert not sent.store.clean
    assert sent.store.version > first.version
    assert b"hello" not in sent.store.ciphertext
    settled = await host.call(Settle(account=ACCOUNT, epoch=1, secret=bytes(32), after_version=0), Settled)
    assert settled == Settled(found=SettleFound.PRESENT, wa_id=sent.wa_id)
    taken = await host.call(TakeStore(account=ACCOUNT, epoch=1), StoreTaken)
    assert taken.store.version > sent.store.version
    assert (await host.call(ListContacts(account=ACCOUNT, epoch=1, after="", limit=10), ContactPage)).names_synced
    checked = await host.call(CheckNumber(account=ACCOUNT, epoch=1, phone="491510000009"), NumberChecked)
    assert checked.jid == "491510000009@s.whatsapp.net"
    last = await host.put_to_sleep()
    assert last.version > taken.store.version


async def test_a_text_goes_to_its_recipient_in_its_time_only(host: Host) -> None:
    await host.link()
    send = await host.body()
    replace = msgspec.structs.replace
    assert await code_of(host, replace(send, recipient="491510000002@s.whatsapp.net")) is Code.WRONG_RECIPIENT
    past = replace(send, binding=replace(send.binding, not_after_s=1))
    assert await code_of(host, past) is Code.EXPIRED
    later = replace(send, binding=replace(send.binding, not_after_s=send.binding.not_after_s + 1))
    assert await code_of(host, later) is Code.MALFORMED
    elsewhere = replace(send, binding=replace(send.binding, environment="nitro"))
    assert await code_of(host, elsewhere) is Code.MALFORMED
    assert await code_of(host, replace(send, content_key=bytes(61))) is Code.MALFORMED
    assert (await host.call(Stats(), StatsTaken)).sends == 0
    await host.call(send, Sent)


async def test_an_epoch_fences_the_lower_ones(host: Host, broker: Broker) -> None:
    await host.link(epoch=5)
    other = await Host(broker).connect()
    other.key, other.store, other.jid = host.key, host.store, host.jid
    assert await code_of(other, TakeStore(account=ACCOUNT, epoch=5)) is Code.NO_SESSION
    with pytest.raises(DoorFailed) as failed:
        await other.wake(5)
    assert failed.value.code is Code.SESSION_EXISTS
    with pytest.raises(DoorFailed) as failed:
        await other.wake(4)
    assert failed.value.code is Code.FENCED
    opened = await other.wake(6, dirty=True)
    assert opened.continued
    assert (await host.hear(Ended)).status == -signal.SIGKILL
    assert await code_of(host, TakeStore(account=ACCOUNT, epoch=5)) is Code.FENCED
    assert await code_of(host, CloseSession(account=ACCOUNT, epoch=5)) is Code.FENCED
    assert (await other.put_to_sleep(6)).clean
    await other.door.close()


async def test_only_an_owner_connection_opens_sessions(broker: Broker, host: Host) -> None:
    web = await Host(broker).connect(owner=False)
    await host.link()
    for operation in (
        PairSession(account=OTHER, epoch=1, wrapped_key=host.key, phone=""),
        OpenSession(account=ACCOUNT, epoch=9, wrapped_key=host.key, jid=host.jid, store=host.store, dirty=False),
        TakeStore(account=ACCOUNT, epoch=1),
    ):
        assert await code_of(web, operation) is Code.BAD_OPERATION
    await web.call(Stats(), StatsTaken)
    await web.door.close()
    await host.put_to_sleep()


@pytest.mark.parametrize("wrong", ["key", "account", "store"])
async def test_keys_and_stores_of_others_do_not_open(host: Host, wrong: str) -> None:
    await host.link()
    store = await host.put_to_sleep()
    operation = OpenSession(account=ACCOUNT, epoch=1, wrapped_key=host.key, jid=host.jid, store=store, dirty=False)
    match wrong:
        case "key":
            broken = msgspec.structs.replace(operation, wrapped_key=bytes([host.key[0] ^ 1]) + host.key[1:])
            expected = Code.WRONG_KEY
        case "account":
            broken, expected = msgspec.structs.replace(operation, account=OTHER), Code.WRONG_KEY
        case _:
            damaged = msgspec.structs.replace(store, ciphertext=store.ciphertext[:-1])
            broken, expected = msgspec.structs.replace(operation, store=damaged), Code.STORE_CORRUPT
    assert await code_of(host, broken) is expected
    assert (await host.wake()).pid
    await host.put_to_sleep()


async def test_unlink_and_forget_leave_nothing(host: Host, broker: Broker) -> None:
    await host.link()
    assert broker.leftovers() == [ACCOUNT]
    await host.call(Unlink(account=ACCOUNT, epoch=1), Done)
    assert broker.leftovers() == []
    await host.link()
    again = await reopened(broker, host)
    await again.call(Forget(account=ACCOUNT, epoch=2), Done)
    assert broker.leftovers() == []
    assert await code_of(again, CloseSession(account=ACCOUNT, epoch=1)) is Code.FENCED
    assert [news for news in again.heard if isinstance(news.notice, Ended)] == []
    await again.door.close()


async def test_a_second_broker_on_the_same_folder_does_not_start(broker: Broker) -> None:
    second = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "enclave"],
        env=broker.environment(),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert second.returncode == 1
    assert "Another enclave" in str(second.stderr)


@pytest.mark.parametrize("change", [{"AUTOSENDR_DATABASE_URL": "x"}, {"AUTOSENDR_STATE": ""}])
async def test_unknown_or_missing_variables_refuse_to_start(tmp_path: Path, change: dict[str, str]) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "enclave"],
        env={**Broker(tmp_path).environment(), **change},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 1
    assert next(iter(change)) in str(done.stderr)


async def test_a_hundred_wakes_leave_no_descriptor_and_no_process(host: Host, broker: Broker) -> None:
    await host.link()
    await host.put_to_sleep()
    before = await host.call(Stats(), StatsTaken)
    for _ in range(100):
        await host.wake()
        await host.put_to_sleep()
    after = await host.call(Stats(), StatsTaken)
    assert after.descriptors == before.descriptors
    assert after.sessions == 0
    assert after.opened == before.opened + 100
    assert broker.process is not None
    assert children(children(broker.process.pid)[0]) == []
    assert after.memory_bytes < before.memory_bytes * 1.1


async def test_closing_what_is_closed_is_no_session(host: Host) -> None:
    await host.link()
    await host.put_to_sleep()
    assert await code_of(host, CloseSession(account=ACCOUNT, epoch=1)) is Code.NO_SESSION
    assert await code_of(host, msgspec.structs.replace(await host.body(), epoch=0)) is Code.FENCED


def test_a_bug_is_reported_by_kind_and_place_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("+49 151 and a text")
    except ValueError as error:
        report_bug(asyncio.new_event_loop(), {"exception": error, "message": "Task exception: a text"})
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "test_broker.py" in told
    assert "text" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_the_broker_dumps_nothing_has_no_go_in_it_and_tells_its_children_little(broker: Broker) -> None:
    assert broker.process is not None
    inside = Path("/proc") / str(broker.process.pid)
    (core,) = [line for line in (inside / "limits").read_text().splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]
    if os.geteuid() != 0:
        pytest.skip("the rest is only root's to read")
    assert "neonize" not in (inside / "maps").read_text()
    (zygote,) = children(broker.process.pid)
    told = (inside.parent / str(zygote) / "environ").read_bytes().split(b"\0")
    assert not [pair for pair in told if pair.startswith(b"AUTOSENDR_")]
