"""What becomes of live stores when a process, a connection, a broker or a zygote ends."""

import asyncio
import os
import signal
import time

import msgspec
import pytest

from enclave.lineage import LEFTOVER_S, RECORD_FILE
from enclave.wire.answers import (
    NotSent,
    SealedStore,
    SendTrouble,
    Sent,
    Settled,
    SettleFound,
    StatsTaken,
    StoreTaken,
)
from enclave.wire.envelope import Code
from enclave.wire.news import Ended
from enclave.wire.operations import (
    Settle,
    Stats,
    TakeStore,
)
from store.door import DoorFailed
from tests.enclave.brokers import (
    ACCOUNT,
    Broker,
    Host,
    children,
    code_of,
    pid_lives_other_than,
    reopened,
    runs,
    wait_free,
)
from tests.waiting import eventually


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
    assert (await again.put_to_sleep()).version > sent.store.version
    await again.door.close()


async def test_a_process_that_dies_is_told_and_its_store_goes_on(host: Host) -> None:
    await host.link()
    await host.put_to_sleep()
    opened = await host.wake()
    os.kill(opened.pid, signal.SIGKILL)
    assert await host.hear(Ended) == Ended(status=-signal.SIGKILL, store=None)
    assert await code_of(host, TakeStore(account=ACCOUNT, epoch=1)) is Code.NO_SESSION
    assert (await host.wake(dirty=True)).continued
    assert (await host.put_to_sleep()).clean
    assert (await host.call(Stats(), StatsTaken)).killed == 1


async def test_a_send_under_way_when_the_process_dies_is_maybe_and_then_settled(host: Host) -> None:
    await host.link()
    await host.put_to_sleep()
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
    await host.put_to_sleep()


async def test_a_killed_broker_loses_nothing_and_takes_its_sessions_with_it(host: Host, broker: Broker) -> None:
    await host.link()
    await host.put_to_sleep()
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
    assert (await again.put_to_sleep(3)).version > sent.store.version
    await again.door.close()


async def test_a_leftover_that_the_hosts_store_does_not_descend_from_goes(host: Host, broker: Broker) -> None:
    await host.link()
    await host.call(await host.body(), Sent)
    foreign = await host.put_to_sleep()  # newer than what will be left over, from its point of view
    await host.wake()
    await host.call(msgspec.structs.replace(await host.body(), secret=b"\1" * 32), Sent)
    again = await reopened(broker, host)
    stranger = Host(broker)
    await stranger.connect()
    stranger.key, stranger.jid = host.key, host.jid
    stranger.store = msgspec.structs.replace(foreign, version=foreign.version + 50)  # no such seal
    with pytest.raises(DoorFailed) as failed:
        await wait_free(stranger, 1)
    assert failed.value.code is Code.STORE_CORRUPT
    await stranger.door.close()
    await again.door.close()


async def test_an_older_store_is_stale_unless_the_host_admits_it(host: Host) -> None:
    await host.link()
    old = await host.put_to_sleep()
    await host.wake()
    send = await host.body()
    await host.call(send, Sent)
    newest = await host.put_to_sleep()
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
    await host.put_to_sleep()


async def test_absent_is_said_after_clean_sleeps_too(host: Host) -> None:
    await host.link()
    await host.put_to_sleep()
    assert host.store is not None
    before = host.store.version
    for _ in range(3):
        await host.wake()
        await host.put_to_sleep()
    await host.wake()
    settle = Settle(account=ACCOUNT, epoch=1, secret=b"\7" * 32, after_version=before)
    assert (await host.call(settle, Settled)).found is SettleFound.ABSENT
    await host.put_to_sleep()


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
    await again.put_to_sleep()
    await again.door.close()


async def test_the_zygotes_end_ends_the_broker_and_leaves_the_stores(host: Host, broker: Broker) -> None:
    await host.link()
    assert broker.process is not None
    (zygote,) = children(broker.process.pid)
    os.kill(zygote, signal.SIGKILL)
    assert await asyncio.to_thread(broker.process.wait, 20) == 1
    assert broker.leftovers() == [ACCOUNT]
    assert not broker.socket.exists()


async def test_a_leftover_that_nobody_came_for_is_gone_with_the_next_look(host: Host, broker: Broker) -> None:
    await host.link()
    await broker.end(signal.SIGKILL)
    record = broker.tmpfs / ACCOUNT / RECORD_FILE
    hours_ago = time.time() - LEFTOVER_S - 1
    os.utime(record, (hours_ago, hours_ago))
    await broker.start()

    async def gone() -> bool:
        return broker.leftovers() == []

    await eventually(gone, "the end of the leftover")
    again = await reopened(broker, host)
    assert not (await again.wake(dirty=True)).continued
    await again.put_to_sleep()
    await again.door.close()
