"""Merging and laying backwards: small cases by hand, what always holds by dice."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.wakes import Use, lay_backwards, lot, merge

MANY = settings(max_examples=2000, deadline=None)


def _uses(*windows: tuple[int, int]) -> list[Use]:
    return [Use(earliest_ms=earliest, latest_ms=latest) for earliest, latest in windows]


@pytest.mark.parametrize(
    ("windows", "wakes"),
    [
        ([], []),
        ([(5, 5)], [(5, 5, 1)]),
        ([(5, 5), (5, 5)], [(5, 5, 2)]),
        ([(5, 5), (6, 6)], [(5, 5, 1), (6, 6, 1)]),
        ([(0, 10), (5, 5)], [(5, 5, 2)]),  # the one with a window comes along with the exact one
        ([(0, 10), (5, 15)], [(5, 10, 2)]),
        ([(0, 10), (5, 15), (11, 20)], [(5, 10, 2), (11, 20, 1)]),
        ([(20, 30), (0, 40), (32, 50)], [(20, 30, 2), (32, 50, 1)]),
    ],
)
def test_uses_whose_windows_meet_are_one_wake(
    windows: list[tuple[int, int]], wakes: list[tuple[int, int, int]]
) -> None:
    assert [(wake.earliest_ms, wake.latest_ms, len(wake.uses)) for wake in merge(_uses(*windows))] == wakes


windows = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda pair: (pair[0], sum(pair))), max_size=8)


@MANY
@given(windows)
def test_each_use_is_in_one_wake_and_each_wake_is_on_time_for_all_of_its_uses(found: list[tuple[int, int]]) -> None:
    uses = _uses(*found)
    wakes = merge(uses)
    assert sorted((use.earliest_ms, use.latest_ms) for wake in wakes for use in wake.uses) == sorted(found)
    for wake in wakes:
        assert wake.earliest_ms <= wake.latest_ms
        assert all(use.earliest_ms <= wake.earliest_ms and wake.latest_ms <= use.latest_ms for use in wake.uses)


@MANY
@given(windows)
def test_no_fewer_wakes_would_do(found: list[tuple[int, int]]) -> None:
    """As many uses as there are wakes have windows of which no two meet, so each needs a wake of its own."""
    apart = [wake.uses[0] for wake in merge(_uses(*found))]
    assert all(before.latest_ms < after.earliest_ms for before, after in itertools.pairwise(apart))


@pytest.mark.parametrize(
    ("latest", "gap", "starts"),
    [
        ([], 50, []),
        ([100], 50, [100]),
        ([100, 100, 100], 50, [0, 50, 100]),
        ([100, 300], 50, [100, 300]),
        ([100, 120, 300], 50, [70, 120, 300]),
        ([10, 20, 30], 0, [10, 20, 30]),
    ],
)
def test_many_due_at_one_instant_start_one_after_another_before_it(
    latest: list[int], gap: float, starts: list[int]
) -> None:
    assert lay_backwards(latest, gap) == starts


@MANY
@given(st.lists(st.integers(0, 1000), max_size=20).map(sorted), st.integers(0, 100))
def test_starts_keep_the_rate_are_never_too_late_and_no_earlier_than_that_needs(latest: list[int], gap: int) -> None:
    starts = lay_backwards(latest, gap)
    assert all(start <= at for start, at in zip(starts, latest, strict=True))
    assert all(after - before >= gap for before, after in itertools.pairwise(starts))
    for place, start in enumerate(starts):
        assert start == latest[place] or start == starts[place + 1] - gap


def test_latest_starts_come_in_order() -> None:
    with pytest.raises(ValueError, match="ascend"):
        lay_backwards([2, 1], 1)


def test_nobody_is_last_at_each_instant() -> None:
    accounts = [f"account-{number}" for number in range(5)]
    last = {max(accounts, key=lambda one: lot(one, day * 86_400_000)) for day in range(60)}
    assert last == set(accounts)
