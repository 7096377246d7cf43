"""The whole enclave from the host's side: real broker, real zygote, one process per session, null driver."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from enclave.wire.answers import (
    ContactPage,
    Done,
    NotSent,
    NumberChecked,
    Opened,
    SealedStore,
    SendTrouble,
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
from tests.enclave.brokers import ACCOUNT, REPOSITORY, Broker, Host

OTHER = "00000000-0000-4000-8000-000000000002"


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        broker = Broker(Path(folder))
        await broker.start()
        yield broker
        assert broker.process is not None
        if broker.process.poll() is None:
            await broker.end()
        assert "bug" not in broker.log.read_text(), broker.log.read_text()


@pytest.fixture
async def host(broker: Broker) -> AsyncIterator[Host]:
    host = await Host(broker).connect()
    yield host
    await host.door.close()


async def code_of(host: Host, operation: object) -> Code:
    with pytest.raises(DoorFailed) as failed:
        await host.door.call(operation)  # ty: ignore[invalid-argument-type]
    return failed.value.code


async def reopened(broker: Broker, host: Host) -> Host:
    """The same host on a new connection, as after a restart of the supervisor."""
    await host.door.close()
    again = await Host(broker).connect()
    again.key, again.store, again.jid = host.key, host.store, host.jid
    return again


async def wait_free(host: Host, epoch: int, *, dirty: bool = True) -> Opened:
    """Wake as soon as the account is free: the end of a connection is not an answered call."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await host.wake(epoch, dirty=dirty)
            except DoorFailed as failed:
                assert failed.code is Code.SESSION_EXISTS
                await asyncio.sleep(0.01)


async def test_a_device_is_linked_put_to_sleep_woken_and_sends(host: Host, broker: Broker) -> None:
    await host.link()
    await host.hear(Connected)
    first = await host.sleep()
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
    last = await host.sleep()
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
    assert (await other.sleep(6)).clean
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
    await host.sleep()


async def test_the_sessions_of_an_owner_end_with_its_connection_and_the_next_goes_on(
    host: Host, broker: Broker
) -> None:
    await host.link()
    send = await host.body()
    sent = await host.call(send, Sent)  # whose store the host never kept
    again = await reopened(broker, host)
    opened = await wait_free(again, 1)
    assert opened.continued
    assert not pid_lives_other_than(opened.pid, broker)
    settled = await again.call(Settle(account=ACCOUNT, epoch=1, secret=bytes(32), after_version=0), Settled)
    assert settled.found is SettleFound.PRESENT
    assert (await again.sleep()).version > sent.store.version
    await again.door.close()


def pid_lives_other_than(pid: int, broker: Broker) -> bool:
    """Whether the zygote has a second session process."""
    assert broker.process is not None
    (zygote,) = children(broker.process.pid)
    return children(zygote) != [pid]


def runs(pid: int) -> bool:
    """Whether the process exists and is more than an entry that nobody has read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_a_process_that_dies_is_told_and_its_store_goes_on(host: Host) -> None:
    await host.link()
    await host.sleep()
    opened = await host.wake()
    os.kill(opened.pid, signal.SIGKILL)
    assert await host.hear(Ended) == Ended(status=-signal.SIGKILL, store=None)
    assert await code_of(host, TakeStore(account=ACCOUNT, epoch=1)) is Code.NO_SESSION
    assert (await host.wake(dirty=True)).continued
    assert (await host.sleep()).clean
    assert (await host.call(Stats(), StatsTaken)).killed == 1


async def test_a_send_under_way_when_the_process_dies_is_maybe_and_then_settled(host: Host) -> None:
    await host.link()
    await host.sleep()
    assert host.store is not None
    opened = await host.wake()
    send = await host.body()
    os.kill(opened.pid, signal.SIGSTOP)
    call = asyncio.ensure_future(host.door.call(send))
    # The stopped process cannot answer; an answered call after it says that the send is on its way.
    await host.call(Stats(), StatsTaken)
    os.kill(opened.pid, signal.SIGKILL)
    answer = await call
    assert isinstance(answer, NotSent)
    assert answer.trouble is SendTrouble.PROCESS_DIED
    assert answer.certainty == "maybe"
    await host.hear(Ended)
    assert (await host.wake(dirty=True)).continued
    settle = Settle(account=ACCOUNT, epoch=1, secret=bytes(32), after_version=host.store.version)
    assert await host.call(settle, Settled) == Settled(found=SettleFound.ABSENT, wa_id="")
    await host.sleep()


async def test_a_killed_broker_loses_nothing_and_takes_its_sessions_with_it(host: Host, broker: Broker) -> None:
    await host.link()
    await host.sleep()
    opened = await host.wake(epoch=3)
    send = msgspec.structs.replace(await host.body(), epoch=3)
    sent = await host.call(send, Sent)  # whose store the host never kept
    await broker.end(signal.SIGKILL)
    await host.door.wait_lost()
    assert broker.leftovers() == [ACCOUNT]
    await broker.start()
    again = await reopened(broker, host)
    assert not runs(opened.pid)
    with pytest.raises(DoorFailed) as failed:
        await again.wake(2, dirty=True)
    assert failed.value.code is Code.FENCED
    assert (await again.wake(3, dirty=True)).continued
    settled = await again.call(Settle(account=ACCOUNT, epoch=3, secret=bytes(32), after_version=0), Settled)
    assert settled == Settled(found=SettleFound.PRESENT, wa_id=sent.wa_id)
    assert (await again.sleep(3)).version > sent.store.version
    await again.door.close()


async def test_a_leftover_that_the_hosts_store_does_not_descend_from_goes(host: Host, broker: Broker) -> None:
    await host.link()
    await host.call(await host.body(), Sent)
    foreign = await host.sleep()  # newer than what will be left over, from its point of view
    await host.wake()
    await host.call(msgspec.structs.replace(await host.body(), secret=b"\1" * 32), Sent)
    again = await reopened(broker, host)
    stranger = Host(broker)
    await stranger.connect()
    stranger.key, stranger.jid = host.key, host.jid
    stranger.store = msgspec.structs.replace(foreign, version=foreign.version + 50)  # no such seal
    async with asyncio.timeout(10):
        while True:
            try:
                await stranger.wake(1, dirty=True)
            except DoorFailed as failed:
                if failed.code is not Code.SESSION_EXISTS:
                    assert failed.code is Code.STORE_CORRUPT
                    break
            await asyncio.sleep(0.01)
    await stranger.door.close()
    await again.door.close()


async def test_an_older_store_is_stale_unless_the_host_admits_it(host: Host) -> None:
    await host.link()
    old = await host.sleep()
    await host.wake()
    send = await host.body()
    await host.call(send, Sent)
    newest = await host.sleep()
    host.store = old
    with pytest.raises(DoorFailed) as failed:
        await host.wake(dirty=False)
    assert failed.value.code is Code.STALE_STORE
    assert not (await host.wake(dirty=True)).continued
    # An attempt that this store cannot know of is not called absent; one begun on it later is.
    settle = Settle(account=ACCOUNT, epoch=1, secret=bytes(32), after_version=old.version)
    assert await host.call(settle, Settled) == Settled(found=SettleFound.UNKNOWN, wa_id="")
    taken = (await host.call(TakeStore(account=ACCOUNT, epoch=1), StoreTaken)).store
    assert taken.version > newest.version
    later = Settle(account=ACCOUNT, epoch=1, secret=b"\1" * 32, after_version=taken.version)
    assert await host.call(later, Settled) == Settled(found=SettleFound.ABSENT, wa_id="")
    host.store = newest
    await host.sleep()


async def test_absent_is_said_after_clean_sleeps_too(host: Host) -> None:
    await host.link()
    await host.sleep()
    assert host.store is not None
    before = host.store.version
    for _ in range(3):
        await host.wake()
        await host.sleep()
    await host.wake()
    settle = Settle(account=ACCOUNT, epoch=1, secret=b"\7" * 32, after_version=before)
    assert (await host.call(settle, Settled)).found is SettleFound.ABSENT
    await host.sleep()


@pytest.mark.parametrize("wrong", ["key", "account", "store"])
async def test_keys_and_stores_of_others_do_not_open(host: Host, wrong: str) -> None:
    await host.link()
    store = await host.sleep()
    operation = OpenSession(account=ACCOUNT, epoch=1, wrapped_key=host.key, jid=host.jid, store=store, dirty=False)
    match wrong:
        case "key":
            broken = msgspec.structs.replace(operation, wrapped_key=host.key[:-1] + b"\0")
            expected = Code.WRONG_KEY
        case "account":
            broken, expected = msgspec.structs.replace(operation, account=OTHER), Code.WRONG_KEY
        case _:
            damaged = msgspec.structs.replace(store, ciphertext=store.ciphertext[:-1])
            broken, expected = msgspec.structs.replace(operation, store=damaged), Code.STORE_CORRUPT
    assert await code_of(host, broken) is expected
    assert (await host.wake()).pid
    await host.sleep()


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


async def test_an_orderly_end_gives_every_store_to_its_owner_and_leaves_nothing(host: Host, broker: Broker) -> None:
    await host.link()
    assert host.store is not None
    assert await broker.end() == 0
    ended = await host.hear(Ended)
    assert isinstance(ended.store, SealedStore)
    assert ended.store.clean
    assert ended.store.version > host.store.version
    assert broker.leftovers() == []
    assert not broker.socket.exists()
    await host.door.wait_lost()


async def test_an_orderly_end_keeps_a_leftover_that_an_attempt_needs(host: Host, broker: Broker) -> None:
    await host.link()
    await host.call(await host.body(), Sent)
    opened_pid = children(children(broker.process.pid)[0])[0] if broker.process else 0
    os.kill(opened_pid, signal.SIGKILL)
    await host.hear(Ended)
    assert await broker.end() == 0
    assert broker.leftovers() == [ACCOUNT]
    await broker.start()
    again = await reopened(broker, host)
    assert (await again.wake(dirty=True)).continued
    await again.sleep()
    await again.door.close()


async def test_the_zygotes_end_ends_the_broker_and_leaves_the_stores(host: Host, broker: Broker) -> None:
    await host.link()
    assert broker.process is not None
    (zygote,) = children(broker.process.pid)
    os.kill(zygote, signal.SIGKILL)
    assert await asyncio.to_thread(broker.process.wait, 20) == 1
    assert broker.leftovers() == [ACCOUNT]
    assert not broker.socket.exists()


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
    await host.sleep()
    before = await host.call(Stats(), StatsTaken)
    for _ in range(100):
        await host.wake()
        await host.sleep()
    after = await host.call(Stats(), StatsTaken)
    assert after.descriptors == before.descriptors
    assert after.sessions == 0
    assert after.opened == before.opened + 100
    assert broker.process is not None
    assert children(children(broker.process.pid)[0]) == []
    assert after.memory_bytes < before.memory_bytes * 1.1


async def test_closing_what_is_closed_is_no_session(host: Host) -> None:
    await host.link()
    await host.sleep()
    assert await code_of(host, CloseSession(account=ACCOUNT, epoch=1)) is Code.NO_SESSION
    assert await code_of(host, msgspec.structs.replace(await host.body(), epoch=0)) is Code.FENCED
