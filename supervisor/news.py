"""The door's notices, classified: one table from what the session tells to what the actor's machine knows. Pure."""

from collections import deque
from typing import Final

from domain import limits
from domain.account import RunEvent
from enclave.wire import news
from enclave.wire.news import Notice

EVENTS: Final[dict[type, RunEvent]] = {
    news.Connected: RunEvent.CONNECTED,
    news.Dropped: RunEvent.DROPPED,
    news.Restarted: RunEvent.RESTARTED,
    news.Banned: RunEvent.BANNED,
    news.Replaced: RunEvent.REPLACED,
    news.Outdated: RunEvent.OUTDATED,
    news.ConnectFailed: RunEvent.REFUSED,
    news.PairFailed: RunEvent.PAIR_FAILED,
    news.Ended: RunEvent.DIED,
}
"""Notices that mean one event, whatever they carry."""

SILENT: Final = (
    news.QrShown,
    news.PairCodeShown,
    news.Paired,
    news.DrainStarted,
    news.Drained,
    news.Receipt,
    news.PhoneSeen,
    news.ContactsChanged,
)
"""Notices that do not touch the machine."""

LOCKED_CODES: Final = frozenset({403, 406})
REPLACED_CODES: Final = frozenset({409})
REDIALLED_CODES: Final = frozenset({0, 516})
KEEP_ALIVES_MAX: Final = 2
RATE_LIMITED: Final = 429


class Classifier:
    """The classification of one session's news. It counts what only together means something; `now_s` is monotonic."""

    def __init__(self, *, pairing: bool) -> None:
        """`pairing`: until the first login a restart is part of linking."""
        self._pairing = pairing
        self._drops: deque[float] = deque()

    def classify(self, notice: Notice, now_s: float) -> RunEvent | None:
        """The event that a notice means, None for none."""
        if isinstance(notice, news.Connected):
            self._pairing = False
        if isinstance(notice, news.Restarted) and self._pairing:
            return None
        if isinstance(notice, news.Dropped):
            return self._dropped(now_s)
        if type(notice) in EVENTS:
            return EVENTS[type(notice)]
        match notice:
            case news.LoggedOut():
                return RunEvent.LOCKED if notice.code in LOCKED_CODES else RunEvent.LOGGED_OUT
            case news.StreamFailed():
                if notice.code in REPLACED_CODES:
                    return RunEvent.REPLACED
                return RunEvent.DROPPED if notice.code in REDIALLED_CODES else RunEvent.REFUSED
            case news.KeepAliveLost():
                return RunEvent.DROPPED if notice.count > KEEP_ALIVES_MAX else None
        return None

    def _dropped(self, now_s: float) -> RunEvent:
        while self._drops and self._drops[0] <= now_s - limits.FLAP_WINDOW_S:
            self._drops.popleft()
        self._drops.append(now_s)
        return RunEvent.FLAPPED if len(self._drops) >= limits.FLAPS_MAX else RunEvent.DROPPED


def wait_at_least_s(notice: Notice) -> float:
    """The least wait that a notice asks for, 0 for none: being rate limited takes ten minutes (docs/whatsapp.md §5)."""
    return limits.RATE_LIMITED_S if isinstance(notice, news.StreamFailed) and notice.code == RATE_LIMITED else 0.0
