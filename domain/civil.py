"""Wall-clock time of people: naive local time plus an IANA zone, resolved to an instant."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.refusal import RefusalCode, Refused


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
