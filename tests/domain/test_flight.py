"""The flight check: what it says of each thing that is known, and which of several it says first."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from domain import limits
from domain.account import Link
from domain.flight import RANK, SAID, Cause, Facts, Lamp, flight

NOW = datetime(2026, 11, 24, 8, 41, tzinfo=UTC)
DUE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)

WELL = Facts(
    link=Link.LINKED,
    link_changed_at=NOW - 30 * DAY,
    banned_until=None,
    phone_seen_at=NOW - timedelta(hours=2),
    backoff_until=None,
    parked_until=None,
    named=True,
    group=False,
    known=True,
    established=True,
    can_send=True,
    due_at=DUE,
)


def changed(**facts) -> Facts:
    return msgspec.structs.replace(WELL, **facts)


def test_a_message_that_nothing_stops_is_clear_and_says_why() -> None:
    found = flight(WELL, NOW)
    assert (found.lamp, found.word) == (Lamp.CLEAR, "Clear")
    assert [reason.cause for reason in found.reasons] == [Cause.PHONE_SEEN, Cause.WRITTEN_BEFORE]


@pytest.mark.parametrize(
    ("facts", "cause", "lamp"),
    [
        (changed(link=Link.UNLINKED),                                Cause.NOT_LINKED,        Lamp.STOP),
        (changed(link=Link.LOGGED_OUT),                              Cause.LOGGED_OUT,        Lamp.STOP),
        (changed(link=Link.LOCKED),                                  Cause.LOCKED,            Lamp.STOP),
        (changed(link=Link.PAIRING),                                 Cause.LINKING,           Lamp.WATCH),
        (changed(link=Link.BANNED),                                  Cause.RESTRICTED,        Lamp.STOP),
        (changed(link=Link.BANNED, banned_until=DUE),                Cause.RESTRICTED_LONGER, Lamp.STOP),
        (changed(link=Link.BANNED, banned_until=NOW),                Cause.RESTRICTION_ENDS,  Lamp.WATCH),
        (changed(group=True, known=False),                           Cause.NOT_IN_GROUP,      Lamp.STOP),
        (changed(group=True, can_send=False),                        Cause.GROUP_CLOSED,      Lamp.STOP),
        (changed(seal_until=NOW),                                    Cause.SEAL_ENDS,         Lamp.STOP),
        (changed(phone_seen_at=NOW - 13.9 * DAY, due_at=NOW + DAY),  Cause.PHONE_AWAY,        Lamp.WATCH),
        (changed(phone_seen_at=NOW - 14 * DAY),                      Cause.PHONE_GONE,        Lamp.WATCH),
        (changed(parked_until=DUE + DAY),                            Cause.PARKED,            Lamp.WATCH),
        (changed(stopped=True, parked_until=DUE + DAY),              Cause.STOPPED,           Lamp.STOP),
        (changed(backoff_until=DUE),                                 Cause.RESTING,           Lamp.WATCH),
        (changed(known=False),                                       Cause.STRANGER,          Lamp.WATCH),
        (changed(known=False, named=False),                          Cause.NAMES_COMING,      Lamp.CHECKING),
        (changed(known=False, named=False, group=True),              Cause.NAMES_COMING,      Lamp.CHECKING),
        (changed(due_at=NOW - timedelta(seconds=4)),                 Cause.OVERDUE,           Lamp.CHECKING),
        (changed(established=False),                                 Cause.FIRST_WORD,        Lamp.CLEAR),
    ],
)  # fmt: skip
def test_each_thing_that_is_known_is_told(facts: Facts, cause: Cause, lamp: Lamp) -> None:
    found = flight(facts, NOW)
    assert (found.reasons[0].cause, found.lamp) == (cause, lamp)


@pytest.mark.parametrize(
    "facts",
    [
        changed(phone_seen_at=None),
        changed(phone_seen_at=NOW - 13 * DAY),
        changed(backoff_until=NOW + timedelta(seconds=30), parked_until=NOW - DAY),
        changed(banned_until=NOW + DAY),
        changed(seal_until=DUE + DAY),
        changed(due_at=NOW - timedelta(seconds=limits.OVERDUE_S)),
    ],
)
def test_what_does_not_keep_it_from_leaving_lights_nothing(facts: Facts) -> None:
    assert flight(facts, NOW).lamp is Lamp.CLEAR


def test_the_worst_comes_first_and_good_news_last() -> None:
    found = flight(changed(link=Link.LOGGED_OUT, known=False, seal_until=NOW, backoff_until=DUE), NOW)
    assert [reason.cause for reason in found.reasons] == [
        Cause.LOGGED_OUT, Cause.SEAL_ENDS, Cause.RESTING, Cause.STRANGER,
    ]  # fmt: skip


def test_a_reason_with_an_instant_in_its_words_has_one() -> None:
    for facts in (
        changed(link=Link.LOGGED_OUT),
        changed(link=Link.BANNED, banned_until=DUE),
        changed(link=Link.BANNED, banned_until=NOW),
        changed(seal_until=NOW, backoff_until=DUE, parked_until=DUE, phone_seen_at=NOW - 13.99 * DAY),
        changed(phone_seen_at=NOW - 20 * DAY),
    ):
        for reason in flight(facts, NOW).reasons:
            said = reason.said
            assert ("{" in said.word + said.sentence) == (reason.at is not None), reason


def test_the_table_says_every_cause_and_orders_them_by_lamp() -> None:
    assert set(SAID) == set(Cause)
    order = [Lamp.STOP, Lamp.WATCH, Lamp.CHECKING, Lamp.CLEAR]
    lamps = [order.index(SAID[cause].lamp) for cause in sorted(Cause, key=RANK.__getitem__)]
    assert lamps == sorted(lamps)


@pytest.mark.parametrize("cause", list(Cause))
def test_the_words_are_in_our_voice(cause: Cause) -> None:
    said = SAID[cause]
    assert said.sentence.endswith(".")
    assert bool(said.remedy) == bool(said.to)
    for word in ("please", "oops", "!", "successfully", "invalid"):
        assert word not in f"{said.word} {said.sentence} {said.remedy}".lower()
