"""The form that moves a message: pure, from the message to its day and time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from app.message_view import name_of
from domain.zones import city
from store.pages import Message


class MoveForm(msgspec.Struct, frozen=True, kw_only=True):
    """The page on which one chooses another time. `day` ISO, `time` as people type it; `error` at the time."""

    id: str
    name: str
    day: str
    first_day: str
    time: str
    zone: str
    city: str
    error: str = ""


def move_form(message: Message, zone: ZoneInfo, now: datetime, typed: tuple[str, str] | None, error: str) -> MoveForm:
    """The form with the message's time in it, or with the day and time that were `typed` and refused."""
    due = message.due_at.astimezone(zone)
    day, time = typed or (f"{due:%Y-%m-%d}", f"{due:%H:%M:%S}".removesuffix(":00"))
    return MoveForm(
        id=str(message.id),
        name=name_of(message),
        day=day,
        first_day=f"{now.astimezone(zone):%Y-%m-%d}",
        time=time,
        zone=zone.key,
        city=city(zone.key),
        error=error,
    )
