"""The first page as it is shown: pure, from rows to words."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from app.clock import MONTHS, WEEKDAYS, Moment, moment, within
from app.day_line import DayLine, day_line
from app.flight_view import FlightView, at_words, facts_of, flight_view, time_words
from app.forecast import Departure, late_at
from app.message_view import message_row
from app.phone_view import PhoneLine, phone_line
from app.views import MessageRow
from domain.account import Link
from domain.flight import Flight, Lamp, flight
from domain.message import MessageState
from store.pages import Account, Message
from store.record import Record
from store.run_state import RunShown
from store.upcoming import OnDay, Waiting

SECOND_MS: Final = 1000

_LEADING: Final = frozenset({MessageState.SCHEDULED, MessageState.ARMED})
_CHECKED: Final = frozenset({MessageState.SCHEDULED, MessageState.BLOCKED})
_SENT: Final = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.READ})
_TO_GO: Final = frozenset({*_LEADING, MessageState.SENDING, MessageState.HELD, MessageState.BLOCKED})
_NUMBERS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven")


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """The head: the day, and what leaves next (`row` None: nothing), at `at`, which may be later than its time.

    `until`: "leaves in " and how long, from now. `leads` False: it would be next if nothing stopped it.
    """

    day: str
    row: MessageRow | None
    at: Moment | None
    leads: bool
    until: tuple[str, str]
    line: DayLine


class DayGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of one day. `id` names the count, which changes; `note`: the date; `count`: how many."""

    id: str
    title: str
    note: str
    count: str
    rows: list[MessageRow]


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """What broke, above everything: a note with one way on."""

    tone: str
    icon: str
    title: str
    text: str
    action: str
    href: str
    more: str


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """Beside the list: the phones, how punctual the only one was (label, figure, unit), what is held for the person."""

    phones: list[PhoneLine]
    on_time: list[tuple[str, str, str]]
    held: list[MessageRow]


class Upcoming(msgspec.Struct, frozen=True, kw_only=True):
    """The first page. `more` is the address of the next page of it, "" at the end; `later`: this is such a page.

    `address`: of the lists alone; `newest`: the newest message's id, so that newer ones can be counted. `seen`: a
    digest of what it shows, the running times apart.
    """

    lead: Lead
    broken: Broken | None
    groups: list[DayGroup]
    aside: Aside
    address: str
    more: str
    later: bool
    linked: bool
    accounts: int
    newest: str
    seen: str
    fresh: int = 0


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What was read for the page: rows in order, the day's messages, the accounts and what waits on each.

    `leaves`: when those rows leave that do not leave at their time.
    """

    rows: list[Message]
    leaves: dict[UUID, Departure] = msgspec.field(default_factory=dict)
    day: list[OnDay]
    accounts: list[Account]
    waiting: dict[UUID, Waiting]
    runs: dict[UUID, RunShown | None]
    record: Record | None = None


def checked(message: Message, account: Account, now: datetime, leaves: Departure | None = None) -> Flight:
    """The flight check of a message that has not left. `leaves`: when, if not at its time."""
    facts = facts_of(
        account,
        message if message.recipient_name is not None else None,
        group=message.recipient.endswith("@g.us"),
        due_at=message.on_time_until,
        seal_until=datetime.fromtimestamp(message.not_after_s, UTC),
        leaves=leaves,
        late_limit_s=message.late_limit_s,
    )
    return flight(facts, now)


def flight_of(
    message: Message, account: Account | None, zone: ZoneInfo, now: datetime, leaves: Departure | None = None
) -> FlightView | None:
    """The flight check of a message in words; None when its state says more. `leaves`: when, if not at its time."""
    if account is None or message.state not in _CHECKED:
        return None
    found = checked(message, account, now, leaves)
    return flight_view(found, zone, now, account=str(account.id), message=str(message.id))


def upcoming(read: Read, zone: ZoneInfo, now: datetime, *, address: str, more: str, later: bool) -> Upcoming:
    """The page."""
    by_id = {account.id: account for account in read.accounts}
    rows = [
        message_row(one, zone, now, flight_of(one, by_id.get(one.account_id), zone, now, read.leaves.get(one.id)))
        for one in read.rows
    ]
    lamps = {
        UUID(row.id): Lamp(row.status.icon.removeprefix("lamp-")) for row in rows if row.status.icon.startswith("lamp-")
    }
    lead, at, leads = (None, None, False) if later else _lead(read.rows, read.leaves, now)
    next_row = next(row for row in rows if row.id == str(lead.id)) if lead else None
    broken, groups = _broken(read, zone, now), _groups(read.rows, rows, zone, now)
    aside = Aside(
        phones=[phone_line(account, read.runs.get(account.id), zone, now) for account in read.accounts],
        on_time=_on_time(read.record),
        held=[row for row, one in zip(rows, read.rows, strict=True) if one.state is MessageState.HELD],
    )
    return Upcoming(
        lead=Lead(
            day=_head(at, zone, now),
            row=next_row,
            at=moment(at, zone, now) if at else None,
            leads=leads,
            until=_until(at, now) if at else ("", ""),
            line=day_line(read.day, lamps, lead.id if lead else None, zone, now),
        ),
        broken=broken,
        groups=groups,
        aside=aside,
        address=address,
        more=more,
        later=later,
        linked=any(account.link in (Link.LINKED, Link.BANNED) for account in read.accounts),
        accounts=len(read.accounts),
        newest=str(max((one.id for one in read.rows), default=UUID(int=0))),
        seen=_digest(next_row, broken, groups, aside.held, more),
    )


def _digest(*shown: object) -> str:
    """A short name for what is shown."""
    return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()[:16]


def _on_time(record: Record | None) -> list[tuple[str, str, str]]:
    """Only what was measured: nothing before the first message was sent."""
    if record is None or not record.sent:
        return []
    return [
        ("half within", *_late(record.half_ms)),
        ("99 in 100 within", *_late(record.most_ms)),
        ("sent", f"{record.sent:,}", ""),
        ("missed", f"{record.missed:,}", ""),
    ]


def _late(late_ms: int) -> tuple[str, str]:
    return (f"{late_ms}", "ms") if late_ms < SECOND_MS else (f"{late_ms / SECOND_MS:.1f}", "s")


def _lead(
    rows: Sequence[Message], leaves: Mapping[UUID, Departure], now: datetime
) -> tuple[Message | None, datetime | None, bool]:
    """What leaves next and when; if nothing does, what would if it were not stopped, and False."""
    goes, stopped = [], []
    for one in rows:
        late = late_at(one.on_time_until, leaves.get(one.id))
        in_time = late is None or late <= one.on_time_until + timedelta(seconds=one.late_limit_s)
        if one.state in _LEADING and in_time:
            goes.append((late or one.due_at, one))
        elif one.due_at > now and (one.state is MessageState.BLOCKED or not in_time):
            stopped.append((one.due_at, one))
    found = min(goes or stopped, key=lambda pair: pair[0], default=None)
    return (found[1], found[0], bool(goes)) if found else (None, None, False)


def _head(at: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    today = _date(now.astimezone(zone).date())
    if at is None:
        return today
    day = moment(at, zone, now).day
    if day == "Today":
        return f"{today}, next to leave"
    return f"{today}, next to leave {within(day) if within(day) != day else f'on {day}'}"


def _until(due_at: datetime, now: datetime) -> tuple[str, str]:
    # The browser counts on in the same words (static/clocks.js).
    left = math.ceil((due_at - now).total_seconds())
    if left <= 0:
        return "leaving now", ""
    minutes, hours = left // 60, left // 3600
    if minutes < 1:
        return "leaves in ", f"{left} s"
    if hours < 1:
        return "leaves in ", f"{minutes} min {left % 60} s"
    if hours < 48:
        return "leaves in ", f"{hours} h {minutes % 60} min"
    return "leaves in ", f"{hours // 24} days"


def _groups(messages: Sequence[Message], rows: Sequence[MessageRow], zone: ZoneInfo, now: datetime) -> list[DayGroup]:
    pairs = zip(messages, rows, strict=True)
    groups = []
    today = now.astimezone(zone).date()
    for day, found in groupby(pairs, key=lambda pair: pair[0].due_at.astimezone(zone).date()):
        ones, shown = zip(*found, strict=True)
        title, note = named_day(day, today)
        groups.append(
            DayGroup(id=f"count-{day.isoformat()}", title=title, note=note, count=_count(ones), rows=list(shown))
        )
    return groups


def named_day(day: date, today: date) -> tuple[str, str]:
    """A day as a title, and a note beside it: Tomorrow and its date, a weekday and its date, a date and its year."""
    match (day - today).days:
        case 0:
            return "Today", ""
        case 1:
            return "Tomorrow", _date(day)
        case -1:
            return "Yesterday", _date(day)
        case ahead if 1 < ahead < 7:
            return WEEKDAYS[day.weekday()], f"{day.day} {MONTHS[day.month - 1]}"
    return _date(day), "" if day.year == today.year else str(day.year)


def _date(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"


def _count(messages: Sequence[Message]) -> str:
    counted = (("to go", _TO_GO), ("uncertain", {MessageState.UNCONFIRMED}), ("sent", _SENT))
    numbers = ((sum(one.state in states for one in messages), word) for word, states in counted)
    return ", ".join(f"{number} {word}" for number, word in numbers if number)


def _broken(read: Read, zone: ZoneInfo, now: datetime) -> Broken | None:
    """The worst thing that is wrong with an account on which somebody waits."""
    for link in (Link.LOGGED_OUT, Link.LOCKED, Link.BANNED):
        for account in read.accounts:
            if account.link is link:
                return _told(account, read.waiting.get(account.id), zone, now)
    return None


def _told(account: Account, waiting: Waiting | None, zone: ZoneInfo, now: datetime) -> Broken:
    wait = ""
    if waiting:
        many = waiting.waiting
        number = _NUMBERS[many] if many < len(_NUMBERS) else str(many)
        wait = f"{number} {'message waits' if many == 1 else 'messages wait'}"
        if waiting.first_at > now:
            wait += f", the first {at_words(waiting.first_at, zone, now)}" if many > 1 else ""
        wait += ". "
    href = f"/accounts/{account.id}"
    changed = at_words(account.link_changed_at, zone, now)
    if account.link is Link.LOGGED_OUT:
        go = "Link again and they leave as planned; nothing is lost." if wait else "Link again to go on."
        return Broken(
            tone="bad", icon="unlink", title=f"WhatsApp unlinked this phone {changed}.", text=wait + go,
            action="Link again", href=f"{href}/pairing", more=href,
        )  # fmt: skip
    if account.link is Link.LOCKED:
        return Broken(
            tone="bad", icon="shield-alert", title="WhatsApp wants to see you.",
            text=f"{wait}Open WhatsApp on the phone and follow what it asks, then link again.",
            action="Link again", href=f"{href}/pairing", more=href,
        )  # fmt: skip
    until = f" until {time_words(account.banned_until, zone, now)}" if account.banned_until else ""
    return Broken(
        tone="watch", icon="hourglass", title=f"WhatsApp restricts this number{until}.",
        text=f"{wait}What is due later leaves as planned.", action="", href="", more=href,
    )  # fmt: skip
