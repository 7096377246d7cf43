"""The rules around one send."""

import pytest

from domain import limits
from domain.message import MessageEvent, Reason
from domain.sending import (
    Failure,
    after_failure,
    backoff_s,
    drain_s,
    is_late,
    linger_s,
    restart_wait,
)


def test_late_begins_after_the_limit() -> None:
    assert not is_late(60_000, 0, 60)
    assert is_late(60_001, 0, 60)


def test_the_first_failure_is_retried_fast_and_the_ladder_starts_after_it() -> None:
    assert backoff_s(1, 0.9) == limits.FAST_RETRY_S
    steps = [backoff_s(failures, 0.5) for failures in range(2, 10)]
    assert steps[: len(limits.BACKOFF_S)] == list(limits.BACKOFF_S)
    assert steps[-1] == limits.BACKOFF_S[-1]


@pytest.mark.parametrize("dice", [0.0, 0.25, 0.999])
def test_the_jitter_stays_within_a_quarter(dice: float) -> None:
    step = limits.BACKOFF_S[0]
    assert abs(backoff_s(2, dice) - step) <= limits.BACKOFF_JITTER * step


def test_too_many_restarts_park_the_account() -> None:
    waits = [restart_wait(count, 0.5) for count in range(1, limits.RESTARTS_MAX + 1)]
    assert [wait.parked for wait in waits] == [False] * (limits.RESTARTS_MAX - 1) + [True]
    assert waits[-1].wait_s >= limits.PARK_S


def test_a_first_contact_is_lingered_for_longer() -> None:
    assert linger_s(first_contact=True) > linger_s(first_contact=False)


def test_a_very_long_queue_is_not_waited_for() -> None:
    assert [drain_s(count) for count in (0, 100, 101, 500, 501)] == [10.0, 10.0, 30.0, 30.0, 0.0]


@pytest.mark.parametrize("attempts", [1, limits.ATTEMPTS_MAX])
def test_what_may_have_been_sent_is_never_decided_here(attempts: int) -> None:
    assert after_failure(Failure.MAYBE, 0, attempts, 0.5).event is None


@pytest.mark.parametrize(
    ("failure", "code", "attempts", "event", "reason"),
    [
        (Failure.NOT_SENT, 0, 1, MessageEvent.RETURNED, Reason.NO_CONNECTION),
        (Failure.NOT_SENT, 0, limits.ATTEMPTS_MAX, MessageEvent.REFUSED, Reason.ATTEMPTS_EXHAUSTED),
        (Failure.NOT_ON_WHATSAPP, 0, 1, MessageEvent.REFUSED, Reason.NOT_ON_WHATSAPP),
        (Failure.NOT_IN_GROUP, 0, 1, MessageEvent.REFUSED, Reason.NOT_IN_GROUP),
        (Failure.SEAL_EXPIRED, 0, 1, MessageEvent.REFUSED, Reason.SEAL_EXPIRED),
        (Failure.SEAL_UNREADABLE, 0, 1, MessageEvent.REFUSED, Reason.SEAL_UNREADABLE),
        (Failure.REFUSED, 463, 1, MessageEvent.REFUSED, Reason.REACH_OUT_LIMIT),
        (Failure.REFUSED, 479, 1, MessageEvent.RETURNED, Reason.SERVER_REFUSED),
        (Failure.REFUSED, 479, 2, MessageEvent.REFUSED, Reason.SERVER_REFUSED),
        (Failure.REFUSED, 999, 1, MessageEvent.REFUSED, Reason.SERVER_REFUSED),
    ],
)
def test_a_failed_send_has_its_verdict(
    failure: Failure, code: int, attempts: int, event: MessageEvent, reason: Reason
) -> None:
    verdict = after_failure(failure, code, attempts, 0.5)
    assert (verdict.event, verdict.reason) == (event, reason)
    assert (verdict.retry_s > 0) == (event is MessageEvent.RETURNED)
