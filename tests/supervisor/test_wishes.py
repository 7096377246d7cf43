"""What a person may ask of an account: a wake, and to be forgotten."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from store import farewell, links, wakes
from store.accounts import AccountRow
from tests.rows import later
from tests.supervisor.engines import Engine


async def test_a_wished_wake_comes_and_goes(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    user = await engine.store.pool.fetchval("SELECT user_id FROM accounts")
    await links.wish_wake(engine.store.pool, user, account)
    await engine.hears("contacts_copied", account=account)
    await engine.hears("account_retired", account=account)
    assert await engine.store.pool.fetchval("SELECT wish FROM accounts") == ""
    (wake,) = await wakes.lately(engine.store.pool, user, account, 9)
    assert wake.reason.name == "WISH"


async def test_a_wish_that_comes_before_anybody_listens_is_seen(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await engine.link()
    about_to_listen, listen = asyncio.Event(), asyncio.Event()
    add_listener = asyncpg.Connection.add_listener

    async def add_listener_late(connection: Any, channel: str, callback: Any) -> None:
        about_to_listen.set()
        await listen.wait()
        await add_listener(connection, channel, callback)

    monkeypatch.setattr(asyncpg.Connection, "add_listener", add_listener_late)
    starting = asyncio.create_task(engine.start())
    await about_to_listen.wait()
    user = await engine.store.pool.fetchval("SELECT user_id FROM accounts")
    await links.wish_wake(engine.store.pool, user, account)
    listen.set()
    await starting
    await engine.hears("contacts_copied", account=account)


async def test_a_wake_that_is_wished_of_an_account_that_is_awake_already_is_served_too(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    user = await engine.store.pool.fetchval("SELECT user_id FROM accounts")
    await engine.schedule(account, later(6))
    await engine.hears("account_run", account=account, after="HOT")
    await links.wish_wake(engine.store.pool, user, account)
    await engine.hears("contacts_copied", account=account)
    await engine.hears("account_retired", account=account)
    assert await engine.store.pool.fetchval("SELECT wish FROM accounts") == ""


async def test_whoever_deletes_everything_is_unlinked_and_then_gone(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    user = await engine.store.pool.fetchval("SELECT user_id FROM accounts")
    await engine.schedule(account, later(6))
    await engine.hears("account_run", account=account, after="HOT")
    await farewell.begin(engine.store.pool, user)
    await engine.hears("account_link", account=account, by="unlinked")
    await engine.hears("account_retired", account=account)
    assert await farewell.go_on(engine.store.pool, 9) == 1
    assert await engine.store.pool.fetchval("SELECT count(*) FROM accounts") == 0
    assert [name for name, _ in engine.heard if name == "message_sent"] == []


async def test_a_wish_that_is_heard_while_its_account_is_let_go_is_served(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await engine.link()
    await engine.start()
    actors = engine.supervisor.actors
    load = actors.context.store.accounts.load

    async def load_and_let_go(asked: UUID) -> AccountRow | None:
        row = await load(asked)
        monkeypatch.undo()
        assert await actors.retire() == 1
        return row

    (actor,) = await actors.reach([account])
    actor.pins -= 1
    monkeypatch.setattr(actors.context.store.accounts, "load", load_and_let_go)
    await engine.store.pool.execute("UPDATE accounts SET wish = 'sync', wished_at = now() WHERE id = $1", account)
    await actors.look_at_wish(account)
    await engine.hears("account_run", account=account, after="HOT")
