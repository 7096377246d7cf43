"""How an account sends so that WhatsApp does not take its number for a machine's (docs/whatsapp.md §11). Pure.

Every rule is of one form: at most so many sends of one kind in any window of time. A message is placed at the first
instant, not before its own, at which all rules hold; the engine and the pages place with the same function, so that
what is told while one schedules is what happens. What the same text to many would say is not known here: the host has
no texts.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final
from uuid import UUID
from zlib import crc32

import msgspec

from domain import limits


class Reach(StrEnum):
    """Who gets it: somebody written with, a name that one knows, a stranger, a group."""

    WARM = "warm"
    COOL = "cool"
    COLD = "cold"
    GROUP = "group"


class Cause(StrEnum):
    """Why a message leaves later than its time, the most telling last."""

    APART = "apart"
    SAME_CHAT = "same_chat"
    BURST = "burst"
    SAME_GROUP = "same_group"
    GROUP_DAY = "group_day"
    DAY = "day"
    FIRST_WORDS = "first_words"
    NEW_DAY = "new_day"
    COLD_DAY = "cold_day"
    COLD_WEEK = "cold_week"
    COLD_NEW = "cold_new"
    COLD_PAUSED = "cold_paused"
    PAUSED = "paused"


RANK: Final = {cause: rank for rank, cause in enumerate(Cause)}


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """One that left, may have left, or is about to, at `at_ms` (Unix ms)."""

    at_ms: int
    chat: str
    reach: Reach


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One that waits and may not leave before `from_ms` (Unix ms)."""

    id: UUID
    from_ms: int
    chat: str
    reach: Reach


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What stands against an account, in Unix ms; 0 for nothing.

    `new_since_ms`: when its phone was linked, as far as that says that the number is new to us. `cold_until_ms`,
    `all_until_ms`: until then nothing goes to strangers, to nobody. `eased_until_ms`: until then half of all.
    """

    new_since_ms: int = 0
    cold_until_ms: int = 0
    all_until_ms: int = 0
    eased_until_ms: int = 0


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """When one leaves, and what keeps it from leaving at its own time; None: nothing does."""

    at_ms: int
    cause: Cause | None = None


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    cause: Cause
    key: Callable[[str, Reach], str | None]
    """The name of what is counted together with such a send; None: the rule says nothing of it."""
    most: int
    window_s: float
    eases: bool = False


def _everything(_chat: str, _reach: Reach) -> str:
    return "all"


def _chat(chat: str, _reach: Reach) -> str:
    return f"chat {chat}"


def _people(_chat: str, reach: Reach) -> str | None:
    return None if reach is Reach.GROUP else "people"


def _of(*reaches: Reach) -> Callable[[str, Reach], str | None]:
    return lambda _chat, reach: f"reach {reaches[0]}" if reach in reaches else None


def _group(chat: str, reach: Reach) -> str | None:
    return f"chat {chat}" if reach is Reach.GROUP else None


_DAY_S: Final = 24 * 3600.0

# fmt: off
RULES: Final = (
    _Rule(cause=Cause.APART,       key=_everything,      most=1, window_s=limits.SENDS_APART_S),
    _Rule(cause=Cause.SAME_CHAT,   key=_chat,            most=1, window_s=limits.SAME_CHAT_S),
    _Rule(cause=Cause.BURST,       key=_everything,      most=limits.BURST_MAX, window_s=limits.BURST_S),
    _Rule(cause=Cause.SAME_GROUP,  key=_group,           most=1, window_s=limits.SAME_GROUP_S),
    _Rule(cause=Cause.GROUP_DAY,   key=_of(Reach.GROUP), most=limits.GROUPS_PER_DAY, window_s=_DAY_S, eases=True),
    _Rule(cause=Cause.DAY,         key=_people,          most=limits.PEOPLE_PER_DAY, window_s=_DAY_S, eases=True),
    _Rule(cause=Cause.FIRST_WORDS, key=_of(Reach.COOL, Reach.COLD),
          most=limits.FIRST_WORDS_PER_DAY, window_s=_DAY_S, eases=True),
    _Rule(cause=Cause.COLD_DAY,    key=_of(Reach.COLD),  most=limits.STRANGERS_PER_DAY, window_s=_DAY_S, eases=True),
    _Rule(cause=Cause.COLD_WEEK,   key=_of(Reach.COLD),  most=limits.STRANGERS_PER_WEEK, window_s=7 * _DAY_S,
          eases=True),
)
# fmt: on
_NEW_DAY: Final = _Rule(cause=Cause.NEW_DAY, key=_people, most=limits.NEW_PEOPLE_PER_DAY, window_s=_DAY_S, eases=True)

HISTORY_S: Final = max(rule.window_s for rule in RULES)
"""What was sent longer ago than this stands in nobody's way."""


def plan(standing: Standing, sends: Iterable[Send], waiting: Iterable[Waiting]) -> dict[UUID, Planned]:
    """When each of `waiting` leaves, after all that `sends` says; those that may leave first are placed first."""
    book = _Book(standing)
    for send in sends:
        book.add(send.at_ms, send.chat, send.reach)
    return {one.id: book.place(one) for one in sorted(waiting, key=lambda one: (one.from_ms, one.id))}


def jitter_s(message: UUID) -> float:
    """What is added to the space before a message so that no rhythm shows: always the same for one message."""
    return limits.SENDS_APART_JITTER_S * (crc32(message.bytes) / 2**32)


class _Book:
    """What leaves when, by what the rules count together."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._times: dict[str, list[int]] = {}

    def add(self, at_ms: int, chat: str, reach: Reach) -> None:
        keys = {rule.key(chat, reach) for rule in (*RULES, _NEW_DAY)} - {None}
        for key in keys:
            insort(self._times.setdefault(str(key), []), at_ms)

    def place(self, one: Waiting) -> Planned:
        at_ms, cause = _after_pauses(self._standing, one)
        while (found := self._in_the_way(one, at_ms)) is not None:
            at_ms = found.at_ms
            if found.cause is not None and (cause is None or RANK[found.cause] > RANK[cause]):
                cause = found.cause
        self.add(at_ms, one.chat, one.reach)
        return Planned(at_ms=at_ms, cause=cause)

    def _in_the_way(self, one: Waiting, at_ms: int) -> Planned | None:
        """The next instant that a broken rule allows, and which rule; None when all of them hold at `at_ms`."""
        new_until_ms = self._standing.new_since_ms + int(limits.NEW_S * 1000)
        worst = Planned(at_ms=at_ms)
        for rule in (*RULES, _NEW_DAY) if at_ms < new_until_ms else RULES:
            key = rule.key(one.chat, one.reach)
            if key is None or not (times := self._times.get(key)):
                continue
            window_s = rule.window_s + (jitter_s(one.id) if rule.cause is Cause.APART else 0)
            free_ms = _free(times, at_ms, rule.most, int(window_s * 1000))
            if rule.eases and at_ms < self._standing.eased_until_ms:
                half_ms = _free(times, at_ms, max(1, rule.most // 2), int(window_s * 1000))
                free_ms = max(free_ms, min(half_ms, self._standing.eased_until_ms))
            if rule is _NEW_DAY:
                free_ms = min(free_ms, new_until_ms)
            if free_ms > worst.at_ms:
                worst = Planned(at_ms=free_ms, cause=rule.cause)
        return None if worst.cause is None else worst


def _after_pauses(standing: Standing, one: Waiting) -> tuple[int, Cause | None]:
    pauses = [(standing.all_until_ms, Cause.PAUSED)]
    if one.reach is Reach.COLD:
        pauses.append((standing.cold_until_ms, Cause.COLD_PAUSED))
        if standing.new_since_ms:
            pauses.append((standing.new_since_ms + int(limits.NEW_COLD_S * 1000), Cause.COLD_NEW))
    until_ms, cause = max(pauses)
    return (until_ms, cause) if until_ms > one.from_ms else (one.from_ms, None)


def _free(times: list[int], at_ms: int, most: int, window_ms: int) -> int:
    """`at_ms`, or the end of the window that has `most` of `times` already and would have it too."""
    index = bisect_left(times, at_ms)
    for first in range(index, max(-1, index - most - 1), -1):
        # With `most` of them from `first` on, all within a window, there is no room until that window is over.
        last = first + most - 1
        end_ms = max(at_ms, times[last]) if last < len(times) else None
        if end_ms is not None and end_ms - min(at_ms, times[first]) < window_ms:
            return times[first] + window_ms
    return at_ms


class Restraint(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a refusal: pauses in seconds (0: none), and the counts that the next one builds on."""

    cold_s: float = 0.0
    all_s: float = 0.0
    refusals: int = 0
    cold_pauses: int = 0


def after_refusal(code: int, refusals: int, cold_pauses: int) -> Restraint:
    """The `refusals`-and-first refusal in a row, with server code `code`; `cold_pauses` of late.

    463 says that strangers are not to be written to: trying again makes it worse, others still get theirs.
    """
    if code == limits.REACH_OUT_CODE:
        pause_s = limits.COLD_PAUSES_S[min(cold_pauses, len(limits.COLD_PAUSES_S) - 1)]
        return Restraint(cold_s=pause_s, refusals=refusals, cold_pauses=cold_pauses + 1)
    if refusals + 1 >= limits.REFUSALS_MAX:
        return Restraint(all_s=limits.REFUSED_PAUSE_S, cold_pauses=cold_pauses)
    return Restraint(refusals=refusals + 1, cold_pauses=cold_pauses)


WHY: Final[Mapping[Cause, str]] = {
    Cause.APART: "another message of yours leaves just before it",
    Cause.SAME_CHAT: "they get another message of yours just before it",
    Cause.BURST: f"{limits.BURST_MAX} messages in {limits.BURST_S // 60:.0f} minutes are the most",
    Cause.SAME_GROUP: f"one message in {limits.SAME_GROUP_S // 60:.0f} minutes is the most for one group",
    Cause.GROUP_DAY: f"{limits.GROUPS_PER_DAY} messages a day to groups are the most",
    Cause.DAY: f"{limits.PEOPLE_PER_DAY} messages a day are the most",
    Cause.FIRST_WORDS: f"{limits.FIRST_WORDS_PER_DAY} first words a day are the most",
    Cause.NEW_DAY: f"{limits.NEW_PEOPLE_PER_DAY} messages a day are the most in the first week after linking",
    Cause.COLD_DAY: f"{limits.STRANGERS_PER_DAY} strangers a day are the most",
    Cause.COLD_WEEK: f"{limits.STRANGERS_PER_WEEK} strangers a week are the most",
    Cause.COLD_NEW: "strangers wait for two days after linking",
    Cause.COLD_PAUSED: "WhatsApp refused a first word, so strangers wait",
    Cause.PAUSED: "WhatsApp refused two messages in a row, so all of them wait",
}
"""Why, inside a sentence."""
