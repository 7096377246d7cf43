"""A message's page in words: statements, steps to the millisecond, the strip; literal cases, no server."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.letter_view import Letter, letter
from app.strip_view import span, strip
from app.timeline_view import steps, why_late
from domain.hotset import WantKind
from domain.message import MessageState
from store.pages import Change, Message, Sealed
from store.wakes import Wake

ZONE = ZoneInfo("Europe/Berlin")
DUE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # 09:00 in Berlin
NOW = DUE + timedelta(hours=2)
S = MessageState


def message(state: MessageState, **changed: object) -> Message:
    known = {
        "id": UUID(int=1), "account_id": UUID(int=2), "recipient": "351912345678@s.whatsapp.net",
        "recipient_name": "Mãe", "due_at": DUE, "state": state, "reason": "", "left_at": None, "sent_at": None,
        "delivered_at": None, "read_at": None, "updated_at": DUE, "not_after_s": 1_830_000_000, "body_bytes": 84,
        "members": 0, "established": True, "can_send": True,
    }  # fmt: skip
    return Message(**{**known, **changed})  # ty: ignore[invalid-argument-type]


def sealed(**changed: object) -> Sealed:
    known = {
        "schedule_id": UUID(int=3), "begun_at": None, "late_limit_s": 1800, "body_bytes": 84, "zone": "Europe/Berlin",
        "environment": "local", "not_after_s": 1_830_000_000, "phone": "4915112345678", "name": "Ana",
    }  # fmt: skip
    return Sealed(**{**known, **changed})  # ty: ignore[invalid-argument-type]


def at(milliseconds: int) -> datetime:
    """Return the instant that many milliseconds after the due one."""
    return DUE + timedelta(milliseconds=milliseconds)


def change(milliseconds: int, event: str, reason: str = "") -> Change:
    return Change(at=at(milliseconds), event=event, reason=reason)


SENT = [
    Change(at=datetime(2026, 11, 23, 20, 14, 8, 551000, UTC), event="created", reason=""),
    change(-20_000, "claimed"),
    change(-150, "begun"),
    change(244, "accepted"),
    change(812, "delivered"),
]
READ = message(S.READ, left_at=at(31), sent_at=at(0), delivered_at=at(0), read_at=at(227_000))
WAKE = Wake(woken_at=at(-41_060), ready_at=at(-38_398), slept_at=at(30_400), reason=WantKind.DUE, ending=None)


def page(one: Message, changes: list[Change] | None = None, wake: Wake | None = None, now: datetime = NOW) -> Letter:
    return letter(one, sealed(), changes or [], wake, None, ZONE, now)


def test_what_happened_stands_in_its_order_to_the_millisecond_with_the_session_around_it() -> None:
    learnt = change(8_959_000, "read")
    shown = [
        (step.at.seconds + step.at.ms, step.title, step.sentence)
        for step in steps(READ, [*SENT, learnt], WAKE, 84, ZONE, NOW)
    ]
    assert shown == [
        ("21:14:08.551", "Sealed and scheduled", "Monday. In your browser. We stored 84 sealed bytes."),
        ("08:59:18.940", "Session woken", "41 s early, so that it is ready in time."),
        ("08:59:21.602", "Ready", "Connected and caught up in 2.7 s."),
        ("09:00:00.031", "Handed to WhatsApp", "31 ms after the second."),
        ("09:00:00.244", "WhatsApp has it", ""),
        ("09:00:00.812", "On their phone", ""),
        ("09:00:30.400", "Session back to sleep", "Awake for 71 s."),
        ("09:03:47", "Read", "We learnt it at 11:29:19."),
    ]


def test_a_session_that_was_awake_for_something_else_is_not_told() -> None:
    other = Wake(woken_at=at(-900_000), ready_at=at(-890_000), slept_at=None, reason=WantKind.STICKY, ending=None)
    assert [step.title for step in steps(READ, SENT, other, 84, ZONE, NOW)][1:2] == ["Handed to WhatsApp"]


def test_a_try_that_did_not_get_out_stays_in_the_history() -> None:
    changes = [SENT[0], change(-150, "begun"), change(900, "returned", "no_connection"), change(1900, "begun")]
    changes += [change(2400, "accepted")]
    shown = steps(message(S.SENT, left_at=at(2000), sent_at=at(2000)), changes, None, 84, ZONE, NOW)
    assert [step.title for step in shown] == [
        "Sealed and scheduled", "Handing over", "Did not get out; tried again", "Handed to WhatsApp", "WhatsApp has it",
    ]  # fmt: skip
    assert shown[2].sentence == "WhatsApp could not be reached."
    assert shown[3].sentence == "2.0 s after its time."


def test_what_is_to_come_stands_last_and_hollow() -> None:
    shown = steps(message(S.SCHEDULED), SENT[:1], None, 84, ZONE, DUE - timedelta(hours=3))
    assert [(step.title, step.ahead) for step in shown] == [("Sealed and scheduled", False), ("Leaves", True)]


def test_the_size_is_told_of_the_seal_that_is_there() -> None:
    shown = steps(message(S.SCHEDULED), [SENT[0], change(-60_000, "edited", "by_user")], None, 99, ZONE, NOW)
    assert [step.sentence for step in shown[:2]] == ["Monday.", "In your browser. We stored 99 sealed bytes."]


@pytest.mark.parametrize(
    ("one", "statement", "line"),
    [
        (READ, "09:00:00, on time", ""),
        (message(S.SENT, sent_at=at(0)), "09:00:00, on time", ""),
        (message(S.SENT, left_at=at(4100), sent_at=at(4000)), "Left 4.1 s late", ""),
        (message(S.SENT, left_at=at(3_600_000 * 3), sent_at=at(0)), "Left 3 h late", ""),
        (message(S.HELD), "Held", "Send, edit or drop it."),
        (message(S.BLOCKED, reason="not_linked"), "Won't leave", "No phone is linked."),
        (message(S.FAILED, reason="not_on_whatsapp"), "Not sent", "This number is not on WhatsApp."),
        (message(S.MISSED, reason="too_late"), "Missed", "Its time was 09:00. Later than you allowed."),
        (
            message(S.MISSED, reason="too_late", updated_at=at(4 * 3_600_000), late_limit_s=1800),
            "Missed",
            "Its time was 09:00. It was 4 h late, and you asked for at most 30 min.",
        ),
        (message(S.SENT, left_at=at(240_000), sent_at=at(0), window_s=300), "09:04:00, on time", ""),
        (message(S.SENT, left_at=at(304_100), sent_at=at(0), window_s=300), "Left 4.1 s late", ""),
        (
            message(S.UNCONFIRMED, reason="session_died"),
            "Uncertain: it may have left at 09:00.",
            "We won't send it twice; look at the chat and decide.",
        ),
        (message(S.CANCELLED, reason="by_user"), "Cancelled", "Nothing goes to Mãe at 09:00."),
        (message(S.ARMED), "Leaving now", "You can still stop it."),
        (message(S.SENDING), "Leaving now", "It is being handed to WhatsApp."),
        (message(S.SCHEDULED), "Leaves at 09:00", ""),
    ],
    ids=lambda value: str(getattr(value, "state", ""))[:12],
)
def test_the_statement_says_how_it_stands(one: Message, statement: str, line: str) -> None:
    shown = page(one)
    assert (shown.statement, shown.line) == (statement, line)


@pytest.mark.parametrize(
    ("state", "labels"),
    [
        (S.SCHEDULED, ["Edit", "Another time", "Send now", "Cancel"]),
        (S.HELD, ["Edit", "Another time", "Send now", "Drop it"]),
        (S.BLOCKED, ["Edit", "Another time", "Cancel"]),
        (S.ARMED, ["Another time", "Stop it"]),
        (S.SENDING, []),
        (S.SENT, ["Write again"]),
        (S.UNCONFIRMED, ["Send again", "Write again"]),
        (S.MISSED, ["Send now", "Write again"]),
        (S.FAILED, ["Send again", "Write again"]),
        (S.CANCELLED, ["Write again", "Undo"]),
    ],
)
def test_each_state_offers_what_can_be_done(state: MessageState, labels: list[str]) -> None:
    shown = page(message(state), now=DUE - timedelta(hours=1))
    assert [action.label for action in shown.actions] == labels
    assert [bool(action.asks) for action in shown.actions if action.label == "Send again"] == (
        [state is S.UNCONFIRMED] if "Send again" in labels else []
    )


def test_no_two_buttons_share_a_place_and_a_place_keeps_its_kind() -> None:
    rows = [page(message(state), now=DUE - timedelta(hours=1)).actions for state in S]
    assert all(sorted(places := [one.place for one in row]) == places and len({*places}) == len(row) for row in rows)
    stops = {one.place for row in rows for one in row if one.label in ("Cancel", "Stop it", "Drop it", "Undo")}
    assert stops == {4}


def test_a_cancelling_is_not_offered_to_be_undone_once_its_time_has_passed() -> None:
    assert [action.label for action in page(message(S.CANCELLED)).actions] == ["Write again"]


def test_what_another_try_would_not_mend_is_not_offered_again() -> None:
    assert [action.label for action in page(message(S.FAILED, reason="seal_expired")).actions] == ["Write again"]


LATE = message(S.SENT, left_at=at(4100), sent_at=at(4000))


@pytest.mark.parametrize(
    ("changes", "wake", "reason"),
    [
        (SENT[:1], None, ""),
        ([change(-8000, "created")], None, "It was asked for at short notice: we had to wake up first."),
        (
            [SENT[0], change(-10, "moved")],
            None,
            "It was asked for at short notice: we had to wake up first.",
        ),
        (
            [SENT[0], change(500, "returned", "no_connection")],
            None,
            "The first try did not get out: WhatsApp could not be reached.",
        ),
        ([SENT[0], change(3000, "unblocked")], None, "It waited until the account could send again."),
        (
            SENT[:1],
            Wake(woken_at=at(-9000), ready_at=at(3900), slept_at=None, reason=WantKind.DUE, ending=None),
            "We were woken late, or WhatsApp was slow to let us in: ready at 09:00:03.900.",
        ),
    ],
)
def test_why_it_was_late_is_told_where_we_know_it(changes: list[Change], wake: Wake | None, reason: str) -> None:
    assert why_late(LATE, changes, wake, ZONE) == reason


def test_the_strip_stands_on_its_scale() -> None:
    shown = strip(DUE, at(31), at(812), ZONE)
    assert [(tick.x, tick.label) for tick in shown.ticks] == [
        ("0%", "−0.5"), ("20%", "09:00:00"), ("40%", "+0.5"), ("60%", "+1.0 s"), ("80%", "+1.5"), ("100%", "+2.0"),
    ]  # fmt: skip
    assert (shown.due_x, shown.band_width, shown.late) == ("20%", "40%", False)
    assert (shown.left.x, shown.left.label) == ("21.24%", "left +31 ms")
    assert shown.arrived
    assert (shown.arrived.x, shown.arrived.label) == ("52.48%", "arrived +812 ms")
    assert shown.words == "Left 31 ms after 09:00:00. Arrived 812 ms after it."


@pytest.mark.parametrize(
    ("late_ms", "x", "last", "late"),
    [
        (999, "59.96%", "+2.0", False),
        (1000, "60%", "+2.0", True),
        (4100, "36.4%", "+20", True),
        (100_000, "86.67%", "+120", True),
        (1_080_000, "92%", "09:20", True),
        (10**9, "100%", "05:00", True),
    ],
)
def test_the_later_it_left_the_wider_is_the_scale(late_ms: int, x: str, last: str, late: bool) -> None:
    shown = strip(DUE, at(late_ms), None, ZONE)
    assert (shown.left.x, shown.ticks[-1].label, shown.late) == (x, last, late)


@pytest.mark.parametrize("arrived_ms", [30, 5000, None])
def test_an_arrival_off_the_scale_or_before_the_send_has_no_mark(arrived_ms: int | None) -> None:
    assert strip(DUE, at(31), None if arrived_ms is None else at(arrived_ms), ZONE).arrived is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0314, "31 ms"), (0.9999, "1.0 s"), (71.46, "71 s"), (4.1, "4.1 s"), (720, "12 min"),
     (7200, "2 h"), (12600, "3.5 h"),
     (200_000, "2 days")],
)  # fmt: skip
def test_a_span_is_as_short_as_it_is_exact(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_details_name_the_recipient_s_time_where_it_is_known() -> None:
    rows = dict(page(READ).details)
    assert rows["In their zone"] == "08:00 Lisbon"
    assert rows["If late"] == "Send up to 30 min late, else missed"
    assert rows["From"] == "Ana"
    assert "In their zone" not in dict(page(message(S.SENT, recipient="123456789012345678@g.us")).details)


def test_a_day_is_named_whole_over_the_letter() -> None:
    assert page(READ).day == "Tuesday 24 November"
    assert page(message(S.SCHEDULED, due_at=DUE + timedelta(days=90))).day == "Monday 22 February 2027"


def test_one_with_a_window_is_said_to_leave_about_its_time_and_by_when() -> None:
    before = DUE - timedelta(hours=1)
    shown = page(message(S.SCHEDULED, window_s=300), now=before)
    assert (shown.statement, shown.line) == ("Leaves at about 09:00", "By 09:05 at the latest.")
    assert dict(shown.details)["Due"] == "Today, 09:00 to 09:05"
    armed = page(message(S.ARMED, window_s=300), now=DUE)
    assert (armed.statement, armed.line) == ("Leaving soon", "By 09:05 at the latest. You can still stop it.")
    left = page(message(S.SENT, left_at=at(240_000), sent_at=at(0), window_s=300))
    assert left.beside == "between 09:00 and 09:05"
    assert left.strip is not None
    assert not left.strip.late
