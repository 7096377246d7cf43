"""From a filled-in form to something that may be stored, or a refusal at the field that is wrong."""

import re
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import phonenumbers

from domain import civil, limits
from domain.refusal import RefusalCode, Refused

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s.\x00-\x1f]+(\.[^@\s.\x00-\x1f]+)+")
_JID = re.compile(r"[1-9][0-9]{5,19}@s\.whatsapp\.net|[0-9]{5,24}(-[0-9]{5,14})?@g\.us")

_CLOCK = re.compile(
    r"(?P<hour>[0-9]{1,2})(?:\s*[:.h]\s*(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?|h)?\s*(?:(?P<half>[ap])\.?m?\.?)?"
)
_DIGITS = re.compile(r"(?P<hour>[0-9]{1,2})(?P<minute>[0-9]{2})(?P<second>)\s*(?:(?P<half>[ap])\.?m?\.?)?")
_IN_MINUTES = re.compile(r"\+(?P<minutes>[0-9]{1,4})")


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A time that was chosen: the UTC instant, the wall clock as chosen, and "gap", "fold" or "" (civil.resolve)."""

    at: datetime
    wall: datetime
    quirk: str


def email(text: str) -> str:
    """The address in the one form we keep: trimmed, lower case. Raises Refused(EMAIL_INVALID)."""
    address = text.strip().lower()
    if len(address) > limits.EMAIL_CHARS_MAX or not _EMAIL.fullmatch(address):
        raise Refused(RefusalCode.EMAIL_INVALID, "email")
    return address


def phone(text: str, region: str = "") -> str:
    """A phone number as international digits without "+". `region`: ISO country for national forms. Raises Refused."""
    try:
        number = phonenumbers.parse(text.strip(), region or None)
    except phonenumbers.NumberParseException:
        raise Refused(RefusalCode.PHONE_INVALID, "phone") from None
    if not phonenumbers.is_possible_number(number):
        raise Refused(RefusalCode.PHONE_INVALID, "phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")


def country_code(digits: str) -> str:
    """The country code that international digits begin with, "" if there is none."""
    try:
        return str(phonenumbers.parse(f"+{digits}").country_code)
    except phonenumbers.NumberParseException:
        return ""


def region_of(digits: str) -> str:
    """The ISO country of international digits, of several with one code the largest; "" if there is none."""
    code = country_code(digits)
    return phonenumbers.region_code_for_country_code(int(code)) if code else ""


def recipient(jid: str) -> str:
    """A JID of a person by number or of a group. Raises Refused(RECIPIENT_INVALID)."""
    if not _JID.fullmatch(jid):
        raise Refused(RefusalCode.RECIPIENT_INVALID, "recipient")
    return jid


def clock(text: str) -> time:
    """A time of day as people type it: 9, 930, 9:30, 21.30, 9h30, 9pm, 9:30 am, noon. Raises Refused(TIME_INVALID)."""
    typed = {"noon": "12:00", "midnight": "0:00"}.get(text.strip().lower(), text.strip().lower())
    found = _DIGITS.fullmatch(typed) or _CLOCK.fullmatch(typed)
    if not found:
        raise Refused(RefusalCode.TIME_INVALID, "due")
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            raise Refused(RefusalCode.TIME_INVALID, "due")
        hour = hour % 12 + (12 if found["half"] == "p" else 0)
    try:
        return time(hour, int(found["minute"] or 0), int(found["second"] or 0))
    except ValueError:
        raise Refused(RefusalCode.TIME_INVALID, "due") from None


def due_at(local: str, zone_name: str, now: datetime) -> datetime:
    """The UTC instant of a chosen time; see `chosen`."""
    return chosen(local, zone_name, now).at


def chosen(local: str, zone_name: str, now: datetime) -> Chosen:
    """What a chosen time means in a zone.

    `local`: a day and a time as people type it (`2026-11-24T09:00`, `2026-11-24T9pm`), or minutes from now, rounded up
    to the whole minute (`+10`). `now` is aware. A time up to `limits.DUE_PAST_S_MAX` ago means now. Raises Refused at
    field "due" or "zone".
    """
    tz = civil.zone(zone_name)
    soon = _IN_MINUTES.fullmatch(local)
    if soon:
        instant = now.astimezone(UTC) + timedelta(minutes=int(soon["minutes"]), seconds=59, microseconds=999_999)
        instant = instant.replace(second=0, microsecond=0)
        wall, quirk = instant.astimezone(tz).replace(tzinfo=None), ""
    else:
        wall = _wall(local)
        try:
            instant, quirk = civil.resolve(wall, tz)
        except OverflowError:
            raise Refused(RefusalCode.TIME_INVALID, "due") from None
    if instant < now - timedelta(seconds=limits.DUE_PAST_S_MAX):
        raise Refused(RefusalCode.TIME_PAST, "due", _past(wall, instant, now.astimezone(tz)))
    if instant > now + timedelta(seconds=limits.DUE_FUTURE_S_MAX):
        raise Refused(RefusalCode.TIME_TOO_FAR, "due")
    return Chosen(at=max(instant, now.astimezone(UTC)), wall=wall, quirk=quirk)


def window_s(text: str) -> int:
    """How many seconds after its time a message may leave and be on time; "" for at its time. Raises Refused."""
    return _seconds(text, 0, 0, limits.WINDOW_S_MAX)


def late_limit_s(text: str) -> int:
    """How many seconds late a message may leave before it is missed; "" for the usual. Raises Refused."""
    return _seconds(text, limits.LATE_DEFAULT_S, limits.LATE_S_MIN, limits.LATE_S_MAX)


def _seconds(text: str, usual: int, least: int, most: int) -> int:
    if not text:
        return usual
    if not text.isascii() or not text.isdecimal() or not least <= int(text[:9]) <= most:
        raise Refused(RefusalCode.CHOICE_UNKNOWN)
    return int(text[:9])


def _wall(local: str) -> datetime:
    # As people type it first: ISO 8601 would take 21.30 for a little after nine.
    day, _, typed = local.partition("T")
    try:
        return datetime.combine(date.fromisoformat(day), clock(typed))
    except (ValueError, Refused):
        pass
    try:
        wall = datetime.fromisoformat(local)
    except ValueError:
        raise Refused(RefusalCode.TIME_INVALID, "due") from None
    if wall.tzinfo is not None or not typed:
        raise Refused(RefusalCode.TIME_INVALID, "due")
    return wall


def _past(wall: datetime, instant: datetime, here: datetime) -> str:
    if wall.date() == here.date():
        return f"{wall:%H:%M} was {civil.span_words((here - instant).total_seconds())} ago. Choose a later time."
    day = civil.day_words(wall.date(), here.date()).removeprefix("on ").removesuffix(",")
    return f"{day[0].upper()}{day[1:]} has passed. Choose a later time."
