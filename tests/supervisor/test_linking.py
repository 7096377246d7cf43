"""Linking, first sync, unlinking, relinking: what the person sees, what becomes of what waits."""

from domain.account import Link
from domain.hotset import WantKind
from store import wakes
from tests.rows import later, state_of
from tests.supervisor.engines import Engine


async def test_a_wish_to_link_ends_in_a_linked_account_with_its_first_sync(engine: Engine) -> None:
    account = await engine.new_account()
    await engine.start()
    await engine.wish(account, "pair", "PAIRING")
    await engine.hears("pairing_done", account=account)
    await engine.hears("contacts_copied", account=account)
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert (row.link, row.wish, row.phone) == (Link.LINKED, "", "10000000000")
    assert await engine.store.stores.get(account) is not None
    (wake,) = await wakes.lately(engine.store.pool, row.user, account, 9)
    assert (wake.reason, wake.slept_at) == (WantKind.PAIRING, None)
    assert await engine.store.pool.fetchval("SELECT phone_days FROM accounts WHERE id = $1", account) == 1


async def test_a_phone_that_another_account_has_is_refused_and_said_so(engine: Engine) -> None:
    await engine.link(phone="10000000000")
    account = await engine.new_account()
    await engine.start()
    await engine.wish(account, "pair", "PAIRING")
    await engine.hears("pairing_failed", account=account, reason="phone_taken")
    await engine.hears("account_retired", account=account)
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert (row.link, row.wish) == (Link.UNLINKED, "")
    reason = await engine.store.pool.fetchval("SELECT link_reason FROM accounts WHERE id = $1", account)
    assert reason == "phone_taken"


async def test_unlinking_blocks_what_waits_and_relinking_lets_it_go(engine: Engine) -> None:
    account = await engine.link(phone="10000000000")
    await engine.start()
    soon = await engine.schedule(account, later(3600))
    old = await engine.schedule(account, later(7200))
    await engine.wish(account, "unlink")
    await engine.hears("account_link", account=account, by="unlinked")
    await engine.hears("account_retired", account=account)
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert (row.link, row.wish, row.jid) == (Link.UNLINKED, "", "")
    assert await state_of(engine.store.pool, soon) == ("BLOCKED", "not_linked")
    assert await engine.store.stores.get(account) is None
    await engine.store.pool.execute("UPDATE messages SET due_at = $2 WHERE id = $1", old, later(-4000))
    await engine.wish(account, "pair", "PAIRING")
    await engine.hears("pairing_done", account=account)
    await engine.state(soon, "SCHEDULED")
    assert await state_of(engine.store.pool, old) == ("MISSED", "too_late")


async def test_an_account_without_a_device_is_unlinked_without_a_session(engine: Engine) -> None:
    account = await engine.link()
    await engine.store.pool.execute("UPDATE accounts SET link = 'LOGGED_OUT' WHERE id = $1", account)
    await engine.start()
    await engine.wish(account, "unlink")
    await engine.hears("account_retired", account=account)
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert (row.link, row.wish) == (Link.UNLINKED, "")


async def test_giving_a_pairing_up_ends_its_session(engine: Engine) -> None:
    account = await engine.new_account()
    await engine.start()
    await engine.wish(account, "pair", "PAIRING")
    await engine.hears("account_adopted", account=account)
    await engine.wish(account, "", "UNLINKED")
    await engine.hears("account_retired", account=account)
