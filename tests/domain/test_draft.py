"""What people type: kept in one form, or refused at its field."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest

from domain import draft, limits
from domain.refusal import SENTENCES, RefusalCode, Refused

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def _code(work: Callable[..., object], *arguments: object) -> tuple[RefusalCode, str]:
    with pytest.raises(Refused) as refused:
        work(*arguments)
    return refused.value.code, refused.value.field


def test_every_refusal_has_its_sentence() -> None:
    assert set(SENTENCES) == set(RefusalCode)
    assert Refused(RefusalCode.TIME_PAST, "due").sentence == SENTENCES[RefusalCode.TIME_PAST]


@pytest.mark.parametrize("text", ["Ann@Example.org", " ann@example.org "])
def test_an_address_is_kept_in_one_form(text: str) -> None:
    assert draft.email(text) == "ann@example.org"


@pytest.mark.parametrize("text", ["", "ann", "ann@", "a@b", "a b@example.org", "a@b\n.org", f"{'a' * 260}@b.org"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert _code(draft.email, text) == (RefusalCode.EMAIL_INVALID, "email")


@pytest.mark.parametrize(("text", "region"), [("+49 171 1234567", ""), ("0171 1234567", "DE")])
def test_a_number_is_kept_as_international_digits(text: str, region: str) -> None:
    assert draft.phone(text, region) == "491711234567"


@pytest.mark.parametrize("text", ["", "0171", "hello", "+1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert _code(draft.phone, text) == (RefusalCode.PHONE_INVALID, "phone")


@pytest.mark.parametrize(
    "jid", ["491711234567@s.whatsapp.net", "120363012345678901@g.us", "491711234567-1600000000@g.us"]
)
def test_recipients_are_people_by_number_and_groups(jid: str) -> None:
    assert draft.recipient(jid) == jid


@pytest.mark.parametrize(
    "jid", ["", "1234@lid", "0171@s.whatsapp.net", "49171:3@s.whatsapp.net", "a@g.us", "status@broadcast"]
)
def test_other_recipients_are_refused(jid: str) -> None:
    assert _code(draft.recipient, jid) == (RefusalCode.RECIPIENT_INVALID, "recipient")


def test_a_wall_clock_time_becomes_its_instant() -> None:
    assert draft.due_at("2026-11-24T14:30", "Europe/Berlin", NOW) == datetime(2026, 11, 24, 13, 30, tzinfo=UTC)


CLOCKS = [
    ("9", time(9)),
    ("09", time(9)),
    ("930", time(9, 30)),
    ("0930", time(9, 30)),
    ("2130", time(21, 30)),
    ("9:30", time(9, 30)),
    ("21.30", time(21, 30)),
    ("9h30", time(9, 30)),
    ("9h", time(9)),
    (" 9 ", time(9)),
    ("9pm", time(21)),
    ("9 p.m.", time(21)),
    ("9:30 PM", time(21, 30)),
    ("930pm", time(21, 30)),
    ("12am", time(0)),
    ("12pm", time(12)),
    ("0", time(0)),
    ("noon", time(12)),
    ("midnight", time(0)),
    ("9:30:15", time(9, 30, 15)),
]


@pytest.mark.parametrize(("text", "meant"), CLOCKS)
def test_a_time_of_day_is_read_as_people_type_it(text: str, meant: time) -> None:
    assert draft.clock(text) == meant
    assert draft.chosen(f"2026-11-25T{text}", "UTC", NOW).wall == datetime.combine(datetime(2026, 11, 25), meant)


@pytest.mark.parametrize("text", ["", "24", "99", "9:60", "13pm", "0am", "9:3", "12345", "nine", "-9", "٩", "9:30:61"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    assert _code(draft.clock, text) == (RefusalCode.TIME_INVALID, "due")


def test_a_time_that_the_clocks_skip_moves_forward() -> None:
    assert draft.due_at("2027-03-28T02:30", "Europe/Berlin", NOW) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


def test_a_time_that_they_show_twice_means_the_first() -> None:
    assert draft.due_at("2027-10-31T02:30", "Europe/Berlin", NOW) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_just_now_means_now_and_earlier_is_refused() -> None:
    assert draft.due_at("2026-11-24T11:59:30", "UTC", NOW) == NOW
    assert _code(draft.due_at, "2026-11-24T11:58:59", "UTC", NOW) == (RefusalCode.TIME_PAST, "due")


@pytest.mark.parametrize(
    ("local", "zone", "code", "field"),
    [
        ("tomorrow", "UTC", RefusalCode.TIME_INVALID, "due"),
        ("2026-11-25T10:00+01:00", "UTC", RefusalCode.TIME_INVALID, "due"),
        ("2026-11-25", "UTC", RefusalCode.TIME_INVALID, "due"),
        ("T09:00", "UTC", RefusalCode.TIME_INVALID, "due"),
        ("0001-01-01T00:00", "Asia/Tokyo", RefusalCode.TIME_INVALID, "due"),
        ("+", "UTC", RefusalCode.TIME_INVALID, "due"),
        ("2026-11-25T10:00", "Mars/Base", RefusalCode.ZONE_UNKNOWN, "zone"),
        ("2026-11-25T10:00", "../etc", RefusalCode.ZONE_UNKNOWN, "zone"),
    ],
)
def test_what_is_no_time_is_refused_at_its_field(local: str, zone: str, code: RefusalCode, field: str) -> None:
    assert _code(draft.due_at, local, zone, NOW) == (code, field)


def test_more_than_a_year_ahead_is_refused() -> None:
    far = (NOW + timedelta(seconds=limits.DUE_FUTURE_S_MAX + 60)).replace(tzinfo=None).isoformat()
    assert _code(draft.due_at, far, "UTC", NOW) == (RefusalCode.TIME_TOO_FAR, "due")


@pytest.mark.parametrize(
    ("digits", "country", "region"),
    [
        ("491711234567", "49", "DE"),
        ("5511999990004", "55", "BR"),
        ("447700900001", "44", "GB"),
        ("", "", ""),
        ("0", "", ""),
    ],
)
def test_a_number_tells_its_country(digits: str, country: str, region: str) -> None:
    assert (draft.country_code(digits), draft.region_of(digits)) == (country, region)
