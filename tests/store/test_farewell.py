"""Deleting everything: what goes at once, what waits for WhatsApp, what can no longer leave."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain import limits
from domain.account import LinkEvent
from domain.refusal import RefusalCode, Refused
from store import farewell, links
from store.database import new_id
from tests.rows import add_account, add_message, later
from tests.store.conftest import Store


async def _user_of(store: Store, account: UUID) -> UUID:
    return await store.pool.fetchval("SELECT user_id FROM accounts WHERE id = $1", account)


async def _count(store: Store, table: str) -> int:
    return await store.pool.fetchval(f"SELECT count(*) FROM {table}")


async def test_texts_people_and_history_go_at_once_and_the_address_is_free(store: Store) -> None:
    account = await add_account(store.pool)
    user = await _user_of(store, account)
    email = await store.pool.fetchval("SELECT email FROM users")
    await add_message(store.pool, account)
    await store.pool.execute(
        "INSERT INTO contacts (account_id, jid, kind, name, search) VALUES ($1, 'j', 'person', 'Ana', 'ana')", account
    )
    await farewell.begin(store.pool, user)
    for table in ("schedules", "messages", "contacts", "wakes"):
        assert await _count(store, table) == 0, table
    row = await store.pool.fetchrow("SELECT wish, link FROM accounts")
    assert row is not None
    assert tuple(row) == ("unlink", "LINKED")
    assert await store.pool.fetchval("SELECT count(*) FROM users WHERE email = $1", email) == 0


async def test_the_rest_goes_when_the_phone_is_unlinked(store: Store) -> None:
    account = await add_account(store.pool)
    stays = await _user_of(store, await add_account(store.pool))
    user = await _user_of(store, account)
    epoch = (await store.accounts.take([account], "node"))[account]
    await farewell.begin(store.pool, user)
    await farewell.begin(store.pool, user)
    assert await farewell.go_on(store.pool, 9) == 0
    await store.accounts.move_link(account, epoch, LinkEvent.UNLINKED)
    await store.accounts.end_wish(account, epoch, "unlink")
    assert await farewell.go_on(store.pool, 9) == 1
    assert [row["id"] for row in await store.pool.fetch("SELECT id FROM users")] == [stays]


async def test_whatsapp_has_a_day_to_answer(store: Store) -> None:
    account = await add_account(store.pool)
    await farewell.begin(store.pool, await _user_of(store, account))
    await store.pool.execute("UPDATE users SET deleting_at = $1", later(-limits.FAREWELL_S - 1))
    assert await farewell.go_on(store.pool, 9) == 1
    assert await _count(store, "accounts") == 0


async def test_nothing_is_confirmed_while_a_message_may_be_on_the_wire(store: Store) -> None:
    account = await add_account(store.pool)
    message = await add_message(store.pool, account, state="SENDING")
    await store.pool.execute("UPDATE messages SET begun_at = now() WHERE id = $1", message)
    with pytest.raises(Refused) as refused:
        await farewell.begin(store.pool, await _user_of(store, account))
    assert refused.value.code is RefusalCode.LEAVING_NOW
    assert await _count(store, "messages") == 1
    await store.pool.execute("UPDATE messages SET begun_at = $1", later(-limits.ON_THE_WIRE_S - 1))
    await farewell.begin(store.pool, await _user_of(store, account))
    assert await _count(store, "messages") == 0


async def test_the_gate_and_the_confirmation_exclude_each_other(store: Store) -> None:
    for _ in range(20):
        account = await add_account(store.pool)
        epoch = (await store.accounts.take([account], "node"))[account]
        message = await add_message(store.pool, account, due=later(0), state="ARMED")
        await store.pool.execute("UPDATE messages SET epoch = $1", epoch)
        begun, left = await asyncio.gather(
            store.attempts.begin_send(message, new_id(), account, epoch, now=datetime.now(UTC), boot="b"),
            farewell.begin(store.pool, await _user_of(store, account)),
            return_exceptions=True,
        )
        assert not isinstance(begun, BaseException)
        assert (begun is None) == (left is None), (begun, left)


async def test_an_account_that_was_linked_in_the_same_moment_is_unlinked_all_the_same(store: Store) -> None:
    account = await add_account(store.pool, "PAIRING", wish="pair")
    user = await _user_of(store, account)
    await farewell.begin(store.pool, user)
    assert await store.pool.fetchval("SELECT link FROM accounts") == "UNLINKED"
    await store.pool.execute("UPDATE accounts SET link = 'LINKED'")  # a request that was under way
    assert await farewell.go_on(store.pool, 9) == 0
    assert await store.pool.fetchval("SELECT wish FROM accounts") == "unlink"
    with pytest.raises(Refused):
        await links.add_account(store.pool, user, new_id(), b"wrapped")


async def test_linking_and_wishes_leave_wakes_for_sends(store: Store) -> None:
    account = await add_account(store.pool, paced=True)
    user = await _user_of(store, account)
    for minutes in range(int(limits.WAKES_PER_HOUR * limits.ASKED_WAKES_SHARE)):
        await links.wish_wake(store.pool, user, account)
        await store.pool.execute(
            "INSERT INTO wakes VALUES ($1, now() - make_interval(mins => $2, secs => 30), NULL, NULL, 'wish')",
            account,
            minutes,
        )
    with pytest.raises(Refused) as refused:
        await links.wish_wake(store.pool, user, account)
    assert refused.value.code is RefusalCode.TOO_MANY_WAKES
    assert "Try again in 52 minutes." in refused.value.sentence
    await store.pool.execute("UPDATE accounts SET link = 'UNLINKED', wish = ''")
    with pytest.raises(Refused) as refused:
        await links.wish_pairing(store.pool, user, account, "")
    assert refused.value.code is RefusalCode.TOO_MANY_WAKES


async def test_a_wake_is_wished_only_of_an_account_that_may_wake(store: Store) -> None:
    account = await add_account(store.pool)
    user = await _user_of(store, account)
    await links.wish_wake(store.pool, user, account)
    assert await store.pool.fetchval("SELECT wish FROM accounts") == "sync"
    for change, code in (
        ("backoff_until = now() + interval '1 min'", RefusalCode.RESTING),
        ("parked_until = now() + interval '1 min', backoff_until = NULL", RefusalCode.RESTING),
        ("link = 'LOGGED_OUT', parked_until = NULL", RefusalCode.NOT_LINKED),
    ):
        await store.pool.execute(f"UPDATE accounts SET wish = '', {change}")
        with pytest.raises(Refused) as refused:
            await links.wish_wake(store.pool, user, account)
        assert refused.value.code is code
    with pytest.raises(Refused) as refused:
        await links.wish_wake(store.pool, account, account)
    assert refused.value.code is RefusalCode.NOT_FOUND
