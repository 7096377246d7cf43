"""The words of the account page, from rows alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.account_page import lately, phone, punctuality
from app.account_view import Facts, account_state
from domain.account import Link, RunEvent
from domain.hotset import WantKind
from store.pages import Account, Leaving
from store.record import Day, Record
from store.run_state import RunShown
from store.wakes import Wake

NOW = datetime(2026, 11, 24, 7, 41, 38, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Lisbon")
MAE = Leaving(
    due_at=NOW.replace(hour=9, minute=0, second=0), recipient="351910000000@s.whatsapp.net", recipient_name="Mãe"
)


def _account(**columns: Any) -> Account:
    fields: dict[str, Any] = {
        "id": UUID(int=1),
        "link": Link.LINKED,
        "link_reason": "",
        "link_changed_at": NOW.replace(hour=3, minute=12, second=0),
        "banned_until": None,
        "phone": "5511900002087",
        "name": "Ana",
        "wish": "",
        "pair_phone": "",
        "contacts": 3,
        "names_synced_at": NOW,
        "last_hot_at": None,
        "phone_seen_at": None,
        "backoff_until": None,
        "parked_until": None,
    }
    return Account(**{**fields, **columns})


def _wake(**fields: Any) -> Wake:
    whole = {"woken_at": NOW, "ready_at": NOW, "slept_at": None, "reason": WantKind.DUE, "ending": None, **fields}
    return Wake(**whole)


def _hot(run: str) -> Facts:
    soon = Leaving(due_at=NOW + timedelta(seconds=8), recipient=MAE.recipient, recipient_name="Mãe")
    return Facts(run=RunShown(run=run), wake=_wake(), first=soon)


STATES: list[tuple[dict[str, Any], Facts, str, str]] = [
    ({"lead_ms": 40_000}, Facts(first=MAE), "Asleep, and ready.", "We wake it at 08:59:20 for the message to Mãe."),
    ({}, Facts(), "Asleep, and ready.", "your phone rings as usual."),
    ({"lead_ms": 2400}, _hot("CONNECTING"), "Waking up.", "Usually 3 s. Then the message to Mãe leaves."),
    ({"wish": "sync"}, Facts(), "Waking up.", "You asked for it. Usually 4 s."),
    ({}, _hot("HOT"), "Awake.", "Since 07:41:38, for the message to Mãe."),
    ({}, _hot("DISCONNECTING"), "Going back to sleep.", "Keys are being put away."),
    (
        {"backoff_until": NOW + timedelta(seconds=152)},
        Facts(wait="no_connection"),
        "Resting until 07:44:10.",
        "WhatsApp could not be reached; we try again then. Nothing is due before.",
    ),
    (
        {"backoff_until": NOW + timedelta(hours=2)},
        Facts(first=MAE),
        "Resting until 09:41:38.",
        "The message to Mãe waits for it.",
    ),
    (
        {"parked_until": NOW + timedelta(minutes=10)},
        Facts(wait="replaced", waiting=3),
        "Stopped by us until 07:51:38.",
        "The same link was in use from elsewhere; we keep away for a while. 3 messages wait.",
    ),
    ({"link": Link.UNLINKED}, Facts(), "No phone linked yet.", "Link one; it takes a minute."),
    ({"link": Link.PAIRING}, Facts(), "Linking.", "Open WhatsApp on your phone"),
    (
        {"link": Link.LOGGED_OUT},
        Facts(waiting=5),
        "WhatsApp unlinked this phone at 03:12:00.",
        "Link again and 5 messages leave as planned.",
    ),
    ({"link": Link.LOGGED_OUT}, Facts(waiting=1), "WhatsApp unlinked this phone", "the message that waits leaves"),
    (
        {"link": Link.BANNED, "banned_until": NOW + timedelta(hours=3)},
        Facts(waiting=1),
        "WhatsApp restricts this number until 10:41:38.",
        "1 message waits; nothing is lost.",
    ),
    (
        {"link": Link.LOCKED},
        Facts(),
        "WhatsApp wants to see you.",
        "Open WhatsApp on the phone and follow what it asks.",
    ),
    ({"wish": "unlink"}, Facts(), "Unlinking.", "We tell WhatsApp"),
]


@pytest.mark.parametrize(("columns", "facts", "statement", "line"), STATES)
def test_each_state_is_a_sentence_and_a_line(columns: dict[str, Any], facts: Facts, statement: str, line: str) -> None:
    said = account_state(_account(**columns), facts, ZONE, NOW)
    assert said.statement.startswith(statement)
    assert line in said.line


@pytest.mark.parametrize(
    ("columns", "facts", "can"),
    [
        ({}, Facts(), True),
        ({}, _hot("HOT"), False),
        ({"wish": "sync"}, Facts(), False),
        ({"backoff_until": NOW + timedelta(seconds=1)}, Facts(), False),
        ({"link": Link.BANNED}, Facts(), False),
    ],
)
def test_only_what_sleeps_and_may_wake_is_offered_to_be_woken(columns: dict[str, Any], facts: Facts, can: bool) -> None:
    assert account_state(_account(**columns), facts, ZONE, NOW).can_wake is can


def test_ones_own_number_is_not_for_whoever_looks_over_ones_shoulder() -> None:
    assert account_state(_account(), Facts(), ZONE, NOW).phone == "+55 ▪▪▪▪ 2087"


def test_the_phones_days_end_today_and_from_the_tenth_day_on_one_is_warned() -> None:
    seen = phone(_account(phone_seen_at=NOW - timedelta(days=2), phone_days=0b101), ZONE, NOW)
    assert seen is not None
    assert seen.days == [False] * 9 + [True, False, True, False, False]
    assert (seen.ago, seen.warning) == ("2 days ago", "")
    seen = phone(_account(phone_seen_at=NOW - timedelta(days=11), phone_days=1), ZONE, NOW)
    assert seen is not None
    assert seen.warning == "We have not seen your phone for 11 days. Open WhatsApp on it within 3 days."
    seen = phone(_account(phone_seen_at=NOW - timedelta(days=20), phone_days=1), ZONE, NOW)
    assert seen is not None
    assert not any(seen.days)
    assert seen.warning.endswith("Open WhatsApp on it now.")
    assert phone(_account(), ZONE, NOW) is None


def test_a_record_is_told_in_figures_and_its_tallest_day() -> None:
    days = [Day(day=date(2026, 11, 13), slowest_ms=2400), Day(day=date(2026, 11, 24), slowest_ms=31)]
    told = punctuality(Record(sent=412, missed=0, half_ms=31, most_ms=800, days=days), ZONE, NOW)
    assert told is not None
    assert told.figures[:2] == [("half within", "31", "ms"), ("99 in 100 within", "800", "ms")]
    assert told.said == "Slowest message of each day. Tallest: 13 Nov, 2.4 s."
    assert [index for index, (high, _) in enumerate(told.bars) if high] == [18, 29]
    assert told.bars[18] == (60, "watch")
    assert punctuality(Record(sent=0, missed=0, half_ms=0, most_ms=0, days=[]), ZONE, NOW) is None
    missed = punctuality(Record(sent=0, missed=2, half_ms=0, most_ms=0, days=[]), ZONE, NOW)
    assert missed is not None
    assert missed.figures == [("sent", "0", ""), ("missed", "2", "")]


def test_what_happened_lately_is_told_in_order_and_without_guessing() -> None:
    wakes = [
        _wake(woken_at=NOW - timedelta(minutes=1)),
        _wake(woken_at=NOW - timedelta(hours=1), ready_at=NOW - timedelta(minutes=59)),
        _wake(woken_at=NOW - timedelta(hours=2), slept_at=NOW - timedelta(minutes=118), ending=RunEvent.RELEASED),
    ]
    left = [
        Leaving(
            due_at=NOW - timedelta(minutes=119),
            recipient="1@g.us",
            recipient_name=None,
            left_at=NOW - timedelta(minutes=119),
        )
    ]
    steps = lately(wakes, left, ZONE, NOW, awake=True)
    assert [step.title for step in steps] == ["Woken", "Gone", "Woken", "Asleep", "Message to a group left", "Woken"]
    assert steps[1].sentence == "We did not see how it ended."
    assert {step.title for step in lately(wakes[:1], [], ZONE, NOW, awake=False)} == {"Woken", "Gone"}
