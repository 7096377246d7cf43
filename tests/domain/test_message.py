"""Statements about the life of a message and of a schedule."""

import pytest

from domain.message import (
    MESSAGE_END_STATES,
    MESSAGE_TABLE,
    SCHEDULE_TABLE,
    MessageEvent,
    MessageState,
    ScheduleState,
    outcome,
    starts,
)

S, E = MessageState, MessageEvent


@pytest.mark.parametrize("event", MessageEvent)
def test_every_event_leads_to_exactly_one_state(event: MessageEvent) -> None:
    assert outcome(event) in MessageState
    assert starts(event)


def test_only_what_passed_the_gate_can_be_sent() -> None:
    assert starts(E.BEGUN) == [S.ARMED]
    before_sent = {before for (before, event), (after, _) in MESSAGE_TABLE.items() if after is S.SENT}
    assert before_sent == {S.SENDING, S.UNCONFIRMED}


def test_what_may_have_been_sent_is_sent_again_only_by_the_person() -> None:
    ways = {event for (before, event), (after, _) in MESSAGE_TABLE.items() if before is S.UNCONFIRMED}
    assert ways == {E.ACCEPTED, E.DELIVERED, E.READ, E.RESENT}
    assert outcome(E.RESENT) is S.SCHEDULED


def test_what_was_sent_never_goes_back() -> None:
    rank = {S.SENT: 1, S.DELIVERED: 2, S.READ: 3}
    for (before, event), (after, _) in MESSAGE_TABLE.items():
        if before in rank:
            assert rank.get(after, 0) > rank[before], (before, event)


def test_a_message_that_is_leaving_cannot_be_cancelled_moved_blocked_or_missed() -> None:
    for event in (E.CANCELLED, E.MOVED, E.BLOCKED, E.LATE, E.HELD):
        assert S.SENDING not in starts(event)


def test_end_states_are_exactly_those_that_nothing_leaves() -> None:
    left = {before for before, _ in MESSAGE_TABLE}
    assert set(MessageState) - left == set(MESSAGE_END_STATES)


def test_every_state_is_reached() -> None:
    reached = {S.SCHEDULED}
    while more := {after for (before, _), (after, _) in MESSAGE_TABLE.items() if before in reached} - reached:
        reached |= more
    assert reached == set(MessageState)


def test_a_schedule_that_has_ended_stays_ended() -> None:
    ends = {ScheduleState.FINISHED, ScheduleState.CANCELLED}
    assert not {before for before, _ in SCHEDULE_TABLE} & ends
