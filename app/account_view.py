"""An account in words: the statement, the line under it, what one can do about it. Pure, from rows."""

import math
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app import words
from app.clock import moment, within
from domain.account import LINK_TABLE, Link, LinkEvent, Run
from domain.hotset import WantKind
from domain.machine import sources
from store.pages import Account, Leaving
from store.run_state import RunShown
from store.wakes import Wake

_MAY_LINK: Final = frozenset(sources(LINK_TABLE, LinkEvent.REQUESTED)) - {Link.PAIRING}
_MAY_UNLINK: Final = frozenset(sources(LINK_TABLE, LinkEvent.UNLINKED))

WAIT_REASON: Final[dict[str, str]] = {
    "no_connection": "WhatsApp could not be reached; we try again then.",
    "restarts": "WhatsApp asked us to begin anew several times; we give it a rest.",
    "woken_often": "It has connected often of late; a pause protects your number.",
    "replaced": "The same link was in use from elsewhere; we keep away for a while.",
}
"""By the engine's reason of a wait (supervisor/penalties.py)."""
UNKNOWN_WAIT: Final = "The last connection did not hold; we try again then."

AWAKE_FOR: Final[dict[WantKind, str]] = {
    WantKind.PAIRING: "because you linked it",
    WantKind.WISH: "because you asked",
    WantKind.STICKY: "to fetch names",
    WantKind.HEALTH: "so that WhatsApp keeps the link",
}


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """An account's state in words, and what one can do about it."""

    id: str
    link: str
    statement: str
    line: str
    tone: str
    name: str
    phone: str
    can_link: bool
    can_unlink: bool
    can_wake: bool
    pairing: bool


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the words are made of, beside the account's row.

    `run` None: cold, or nobody can say; `wait`: the engine's reason of a wait; `wake`: the newest; `waiting`: messages.
    """

    run: RunShown | None = None
    wait: str = ""
    wake: Wake | None = None
    first: Leaving | None = None
    waiting: int = 0


def account_state(account: Account, facts: Facts, zone: ZoneInfo, now: datetime) -> AccountState:
    """The account in words, in the user's zone."""
    statement, line, tone = _statement(account, facts, zone, now)
    if account.wish == "unlink":
        statement, line, tone = "Unlinking.", "We tell WhatsApp; it takes a few seconds.", "live"
    resting = account.stopped or any(
        until is not None and until > now for until in (account.backoff_until, account.parked_until)
    )
    awake = facts.run is not None and facts.run.run != Run.COLD
    return AccountState(
        id=str(account.id),
        link=str(account.link),
        statement=statement,
        line=line,
        tone=tone,
        name=account.name or masked(account.phone) or "New phone",
        phone=masked(account.phone),
        can_link=account.link in _MAY_LINK,
        can_unlink=account.link in _MAY_UNLINK and account.wish != "unlink",
        can_wake=account.link is Link.LINKED and not resting and not awake and not account.wish,
        pairing=account.link is Link.PAIRING,
    )


def masked(phone: str) -> str:
    """One's own number as the page shows it to whoever looks over one's shoulder: +55 ▪▪▪▪ 2087."""
    return f"+{phone[:2]} ▪▪▪▪ {phone[-4:]}" if len(phone) > 6 else phone and f"+{phone}"


def name_of(leaving: Leaving) -> str:
    """The recipient as people call it."""
    if leaving.recipient_name:
        return leaving.recipient_name
    number = leaving.recipient.partition("@")[0]
    return "a group" if leaving.recipient.endswith("@g.us") else f"+{number}"


def _statement(account: Account, facts: Facts, zone: ZoneInfo, now: datetime) -> tuple[str, str, str]:
    waiting = _waiting(facts.waiting)
    match account.link:
        case Link.UNLINKED:
            said, *_ = words.PAIR_ENDING.get(account.link_reason, ("Link one; it takes a minute.",))
            return "No phone linked yet.", f"{said}{f' {waiting}.' if waiting else ''}", "calm"
        case Link.PAIRING:
            return "Linking.", "Open WhatsApp on your phone; it asks you for a code.", "live"
        case Link.LOGGED_OUT:
            line = f"Link again and {facts.waiting} messages leave as planned."
            if facts.waiting <= 1:
                line = f"Link again{' and the message that waits leaves as planned' if facts.waiting else ''}."
            return f"WhatsApp unlinked this phone {_at(account.link_changed_at, zone, now)}.", line, "bad"
        case Link.LOCKED:
            line = "Open WhatsApp on the phone and follow what it asks."
            return "WhatsApp wants to see you.", f"{line}{f' {waiting}.' if waiting else ''}", "bad"
        case Link.BANNED:
            until = f" until {_until(account.banned_until, zone, now)}" if account.banned_until else ""
            line = f"Nothing leaves before. {waiting + '; nothing is lost.' if waiting else ''}".rstrip()
            return f"WhatsApp restricts this number{until}.", line, "watch"
        case Link.LINKED:
            return _linked(account, facts, zone, now)


def _linked(account: Account, facts: Facts, zone: ZoneInfo, now: datetime) -> tuple[str, str, str]:
    first = facts.first
    if account.stopped:
        waiting = _waiting(facts.waiting)
        line = f"We look after something here, and let it go on as soon as we can. {waiting + '.' if waiting else ''}"
        return "Stopped by us.", line.rstrip(), "watch"
    if account.parked_until and account.parked_until > now:
        said = WAIT_REASON.get(facts.wait, UNKNOWN_WAIT)
        waiting = _waiting(facts.waiting)
        line = f"{said} {waiting}." if waiting else said
        return f"Stopped by us until {_until(account.parked_until, zone, now)}.", line, "watch"
    if account.backoff_until and account.backoff_until > now:
        said = WAIT_REASON.get(facts.wait, UNKNOWN_WAIT)
        before = first is not None and first.due_at <= account.backoff_until
        due = f"The message to {name_of(first)} waits for it." if first and before else "Nothing is due before."
        return f"Resting until {_until(account.backoff_until, zone, now)}.", f"{said} {due}", "watch"
    run = facts.run.run if facts.run else Run.COLD
    if run == Run.COLD and account.wish == "sync":
        return "Waking up.", f"You asked for it. Usually {math.ceil(account.lead_ms / 1000)} s.", "live"
    match run:
        case Run.CONNECTING:
            line = f"Usually {math.ceil(account.lead_ms / 1000)} s."
            soon = first is not None and first.due_at - now < timedelta(minutes=1)
            return (
                "Waking up.",
                f"{line} Then the message to {name_of(first)} leaves." if first and soon else line,
                "live",
            )
        case Run.HOT:
            return "Awake.", _awake(facts, zone, now), "live"
        case Run.DISCONNECTING:
            return "Going back to sleep.", "Keys are being put away.", "live"
    line = "Nothing is connected at this moment, so your phone rings as usual."
    if first is not None:
        wake_at = first.due_at - timedelta(milliseconds=account.lead_ms)
        when = f"We wake it {_at(wake_at, zone, now)}" if wake_at > now else "It wakes in a moment"
        line += f" {when} for the message to {name_of(first)}."
    return "Asleep, and ready.", line, "good"


def _awake(facts: Facts, zone: ZoneInfo, now: datetime) -> str:
    wake = facts.wake
    if wake is None or wake.slept_at is not None:
        return "Asleep again as soon as nothing is under way."
    reason = AWAKE_FOR.get(wake.reason, "")
    if not reason:
        near = facts.first is not None and facts.first.due_at - now < timedelta(minutes=1)
        reason = f"for the message to {name_of(facts.first)}" if facts.first and near else "for a message"
    since = moment(wake.ready_at or wake.woken_at, zone, now).seconds
    return f"Since {since}, {reason}. Asleep again as soon as nothing is under way."


def _waiting(count: int) -> str:
    return "" if not count else f"{count} {'message waits' if count == 1 else 'messages wait'}"


def _at(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """When, after a verb: "at 08:59:20", "tomorrow at 08:59:20", "on Friday 27 November at 08:59:20"."""
    seen = moment(instant, zone, now)
    if seen.day == "Today":
        return f"at {seen.seconds}"
    day = within(f"{seen.day}, ").removesuffix(", ")
    return f"{day} at {seen.seconds}" if day[0].islower() else f"on {day} at {seen.seconds}"


def _until(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    seen = moment(instant, zone, now)
    return seen.seconds if seen.day == "Today" else within(seen.full)
