"""Ownership, the link, waits."""

import asyncio

import pytest

from domain.account import Link, LinkEvent
from domain.hotset import WantKind
from store import keys, nodes
from store.accounts import PhoneTaken, Wait, Woken
from store.database import transaction
from tests.rows import add_account, later
from tests.store.conftest import Store
from tests.waiting import Signals


async def test_of_many_nodes_one_becomes_the_owner(store: Store) -> None:
    account = await add_account(store.pool)
    taken = await asyncio.gather(*(store.accounts.take([account], f"n{index}") for index in range(8)))
    assert [owned for owned in taken if owned] == [{account: 1}]


async def test_a_lease_that_ended_or_a_dead_owner_frees_the_account(store: Store) -> None:
    account = await add_account(store.pool)
    await store.accounts.take([account], "first")
    assert await store.accounts.owners() == {"first": True}
    assert await store.accounts.take([account], "second") == {}
    assert await store.accounts.take([account], "second", dead=["first"]) == {account: 2}
    await store.pool.execute("UPDATE accounts SET owned_until = now()")
    assert await store.accounts.take([account], "third") == {account: 3}


async def test_what_is_handed_over_is_the_other_nodes_at_once_and_by_a_new_epoch(store: Store) -> None:
    ours, lost = await add_account(store.pool), await add_account(store.pool)
    epochs = await store.accounts.take([ours, lost], "giver")
    assert await store.accounts.hand_over({**epochs, lost: epochs[lost] - 1}, "taker") == [ours]
    assert await nodes.owned(store.pool) == {"giver": 1, "taker": 1}
    assert await store.accounts.renew(epochs, "giver") == {lost}
    assert await store.accounts.take([ours], "third") == {}
    assert await store.accounts.take([ours], "taker") == {ours: epochs[ours] + 2}


async def test_renewing_tells_what_is_still_ours(store: Store) -> None:
    ours, lost = await add_account(store.pool), await add_account(store.pool)
    epochs = await store.accounts.take([ours, lost], "node")
    await store.accounts.take([lost], "other", dead=["node"])
    assert await store.accounts.renew(epochs, "node") == {ours}


async def test_the_link_moves_only_along_its_table(store: Store) -> None:
    account = await add_account(store.pool)
    epoch = (await store.accounts.take([account], "node"))[account]
    assert not await store.accounts.move_link(account, epoch, LinkEvent.BAN_ENDED)
    assert not await store.accounts.move_link(account, epoch - 1, LinkEvent.BANNED)
    assert await store.accounts.move_link(account, epoch, LinkEvent.BANNED, "101", later(-1))
    assert await store.accounts.ended_bans("node") == [account]
    assert await store.accounts.move_link(account, epoch, LinkEvent.BAN_ENDED)
    row = await store.accounts.load(account)
    assert row is not None
    assert row.link is Link.LINKED
    assert row.jid
    await store.accounts.move_link(account, epoch, LinkEvent.LOGGED_OUT, "401")
    row = await store.accounts.load(account)
    assert row is not None
    assert (row.link, row.jid) == (Link.LOGGED_OUT, "")


async def test_pairing_keeps_the_device_and_a_phone_belongs_to_one_account(store: Store) -> None:
    first, second = await add_account(store.pool, "PAIRING"), await add_account(store.pool, "PAIRING")
    epochs = await store.accounts.take([first, second], "node")
    device = {"jid": "4915:3@s.whatsapp.net", "lid": "77@lid", "phone": "4915"}
    woken = Woken(at=later(0), kind=WantKind.PAIRING)
    async with transaction(store.pool) as connection:
        assert await store.accounts.pair(connection, first, epochs[first], **device, woken=woken, new=False) is not None
    with pytest.raises(PhoneTaken):
        async with transaction(store.pool) as connection:
            await store.accounts.pair(connection, second, epochs[second], **device, woken=woken, new=False)
    row = await store.accounts.load(first)
    assert row is not None
    assert (row.link, row.jid, row.wish, row.store_dirty) == (Link.LINKED, device["jid"], "", True)


async def test_a_wait_is_kept_and_cleared(store: Store) -> None:
    account = await add_account(store.pool)
    epoch = (await store.accounts.take([account], "node"))[account]
    until = later(90)
    await store.accounts.wait(account, epoch, Wait(failures=3, backoff_until=until, parked_until=later(10)))
    row = await store.accounts.load(account)
    assert row is not None
    assert (row.failures, row.wait_until_ms) == (3, int(until.timestamp() * 1000))
    await store.accounts.wait(account, epoch, Wait())
    row = await store.accounts.load(account)
    assert row is not None
    assert (row.failures, row.wait_until_ms) == (0, 0)


async def test_a_wish_is_heard_and_found(store: Store) -> None:
    heard, signals, begun = [], Signals(), asyncio.Event()

    def hear(account: object) -> None:
        heard.append(account)
        signals.notify()

    listening = asyncio.create_task(store.accounts.listen(hear, begun.set))
    account = await add_account(store.pool, "PAIRING")
    await begun.wait()
    await store.pool.execute("UPDATE accounts SET wish = 'pair', wished_at = now() WHERE id = $1", account)
    await store.pool.execute("SELECT pg_notify($1, $2)", keys.WISHES, str(account))
    await signals.until(lambda: heard, "a wish")
    listening.cancel()
    await asyncio.wait([listening])
    assert heard == [account]
    assert await store.accounts.wishes("node") == [account]
    epoch = (await store.accounts.take([account], "node"))[account]
    await store.accounts.end_wish(account, epoch, "unlink")
    assert await store.accounts.wishes("node") == [account]
    await store.accounts.end_wish(account, epoch, "pair")
    assert await store.accounts.wishes("node") == []
