"""When a message leaves, in words: by the writer's clock, by the recipient's, and where clocks skip or repeat."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain import draft
from domain.departure import leaves, picks, quirk, there
from domain.refusal import RefusalCode, Refused

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
"""A Tuesday, 13:00 in Berlin."""

LEAVES = [
    ("2026-11-24T13:00", "Leaves now."),
    ("+10", "Leaves today at 13:10, in 10 minutes."),
    ("2026-11-24T13:00:30", "Leaves today at 13:00:30, in a moment."),
    ("+120", "Leaves today at 15:00."),
    ("2026-11-25T9", "Leaves tomorrow at 9:00."),
    ("2026-11-30T09:00", "Leaves on Monday at 9:00."),
    ("2026-12-01T09:00", "Leaves on Tuesday, 1 December, at 9:00."),
    ("2027-01-05T0:05", "Leaves on 5 January 2027 at 0:05."),
]
THERE = [
    ("America/Sao_Paulo", "2026-11-25T09:00", "Europe/Lisbon", "In Lisbon it is noon."),
    ("Europe/Berlin", "2026-11-25T09:00", "Europe/Lisbon", "In Lisbon it is 8:00."),
    ("Europe/Berlin", "2026-11-25T01:00", "Europe/London", "In London it is midnight."),
    ("Europe/Berlin", "2026-11-25T23:00", "Asia/Tokyo", "In Tokyo it is Thursday, 7:00."),
    ("Europe/Berlin", "2026-11-25T02:00", "America/Sao_Paulo", "In São Paulo it is Tuesday, 22:00."),
    ("Europe/Berlin", "2026-11-25T09:00", "Europe/Rome", "In Rome it is 9:00 too."),
    ("Europe/Berlin", "2026-11-25T09:00", "Europe/Berlin", ""),
    ("Europe/Berlin", "2026-11-25T09:00", "", ""),
]
QUIRKS = [
    ("2027-03-28T02:30", "02:30 does not exist on 28 March. We send at 03:30."),
    ("2027-10-31T02:30", "02:30 happens twice on 31 October. We send once, at the first."),
    ("2026-11-25T02:30", ""),
]
PAST = [
    ("2026-11-24T12:49", "12:49 was 11 minutes ago. Choose a later time."),
    ("2026-11-24T12:00", "12:00 was 1 hour ago. Choose a later time."),
    ("2026-11-23T18:00", "Yesterday has passed. Choose a later time."),
    ("2026-11-10T18:00", "Tuesday, 10 November has passed. Choose a later time."),
    ("2025-11-10T18:00", "10 November 2025 has passed. Choose a later time."),
]


@pytest.mark.parametrize(("due", "sentence"), LEAVES)
def test_when_it_leaves_is_told_in_words(due: str, sentence: str) -> None:
    assert leaves(draft.chosen(due, "Europe/Berlin", NOW), BERLIN, NOW) == sentence


@pytest.mark.parametrize(("zone", "due", "other", "sentence"), THERE)
def test_the_recipients_clock_is_told_where_it_differs(zone: str, due: str, other: str, sentence: str) -> None:
    assert there(draft.chosen(due, zone, NOW), ZoneInfo(zone), other) == sentence


@pytest.mark.parametrize(("due", "sentence"), QUIRKS)
def test_times_that_clocks_skip_or_repeat_are_told(due: str, sentence: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert quirk(draft.chosen(due, "Europe/Berlin", now), BERLIN) == sentence


@pytest.mark.parametrize(("due", "sentence"), PAST)
def test_what_has_passed_says_how_long_ago(due: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        draft.chosen(due, "Europe/Berlin", NOW)
    assert (refused.value.code, refused.value.field) == (RefusalCode.TIME_PAST, "due")
    assert refused.value.sentence == sentence


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (NOW, ["In 10 min", "In 2 h", "Tonight 19:00", "Tomorrow 9:00", "Monday 9:00"]),
        (NOW.replace(hour=18), ["In 10 min", "In 2 h", "Tomorrow 9:00", "Monday 9:00"]),
        (NOW.replace(day=29), ["In 10 min", "In 2 h", "Tonight 19:00", "Tomorrow 9:00"]),
    ],
)
def test_the_quick_picks_are_those_that_lie_ahead(now: datetime, names: list[str]) -> None:
    assert [pick.name for pick in picks(now, BERLIN)] == names


def test_every_quick_pick_is_a_time_ahead_in_the_writers_zone() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # a Monday in UTC, a Tuesday in Berlin
    found = {pick.name: draft.chosen(pick.due, "Europe/Berlin", late) for pick in picks(late, BERLIN)}
    assert found["Tomorrow 9:00"].at == datetime(2026, 11, 25, 8, tzinfo=UTC)
    assert found["Monday 9:00"].at == datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert found["In 10 min"].at == datetime(2026, 11, 23, 23, 40, tzinfo=UTC)
    assert found["Tonight 19:00"].wall == datetime(2026, 11, 24, 19)


def test_in_some_minutes_is_a_whole_minute_and_never_sooner() -> None:
    now = NOW.replace(second=12, microsecond=5)
    assert draft.chosen("+10", "UTC", now).at == datetime(2026, 11, 24, 12, 11, tzinfo=UTC)
    assert draft.chosen("+10", "UTC", NOW).at == datetime(2026, 11, 24, 12, 10, tzinfo=UTC)
