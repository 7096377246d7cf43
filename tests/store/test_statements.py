"""Every statement fits the schema, and the hot ones use their indexes."""

import re

import pytest

from store.statements import every_statement
from tests.rows import add_account, add_message, later
from tests.store.conftest import Store

STATEMENTS = every_statement()
ROWS = 3_000


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_statement_prepares_against_the_migrated_schema(store: Store, name: str) -> None:
    async with store.pool.acquire() as connection:
        await connection.prepare(STATEMENTS[name])


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_says_what_it_does(name: str) -> None:
    assert STATEMENTS[name].startswith("--")


async def _plan(store: Store, name: str, *arguments: object) -> str:
    async with store.pool.acquire() as connection:
        rows = await connection.fetch(f"EXPLAIN {STATEMENTS[name]}", *arguments)
    return "\n".join(row[0] for row in rows)


@pytest.fixture
async def crowded(store: Store) -> Store:
    """Give a database with many messages, of which few are due."""
    account = await add_account(store.pool)
    first = await add_message(store.pool, account)
    await store.pool.execute(
        "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at, state)"
        " SELECT gen_random_uuid(), schedule_id, n, user_id, account_id, recipient, now() + n * interval '1 min',"
        " CASE WHEN n % 3 = 0 THEN 'CANCELLED' ELSE 'SCHEDULED' END"
        " FROM messages, generate_series(2, $2) AS n WHERE id = $1",
        first,
        ROWS,
    )
    await store.pool.execute("ANALYZE messages")
    return store


async def test_looking_for_due_work_does_not_read_the_whole_table(crowded: Store) -> None:
    plans = [
        await _plan(crowded, "messages.due_ids", later(60), "n", 500),
        await _plan(crowded, "messages.next_due", later(60)),
    ]
    assert [re.findall(r"Seq Scan on messages", plan) for plan in plans] == [[], []]
    assert all("messages_due" in plan for plan in plans)


async def test_arming_and_the_gate_find_messages_by_their_ids(crowded: Store) -> None:
    account = await crowded.pool.fetchval("SELECT id FROM accounts LIMIT 1")
    arm = await _plan(crowded, "messages.arm", [account], ["SCHEDULED"], "ARMED", "n", later(60), "claimed")
    assert "Seq Scan on messages" not in arm
