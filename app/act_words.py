"""What a person reads after changing a message: what happens now, or what is so instead. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from app.clock import moment
from app.flight_view import at_words
from app.message_view import name_of
from domain.message import MessageState
from store.pages import Message

_S = MessageState


class Act(StrEnum):
    """What somebody wanted to do, as a verb inside a sentence."""

    CANCEL = "stop"
    MOVE = "move"
    EDIT = "edit"
    RESTORE = "take back"
    RESEND = "send again"


LEFT: Final = frozenset({_S.SENT, _S.DELIVERED, _S.READ})


def cancelled(message: Message, zone: ZoneInfo, now: datetime) -> str:
    """After a cancel: what does not happen."""
    return f"Cancelled. Nothing goes to {name_of(message)} {at_words(message.due_at, zone, now)}."


def waits(begin: str, message: Message, due_at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """After anything that makes it wait: `begin`, and when it leaves."""
    begin += " " if begin else ""
    if message.state is _S.BLOCKED:
        return f"{begin}It won't leave as things are; this page says why."
    if due_at <= now:
        return f"{begin}It leaves now."
    return f"{begin}It leaves {at_words(due_at, zone, now)}."


def too_late(act: Act, message: Message, zone: ZoneInfo, now: datetime) -> str:
    """Why `act` is refused: what is so instead."""
    if act is Act.RESTORE and message.state is _S.CANCELLED:
        return f"{moment(message.due_at, zone, now).full} has passed. Write it again."
    if message.state in LEFT:
        left_at = message.left_at or message.sent_at or message.due_at
        seconds = moment(left_at, zone, now).seconds
        if act is Act.RESEND:
            return f"It has left after all, at {seconds}. Nothing was sent twice."
        return f"Too late to {act}: it left at {seconds}."
    if message.state is _S.ARMED and act is Act.EDIT:
        return "Too late to edit: it leaves in seconds. You can still stop it."
    return _INSTEAD.get(message.state, "It waits to leave; there is nothing to {act}.").format(act=act)


_INSTEAD: Final[dict[MessageState, str]] = {
    _S.SENDING: "Too late to {act}: it is leaving right now.",
    _S.UNCONFIRMED: "Too late to {act}: it may have left already. Look at the chat and decide.",
    _S.MISSED: "There is nothing to {act}: its time has passed and it did not leave. You can send it now.",
    _S.FAILED: "There is nothing to {act}: it was not sent. You can send it again.",
    _S.CANCELLED: "There is nothing to {act}: it is cancelled.",
}
