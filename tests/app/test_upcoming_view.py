"""The first page in words: order and groups, the head, what broke, the line of the day, the phone's line."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest

from app.day_line import day_line
from app.forecast import Departure
from app.phone_view import ago, phone_line
from app.upcoming_view import Read, Upcoming, upcoming
from domain import limits
from domain.account import Link
from domain.flight import Lamp
from domain.message import MessageState
from store.pages import Account, Message
from store.run_state import RunShown
from store.upcoming import OnDay, Waiting

NOW = datetime(2026, 11, 24, 8, 41, 38, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
ACCOUNT = UUID(int=1)


def account(**changed) -> Account:
    plain = Account(
        id=ACCOUNT, link=Link.LINKED, link_reason="", link_changed_at=NOW - timedelta(hours=5), banned_until=None,
        phone="447700900001", name="Ana", wish="", pair_phone="", contacts=3, names_synced_at=NOW, last_hot_at=None,
        phone_seen_at=NOW - timedelta(hours=2), backoff_until=None, parked_until=None,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changed)


def message(number: int, minutes: float, state: MessageState = MessageState.SCHEDULED, **changed) -> Message:
    plain = Message(
        id=UUID(int=number), account_id=ACCOUNT, recipient="351911000001@s.whatsapp.net", recipient_name="Mãe",
        due_at=NOW + timedelta(minutes=minutes), state=state, reason="", left_at=None, sent_at=None, delivered_at=None,
        read_at=None, updated_at=NOW, not_after_s=4_000_000_000, body_bytes=84, members=0, established=True,
        can_send=True,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changed)


def page(
    *rows: Message, accounts: list[Account] | None = None, waiting: int = 0, zone: ZoneInfo = UTC_ZONE
) -> Upcoming:
    first_at = min((row.due_at for row in rows), default=NOW)
    read = Read(
        rows=list(rows),
        day=[OnDay(id=row.id, due_at=row.due_at, state=row.state) for row in rows],
        accounts=[account()] if accounts is None else accounts,
        waiting={ACCOUNT: Waiting(account_id=ACCOUNT, waiting=waiting, first_at=first_at)} if waiting else {},
        runs={},
    )
    return upcoming(read, zone, NOW, address="/messages", more="", later=False)


def test_the_head_names_the_day_and_what_leaves_next() -> None:
    view = page(message(1, -60, MessageState.SENT), message(2, -0.1, MessageState.SENDING), message(3, 18 + 22 / 60))
    assert view.lead.day == "Tuesday 24 November, next to leave"
    assert view.lead.row and view.lead.row.id == str(UUID(int=3))
    assert view.lead.until == ("leaves in ", "18 min 22 s")


@pytest.mark.parametrize(
    ("minutes", "until"),
    [
        (0.2, ("leaves in ", "12 s")),
        (60, ("leaves in ", "1 h 0 min")),
        (48 * 60, ("leaves in ", "2 days")),
        (-1, ("leaving now", "")),
    ],
)
def test_the_time_until_then_has_two_units_at_most(minutes: float, until: tuple[str, str]) -> None:
    assert page(message(1, minutes)).lead.until == until


def test_what_would_leave_too_late_leads_only_when_nothing_else_does_and_then_says_why() -> None:
    def lead(*rows: Message):
        hours = {one.id: Departure(at=one.due_at + timedelta(hours=8), why="x") for one in rows if one.id.int == 1}
        read = Read(rows=list(rows), leaves=hours, day=[], accounts=[account()], waiting={}, runs={})
        return upcoming(read, UTC_ZONE, NOW, address="/messages", more="", later=False).lead

    both = lead(message(1, 10), message(2, 90))
    assert (both.leads, both.row and both.row.id, both.at and both.at.time) == (True, str(UUID(int=2)), "10:11")
    alone = lead(message(1, 10))
    assert (alone.leads, alone.at and alone.at.time) == (False, "08:51")
    assert alone.row and alone.row.status.word == "Won't leave: not in time"


def test_a_delay_of_seconds_and_one_inside_the_window_are_not_told() -> None:
    for row, seconds in ((message(1, 10), 59), (message(1, 10, window_s=900), 900)):
        leaves = {row.id: Departure(at=row.due_at + timedelta(seconds=seconds), why="x")}
        read = Read(rows=[row], leaves=leaves, day=[], accounts=[account()], waiting={}, runs={})
        view = upcoming(read, UTC_ZONE, NOW, address="/messages", more="", later=False)
        assert view.groups[0].rows[0].status.word == "Clear"
        assert view.lead.at and view.lead.at.time == "08:51"


def test_a_later_day_is_named_in_the_head() -> None:
    assert page(message(1, 24 * 60)).lead.day == "Tuesday 24 November, next to leave tomorrow"
    assert page(message(1, 3 * 24 * 60)).lead.day == "Tuesday 24 November, next to leave on Friday 27 November"


def test_messages_are_grouped_by_the_days_of_their_reader() -> None:
    rows = [message(1, -60, MessageState.SENT), message(2, 30), message(3, 16 * 60), message(4, 26 * 60)]
    groups = [(group.title, group.note, group.count) for group in page(*rows).groups]
    assert groups == [("Today", "", "1 to go, 1 sent"), ("Tomorrow", "Wednesday 25 November", "2 to go")]
    tokyo = [(group.title, len(group.rows)) for group in page(*rows, zone=ZoneInfo("Asia/Tokyo")).groups]
    assert tokyo == [("Today", 2), ("Tomorrow", 2)]


def test_what_may_have_left_is_not_counted_as_what_is_to_go() -> None:
    rows = [message(1, -60, MessageState.UNCONFIRMED), message(2, -50, MessageState.SENT), message(3, 30)]
    assert [group.count for group in page(*rows).groups] == ["1 to go, 1 uncertain, 1 sent"]


def test_what_was_unlinked_is_told_above_the_time_which_still_shows() -> None:
    broken = account(link=Link.LOGGED_OUT)
    rows = [message(number, 19 + number, MessageState.BLOCKED, reason="logged_out") for number in range(5)]
    view = page(*rows, accounts=[broken], waiting=5)
    assert view.broken
    assert view.broken.title == "WhatsApp unlinked this phone at 03:41."
    assert view.broken.text == (
        "Five messages wait, the first at 09:00. Link again and they leave as planned; nothing is lost."
    )
    assert view.lead.row and not view.lead.leads
    assert view.lead.row.status.word == "Won't leave: not linked"


def test_the_time_where_the_recipient_is_stands_under_the_time() -> None:
    rows = page(message(1, 30), message(2, 30, recipient="819012345678@s.whatsapp.net")).groups[0].rows
    assert [row.sub for row in rows] == ["", "18:11 in Tokyo"]


def test_the_line_of_the_day_marks_what_was_sent_what_is_to_go_and_what_needs_somebody() -> None:
    states = [MessageState.SENT, MessageState.SCHEDULED, MessageState.SCHEDULED, MessageState.UNCONFIRMED]
    day = [OnDay(id=UUID(int=n), due_at=NOW + timedelta(hours=2 * n - 2), state=s) for n, s in enumerate(states)]
    line = day_line(day, {UUID(int=2): Lamp.WATCH}, UUID(int=1), UTC_ZONE, NOW)
    assert sorted(mark.kind for mark in line.marks) == ["done", "needs", "needs", "next"]
    assert line.marks[-1].kind == "next"
    assert line.now == f"{100 * (8 * 3600 + 41 * 60 + 38) / 86400:.2f}%"
    assert line.hours[1] == ("50.00%", "12")
    assert all(mark.href for mark in line.marks)


def test_marks_that_stand_close_are_no_links_and_a_crowded_hour_is_one_ring() -> None:
    noon = NOW.replace(hour=12, minute=0, second=0)
    close = [OnDay(id=UUID(int=n), due_at=noon + timedelta(minutes=n), state=MessageState.SCHEDULED) for n in range(2)]
    assert [mark.href for mark in day_line(close, {}, None, UTC_ZONE, NOW).marks] == ["", ""]
    many = [OnDay(id=UUID(int=n), due_at=noon + timedelta(minutes=n), state=MessageState.SCHEDULED) for n in range(13)]
    (ring,) = day_line(many, {}, None, UTC_ZONE, NOW).marks
    assert (ring.count, ring.label) == (13, "13 messages from 12:00")


def test_a_day_of_25_hours_ends_where_it_ends() -> None:
    now = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)
    line = day_line([], {}, None, ZoneInfo("Europe/Berlin"), now)
    assert (line.starts, line.ends) == ("2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z")
    assert line.hours[0][0] == f"{100 * 7 / 25:.2f}%"


def test_the_phones_line_says_what_it_does_and_when_it_was_seen() -> None:
    asleep = phone_line(account(), None, UTC_ZONE, NOW)
    assert (asleep.words, asleep.seen, asleep.overdue) == ("is asleep", "seen 2 hours ago", False)
    assert phone_line(account(), RunShown(run="HOT"), UTC_ZONE, NOW).words == "is awake"
    resting = account(backoff_until=NOW + timedelta(minutes=3))
    assert phone_line(resting, None, UTC_ZONE, NOW).words == "is resting until 08:44"
    gone = account(phone_seen_at=NOW - timedelta(days=limits.PHONE_WARN_DAYS))
    assert phone_line(gone, None, UTC_ZONE, NOW).overdue
    assert phone_line(account(link=Link.LOGGED_OUT), None, UTC_ZONE, NOW).seen == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(30, "just now"), (150, "2 minutes ago"), (3600, "1 hour ago"), (86400 * 3, "3 days ago")],
)
def test_how_long_ago_has_one_unit(seconds: int, words: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == words
