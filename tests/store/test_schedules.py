"""New messages taken in together: each has its own answer, and what one account may not have is no other's business."""

import asyncio
from uuid import UUID

import pytest

from domain import limits
from domain.refusal import RefusalCode, Refused
from enclave.wire.sealing import Binding
from store import pages
from store.database import new_id
from store.due import Due
from store.notices import Notices
from store.schedules import Announce, NewSchedule, Schedules
from tests.rows import RECIPIENT, add_account, add_message, later
from tests.store.conftest import Store


@pytest.fixture
def schedules(store: Store) -> Schedules:
    return Schedules(store.pool, Announce(Due(store.redis), Notices(store.redis)))


async def _new(store: Store, account: UUID, **fields: object) -> NewSchedule:
    schedule = new_id()
    user = await store.pool.fetchval("SELECT user_id FROM accounts WHERE id = $1", account)
    binding = Binding(
        environment="local", account=str(account), schedule=str(schedule), recipient_hash="", not_after_s=4_000_000_000
    )
    row = {
        "id": schedule,
        "user": user,
        "account": account,
        "recipient": RECIPIENT,
        "zone": "UTC",
        "due_at": later(60),
        "binding": binding,
        "content_key": b"key",
        "body": b"body",
        **fields,
    }
    return NewSchedule(**row)  # ty: ignore[invalid-argument-type]


async def test_what_is_made_together_is_stored_hinted_and_has_a_history(store: Store, schedules: Schedules) -> None:
    accounts = [await add_account(store.pool) for _ in range(3)]
    made = [await _new(store, account) for account in accounts for _ in range(4)]
    messages = await asyncio.gather(*(schedules.create(one) for one in made))
    rows = await store.pool.fetch(
        "SELECT m.id, m.schedule_id, m.account_id, s.body, s.created_at"
        " FROM messages m JOIN schedules s ON s.id = m.schedule_id"
    )
    stored = {(row["id"], row["schedule_id"], row["account_id"], row["body"]) for row in rows}
    assert stored == {(message, one.id, one.account, b"body") for one, message in zip(made, messages, strict=True)}
    people = {message: one.user for one, message in zip(made, messages, strict=True)}
    histories = [await pages.changes(store.pool, people[row["id"]], row["id"]) for row in rows]
    assert histories == [[pages.Change(at=row["created_at"], event="created", reason="")] for row in rows]
    assert sorted(await store.due.claim(2**52, 0)) == sorted(messages)


async def test_each_of_an_import_has_its_own_answer(
    store: Store, schedules: Schedules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OPEN_MESSAGES_PER_ACCOUNT_MAX", 3)
    full, logged_out = await add_account(store.pool), await add_account(store.pool, "LOGGED_OUT")
    await add_message(store.pool, full)
    first = await _new(store, full)
    results = await schedules.create_all(
        [
            first,
            await _new(store, logged_out),
            await _new(store, full),
            await _new(store, full),
            await _new(store, full, user=new_id()),
        ]
    )
    codes = [result.code if isinstance(result, Refused) else None for result in results]
    assert codes == [None, RefusalCode.NOT_LINKED, None, RefusalCode.TOO_MANY_MESSAGES, RefusalCode.NOT_FOUND]
    assert await store.pool.fetchval("SELECT count(*) FROM messages") == 3


async def test_the_same_schedule_is_taken_in_once(store: Store, schedules: Schedules) -> None:
    account = await add_account(store.pool)
    one = await _new(store, account)
    results = await asyncio.gather(*(schedules.create(one) for _ in range(5)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, Refused)]
    assert [result.code for result in refused] == [RefusalCode.REPLAYED] * 4
    with pytest.raises(Refused):
        await schedules.create(one)
    assert await store.pool.fetchval("SELECT count(*) FROM messages") == 1


async def test_an_account_that_is_being_changed_keeps_only_its_own_waiting(store: Store, schedules: Schedules) -> None:
    locked, free = await add_account(store.pool), await add_account(store.pool)
    waiting_new, free_new = await _new(store, locked), await _new(store, free)
    async with store.pool.acquire() as other:
        under_way = other.transaction()
        await under_way.start()
        await other.execute("UPDATE accounts SET wish = 'unlink' WHERE id = $1", locked)
        waiting = asyncio.create_task(schedules.create(waiting_new))
        assert await schedules.create(free_new)
        assert not waiting.done()
        await under_way.commit()
    with pytest.raises(Refused) as refused:
        await waiting
    assert refused.value.code is RefusalCode.NOT_LINKED
