"""How often an account may be woken, so that WhatsApp does not take it for a machine (docs/whatsapp.md §11). Pure.

At most so many wakes in any window of time, for each row of RULES. What can wait has a share of that only, so that
sends never wait for it. A session stays for a next use for which it could not be woken again in time; and once half of
a row is used, for one that is no further away than the rest would last if it were spread over the window. So what is
known ahead never waits, and for what comes unexpected there is something left.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from domain import limits
from domain.hotset import WantKind


class WakeRule(msgspec.Struct, frozen=True, kw_only=True):
    """At most `most` wakes in any `window_ms`."""

    most: int
    window_ms: int

    @property
    def half(self) -> int:
        """From so many on in a window one is sparing with the rest."""
        return self.most // 2

    @property
    def sparing_ms(self) -> int:
        """A next use that is no further away than this is worth staying for, then."""
        return self.window_ms // (self.most - self.half)


RULES: Final = (
    WakeRule(most=limits.WAKES_PER_HOUR, window_ms=3600 * 1000),
    WakeRule(most=limits.WAKES_PER_DAY, window_ms=24 * 3600 * 1000),
)
HISTORY_S: Final = max(rule.window_ms for rule in RULES) / 1000
"""Older wakes stand in nobody's way."""
HISTORY_MAX: Final = max(rule.most for rule in RULES)
"""Nor do more than these."""
_APART_MS: Final = int(limits.WAKES_APART_S * 1000)

SHARES: Final[dict[WantKind, float]] = {
    WantKind.DUE: 1.0,
    WantKind.PAIRING: limits.ASKED_WAKES_SHARE,
    WantKind.WISH: limits.ASKED_WAKES_SHARE,
    WantKind.STICKY: limits.ENRICHMENT_WAKES_SHARE,
    WantKind.HEALTH: limits.ENRICHMENT_WAKES_SHARE,
}
"""What of each rule a kind of wake may use."""


def free_at_ms(woken_ms: Sequence[int], kind: WantKind, *, again: bool = False) -> int:
    """The first instant at which an account may be woken for `kind`; 0: it may at once.

    `woken_ms`: its wakes (Unix ms), ascending, as far back as HISTORY_S. `again`: the last of them did not come to
    anything; then how soon it is tried again is the backoff's business (domain/sending.py).
    """
    free_ms = 0
    for rule in RULES:
        most = max(1, int(rule.most * SHARES[kind]))
        if len(woken_ms) >= most:
            free_ms = max(free_ms, woken_ms[-most] + rule.window_ms)
    if woken_ms and not again:
        free_ms = max(free_ms, woken_ms[-1] + _APART_MS)
    return free_ms


def stays_for_ms(woken_ms: Sequence[int], now_ms: int) -> int:
    """A session that is idle at `now_ms` stays for a wake that would begin before this instant."""
    stays_ms = free_at_ms(woken_ms, WantKind.DUE)
    for rule in RULES:
        if len(woken_ms) >= rule.half and woken_ms[-rule.half] + rule.window_ms > now_ms:
            stays_ms = max(stays_ms, now_ms + rule.sparing_ms)
    return stays_ms
