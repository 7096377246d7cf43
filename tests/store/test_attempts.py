"""The gate and what comes after it: exactly one passes, nothing is SENT whose store is not persisted."""

import asyncio
from uuid import UUID

import pytest

from domain.message import MessageEvent, Reason
from domain.sending import is_late
from enclave.wire.news import ReceiptKind
from store.attempts import Begun, Finished
from store.database import new_id
from store.receipts import instant
from tests.rows import RECIPIENT, add_account, add_message, later, sealed, state_of
from tests.store.conftest import Store
from tests.waiting import eventually

NODE = "node"


async def _armed(store: Store, **message: object) -> tuple[UUID, UUID, int]:
    """Return a message in hand, its account and the epoch."""
    account = await add_account(store.pool)
    epoch = (await store.accounts.take([account], NODE))[account]
    one = await add_message(store.pool, account, **message)  # ty: ignore[invalid-argument-type]
    armed = await store.messages.arm([one], NODE, later(60))
    assert [found.id for found in armed] == [one]
    return one, account, epoch


async def _begin(store: Store, one: UUID, account: UUID, epoch: int) -> Begun | MessageEvent | None:
    return await store.attempts.begin_send(one, new_id(), account, epoch, now=later(0), boot="boot")


async def _begun(store: Store) -> tuple[Begun, UUID, int]:
    one, account, epoch = await _armed(store)
    begun = await _begin(store, one, account, epoch)
    assert isinstance(begun, Begun)
    return begun, account, epoch


async def _events(store: Store, message: UUID) -> list[str]:
    rows = await store.pool.fetch("SELECT event FROM changes WHERE message_id = $1 ORDER BY at", message)
    return [row["event"] for row in rows]


async def test_of_many_at_the_gate_one_passes(store: Store) -> None:
    one, account, epoch = await _armed(store)
    results = await asyncio.gather(*(_begin(store, one, account, epoch) for _ in range(12)))
    (begun,) = [result for result in results if isinstance(result, Begun)]
    assert begun.number == 1
    assert begun.content_key == b"key"
    assert len(begun.secret) == 32
    assert await store.pool.fetchval("SELECT count(*) FROM attempts") == 1
    assert await _events(store, one) == ["claimed", "begun"]


async def test_an_account_that_somebody_has_locked_keeps_only_its_own_messages_waiting(store: Store) -> None:
    waiting, locked, epoch = await _armed(store)
    others = [await _armed(store) for _ in range(3)]
    async with store.pool.acquire() as other:
        under_way = other.transaction()
        await under_way.start()
        await other.execute("SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE", locked)
        first = asyncio.create_task(_begin(store, waiting, locked, epoch))
        passed = await asyncio.gather(*(_begin(store, *one) for one in others))
        assert all(isinstance(result, Begun) for result in passed)
        ended = await asyncio.gather(*(_finish(store, result, one) for result, one in zip(passed, others, strict=True)))
        assert None not in ended
        assert not first.done()
        await under_way.commit()
    assert isinstance(await first, Begun)


async def test_a_send_says_whether_it_was_the_first_to_its_recipient(store: Store) -> None:
    for established in (True, False):
        one, account, epoch = await _armed(store)
        if established:
            await store.pool.execute(
                "INSERT INTO contacts (account_id, jid, kind, name, search, established)"
                " VALUES ($1, $2, 'person', '', '', true)",
                account,
                RECIPIENT,
            )
        finished = await _finish(store, await _begin(store, one, account, epoch), (one, account, epoch))
        assert finished is not None
        assert finished.first_contact is not established


async def _finish(store: Store, begun: Begun | MessageEvent | None, armed: tuple[UUID, UUID, int]) -> Finished | None:
    assert isinstance(begun, Begun)
    _, account, epoch = armed
    return await store.attempts.finish_send(
        begun, account, epoch, wa_id=str(begun.attempt), server_time_s=1, store=sealed(1)
    )


async def test_a_former_owner_does_not_pass(store: Store) -> None:
    one, account, epoch = await _armed(store)
    await store.accounts.release({account: epoch})
    await store.accounts.take([account], "other")
    assert await _begin(store, one, account, epoch) is None
    assert await state_of(store.pool, one) == ("ARMED", "")


async def test_what_was_cancelled_in_hand_does_not_pass(store: Store) -> None:
    one, account, epoch = await _armed(store)
    assert await store.messages.move(epoch, [one], MessageEvent.CANCELLED) == [one]
    assert await _begin(store, one, account, epoch) is None


async def test_what_was_moved_to_later_does_not_pass_early(store: Store) -> None:
    one, account, epoch = await _armed(store)
    await store.pool.execute("UPDATE messages SET due_at = $2 WHERE id = $1", one, later(3600))
    assert await _begin(store, one, account, epoch) is None


@pytest.mark.parametrize(("age_s", "late"), [(59, False), (61, True)])
async def test_the_gate_knows_the_same_late_as_the_domain(store: Store, age_s: int, late: bool) -> None:
    due = later(-age_s)
    one, account, epoch = await _armed(store, due=due, late_limit_s=60)
    assert is_late(int(later(0).timestamp() * 1000), int(due.timestamp() * 1000), 60) is late
    result = await _begin(store, one, account, epoch)
    assert (result is MessageEvent.LATE) is late
    assert await state_of(store.pool, one) == (("MISSED", "too_late") if late else ("SENDING", ""))
    schedule = await store.pool.fetchval("SELECT state FROM schedules")
    assert schedule == ("FINISHED" if late else "ACTIVE")


async def test_finishing_persists_the_store_and_ends_everything_at_once(store: Store) -> None:
    begun, account, epoch = await _begun(store)
    assert await store.attempts.finish_send(begun, account, epoch, wa_id="3EB0", server_time_s=1, store=sealed(3))
    assert await state_of(store.pool, begun.message) == ("SENT", "")
    kept = await store.stores.get(account)
    assert kept == sealed(3)
    row = await store.pool.fetchrow("SELECT outcome, wa_id FROM attempts")
    assert tuple(row) == ("SENT", "3EB0")
    assert await store.pool.fetchval("SELECT state FROM schedules") == "FINISHED"
    assert await _events(store, begun.message) == ["claimed", "begun", "accepted"]


async def test_a_former_owner_cannot_finish(store: Store) -> None:
    begun, account, epoch = await _begun(store)
    await store.accounts.release({account: epoch})
    await store.accounts.take([account], "other")
    assert not await store.attempts.finish_send(begun, account, epoch, wa_id="a", server_time_s=1, store=sealed(1))
    assert await state_of(store.pool, begun.message) == ("SENDING", "")
    assert await store.stores.get(account) is None


async def test_a_receipt_that_was_quicker_than_the_acknowledgement_counts(store: Store) -> None:
    begun, account, epoch = await _begun(store)
    known = await store.receipts.take_in(account, epoch, ReceiptKind.DELIVERED, ["3EB0"], RECIPIENT, instant(5))
    assert known == []
    await store.attempts.finish_send(begun, account, epoch, wa_id="3EB0", server_time_s=4, store=sealed(1))
    assert await state_of(store.pool, begun.message) == ("DELIVERED", "")


async def test_states_only_grow(store: Store) -> None:
    begun, account, epoch = await _begun(store)
    await store.attempts.finish_send(begun, account, epoch, wa_id="x", server_time_s=1, store=sealed(1))
    for kind in (ReceiptKind.READ, ReceiptKind.DELIVERED, ReceiptKind.SENDER):
        assert await store.receipts.take_in(account, epoch, kind, ["x"], RECIPIENT, instant(9)) == ["x"]
    assert await state_of(store.pool, begun.message) == ("READ", "")
    assert await _events(store, begun.message) == ["claimed", "begun", "accepted", "read"]


async def test_a_message_that_certainly_did_not_leave_goes_back(store: Store) -> None:
    begun, account, epoch = await _begun(store)
    assert await store.attempts.end_send(
        begun.attempt, begun.message, epoch, MessageEvent.RETURNED, reason=Reason.NO_CONNECTION, not_before=later(5)
    )
    assert await state_of(store.pool, begun.message) == ("SCHEDULED", "no_connection")
    assert await store.messages.due_ids(later(1), NODE, 10) == []
    assert await store.messages.due_ids(later(6), NODE, 10) == [begun.message]
    assert await store.attempts.open_of(account) == []


async def test_a_doubtful_one_is_settled_by_a_later_receipt(store: Store) -> None:
    begun, account, epoch = await _begun(store)
    (found,) = await store.attempts.open_of(account)
    assert (found.id, found.secret, found.boot) == (begun.attempt, begun.secret, "boot")
    await store.attempts.name(found.id, account, epoch, "3EB1")
    await store.attempts.end_send(found.id, found.message, epoch, MessageEvent.DOUBTED, reason=Reason.SESSION_DIED)
    assert await state_of(store.pool, begun.message) == ("UNCONFIRMED", "session_died")
    await store.receipts.take_in(account, epoch, ReceiptKind.SENDER, ["3EB1"], RECIPIENT, instant(9))
    assert await state_of(store.pool, begun.message) == ("SENT", "")
    assert await store.pool.fetchval("SELECT outcome FROM attempts") == "SENT"


@pytest.mark.parametrize("by", ["name", "settle_send"])
async def test_a_receipt_that_is_taken_in_while_its_message_gets_its_id_is_not_lost(store: Store, by: str) -> None:
    begun, account, epoch = await _begun(store)
    attempts, pool = store.attempts, store.pool
    async with pool.acquire() as taking:
        under_way = taking.transaction()
        await under_way.start()
        await store.receipts.serialize(taking, account)
        if by == "name":
            naming = asyncio.create_task(attempts.name(begun.attempt, account, epoch, "3EB2"))
        else:
            naming = asyncio.create_task(
                attempts.settle_send(begun.attempt, begun.message, account, epoch, wa_id="3EB2", sent_at=instant(4))
            )
        await eventually(lambda: _waits_or_ended(store, naming), "the naming to wait for the receipt")
        await taking.execute(
            "INSERT INTO stray_receipts (account_id, wa_id, chat, kind, at) VALUES ($1, '3EB2', $2, 'read', now())",
            account,
            RECIPIENT,
        )
        await under_way.commit()
    await naming
    assert await state_of(pool, begun.message) == ("READ", "")
    assert await attempts.open_of(account) == []


async def _waits_or_ended(store: Store, task: asyncio.Task[object]) -> bool:
    waits = await store.pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return task.done() or bool(waits)


async def test_an_unknown_id_from_that_chat_is_found_while_an_attempt_is_in_doubt(store: Store) -> None:
    begun, account, epoch = await _begun(store)
    at = instant(int(later(1).timestamp()))
    await store.receipts.take_in(account, epoch, ReceiptKind.DELIVERED, ["lost"], RECIPIENT, at)
    (found,) = await store.attempts.open_of(account)
    assert await store.receipts.find_stray(account, found.id, ["other@s.whatsapp.net"], found.begun_at) is None
    stray = await store.receipts.find_stray(account, found.id, [RECIPIENT], later(-5))
    assert stray is not None
    assert stray.wa_id == "lost"
    assert await store.receipts.purge(later(60)) == 1
    assert begun.message == found.message


async def test_a_receipt_that_may_be_of_another_attempt_on_its_way_settles_nothing(store: Store) -> None:
    """Else what never left takes the receipt of the next message to that person, and nobody hears that it is lost."""
    begun, account, epoch = await _begun(store)
    next_one = await add_message(store.pool, account, due=later(-1))
    await store.messages.arm([next_one], NODE, later(5))
    other = await _begin(store, next_one, account, epoch)
    assert isinstance(other, Begun)
    receipts = store.receipts
    await receipts.take_in(
        account, epoch, ReceiptKind.DELIVERED, ["3EB3"], RECIPIENT, instant(int(later(1).timestamp()))
    )
    assert await receipts.find_stray(account, begun.attempt, [RECIPIENT], later(-5)) is None
    await store.attempts.finish_send(other, account, epoch, wa_id="3EB3", server_time_s=4, store=sealed(1))
    assert await receipts.find_stray(account, begun.attempt, [RECIPIENT], later(-5)) is None
    assert await state_of(store.pool, next_one) == ("DELIVERED", "")
    assert await state_of(store.pool, begun.message) == ("SENDING", "")


async def test_strays_are_not_kept_without_a_doubt(store: Store) -> None:
    account = await add_account(store.pool)
    epoch = (await store.accounts.take([account], NODE))[account]
    await store.receipts.take_in(account, epoch, ReceiptKind.DELIVERED, ["phone"], RECIPIENT, instant(1))
    assert await store.pool.fetchval("SELECT count(*) FROM stray_receipts WHERE account_id = $1", account) == 0
