"""Pacing: small cases by hand, what always holds by dice."""

import itertools
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import limits
from domain.pacing import (
    RULES,
    WHY,
    Cause,
    Planned,
    Reach,
    Restraint,
    Send,
    Standing,
    Waiting,
    after_refusal,
    jitter_s,
    plan,
)

MANY = settings(max_examples=400, deadline=None)
NOW_MS = 1_800_000_000_000
S, HOUR, DAY = 1000, 3_600_000, 86_400_000


def waiting(number: int, from_ms: int = NOW_MS, chat: str = "", reach: Reach = Reach.WARM) -> Waiting:
    return Waiting(id=UUID(int=number), from_ms=from_ms, chat=chat or f"c{number}", reach=reach)


def send(ago_ms: int, chat: str = "x", reach: Reach = Reach.WARM) -> Send:
    return Send(at_ms=NOW_MS - ago_ms, chat=chat, reach=reach)


def only(standing: Standing, sends: list[Send], one: Waiting) -> Planned:
    return plan(standing, sends, [one])[one.id]


def test_a_single_message_leaves_at_its_time() -> None:
    one = waiting(1)
    assert only(Standing(), [], one) == Planned(at_ms=NOW_MS)
    assert only(Standing(), [send(60 * S)], one) == Planned(at_ms=NOW_MS)


@pytest.mark.parametrize(
    ("sends", "reach", "after_ms", "cause"),
    [
        ([send(19 * S, "c1")], Reach.WARM, 1 * S, Cause.SAME_CHAT),
        ([send(20 * S, "c1")], Reach.WARM, 0, None),
        ([send(299 * S - 15 * S * n) for n in range(8)], Reach.WARM, 1 * S, Cause.BURST),
        ([send(599 * S, "c1", Reach.GROUP)], Reach.GROUP, 1 * S, Cause.SAME_GROUP),
        ([send(599 * S, "c2", Reach.GROUP)], Reach.GROUP, 0, None),
        ([send(DAY - HOUR - n * HOUR, f"g{n}", Reach.GROUP) for n in range(20)], Reach.GROUP, HOUR, Cause.GROUP_DAY),
        ([send(DAY - HOUR - n * HOUR, f"g{n}", Reach.GROUP) for n in range(20)], Reach.WARM, 0, None),
        ([send(DAY - HOUR - n * 600 * S, f"p{n}") for n in range(100)], Reach.WARM, HOUR, Cause.DAY),
        ([send(DAY - HOUR - n * 600 * S, f"p{n}") for n in range(99)], Reach.WARM, 0, None),
        ([send(DAY - HOUR - n * HOUR // 2, reach=Reach.COOL) for n in range(30)], Reach.COOL, HOUR, Cause.FIRST_WORDS),
        ([send(DAY - HOUR - n * HOUR // 2, f"p{n}", Reach.COOL) for n in range(30)], Reach.WARM, 0, None),
        ([send(DAY - HOUR - n * HOUR, f"p{n}", Reach.COLD) for n in range(3)], Reach.COLD, HOUR, Cause.COLD_DAY),
        ([send(7 * DAY - HOUR - n * DAY // 2, reach=Reach.COLD) for n in range(10)], Reach.COLD, HOUR, Cause.COLD_WEEK),
    ],
)  # fmt: skip
def test_a_full_window_is_waited_for(sends: list[Send], reach: Reach, after_ms: int, cause: Cause | None) -> None:
    assert only(Standing(), sends, waiting(1, reach=reach)) == Planned(at_ms=NOW_MS + after_ms, cause=cause)


def test_messages_of_one_minute_are_spread_and_in_no_rhythm() -> None:
    ones = [waiting(number) for number in range(8)]
    found = sorted(planned.at_ms - NOW_MS for planned in plan(Standing(), [], ones).values())
    spaces = [after - before for before, after in itertools.pairwise(found)]
    assert found[0] == 0
    assert all(limits.SENDS_APART_S * S <= space <= 12 * S for space in spaces)
    assert len(set(spaces)) == len(spaces)


def test_a_new_link_writes_little_and_not_to_strangers() -> None:
    new = Standing(new_since_ms=NOW_MS - DAY)
    assert only(new, [], waiting(1, reach=Reach.COLD)) == Planned(at_ms=NOW_MS + DAY, cause=Cause.COLD_NEW)
    twenty = [send(DAY - HOUR - n * HOUR // 2, f"p{n}") for n in range(20)]
    assert only(new, twenty, waiting(1)) == Planned(at_ms=NOW_MS + HOUR, cause=Cause.NEW_DAY)
    old = Standing(new_since_ms=NOW_MS - 8 * DAY)
    assert only(old, twenty, waiting(1)) == Planned(at_ms=NOW_MS)


def test_pauses_hold_whom_they_are_for() -> None:
    cold = Standing(cold_until_ms=NOW_MS + HOUR)
    assert only(cold, [], waiting(1, reach=Reach.COLD)) == Planned(at_ms=NOW_MS + HOUR, cause=Cause.COLD_PAUSED)
    assert only(cold, [], waiting(1)) == Planned(at_ms=NOW_MS)
    every = Standing(all_until_ms=NOW_MS + HOUR)
    assert only(every, [], waiting(1)) == Planned(at_ms=NOW_MS + HOUR, cause=Cause.PAUSED)
    assert only(every, [], waiting(1, NOW_MS + 2 * HOUR)) == Planned(at_ms=NOW_MS + 2 * HOUR)


def test_after_a_ban_half_of_all_is_allowed() -> None:
    eased = Standing(eased_until_ms=NOW_MS + DAY)
    ten = [send(DAY - HOUR - n * HOUR, f"g{n}", Reach.GROUP) for n in range(10)]
    assert only(eased, ten, waiting(1, reach=Reach.GROUP)) == Planned(at_ms=NOW_MS + HOUR, cause=Cause.GROUP_DAY)


def test_refusals_pause_strangers_longer_each_time_and_two_of_another_kind_all() -> None:
    pauses = [after_refusal(463, 0, count).cold_s / 3600 for count in range(4)]
    assert pauses == [24, 72, 168, 168]
    assert after_refusal(463, 1, 0) == Restraint(cold_s=24 * 3600, refusals=1, cold_pauses=1)
    assert after_refusal(403, 0, 2) == Restraint(refusals=1, cold_pauses=2)
    assert after_refusal(403, 1, 0) == Restraint(all_s=limits.REFUSED_PAUSE_S)


def test_every_cause_has_words() -> None:
    assert set(WHY) == set(Cause)


chats = st.sampled_from(["a", "b", "c", "d", "e"])
reaches = st.sampled_from(Reach)
sends_ = st.lists(
    st.builds(
        lambda ago, chat, reach: Send(at_ms=NOW_MS - ago, chat=chat, reach=reach),
        st.one_of(st.integers(0, 700 * S), st.integers(0, 8 * DAY)),
        chats,
        reaches,
    ),
    max_size=12,
)
waitings = st.lists(
    st.tuples(st.one_of(st.integers(0, 60 * S), st.integers(0, 3 * DAY)), chats, reaches), max_size=25
).map(
    lambda rows: [
        waiting(number, NOW_MS + after, chat, reach) for number, (after, chat, reach) in enumerate(rows, start=1)
    ]
)
standings = st.builds(
    Standing,
    new_since_ms=st.sampled_from([0, NOW_MS - DAY, NOW_MS - 30 * DAY]),
    cold_until_ms=st.sampled_from([0, NOW_MS + HOUR]),
    all_until_ms=st.sampled_from([0, NOW_MS + 2 * HOUR]),
    eased_until_ms=st.sampled_from([0, NOW_MS + DAY]),
)


@MANY
@given(standings, sends_, waitings)
def test_nothing_leaves_early_and_no_ceiling_is_broken(
    standing: Standing, sends: list[Send], ones: list[Waiting]
) -> None:
    planned = plan(standing, sends, ones)
    assert set(planned) == {one.id for one in ones}
    for one in ones:
        at_ms, cause = planned[one.id].at_ms, planned[one.id].cause
        assert at_ms >= max(one.from_ms, standing.all_until_ms)
        assert (cause is None) == (at_ms == one.from_ms)
        if one.reach is Reach.COLD:
            assert at_ms >= standing.cold_until_ms
    for one in ones:  # around each of them, every window holds no more than it may
        at_ms = planned[one.id].at_ms
        for rule in RULES:
            if (key := rule.key(one.chat, one.reach)) is None:
                continue
            before = [past.at_ms for past in sends if rule.key(past.chat, past.reach) == key]
            others = [planned[two.id].at_ms for two in ones if rule.key(two.chat, two.reach) == key]
            window_ms = int(rule.window_s * 1000)
            inside = [ms for ms in [*before, *others] if at_ms - window_ms < ms <= at_ms]
            crowd = sum(at_ms - window_ms < ms for ms in before)
            assert len(inside) <= max(rule.most, crowd), (rule.cause, inside)


@MANY
@given(standings, sends_, waitings)
def test_it_leaves_as_soon_as_the_rules_allow(standing: Standing, sends: list[Send], ones: list[Waiting]) -> None:
    """A message that was put later fits nowhere between its own time and the one it got: tried second by second."""
    planned = plan(standing, sends, ones)
    late = [one for one in ones if planned[one.id].cause is not None]
    for one in late[:2]:
        earlier = [two for two in ones if (two.from_ms, two.id) < (one.from_ms, one.id)]
        book = [*sends, *(Send(at_ms=planned[two.id].at_ms, chat=two.chat, reach=two.reach) for two in earlier)]
        at_ms = planned[one.id].at_ms
        for before_ms in {1, 500, (at_ms - one.from_ms) // 2, at_ms - one.from_ms}:
            if before_ms:
                sooner = waiting(one.id.int, at_ms - before_ms, one.chat, one.reach)
                assert only(standing, book, sooner).at_ms == at_ms


@given(st.uuids())
def test_the_jitter_is_a_messages_own(message: UUID) -> None:
    assert 0 <= jitter_s(message) < limits.SENDS_APART_JITTER_S
    assert jitter_s(message) == jitter_s(UUID(str(message)))
