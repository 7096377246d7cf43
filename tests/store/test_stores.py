"""Session stores: only newer ones, only of the owner."""

from domain.account import RunEvent
from domain.hotset import WantKind
from store.accounts import Slept, Woken
from tests.rows import add_account, later, sealed
from tests.store.conftest import Store


async def test_only_a_newer_store_replaces_the_one_we_have(store: Store) -> None:
    account = await add_account(store.pool)
    epoch = (await store.accounts.take([account], "node"))[account]
    assert await store.stores.get(account) is None
    assert await store.stores.put(account, epoch, sealed(2))
    assert await store.stores.put(account, epoch, sealed(4))
    assert await store.stores.put(account, epoch, sealed(3))  # a newer one is there: nothing is lost
    assert await store.stores.get(account) == sealed(4)
    assert not await store.stores.put(account, epoch - 1, sealed(9))
    await store.stores.drop(account, epoch - 1)
    assert await store.stores.get(account) == sealed(4)
    await store.stores.drop(account, epoch)
    assert await store.stores.get(account) is None


async def test_the_closing_store_ends_the_doubt(store: Store) -> None:
    account = await add_account(store.pool)
    epoch = (await store.accounts.take([account], "node"))[account]
    woken = Woken(at=later(0), kind=WantKind.DUE)
    slept = Slept(woken_at=woken.at, at=later(5), ending=RunEvent.RELEASED)
    assert not await store.accounts.mark_dirty(account, epoch - 1, woken)
    assert await store.accounts.mark_dirty(account, epoch, woken)
    await store.stores.put_closing(account, epoch, sealed(1), slept)
    row = await store.accounts.load(account)
    assert row is not None
    assert row.store_dirty
    await store.stores.put_closing(account, epoch, sealed(2, clean=True), slept)
    row = await store.accounts.load(account)
    assert row is not None
    assert not row.store_dirty
