"""Accounts and their linking as pages show them: pure, from rows to words."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app import words
from app.clock import moment, within
from app.views import AccountState
from domain.account import LINK_TABLE, Link, LinkEvent
from domain.machine import sources
from store.pages import Account
from store.run_state import RunShown

_MAY_LINK: Final = frozenset(sources(LINK_TABLE, LinkEvent.REQUESTED)) - {Link.PAIRING}
_MAY_UNLINK: Final = frozenset(sources(LINK_TABLE, LinkEvent.UNLINKED))


def account_state(
    account: Account,
    run: RunShown | None,
    next_due: datetime | None,
    waiting: int,
    zone: ZoneInfo,
    now: datetime,
) -> AccountState:
    """An account in words. `run` None: cold, or Redis is away."""
    statement, line, tone = _statement(account, run, next_due, waiting, zone, now)
    if account.wish == "unlink":
        statement, line, tone = "Unlinking.", "We tell WhatsApp; it takes a few seconds.", "live"
    return AccountState(
        id=str(account.id),
        link=str(account.link),
        statement=statement,
        line=line,
        tone=tone,
        name=account.name or (f"+{account.phone}" if account.phone else "New phone"),
        phone=f"+{account.phone}" if account.phone else "",
        facts=_facts(account, waiting, zone, now),
        can_link=account.link in _MAY_LINK,
        can_unlink=account.link in _MAY_UNLINK and account.wish != "unlink",
        pairing=account.link is Link.PAIRING,
    )


def _statement(
    account: Account, run: RunShown | None, next_due: datetime | None, waiting: int, zone: ZoneInfo, now: datetime
) -> tuple[str, str, str]:
    wait = "" if not waiting else f" {waiting} {'message waits' if waiting == 1 else 'messages wait'}; nothing is lost."
    changed = moment(account.link_changed_at, zone, now).full
    match account.link:
        case Link.UNLINKED:
            said, *_ = words.PAIR_ENDING.get(account.link_reason, ("Link one; it takes a minute.",))
            return "No phone linked yet.", said + wait, "calm"
        case Link.PAIRING:
            return "Linking.", "Open WhatsApp on your phone and scan the code.", "live"
        case Link.LOGGED_OUT:
            return "WhatsApp unlinked this phone.", f"{changed}. Link it again.{wait}", "bad"
        case Link.LOCKED:
            return "WhatsApp wants to see you.", f"Open WhatsApp on the phone and follow what it asks.{wait}", "bad"
        case Link.BANNED:
            until = f" until {within(moment(account.banned_until, zone, now).full)}" if account.banned_until else ""
            return f"WhatsApp restricts this number{until}.", f"It happened {within(changed)}.{wait}", "watch"
        case Link.LINKED:
            return _linked(account, run, next_due, zone, now)


def _linked(
    account: Account, run: RunShown | None, next_due: datetime | None, zone: ZoneInfo, now: datetime
) -> tuple[str, str, str]:
    if account.parked_until and account.parked_until > now:
        return f"Stopped by us until {moment(account.parked_until, zone, now).time}.", "It goes on by itself.", "watch"
    if account.backoff_until and account.backoff_until > now:
        return (
            f"Resting until {moment(account.backoff_until, zone, now).seconds}.",
            "WhatsApp asked for a pause.",
            "watch",
        )
    state = run.run if run else "COLD"
    if state == "CONNECTING":
        return "Waking up.", "Usually a few seconds.", "live"
    if state == "HOT":
        return "Awake.", "Connected right now; asleep again soon.", "live"
    if state == "DISCONNECTING":
        return "Going back to sleep.", "Keys are being put away.", "live"
    line = "Nothing is connected, so your phone rings as usual."
    if next_due:
        line += f" The next message leaves {within(moment(next_due, zone, now).full)}."
    return "Asleep, and ready.", line, "good"


def _facts(account: Account, waiting: int, zone: ZoneInfo, now: datetime) -> list[tuple[str, str]]:
    facts = [("Messages waiting", str(waiting)), ("People and groups", str(account.contacts))]
    for label, at in (
        ("Phone last seen", account.phone_seen_at),
        ("Last awake", account.last_hot_at),
        ("Names fetched", account.names_synced_at),
    ):
        facts.append((label, moment(at, zone, now).full if at else "not yet"))
    return facts
