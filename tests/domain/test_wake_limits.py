"""How often an account is woken: the limits always hold, what can wait yields, and what is known ahead never waits."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import limits
from domain.hotset import ENRICHMENT, WantKind
from domain.wake_limits import HISTORY_MAX, RULES, SHARES, free_at_ms, stays_for_ms

SECOND = 1000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
APART = int(limits.WAKES_APART_S * SECOND)
LEAD = 4 * SECOND
LIVES = 5 * SECOND
"""A session that sends stays at least this long."""

kinds = st.sampled_from(WantKind)
gaps = st.lists(st.one_of(st.integers(0, 5 * 60), st.integers(0, 7200)), max_size=200)


def most_in(woken: list[int], window_ms: int) -> int:
    """The most wakes in any window of that length."""
    first, most = 0, 0
    for index, at in enumerate(woken):
        while woken[first] <= at - window_ms:
            first += 1
        most = max(most, index - first + 1)
    return most


@given(gaps, st.data())
def test_no_window_has_more_wakes_than_its_rule_allows(waits_s: list[int], data: st.DataObject) -> None:
    woken: list[int] = []
    now = 0
    for wait_s in waits_s:
        now += wait_s * SECOND
        kind = data.draw(kinds)
        now = max(now, free_at_ms(woken[-HISTORY_MAX:], kind))
        woken.append(now)
    assert all(later - before >= APART for before, later in itertools.pairwise(woken))
    for rule in RULES:
        assert most_in(woken, rule.window_ms) <= rule.most


@given(st.lists(st.integers(0, DAY), max_size=80).map(sorted), kinds)
def test_what_can_wait_yields_to_sends(woken: list[int], kind: WantKind) -> None:
    assert free_at_ms(woken, WantKind.DUE) <= free_at_ms(woken, kind)


@pytest.mark.parametrize("kind", [kind for kind in WantKind if kind is not WantKind.DUE])
def test_what_can_wait_leaves_wakes_for_sends(kind: WantKind) -> None:
    for rule in RULES:
        used = [at * rule.window_ms // (2 * rule.most) for at in range(int(rule.most * SHARES[kind]))]
        later = used[-1] + APART
        assert free_at_ms(used, kind) > later >= free_at_ms(used, WantKind.DUE)


def test_what_failed_is_tried_again_by_the_backoff_and_counts() -> None:
    assert free_at_ms([0], WantKind.DUE) == APART
    assert free_at_ms([0], WantKind.DUE, again=True) == 0
    full = [at * SECOND for at in range(limits.WAKES_PER_HOUR)]
    assert free_at_ms(full, WantKind.DUE, again=True) == HOUR


def test_an_account_that_sleeps_most_of_the_time_stays_for_nothing() -> None:
    assert stays_for_ms([], 0) == 0
    few = [at * 3 * HOUR for at in range(8)]
    assert stays_for_ms(few, few[-1] + APART) <= few[-1] + APART


def sends(dice: random.Random, days: int) -> list[int]:
    """Instants of sends over some days: as many as the spacing of an account lets leave, in all rhythms."""
    now, found = 0, []
    while now < days * DAY:
        pause = dice.choice((7, 30, 90, 300, 610, 720, 1400, 1450, 2900, 3000)) * SECOND
        for _ in range(dice.randint(1, 30)):
            now += int(pause * dice.uniform(1, 1.1))
            found.append(now)
    return found


@pytest.mark.parametrize("seed", range(50))
def test_sends_that_are_known_ahead_never_wait_however_soon_slots_are_taken_away(seed: int) -> None:
    """The worst that can be: somebody else needs the slot whenever it may be had."""
    dice = random.Random(seed)
    due = sends(dice, 6)
    woken = wakes_for(due)
    for rule in RULES:
        assert most_in(woken, rule.window_ms) <= rule.most


@pytest.mark.parametrize("minutes", [5, 6, 10, 15, 24, 40])
def test_who_sends_all_day_keeps_half_of_its_wakes_for_what_comes_unexpected(minutes: int) -> None:
    woken = wakes_for(list(range(DAY, 4 * DAY, minutes * 60 * SECOND)))
    for rule in RULES:
        assert most_in(woken, rule.window_ms) <= rule.half


def wakes_for(due: list[int]) -> list[int]:
    """Wakes for sends that are known ahead, when somebody else needs the slot whenever it may be had."""
    woken: list[int] = []
    awake_from = None
    for send, following in zip(due, [*due[1:], None], strict=True):
        if awake_from is None:
            start = send - LEAD
            assert free_at_ms(woken[-HISTORY_MAX:], WantKind.DUE) <= start
            woken.append(start)
        asleep = send + LIVES
        stays = following is not None and following - LEAD < max(asleep, stays_for_ms(woken[-HISTORY_MAX:], asleep))
        awake_from = send if stays else None
    return woken


@pytest.mark.parametrize("seed", range(5))
def test_in_sixty_days_of_everything_no_account_is_woken_more_than_the_policy_allows(seed: int) -> None:
    """Sends known ahead and at short notice, failures, first syncs cut short, wishes, health wakes; slots are scarce.

    What is due leaves in the end: it waits for an hour at most, and hardly ever.
    """
    dice = random.Random(seed)
    woken: list[int] = []
    waited: list[int] = []
    now = 0
    while now < 60 * DAY:
        kind = dice.choice((WantKind.DUE, WantKind.DUE, WantKind.DUE, WantKind.DUE, *WantKind))
        now += int(dice.choice((20, 70, 300, 1200, 3600, 3 * 3600)) * SECOND * dice.uniform(0.5, 1.5))
        failures = 0
        while True:
            again = failures > 0
            start = max(now, free_at_ms(woken[-HISTORY_MAX:], kind, again=again))
            if kind in ENRICHMENT and start > now:
                break  # nobody waits for it
            waited += [start - now] if kind is WantKind.DUE else []
            woken.append(start)
            now = start + LIVES
            if dice.random() > 0.1 or kind in ENRICHMENT:
                break
            failures += 1
            now += int((limits.FAST_RETRY_S, *limits.BACKOFF_S)[min(failures - 1, 6)] * SECOND)
    for rule in RULES:
        assert most_in(woken, rule.window_ms) <= rule.most
    assert len(woken) > 60 * 15
    assert max(waited) <= DAY
