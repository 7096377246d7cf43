"""How late the messages of the next day will be: the queue as it stands, through the wakes that a fleet can do.

Slots and the connect rate are the two walls of domain/hotset.py. Here each wake is served by its deadline, its start
laid backwards as the planner lays it, so that the answer says what would happen and not what is hoped for. Left out:
sessions that are awake anyway, windows, refusals.
"""

import heapq
from collections.abc import Sequence
from typing import Final

import msgspec

from domain import limits
from domain.wakes import lay_backwards

MINUTE_MS: Final = 60_000
_AHEAD_MS: Final = int(limits.LOOK_AHEAD_S * 1000)
_HOLD_MS: Final = int(limits.FORECAST_HOLD_S * 1000)


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """Those due at one instant (Unix ms): `messages` of `accounts` accounts; each account is one wake."""

    due_ms: int
    accounts: int
    messages: int


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """What all nodes can do: `slots` sessions at one time, `per_s` connects a second, `lead_ms` from wake to ready."""

    slots: int
    per_s: float
    lead_ms: int = int(limits.LEAD_DEFAULT_S * 1000)


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """What is due in a minute that begins at `begins_ms`, and how late the last of it leaves."""

    begins_ms: int
    messages: int
    late_ms: int


def forecast(crowds: Sequence[Crowd], now_ms: int, fleet: Fleet) -> list[Minute]:
    """The minutes in which something is due, in order. `crowds` ascend by instant (`ValueError` otherwise).

    Wakes beyond `limits.FORECAST_WAKES_MAX` count as messages and are taken to be on time. Nothing can leave without
    slots: then everything is as late as it will be in a day.
    """
    late_by_minute: dict[int, int] = {}
    messages: dict[int, int] = {}
    for crowd in crowds:
        minute = crowd.due_ms // MINUTE_MS
        messages[minute] = messages.get(minute, 0) + crowd.messages
    for due_ms, leaves_ms in zip(dues := _dues(crowds), _leaves(dues, now_ms, fleet), strict=True):
        minute = due_ms // MINUTE_MS
        late_by_minute[minute] = max(late_by_minute.get(minute, 0), leaves_ms - due_ms)
    return [
        Minute(begins_ms=minute * MINUTE_MS, messages=count, late_ms=late_by_minute.get(minute, 0))
        for minute, count in messages.items()
    ]


def leaves(crowds: Sequence[Crowd], now_ms: int, fleet: Fleet) -> list[int]:
    """When (Unix ms) the message of each wake leaves, in the order of their due instants; as `forecast`."""
    return _leaves(_dues(crowds), now_ms, fleet)


def _dues(crowds: Sequence[Crowd]) -> list[int]:
    dues: list[int] = []
    for crowd in crowds:
        dues += [crowd.due_ms] * min(crowd.accounts, limits.FORECAST_WAKES_MAX - len(dues))
    return dues


def _leaves(dues: Sequence[int], now_ms: int, fleet: Fleet) -> list[int]:
    """When the message of each wake leaves."""
    if fleet.slots <= 0 or fleet.per_s <= 0:
        return [due_ms + int(limits.QUEUE_S * 1000) for due_ms in dues]
    gap_ms = 1000.0 / fleet.per_s
    laid = lay_backwards([due_ms - fleet.lead_ms for due_ms in dues], gap_ms)
    leaves: list[int] = []
    free_at: list[float] = []
    next_start = float(now_ms)
    for due_ms, laid_ms in zip(dues, laid, strict=True):
        start = max(next_start, laid_ms, due_ms - _AHEAD_MS)
        if len(free_at) >= fleet.slots:
            start = max(start, heapq.heappop(free_at))
        next_start = start + gap_ms
        leave = max(due_ms, int(start + fleet.lead_ms))
        heapq.heappush(free_at, leave + _HOLD_MS)
        leaves.append(leave)
    return leaves
