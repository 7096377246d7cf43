"""The rules around one send: is it too late, how long to linger, what a failure leads to, how long to wait."""

from enum import StrEnum

import msgspec

from domain import limits
from domain.message import MessageEvent, Reason


def is_late(now_ms: int, due_ms: int, late_limit_s: int) -> bool:
    """Whether a message is older than its late limit, so that it must not leave any more."""
    return now_ms - due_ms > late_limit_s * 1000


def linger_s(*, first_contact: bool) -> float:
    """Seconds to stay after an acknowledged send, at most: a delivery receipt may end it earlier."""
    return limits.LINGER_FIRST_CONTACT_S if first_contact else limits.LINGER_S


def drain_s(queued: int) -> float:
    """Seconds to wait for the end of an offline queue of `queued` stanzas before sending anyway.

    A very long one is not waited for: acknowledgements overtake it (docs/whatsapp.md §6).
    """
    if queued > limits.DRAIN_LONG:
        return 0.0
    return limits.DRAIN_S if queued <= limits.DRAIN_SHORT else limits.DRAIN_MANY_S


def backoff_s(failures: int, dice: float) -> float:
    """Seconds to stay COLD after `failures` failures in a row (1 or more). `dice` in [0, 1) gives ±25 %.

    The first failure is retried at once, inside the look-ahead; the ladder starts after it.
    """
    if failures <= 1:
        return limits.FAST_RETRY_S
    step = limits.BACKOFF_S[min(failures - 2, len(limits.BACKOFF_S) - 1)]
    return step * (1 + limits.BACKOFF_JITTER * (2 * dice - 1))


class RestartWait(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait after a 515, and whether that is a parking (the count starts anew)."""

    wait_s: float
    parked: bool


def restart_wait(restarts: int, dice: float) -> RestartWait:
    """The wait after the `restarts`-th 515 in a row (1 or more): a short ladder, then parked for 10 to 15 minutes."""
    if restarts >= limits.RESTARTS_MAX:
        return RestartWait(wait_s=park_s(dice), parked=True)
    return RestartWait(wait_s=limits.RESTART_S[restarts - 1], parked=False)


def park_s(dice: float) -> float:
    """Seconds of a parking; `dice` in [0, 1)."""
    return limits.PARK_S + limits.PARK_JITTER_S * dice


class Failure(StrEnum):
    """A failed send, as the engine sees it (from the door's `Certainty` and `SendTrouble`)."""

    NOT_SENT = "not_sent"
    NOT_ON_WHATSAPP = "not_on_whatsapp"
    NOT_IN_GROUP = "not_in_group"
    REFUSED = "refused"
    MAYBE = "maybe"
    SEAL_EXPIRED = "seal_expired"
    SEAL_UNREADABLE = "seal_unreadable"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a failed send leads to. `event` None: ask the receipts first. `retry_s`: wait before the next try."""

    event: MessageEvent | None
    reason: Reason
    retry_s: float = 0.0


_FINAL_CODES = {463: Reason.REACH_OUT_LIMIT}
_ONE_MORE_TRY_CODES = frozenset({400, 403, 420, 479})


def after_failure(failure: Failure, server_code: int, attempts: int, dice: float) -> Verdict:
    """The verdict on attempt number `attempts` (from 1) that failed (docs/whatsapp.md §9, §11)."""
    if failure is Failure.MAYBE:
        return Verdict(event=None, reason=Reason.NO_ACKNOWLEDGEMENT)
    permanent = {
        Failure.NOT_ON_WHATSAPP: Reason.NOT_ON_WHATSAPP,
        Failure.NOT_IN_GROUP: Reason.NOT_IN_GROUP,
        Failure.SEAL_EXPIRED: Reason.SEAL_EXPIRED,
        Failure.SEAL_UNREADABLE: Reason.SEAL_UNREADABLE,
    }
    if failure in permanent:
        return Verdict(event=MessageEvent.REFUSED, reason=permanent[failure])
    if failure is Failure.REFUSED:
        if server_code in _ONE_MORE_TRY_CODES and attempts < 2:
            return Verdict(event=MessageEvent.RETURNED, reason=Reason.SERVER_REFUSED, retry_s=backoff_s(2, dice))
        return Verdict(event=MessageEvent.REFUSED, reason=_FINAL_CODES.get(server_code, Reason.SERVER_REFUSED))
    if attempts >= limits.ATTEMPTS_MAX:
        return Verdict(event=MessageEvent.REFUSED, reason=Reason.ATTEMPTS_EXHAUSTED)
    return Verdict(event=MessageEvent.RETURNED, reason=Reason.NO_CONNECTION, retry_s=backoff_s(attempts, dice))
