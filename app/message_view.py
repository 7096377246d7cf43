"""Messages as pages show them: pure, from a row to words."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app import words
from app.clock import moment, within
from app.views import MessageRow, Status, Step, Timeline
from domain.message import MessageEvent, MessageState, starts
from store.pages import Change, Message

ON_TIME_S: Final = 1.0
"""A message that left within this of its instant left on time."""

_OVER: Final = frozenset({MessageState.CANCELLED, MessageState.MISSED, MessageState.FAILED})


def name_of(message: Message) -> str:
    """The recipient as people call it: the contact's name, else the number."""
    if message.recipient_name:
        return message.recipient_name
    number = message.recipient.partition("@")[0]
    return "a group" if message.recipient.endswith("@g.us") else f"+{number}"


def message_row(message: Message, zone: ZoneInfo, now: datetime) -> MessageRow:
    """A message in a list."""
    return MessageRow(
        id=str(message.id),
        due=moment(message.due_at, zone, now),
        name=name_of(message),
        gone=message.state in _OVER,
        status=status(message, zone),
    )


def status(message: Message, zone: ZoneInfo) -> Status:
    """A message's state as icon, word, colour and a second line."""
    icon, word, tone = words.STATUS[message.state]
    more = words.reason(message.reason) if message.state is not MessageState.CANCELLED else ""
    if message.state is MessageState.SENT and message.sent_at:
        more = lateness(message.sent_at, message.due_at)
    elif message.state is MessageState.DELIVERED and message.delivered_at:
        more = moment(message.delivered_at, zone).seconds
    elif message.state is MessageState.READ and message.read_at:
        more = moment(message.read_at, zone).seconds
    return Status(id=str(message.id), icon=icon, word=word, tone=tone, more=more)


def lateness(sent_at: datetime, due_at: datetime) -> str:
    """How far a message was from its instant, in words."""
    late_s = (sent_at - due_at).total_seconds()
    if late_s < ON_TIME_S:
        return "on time"
    if late_s < 60:
        return f"{late_s:.1f} s late"
    minutes = round(late_s / 60)
    return f"{minutes} min late" if minutes < 120 else f"{round(minutes / 60)} h late"


def timeline(message: Message, changes: list[Change], zone: ZoneInfo, now: datetime) -> Timeline:
    """A message's statement and history."""
    return Timeline(
        id=str(message.id),
        status=status(message, zone),
        statement=_statement(message, zone, now),
        sentence=words.sentence(words.reason(message.reason)),
        steps=[_step(change, zone, now) for change in changes],
        can_change=str(message.state) in starts(MessageEvent.CANCELLED),
    )


def _step(change: Change, zone: ZoneInfo, now: datetime) -> Step:
    icon, title, tone = words.CHANGE.get(change.event, ("clock", change.event.replace("_", " ").capitalize(), "calm"))
    return Step(
        at=moment(change.at, zone, now),
        title=title,
        sentence=words.sentence(words.reason(change.reason)),
        tone=tone,
        icon=icon,
    )


def _statement(message: Message, zone: ZoneInfo, now: datetime) -> str:
    due = moment(message.due_at, zone, now)
    if message.sent_at:
        return f"{moment(message.sent_at, zone, now).seconds}, {lateness(message.sent_at, message.due_at)}"
    if message.state in (MessageState.SCHEDULED, MessageState.ARMED):
        return f"Leaves {within(due.day)} at {due.time}"
    return words.STATUS[message.state][1]
