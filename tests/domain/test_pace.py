"""The connect rate: it grows while all goes well, is halved when too many are refused, and its gaps are kept."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import limits
from domain.pace import Pace, begun, ceiling_per_s, ended, new_pace, room

NOW = 1_000_000
JUDGED = limits.CONNECTS_JUDGED
TOLERATED = int(limits.REFUSALS_TOLERATED * JUDGED)


def _pace(per_s: float = 10.0, **fields: float) -> Pace:
    return msgspec.structs.replace(Pace(per_s=per_s, ceiling_per_s=20.0), **fields)


def test_a_node_begins_below_what_its_processors_bear() -> None:
    pace = new_pace(2)
    assert pace.ceiling_per_s == ceiling_per_s(2) == 2 * limits.WAKE_CPU_SHARE / limits.WAKE_CPU_S
    assert limits.CONNECTS_PER_S_MIN <= pace.per_s < pace.ceiling_per_s
    assert ceiling_per_s(0) == limits.CONNECTS_PER_S_MIN


def test_after_a_rest_some_may_begin_together_and_then_one_each_gap() -> None:
    pace = _pace()
    begins = []
    for now_ms in range(NOW, NOW + 1000, 10):
        while room(pace, now_ms):
            pace = begun(pace, now_ms)
            begins.append(now_ms - NOW)
    assert begins == [0] * limits.CONNECTS_AT_ONCE + list(range(100, 1000, 100))


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=60))
def test_in_no_span_of_time_more_begin_than_the_rate_allows(waits: list[int]) -> None:
    pace, now_ms = _pace(), NOW
    begins: list[int] = []
    for wait in waits:
        now_ms += wait
        if room(pace, now_ms):
            pace = begun(pace, now_ms)
            begins.append(now_ms)
    for first, start in enumerate(begins):
        for last, end in enumerate(begins[first:]):
            assert last + 1 <= limits.CONNECTS_AT_ONCE + (end - start) / pace.gap_ms + 1e-6


def test_it_grows_by_about_one_a_second_while_all_of_it_is_used_and_stops_at_the_ceiling() -> None:
    pace = _pace(pressed=True)
    for _ in range(10):
        pace = ended(pace, NOW, refused=False)
    assert 10.9 < pace.per_s <= 11.0
    for _ in range(1000):
        pace = ended(pace, NOW, refused=False)
    assert pace.per_s == pace.ceiling_per_s


def test_what_is_not_used_proves_nothing() -> None:
    assert ended(_pace(), NOW, refused=False).per_s == 10.0
    rested = begun(_pace(free_at_ms=0), NOW)
    assert not rested.pressed
    assert begun(rested, NOW).pressed


def test_some_refusals_are_borne_and_too_many_halve_it_once() -> None:
    pace = _pace()
    for _ in range(TOLERATED):
        pace = ended(pace, NOW, refused=True)
    assert pace.per_s == 10.0
    pace = ended(pace, NOW, refused=True)
    assert pace.per_s == 5.0
    for _ in range(JUDGED):  # they were begun before
        pace = ended(pace, NOW + 1, refused=True)
    assert pace.per_s == 5.0
    later = NOW + int(limits.HALVING_DEAF_S * 1000)
    for _ in range(10 * JUDGED):
        pace = ended(pace, later, refused=True)
        later += int(limits.HALVING_DEAF_S * 1000)
    assert pace.per_s == limits.CONNECTS_PER_S_MIN


def test_two_percent_of_refusals_do_not_slow_it() -> None:
    pace = _pace()
    for number in range(1000):
        pace = ended(pace, NOW, refused=number % 50 == 0)
    assert pace.per_s == 10.0


def test_being_told_that_it_is_too_much_halves_it_at_once() -> None:
    assert ended(_pace(), NOW, refused=True, limited=True).per_s == 5.0


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3000)), max_size=100))
def test_the_rate_keeps_its_bounds(ends: list[tuple[bool, bool, int]]) -> None:
    pace, now_ms = new_pace(4), NOW
    for refused, limited, wait in ends:
        now_ms += wait
        pace = ended(begun(pace, now_ms), now_ms, refused=refused, limited=refused and limited)
        assert limits.CONNECTS_PER_S_MIN <= pace.per_s <= pace.ceiling_per_s


def test_no_room_before_its_time() -> None:
    assert room(_pace(free_at_ms=NOW + 1), NOW) == 0
    assert room(_pace(free_at_ms=NOW), NOW) == 1
    assert pytest.approx(_pace().gap_ms) == 100.0
