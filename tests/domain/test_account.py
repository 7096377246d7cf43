"""Statements about the account's two tables."""

import pytest

from domain.account import (
    LINK_TABLE,
    RUN_DEADLINE_S,
    RUN_IGNORED,
    RUN_TABLE,
    Link,
    LinkEvent,
    Run,
    RunEffect,
    RunEvent,
    link_outcome,
    link_starts,
)
from domain.machine import IllegalTransition, transition

LEFT_OVER = {
    # A slot is granted to COLD accounts only.
    *((state, RunEvent.SLOT_GRANTED) for state in (Run.CONNECTING, Run.HOT, Run.DISCONNECTING)),
    # Only a session that is being ended ends because we asked.
    *((state, RunEvent.CLOSED) for state in (Run.CONNECTING, Run.HOT)),
    (Run.HOT, RunEvent.OVERDUE),  # HOT has no deadline
    (Run.HOT, RunEvent.PAIR_FAILED),  # a device that is linked has not failed to
}


def test_handled_and_ignored_are_disjoint_and_the_rest_is_written_down() -> None:
    every = {(state, event) for state in Run for event in RunEvent}
    assert RUN_TABLE.keys() & RUN_IGNORED == set()
    assert every - RUN_TABLE.keys() - RUN_IGNORED == LEFT_OVER


def test_the_slot_is_returned_exactly_where_a_session_ends() -> None:
    for (before, event), (after, effects) in RUN_TABLE.items():
        assert (RunEffect.RETURN_SLOT in effects) == (after is Run.COLD), (before, event)


def test_a_session_is_opened_exactly_where_cold_is_left() -> None:
    for (before, event), (_, effects) in RUN_TABLE.items():
        assert (RunEffect.OPEN in effects) == (before is Run.COLD), (before, event)


def test_whoever_disconnects_closes_or_kills_and_does_nothing_after_it() -> None:
    for (before, event), (after, effects) in RUN_TABLE.items():
        if after is Run.DISCONNECTING:
            assert effects[-1] in (RunEffect.CLOSE, RunEffect.KILL), (before, event)
        else:
            assert RunEffect.CLOSE not in effects, (before, event)


def test_every_failure_has_a_wait_or_a_mark() -> None:
    reasons = {effect for effect in RunEffect if effect.startswith(("back_off", "park", "mark_"))}
    asked = {RunEvent.RELEASED, RunEvent.SLOT_LOST}
    for (before, event), (after, effects) in RUN_TABLE.items():
        if before in (Run.CONNECTING, Run.HOT) and after in (Run.DISCONNECTING, Run.COLD) and event not in asked:
            assert reasons & set(effects), (before, event)


def test_a_login_alone_forgives_nothing() -> None:
    forgiving = {pair for pair, (_, effects) in RUN_TABLE.items() if RunEffect.CLEAR_BACKOFF in effects}
    assert forgiving == {(Run.HOT, RunEvent.RELEASED)}


def test_every_state_but_the_resting_ones_has_a_deadline() -> None:
    assert {state for state, deadline in RUN_DEADLINE_S.items() if deadline is None} == {Run.COLD, Run.HOT}
    assert set(RUN_DEADLINE_S) == set(Run)
    for state, deadline in RUN_DEADLINE_S.items():
        assert ((state, RunEvent.OVERDUE) in RUN_TABLE) == (deadline is not None)


def test_cold_is_reached_from_every_state() -> None:
    reached = {Run.COLD}
    while more := {before for (before, _), (after, _) in RUN_TABLE.items() if after in reached} - reached:
        reached |= more
    assert reached == set(Run)


def test_a_pair_that_nobody_expects_raises() -> None:
    with pytest.raises(IllegalTransition, match="HOT does not expect slot_granted"):
        transition(RUN_TABLE, RUN_IGNORED, Run.HOT, RunEvent.SLOT_GRANTED)


def test_ignored_news_changes_nothing() -> None:
    for state, event in RUN_IGNORED:
        assert transition(RUN_TABLE, RUN_IGNORED, state, event) == (state, ())


def test_every_link_event_leads_to_one_link() -> None:
    for event in LinkEvent:
        assert link_outcome(event) in Link
        assert link_starts(event)


def test_a_person_can_always_link_again_and_unlink_what_is_linked() -> None:
    assert set(link_starts(LinkEvent.REQUESTED)) == set(Link) - {Link.LINKED, Link.BANNED}
    assert set(link_starts(LinkEvent.UNLINKED)) == set(Link) - {Link.UNLINKED, Link.PAIRING}
    assert all(effects == () for _, effects in LINK_TABLE.values())
