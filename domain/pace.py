"""How fast sessions may connect: a rate that is learned, and the instants at which connects may begin.

Nobody knows how many logins WhatsApp takes from one address, and the processor bounds them too. So the rate grows by
little while all goes well and it is made use of, and is halved when too many are refused.
"""

from typing import Final

import msgspec

from domain import limits

_ROUNDING_MS: Final = 0.001
"""What sums of gaps may be off by."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """`per_s` connects a second at present, at most `ceiling_per_s`.

    `free_at_ms`: when the next may begin (Unix ms). `pressed`: connects follow each other as fast as they may, so that
    a good end proves something. `ends`, `refusals`: of the connects that are being judged. `halved_at_ms`: the last
    halving; what ends just after it was begun before it.
    """

    per_s: float
    ceiling_per_s: float
    free_at_ms: float = 0.0
    pressed: bool = False
    ends: int = 0
    refusals: int = 0
    halved_at_ms: int = 0

    @property
    def gap_ms(self) -> float:
        """Between two connects."""
        return 1000.0 / self.per_s


def ceiling_per_s(processors: float) -> float:
    """What that many processors can connect in a second."""
    return max(limits.CONNECTS_PER_S_MIN, processors * limits.WAKE_CPU_SHARE / limits.WAKE_CPU_S)


def new_pace(processors: float) -> Pace:
    """The pace of a node that knows nothing yet."""
    ceiling = ceiling_per_s(processors)
    return Pace(per_s=max(limits.CONNECTS_PER_S_MIN, ceiling * limits.CONNECTS_FIRST_SHARE), ceiling_per_s=ceiling)


def room(pace: Pace, now_ms: int) -> int:
    """How many connects may begin now, after those that have begun."""
    since_ms = now_ms - pace.free_at_ms + _ROUNDING_MS
    return 0 if since_ms < 0 else min(limits.CONNECTS_AT_ONCE, 1 + int(since_ms / pace.gap_ms))


def begun(pace: Pace, now_ms: int) -> Pace:
    """One connect has begun."""
    rested = now_ms - (limits.CONNECTS_AT_ONCE - 1) * pace.gap_ms
    return msgspec.structs.replace(
        pace, free_at_ms=max(pace.free_at_ms, rested) + pace.gap_ms, pressed=pace.free_at_ms > rested
    )


def ended(pace: Pace, now_ms: int, *, refused: bool, limited: bool = False) -> Pace:
    """A connect has succeeded or was refused; `limited`: WhatsApp said in so many words that they are too many.

    A few refusals are the accounts' own business; only more than `limits.REFUSALS_TOLERATED` of them slow us down.
    """
    if now_ms - pace.halved_at_ms < limits.HALVING_DEAF_S * 1000:
        return pace
    ends, refusals = pace.ends + 1, pace.refusals + refused
    if limited or refusals > limits.REFUSALS_TOLERATED * limits.CONNECTS_JUDGED:
        slower = max(limits.CONNECTS_PER_S_MIN, pace.per_s / 2)
        return msgspec.structs.replace(pace, per_s=slower, ends=0, refusals=0, halved_at_ms=now_ms)
    if ends >= limits.CONNECTS_JUDGED:
        ends, refusals = 0, 0
    per_s = pace.per_s
    if pace.pressed and not refused:
        per_s = min(pace.ceiling_per_s, per_s + limits.CONNECTS_PER_S_STEP / per_s)
    return msgspec.structs.replace(pace, per_s=per_s, ends=ends, refusals=refusals)
