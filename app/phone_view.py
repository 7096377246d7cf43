"""An account in one line, for the edge of every page: asleep or awake, and when its phone was last seen. Pure."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app.flight_view import time_words
from domain import limits
from domain.account import Link
from store.pages import Account
from store.run_state import RunShown

_LINK: Final = {
    Link.UNLINKED: ("is not linked", "calm"),
    Link.PAIRING: ("is being linked", "live"),
    Link.LOGGED_OUT: ("was unlinked by WhatsApp", "bad"),
    Link.LOCKED: ("is locked by WhatsApp", "bad"),
    Link.BANNED: ("is restricted by WhatsApp", "watch"),
}
_RUN: Final = {
    "CONNECTING": ("is waking up", "live"),
    "HOT": ("is awake", "live"),
    "DISCONNECTING": ("is going back to sleep", "live"),
}
_STATEMENT: Final = {
    "is asleep": "Asleep, and ready. We wake the session just before a message leaves.",
    "is waking up": "Waking up. Then the message leaves.",
    "is awake": "Awake. Asleep again soon.",
    "is going back to sleep": "Going back to sleep.",
}


class PhoneLine(msgspec.Struct, frozen=True, kw_only=True):
    """An account: `words` after its name ("is asleep"), `statement` alone, `seen`: when the phone was (`overdue`: long
    ago)."""

    id: str
    name: str
    link: str
    words: str
    statement: str
    tone: str
    seen: str
    overdue: bool


def phone_line(account: Account, run: RunShown | None, zone: ZoneInfo, now: datetime) -> PhoneLine:
    """An account in one line. `run` None: cold, or Redis is away."""
    words, tone = _words(account, run, zone, now)
    seen = account.phone_seen_at if account.link is Link.LINKED else None
    return PhoneLine(
        id=str(account.id),
        name=account.name,
        link=str(account.link),
        words=words,
        statement=_STATEMENT.get(words, f"Your phone {words}."),
        tone=tone,
        seen=f"seen {ago(seen, now)}" if seen else "",
        overdue=bool(seen and now - seen >= timedelta(days=limits.PHONE_WARN_DAYS)),
    )


def _words(account: Account, run: RunShown | None, zone: ZoneInfo, now: datetime) -> tuple[str, str]:
    if account.link is not Link.LINKED:
        return _LINK[account.link]
    if account.stopped:
        return "is stopped by us", "watch"
    for until, word in ((account.parked_until, "stopped by us"), (account.backoff_until, "resting")):
        if until and until > now:
            return f"is {word} until {time_words(until, zone, now)}", "watch"
    return _RUN.get(run.run if run else "", ("is asleep", "calm"))


def ago(instant: datetime, now: datetime) -> str:
    """How long ago, in one unit: "just now", "12 minutes ago", "2 hours ago", "3 days ago"."""
    minutes = int((now - instant).total_seconds() // 60)
    if minutes < 2:
        return "just now"
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= size:
            many = minutes // size
            return f"{many} {unit}{'' if many == 1 else 's'} ago"
    raise AssertionError(minutes)
