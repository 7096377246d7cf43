"""Pacing on a real database: who was written to, what waits for what, what refusals lead to."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import limits
from domain.account import LinkEvent
from domain.message import MessageEvent
from domain.pacing import Cause, Reach, Waiting
from store import pacing
from store.pacing import Paced
from tests.rows import RECIPIENT, add_account, add_message, later
from tests.store.conftest import Store

OTHER = "491700000002@s.whatsapp.net"
GROUP = "120363000000000001@g.us"
FAR = timedelta(days=30)


async def _contact(store: Store, account: UUID, jid: str, name: str, *, established: bool) -> None:
    kind = "group" if jid.endswith("@g.us") else "person"
    await store.pool.execute(
        "INSERT INTO contacts (account_id, jid, kind, name, search, established) VALUES ($1, $2, $3, $4, $4, $5)",
        account, jid, kind, name, established,
    )  # fmt: skip


async def _paced(store: Store) -> tuple[UUID, int]:
    account = await add_account(store.pool, paced=True)
    await _contact(store, account, RECIPIENT, "Ada", established=True)
    return account, (await store.accounts.take([account], "node"))[account]


async def _sent(store: Store, account: UUID, epoch: int, recipient: str = RECIPIENT) -> UUID:
    message, attempt = await add_message(store.pool, account, due=later(0), recipient=recipient), UUID(int=0)
    await store.messages.arm([message], "node", later(5))
    attempt = UUID(int=message.int ^ 1)
    await store.attempts.begin_send(message, attempt, account, epoch, now=datetime.now(UTC), boot="boot")
    return message


async def _plan(store: Store, account: UUID, until: timedelta = FAR) -> Mapping[UUID, Paced]:
    now = datetime.now(UTC)
    return await store.pacing.plan([account], now, now + until)


@pytest.mark.parametrize(
    ("jid", "name", "established", "reach"),
    [
        (RECIPIENT, "Ada", True, Reach.WARM),
        (RECIPIENT, "Ada", False, Reach.COOL),
        (RECIPIENT, "+49 170 0000001", False, Reach.COLD),
        (RECIPIENT, "", False, Reach.COLD),
        (GROUP, "Choir", True, Reach.GROUP),
    ],
)
async def test_who_somebody_is_comes_from_the_contacts(
    store: Store, jid: str, name: str, established: bool, reach: Reach
) -> None:
    account = await add_account(store.pool)
    if name:
        await _contact(store, account, jid, name, established=established)
    assert await pacing.reach_of(store.pool, account, jid) is reach
    epoch = (await store.accounts.take([account], "node"))[account]
    await _sent(store, account, epoch, jid)
    assert await store.pool.fetchval("SELECT reach FROM attempts") == reach


async def test_nothing_is_spaced_on_an_account_that_is_not_paced(store: Store) -> None:
    account = await add_account(store.pool)
    await add_message(store.pool, account, due=later(60))
    assert await _plan(store, account) == {}


async def test_what_waits_is_spaced_after_what_left_and_what_is_in_hand(store: Store) -> None:
    account, epoch = await _paced(store)
    await _sent(store, account, epoch, OTHER)
    (in_hand,) = [await add_message(store.pool, account, due=later(30), recipient=GROUP)]
    await store.messages.arm([in_hand], "node", later(40))
    soon, clear = await add_message(store.pool, account, due=later(31)), await add_message(store.pool, account)
    await store.pool.execute("UPDATE messages SET due_at = $2 WHERE id = $1", clear, later(3600))
    found = await _plan(store, account)
    assert set(found) == {soon, clear}
    assert found[soon].planned.cause is Cause.APART
    assert found[clear].planned.cause is None
    due_ms = await store.pool.fetchval(
        "SELECT (extract(epoch FROM due_at) * 1000)::bigint FROM messages WHERE id = $1", in_hand
    )
    assert 6000 <= found[soon].planned.at_ms - due_ms <= 12_000


async def test_what_certainly_did_not_leave_stands_in_nobodys_way(store: Store) -> None:
    account, epoch = await _paced(store)
    message = await _sent(store, account, epoch)
    await store.attempts.end_send(UUID(int=message.int ^ 1), message, epoch, MessageEvent.RETURNED)
    found = await _plan(store, account)
    assert found[message].planned.cause is None


async def test_what_is_late_already_does_not_leave_all_at_once(store: Store) -> None:
    account, _ = await _paced(store)
    for minutes in range(1, 4):
        await add_message(
            store.pool, account, due=later(-60 * minutes), recipient=f"49170000010{minutes}@s.whatsapp.net"
        )
    now_ms = datetime.now(UTC).timestamp() * 1000
    found = sorted(one.planned.at_ms for one in (await _plan(store, account)).values())
    assert found[0] >= now_ms - 1
    assert all(after - before >= 6000 for before, after in itertools.pairwise(found))


async def test_a_deferred_message_keeps_its_due_instant_and_says_why(store: Store) -> None:
    account, _ = await _paced(store)
    message = await add_message(store.pool, account, due=later(5))
    at = later(600)
    assert await store.pacing.defer({message: at}) == [message]
    assert await store.pacing.defer({message: later(300)}) == []  # it leaves later than that already
    row = await store.pool.fetchrow("SELECT due_at, not_before, reason, state FROM messages")
    assert row is not None
    assert (row["not_before"], row["reason"], row["state"]) == (at, "spaced", "SCHEDULED")
    assert row["due_at"] < at
    assert await store.messages.arm([message], "node", later(20)) == []
    assert [one.id for one in await store.messages.arm([message], "node", later(601))] == [message]


async def test_what_is_being_written_is_planned_beside_what_waits(store: Store) -> None:
    account, _ = await _paced(store)
    due = later(3600).replace(microsecond=0)
    await add_message(store.pool, account, due=due, recipient=OTHER)
    one = Waiting(id=UUID(int=2**128 - 1), from_ms=int(due.timestamp() * 1000), chat=RECIPIENT, reach=Reach.WARM)
    now = datetime.now(UTC)
    found = await pacing.plan_until(store.pool, [account], now, (now + FAR, one.id), {account: [one]})
    assert found[one.id].planned.cause is Cause.APART
    assert len(found) == 2


async def test_a_page_is_planned_up_to_its_last_message_as_if_all_were_there(store: Store) -> None:
    account, _ = await _paced(store)
    due, now = later(3600).replace(microsecond=0), datetime.now(UTC)
    ids = sorted([await add_message(store.pool, account, due=due) for _ in range(6)])
    whole = await pacing.plan_until(store.pool, [account], now, (now + FAR, ids[0]))
    part = await pacing.plan_until(store.pool, [account], now, (due, ids[3]))
    assert list(part) == ids[:4]
    assert part == {message: whole[message] for message in ids[:4]}
    # One that was put off stands in line at its own time, not at the one it was put off to.
    await store.pacing.defer({ids[1]: due + timedelta(days=2)})
    assert await pacing.plan_until(store.pool, [account], now, (due, ids[3])) == part
    await store.pool.execute("UPDATE accounts SET paced = false")
    assert await pacing.plan_until(store.pool, [account], now, (due, ids[3])) == {}


async def test_463_pauses_strangers_longer_each_time_and_others_still_get_theirs(store: Store) -> None:
    account, epoch = await _paced(store)
    now = datetime.now(UTC)
    paused = await store.pacing.note_refusal(account, epoch, 463, now)
    assert paused is not None and paused.cold_s == limits.COLD_PAUSES_S[0]
    stranger, friend = [await add_message(store.pool, account, recipient=jid) for jid in (OTHER, RECIPIENT)]
    found = await _plan(store, account)
    assert found[stranger].planned.cause is Cause.COLD_PAUSED
    assert found[stranger].planned.at_ms > found[stranger].last_ms  # it would be missed
    assert found[friend].planned.cause is not Cause.COLD_PAUSED
    again = await store.pacing.note_refusal(account, epoch, 463, now)
    assert again is not None and again.cold_s == limits.COLD_PAUSES_S[1]
    await store.pool.execute("UPDATE accounts SET cold_until = now() - interval '8 days'")
    forgotten = await store.pacing.note_refusal(account, epoch, 463, now)
    assert forgotten is not None and forgotten.cold_s == limits.COLD_PAUSES_S[0]
    assert await store.pacing.note_refusal(account, epoch - 1, 463, now) is None


async def test_two_refusals_in_a_row_pause_all_unless_one_was_accepted_between(store: Store) -> None:
    account, epoch = await _paced(store)
    now = datetime.now(UTC)
    await store.pacing.note_refusal(account, epoch, 403, now)
    await store.pacing.forgive(account, epoch)
    await store.pacing.note_refusal(account, epoch, 403, now)
    assert await store.pool.fetchval("SELECT sends_until FROM accounts") is None
    await store.pacing.note_refusal(account, epoch, 479, now)
    message = await add_message(store.pool, account)
    assert (await _plan(store, account))[message].planned.cause is Cause.PAUSED


async def test_after_a_ban_half_is_allowed_for_a_week(store: Store) -> None:
    account, epoch = await _paced(store)
    await store.accounts.move_link(account, epoch, LinkEvent.BANNED, "101", later(-1))
    assert await store.pool.fetchval("SELECT eased_until FROM accounts") is None
    await store.accounts.move_link(account, epoch, LinkEvent.BAN_ENDED)
    eased = await store.pool.fetchval("SELECT eased_until FROM accounts")
    assert eased > later(limits.EASED_S - 60)
