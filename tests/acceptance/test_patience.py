"""What takes the engine a minute: to give up on a receipt, to find again what only Redis had in order."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from domain.message import Reason
from standalone.demo_world import OWN_NUMBER
from tests.acceptance.stack import CERTAIN, DEADLINE_S, SETTLE_S, Message, Stack, flush_redis
from tests.waiting import eventually_sync

AHEAD_S = 2.0
FAR_S = 25.0  # further than the engine claims ahead (limits.LOOK_AHEAD_S): nobody has it in hand yet


@dataclass(frozen=True, slots=True)
class Waiting:
    """Two messages in trouble, so that one minute is enough for both."""

    stack: Stack
    doubted: Message
    forgotten: Message


@pytest.fixture(scope="module")
def waiting(stack: Stack) -> Iterator[Waiting]:
    doubted = stack.schedule_awake("nobody can say", AHEAD_S)
    with stack.locked("stray_receipts"):
        stack.until_delivered(doubted)
        # The supervisor has the receipt, cannot write it, and dies; the service does not send it again.
        stack.until_waiting("stray_receipts")
        eventually_sync(lambda: _nothing_waits_for_device(stack), "the receipt's confirmation", DEADLINE_S)
        assert stack.attempts(doubted) == [""]
        for who in ("supervisor", "broker"):
            stack.kill(who)
    for who in ("broker", "supervisor"):
        stack.mend(who)
    forgotten = stack.schedule("far ahead", FAR_S)
    flush_redis(stack)
    assert stack.state(forgotten) == "SCHEDULED"
    yield Waiting(stack, doubted, forgotten)


def _nothing_waits_for_device(stack: Stack) -> bool:
    phone = stack.control.get(f"/phones/{OWN_NUMBER}").raise_for_status().json()
    return phone["devices"][0]["waiting"] == 0


def test_a_message_that_redis_forgot_before_it_was_claimed_arrives_once(waiting: Waiting) -> None:
    stack = waiting.stack
    assert stack.until_state(waiting.forgotten, *CERTAIN, wait_s=FAR_S + SETTLE_S)
    stack.until_delivered(waiting.forgotten)
    assert stack.on_phone(waiting.forgotten) == 1


def test_a_message_whose_receipt_died_with_all_processes_says_that_nobody_knows(waiting: Waiting) -> None:
    stack, message = waiting.stack, waiting.doubted
    assert stack.until_state(message, "UNCONFIRMED", *CERTAIN, wait_s=SETTLE_S) == "UNCONFIRMED"
    assert stack.reason(message) in (Reason.NO_ACKNOWLEDGEMENT, Reason.ENCLAVE_DIED)
    assert stack.on_phone(message) == 1
    assert stack.attempts(message) == ["UNCONFIRMED"]


def test_a_late_sign_from_the_recipient_settles_even_that(waiting: Waiting) -> None:
    stack = waiting.stack
    stack.schedule_awake("another", 0)
    stack.read_by_recipient()
    assert stack.until_state(waiting.doubted, *CERTAIN) in CERTAIN
    assert stack.on_phone(waiting.doubted) == 1
