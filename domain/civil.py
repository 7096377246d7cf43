"""Wall-clock time of people: naive local time plus an IANA zone, resolved to an instant."""

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.refusal import RefusalCode, Refused

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA `name`. Raises Refused(ZONE_UNKNOWN)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(RefusalCode.ZONE_UNKNOWN, "zone") from None


def resolve(naive: datetime, tz: ZoneInfo) -> tuple[datetime, str]:
    """The UTC instant of a wall-clock time, and "gap", "fold" or "".

    A time that the clocks skip moves forward by the skip; one that they show twice means the first (RFC 5545 §3.3.5).
    """
    first = naive.replace(tzinfo=tz, fold=0)
    utc = first.astimezone(UTC)
    if utc.astimezone(tz).replace(tzinfo=None) != naive:
        return utc, "gap"
    return utc, "fold" if first.utcoffset() != naive.replace(tzinfo=tz, fold=1).utcoffset() else ""


def day_words(day: date, today: date) -> str:
    """A day inside a sentence: "today", "tomorrow", "on Friday", "on Friday, 4 December", "on 4 January 2028"."""
    days = (day - today).days
    if days in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[days + 1]
    if 1 < days < 7:
        return f"on {WEEKDAYS[day.weekday()]}"
    named = f"{day.day} {MONTHS[day.month - 1]}"
    return f"on {WEEKDAYS[day.weekday()]}, {named}," if day.year == today.year else f"on {named} {day.year}"


def span_words(seconds: float) -> str:
    """How long, in one unit: "1 minute", "11 minutes", "3 hours", "2 days". Less than a minute is "a moment"."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "a moment"
