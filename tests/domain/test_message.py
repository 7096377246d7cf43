"""Statements about the life of a message and of a schedule."""

import pytest

from domain.account import Link
from domain.message import (
    BLOCK_REASONS,
    EDITABLE,
    MESSAGE_END_STATES,
    MESSAGE_TABLE,
    SCHEDULE_TABLE,
    MessageEvent,
    MessageState,
    ScheduleEvent,
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


def test_what_the_user_ended_comes_back_only_by_the_user() -> None:
    back = {event for (before, event) in MESSAGE_TABLE if before is S.CANCELLED}
    assert back == {E.RESTORED}
    assert {before for before, _ in MESSAGE_TABLE if before in (S.MISSED, S.FAILED)} == {S.MISSED, S.FAILED}
    assert {event for (before, event) in MESSAGE_TABLE if before in (S.MISSED, S.FAILED)} == {E.RESENT}


def test_a_schedule_that_has_ended_begins_again_only_with_one_of_its_messages() -> None:
    ends = {ScheduleState.FINISHED, ScheduleState.CANCELLED}
    assert {event for before, event in SCHEDULE_TABLE if before in ends} == {ScheduleEvent.RESTORED}


def test_what_somebody_has_in_hand_is_not_edited() -> None:
    assert not {S.ARMED, S.SENDING} & set(EDITABLE)
    assert set(EDITABLE) == {before for before, event in MESSAGE_TABLE if event is E.MOVED} - {S.ARMED}


def test_every_link_but_a_good_one_blocks() -> None:
    assert set(BLOCK_REASONS) == set(Link) - {Link.LINKED}
