"""Messages as pages show them: pure, from a row to words."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app import words
from app.clock import WEEKDAYS, moment, zone_or_utc
from app.flight_view import FlightView
from app.strip_view import ON_TIME_S, span
from app.views import MessageRow, Status
from domain.flight import Lamp
from domain.message import MessageState, Reason
from domain.naming import digits_of
from domain.zones import city, zone_of_number
from store.pages import Message

_CAN: Final[dict[MessageState, str]] = {
    MessageState.SCHEDULED: "edit now cancel",
    MessageState.HELD: "edit now cancel",
    MessageState.BLOCKED: "edit cancel",
    MessageState.ARMED: "cancel",
    MessageState.MISSED: "again",
    MessageState.FAILED: "again",
}
"""What a person may do to a message in each state without being asked once more, as they are where it is uncertain."""

_CANCELLED: Final = MessageState.CANCELLED

_TOLD: Final = frozenset({MessageState.BLOCKED, MessageState.MISSED, MessageState.FAILED, MessageState.HELD})
"""States whose reason belongs to their word."""


def name_of(message: Message) -> str:
    """The recipient as people call it: the contact's name, else the number."""
    if message.recipient_name:
        return message.recipient_name
    number = message.recipient.partition("@")[0]
    return "a group" if message.recipient.endswith("@g.us") else f"+{number}"


def message_row(message: Message, zone: ZoneInfo, now: datetime, flight: FlightView | None = None) -> MessageRow:
    """A message in a list. `flight`: its flight check, if it was made."""
    return MessageRow(
        id=str(message.id),
        due=moment(message.due_at, zone, now),
        sub=_their_time(message, zone),
        name=name_of(message),
        body_bytes=message.body_bytes,
        extra=_extra(message, zone),
        status=status(message, zone, now, flight, in_row=True),
    )


def _extra(message: Message, zone: ZoneInfo) -> str:
    parts = [f"{message.members} people"] if message.members else []
    if message.window_s:
        parts.append(f"about then, by {message.on_time_until.astimezone(zone):%H:%M}")
    return ", ".join(parts)


def _their_time(message: Message, zone: ZoneInfo) -> str:
    """The instant where the recipient most likely is, when clocks show another time there."""
    theirs = zone_of_number(digits_of(message.recipient))
    if not theirs:
        return ""
    here, there = message.due_at.astimezone(zone), message.due_at.astimezone(zone_or_utc(theirs))
    if here.utcoffset() == there.utcoffset():
        return ""
    day = "" if here.date() == there.date() else f"{WEEKDAYS[there.weekday()][:3]} "
    return f"{day}{there:%H:%M} in {city(theirs)}"


def status(
    message: Message, zone: ZoneInfo, now: datetime, flight: FlightView | None = None, *, in_row: bool = False
) -> Status:
    """A message's state as icon, word, colour and a second line; of one that waits, its flight check."""
    icon, word, tone = words.STATUS[message.state]
    more = ""
    told = words.reason(message.reason)
    if flight is not None and (message.state is MessageState.SCHEDULED or flight.lamp == Lamp.STOP):
        icon, word, tone = f"lamp-{flight.lamp}", flight.word, flight.tone
        if message.state is MessageState.SCHEDULED and told and flight.lamp == Lamp.CLEAR:
            more = told  # why the last try did not get out
    elif message.state in _TOLD:
        told = missed(message) or told
        word = f"{word}: {told}" if told else word
    elif message.state is MessageState.UNCONFIRMED:
        word, more = f"Uncertain: may have left at {moment(message.due_at, zone).time}", "look, or send again"
    elif message.state is MessageState.SENT:
        more = lateness(message.left_at or message.sent_at or message.due_at, message.on_time_until)
    elif message.state is MessageState.DELIVERED and message.delivered_at:
        more = moment(message.delivered_at, zone).seconds
    elif message.state is MessageState.READ and message.read_at:
        more = moment(message.read_at, zone).time
    else:
        more = _MORE.get(message.state, "")
    return Status(
        id=str(message.id),
        state=str(message.state),
        due=moment(message.due_at, zone).iso if in_row else "",
        can="undo" if message.state is _CANCELLED and message.due_at > now else _CAN.get(message.state, ""),
        icon=icon,
        word=word,
        tone=tone,
        more=more,
    )


def missed(message: Message) -> str:
    """How late a message had become when it was given up, and what its person had allowed; "" where nobody can say."""
    late_s = (message.updated_at - message.on_time_until).total_seconds()
    if message.state is not MessageState.MISSED or message.reason != Reason.TOO_LATE or late_s <= message.late_limit_s:
        return ""
    return f"{span(late_s)} late, you said {span(message.late_limit_s)}"


def too_late(message: Message) -> str:
    """The same as a sentence."""
    told = missed(message)
    return f"It was {told.replace(', you said', ', and you asked for at most')}." if told else ""


_MORE: Final[dict[MessageState, str]] = {
    MessageState.ARMED: "cancel still works",
    MessageState.SENDING: "handing over now",
}


def lateness(sent_at: datetime, due_at: datetime) -> str:
    """How far a message was from its instant, in words."""
    late_s = (sent_at - due_at).total_seconds()
    if late_s < ON_TIME_S:
        return "on time"
    if late_s < 60:
        return f"{late_s:.1f} s late"
    minutes = round(late_s / 60)
    return f"{minutes} min late" if minutes < 120 else f"{round(minutes / 60)} h late"
