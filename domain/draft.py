"""From a filled-in form to something that may be stored, or a refusal at the field that is wrong."""

import re
from datetime import UTC, datetime, timedelta

import phonenumbers

from domain import civil, limits
from domain.refusal import RefusalCode, Refused

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s.\x00-\x1f]+(\.[^@\s.\x00-\x1f]+)+")
_JID = re.compile(r"[1-9][0-9]{5,19}@s\.whatsapp\.net|[0-9]{5,24}(-[0-9]{5,14})?@g\.us")


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


def recipient(jid: str) -> str:
    """A JID of a person by number or of a group. Raises Refused(RECIPIENT_INVALID)."""
    if not _JID.fullmatch(jid):
        raise Refused(RefusalCode.RECIPIENT_INVALID, "recipient")
    return jid


def due_at(local: str, zone_name: str, now: datetime) -> datetime:
    """The UTC instant of an ISO wall-clock time (`2026-11-24T09:00` or with seconds) in a zone.

    `now` is aware. A time up to `limits.DUE_PAST_S_MAX` ago means now. Raises Refused at field "due" or "zone".
    """
    tz = civil.zone(zone_name)
    try:
        naive = datetime.fromisoformat(local)
    except ValueError:
        raise Refused(RefusalCode.TIME_INVALID, "due") from None
    if naive.tzinfo is not None:
        raise Refused(RefusalCode.TIME_INVALID, "due")
    instant, _ = civil.resolve(naive, tz)
    if instant < now - timedelta(seconds=limits.DUE_PAST_S_MAX):
        raise Refused(RefusalCode.TIME_PAST, "due")
    if instant > now + timedelta(seconds=limits.DUE_FUTURE_S_MAX):
        raise Refused(RefusalCode.TIME_TOO_FAR, "due")
    return max(instant, now.astimezone(UTC))
