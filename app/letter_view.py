"""A message's own page: the statement, what can be done about it, the strip or the reasons, details. Pure."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app import words
from app.clock import WEEKDAYS, Moment, moment, zone_or_utc
from app.flight_view import FlightView, at_words
from app.forecast import Departure, late_at
from app.message_view import name_of, status, too_late
from app.strip_view import ON_TIME_S, Strip, span, strip
from app.timeline_view import HEARD_S, Step, its_time, steps, why_late
from app.toast_view import Toast
from app.views import Status
from domain.message import EDITABLE, MessageEvent, MessageState, Reason
from domain.naming import digits_of
from domain.zones import city, zone_of_number
from store.pages import Change, Message, Sealed
from store.wakes import Wake

ATTESTED: Final = "nitro"
_S = MessageState
LEFT: Final = frozenset({_S.SENT, _S.DELIVERED, _S.READ})

WAITS: Final = frozenset({*EDITABLE, _S.ARMED})
"""Where the page shows the flight check."""

HOPELESS: Final = frozenset({Reason.NOT_ON_WHATSAPP, Reason.SEAL_EXPIRED, Reason.SEAL_UNREADABLE})
"""Why a message was not sent that another try of the same would not mend."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do: a link (`method` ""), or a form. `asks`: it is asked once more, with this sentence.

    `place`: which of the four places in the row it has, always the same, so that no button takes another's while
    somebody is about to press it.
    """

    label: str
    icon: str
    path: str
    place: int
    method: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    asks: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page shows of a message; the text is opened by the browser.

    `until`: when it leaves, while that is ahead. `strip` of one that left, `flight` of one that waits. `beside`: at the
    end of the status' line. `toast`: what was just done, if that led here.
    """

    id: str
    state: str
    name: str
    day: str
    statement: str
    line: str
    until: str
    actions: list[Action]
    status: Status
    beside: str
    strip: Strip | None
    flight: FlightView | None
    steps: list[Step]
    body_bytes: int
    time: str
    attested: bool
    details: list[tuple[str, str]]
    toast: Toast | None = None


def letter(
    message: Message,
    sealed: Sealed,
    changes: list[Change],
    wake: Wake | None,
    flight: FlightView | None,
    zone: ZoneInfo,
    now: datetime,
    leaves: Departure | None = None,
) -> Letter:
    """The page of `message`, seen in `zone` at `now`. `leaves`: when, if not at its time."""
    due = moment(message.due_at, zone, now)
    left_at = message.left_at if message.state in LEFT else None
    statement, line = _statement(message, sealed, changes, wake, zone, now)
    until = due.iso if message.state in (_S.SCHEDULED, _S.ARMED) and message.due_at > now else ""
    late = late_at(message.on_time_until, leaves)
    if leaves is not None and late is not None:
        statement, line, until = _later(message, sealed, leaves, zone, now)
        late = late if until else None  # it would leave then, and is missed
    return Letter(
        id=str(message.id),
        state=str(message.state),
        name=name_of(message),
        day=_long_day(message.due_at, zone, now),
        statement=statement,
        line=line,
        until=until,
        actions=_actions(message, now),
        status=status(message, zone, now, flight),
        beside=_beside(message, left_at, zone) if left_at else "",
        strip=strip(its_time(message, left_at), left_at, _arrived_at(message, changes), zone) if left_at else None,
        flight=flight,
        steps=steps(message, changes, wake, sealed.body_bytes, zone, now, late),
        body_bytes=sealed.body_bytes,
        time=moment(late, zone, now).time if late else due.time,
        attested=sealed.environment == ATTESTED,
        details=_details(message, sealed, due, zone, now),
    )


def _statement(
    message: Message, sealed: Sealed, changes: list[Change], wake: Wake | None, zone: ZoneInfo, now: datetime
) -> tuple[str, str]:
    """The h1, and a line under it."""
    at = at_words(message.due_at, zone, now)
    if message.state in LEFT:
        left_at = message.left_at or message.sent_at or message.due_at
        late_s = (left_at - message.on_time_until).total_seconds()
        if late_s < ON_TIME_S:
            return f"{moment(left_at, zone).seconds}, on time", ""
        return f"Left {span(late_s)} late", why_late(message, changes, wake, zone)
    if message.state is _S.UNCONFIRMED:
        maybe = moment(max(sealed.begun_at or message.due_at, message.due_at), zone, now)
        return (
            f"Uncertain: it may have left at {maybe.time}.",
            "We won't send it twice; look at the chat and decide.",
        )
    told = words.sentence(words.reason(message.reason))
    by = f"By {_clock(message.on_time_until, zone)} at the latest." if message.window_s else ""
    return {
        _S.SCHEDULED: (f"Leaves {_about(at)}" if by else f"Leaves {at}", told or by),
        _S.ARMED: ("Leaving soon" if by else "Leaving now", f"{by} You can still stop it.".strip()),
        _S.SENDING: ("Leaving now", "It is being handed to WhatsApp."),
        _S.HELD: ("Held", "Send, edit or drop it."),
        _S.BLOCKED: ("Won't leave", told),
        _S.MISSED: ("Missed", f"Its time was {at.removeprefix('at ')}. {too_late(message) or told}"),
        _S.FAILED: ("Not sent", told),
        _S.CANCELLED: ("Cancelled", f"Nothing goes to {name_of(message)} {at}."),
    }[message.state]


def _later(message: Message, sealed: Sealed, leaves: Departure, zone: ZoneInfo, now: datetime) -> tuple[str, str, str]:
    """Of one that leaves later than its time, or would: statement, line, until when it counts down."""
    at, own = at_words(leaves.at, zone, now), at_words(message.due_at, zone, now)
    if (leaves.at - message.on_time_until).total_seconds() > sealed.late_limit_s:
        return "Won't leave in time", f"It could leave {at} at the earliest: {leaves.why}.", ""
    return f"Leaves {at}", f"Not {own}: {leaves.why}.", moment(leaves.at, zone, now).iso


def _actions(message: Message, now: datetime) -> list[Action]:
    path = f"/messages/{message.id}"
    edit = Action(label="Edit", icon="pencil", path=f"{path}/edit", place=1)
    move = Action(label="Another time", icon="clock", path=f"{path}/time", place=2)
    send = Action(label="Send now", icon="send", path=path, method="PATCH", fields=(("due", "now"),), place=3)
    stop = Action(label="Cancel", icon="x", path=path, method="DELETE", place=4)
    drop = msgspec.structs.replace(stop, label="Drop it")
    back = (("state", str(_S.SCHEDULED)),)
    undo = Action(label="Undo", icon="undo-2", path=path, method="PATCH", fields=back, place=4)
    again = Action(label="Send again", icon="rotate-ccw", path=f"{path}/attempts", method="POST", place=3)
    rewrite = Action(label="Write again", icon="copy", path=f"/schedules/new?again={message.id}", place=4)
    match message.state:
        case _S.SCHEDULED:
            return [edit, move, send, stop]
        case _S.HELD:
            return [edit, move, send, drop]
        case _S.BLOCKED:
            return [edit, move, stop]
        case _S.ARMED:
            return [move, msgspec.structs.replace(stop, label="Stop it")]
        case _S.SENDING:
            return []
        case _S.UNCONFIRMED:
            asked = "If the first one arrived, they get it twice."
            return [msgspec.structs.replace(again, asks=asked), rewrite]
        case _S.MISSED:
            return [msgspec.structs.replace(again, label="Send now", icon="send"), rewrite]
        case _S.FAILED:
            return [rewrite] if message.reason in HOPELESS else [again, rewrite]
        case _S.CANCELLED:
            return [msgspec.structs.replace(rewrite, place=3), undo] if message.due_at > now else [rewrite]
        case _:
            return [rewrite]


def _arrived_at(message: Message, changes: list[Change]) -> datetime | None:
    """When it arrived, by our clock, if we heard it at once; WhatsApp's own time of it has whole seconds only."""
    heard = next((one.at for one in changes if one.event in (MessageEvent.DELIVERED, MessageEvent.READ)), None)
    if heard is None or message.delivered_at is None or (heard - message.delivered_at).total_seconds() > HEARD_S:
        return None
    return heard


def _details(message: Message, sealed: Sealed, due: Moment, zone: ZoneInfo, now: datetime) -> list[tuple[str, str]]:
    until = moment(datetime.fromtimestamp(sealed.not_after_s, UTC), zone, now)
    when = f"{due.day}, {due.seconds.removesuffix(':00')}"
    if message.window_s:
        when += f" to {_clock(message.on_time_until, zone)}"
    rows = [("Due", when), *_their_time(message, zone)]
    rows += [
        ("From", sealed.name or (f"+{sealed.phone}" if sealed.phone else "your phone")),
        ("If late", f"Send up to {span(sealed.late_limit_s)} late, else missed"),
        ("Sealed until", until.day),
        ("Size", f"{sealed.body_bytes:,} bytes, sealed"),
    ]
    return rows


def _their_time(message: Message, zone: ZoneInfo) -> list[tuple[str, str]]:
    theirs = zone_of_number(digits_of(message.recipient))
    if not theirs:
        return []
    there = message.due_at.astimezone(zone_or_utc(theirs))
    here = message.due_at.astimezone(zone)
    day = "" if here.date() == there.date() else f"{WEEKDAYS[there.weekday()]} "
    return [("In their zone", f"{day}{there:%H:%M} {city(theirs)}")]


def _about(at: str) -> str:
    """ "tomorrow at about 09:00" """
    head, _, time = at.rpartition("at ")
    return f"{head}at about {time}"


def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return moment(instant, zone).seconds.removesuffix(":00")


def _beside(message: Message, left_at: datetime, zone: ZoneInfo) -> str:
    if message.window_s and left_at <= message.on_time_until:
        return f"between {_clock(message.due_at, zone)} and {_clock(message.on_time_until, zone)}"
    return (
        f"{span((left_at - message.on_time_until).total_seconds())} after {moment(message.on_time_until, zone).seconds}"
    )


def _long_day(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """The day by its name and date, as over a letter: Tuesday 24 November."""
    here = instant.astimezone(zone)
    date = moment(instant, zone, datetime.fromtimestamp(0, UTC)).day.partition(" ")[2]
    date = date.removesuffix(f" {now.astimezone(zone).year}")
    return f"{WEEKDAYS[here.weekday()]} {date}"
