"""Instants as people read them: in their zone, with the day named as they would name it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from domain.civil import MONTHS, WEEKDAYS


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """An instant: `iso` for machines (UTC), `time` 09:00, `seconds` 09:00:00, `ms` .031, `day` Today, `full` all."""

    iso: str
    time: str
    seconds: str
    ms: str
    day: str
    full: str


def zone_or_utc(name: str) -> ZoneInfo:
    """The zone of an IANA name, UTC for one that this machine does not know (any more)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment(instant: datetime, zone: ZoneInfo, now: datetime | None = None) -> Moment:
    """The instant (aware) as seen in `zone`."""
    here = instant.astimezone(zone)
    today = (now or datetime.now(UTC)).astimezone(zone).date()
    days = (here.date() - today).days
    date = f"{here.day} {MONTHS[here.month - 1]}"
    if here.year != today.year:
        date += f" {here.year}"
    if days in (-1, 0, 1):
        day = ("Yesterday", "Today", "Tomorrow")[days + 1]
    elif 1 < days < 7:
        day = f"{WEEKDAYS[here.weekday()]} {date}"
    else:
        day = f"{WEEKDAYS[here.weekday()][:3]} {date}"
    return Moment(
        iso=instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        time=f"{here:%H:%M}",
        seconds=f"{here:%H:%M:%S}",
        ms=f".{here.microsecond // 1000:03d}",
        day=day,
        full=f"{day}, {here:%H:%M}",
    )


def within(text: str) -> str:
    """A moment's words inside a sentence: "Today, 09:00" becomes "today, 09:00"; weekdays keep their capital."""
    return text[0].lower() + text[1:] if text.startswith(("Today", "Tomorrow", "Yesterday")) else text


def local_input(instant: datetime, zone: ZoneInfo) -> str:
    """The instant as an `<input type=datetime-local>` takes it."""
    return f"{instant.astimezone(zone):%Y-%m-%dT%H:%M}"
