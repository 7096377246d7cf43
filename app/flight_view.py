"""The flight check as pages show it: pure, from what is known to a lamp, a word, and reasons with their remedies."""

from datetime import datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

from app.clock import moment, within
from app.forecast import Departure
from domain import limits
from domain.flight import Facts, Finding, Flight, Lamp, To
from store.pages import Account

TONE: Final[dict[Lamp, str]] = {Lamp.CLEAR: "calm", Lamp.CHECKING: "calm", Lamp.WATCH: "watch", Lamp.STOP: "bad"}
"""The colour of the word beside each lamp: only what needs a person has one."""


class Recipient(Protocol):
    """What the check needs of a contact; a contact has it, and so has a message to one."""

    @property
    def established(self) -> bool:
        """Written to from here before."""
        ...

    @property
    def can_send(self) -> bool:
        """False in a group where only admins write."""
        ...


class ReasonRow(msgspec.Struct, frozen=True, kw_only=True):
    """One reason: a lamp, a sentence, and where it can be mended (`remedy` and `href` "" for nowhere)."""

    lamp: str
    sentence: str
    remedy: str
    href: str


class FlightView(msgspec.Struct, frozen=True, kw_only=True):
    """The check's result: lamp, word, colour of the word, reasons worst first."""

    lamp: str
    word: str
    tone: str
    reasons: list[ReasonRow]


def facts_of(
    account: Account,
    contact: Recipient | None,
    *,
    group: bool,
    due_at: datetime,
    seal_until: datetime | None = None,
    leaves: Departure | None = None,
    late_limit_s: int = limits.LATE_DEFAULT_S,
) -> Facts:
    """What is known about a message to `contact` (None: not among the contacts) that leaves from `account`."""
    return Facts(
        link=account.link,
        link_changed_at=account.link_changed_at,
        banned_until=account.banned_until,
        phone_seen_at=account.phone_seen_at,
        backoff_until=account.backoff_until,
        parked_until=account.parked_until,
        stopped=account.stopped,
        named=account.names_synced_at is not None,
        group=group,
        known=contact is not None,
        established=contact is not None and contact.established,
        can_send=contact is None or contact.can_send,
        due_at=due_at,
        seal_until=seal_until,
        leaves_at=leaves.at if leaves else None,
        leaves_why=leaves.why if leaves else "",
        last_at=due_at + timedelta(seconds=late_limit_s),
    )


def flight_view(found: Flight, zone: ZoneInfo, now: datetime, *, account: str, message: str = "") -> FlightView:
    """The check in words of the reader's zone. `account`, `message`: their ids; "" for a message that is not yet."""
    word = found.word
    if found.reasons:
        word = _filled(word, found.reasons[0], zone, now)
    return FlightView(
        lamp=str(found.lamp),
        word=word,
        tone=TONE[found.lamp],
        reasons=[_row(finding, zone, now, account, message) for finding in found.reasons],
    )


def _row(finding: Finding, zone: ZoneInfo, now: datetime, account: str, message: str) -> ReasonRow:
    said = finding.said
    href = {
        To.NOWHERE: "",
        To.ACCOUNT: f"/accounts/{account}",
        To.PAIRING: f"/accounts/{account}/pairing",
        To.MESSAGE: f"/messages/{message}" if message else "",
    }[said.to]
    return ReasonRow(
        lamp=str(said.lamp),
        sentence=_filled(said.sentence, finding, zone, now),
        remedy=said.remedy if href else "",
        href=href,
    )


def _filled(words: str, finding: Finding, zone: ZoneInfo, now: datetime) -> str:
    if finding.at is None:
        return words
    return words.format(at=at_words(finding.at, zone, now), time=time_words(finding.at, zone, now), why=finding.why)


def at_words(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """When something happens, inside a sentence: "at 03:12", "tomorrow at 09:00", "on Tue 24 November at 09:00"."""
    when = moment(instant, zone, now)
    if when.day == "Today":
        return f"at {when.time}"
    named = within(when.day)
    return f"{named} at {when.time}" if named != when.day else f"on {when.day} at {when.time}"


def time_words(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """An instant after a preposition: "03:12", "tomorrow, 09:00", "Tue 24 November, 09:00"."""
    when = moment(instant, zone, now)
    return when.time if when.day == "Today" else within(when.full)
