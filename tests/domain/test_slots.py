"""Slots from memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import limits
from domain.slots import Memory, budget_bytes, first_slots, next_slots, slots_in

GB = 10**9
memories = st.builds(Memory, free_bytes=st.integers(0, 64 * GB), pressure=st.floats(0, 100))


@pytest.mark.parametrize(
    ("budget", "slots"),
    [
        (-1, limits.HOT_SLOTS_MIN),
        (0, limits.HOT_SLOTS_MIN),
        (limits.SESSIONS_SHARED_BYTES + 10 * limits.SESSION_BYTES, 10),
        (limits.SESSIONS_SHARED_BYTES + 11 * limits.SESSION_BYTES - 1, 10),
        (1 << 50, limits.HOT_SLOTS_MAX),
    ],
)
def test_as_many_as_fit_within_the_bounds(budget: int, slots: int) -> None:
    assert slots_in(budget) == slots


def test_a_share_of_what_is_free_without_the_peaks_of_pairings() -> None:
    free = 4 * GB
    assert budget_bytes(free, 0) == free * limits.HOT_MEMORY_SHARE - limits.PAIRING_SLOTS_MAX * limits.PAIRING_BYTES
    assert first_slots(Memory(free_bytes=free)) == slots_in(budget_bytes(free, 0))


def test_sessions_of_the_reckoned_size_change_nothing() -> None:
    free = 4 * GB
    for live in (0, 50, 100):
        assert budget_bytes(free - live * limits.SESSION_BYTES, live) == budget_bytes(free, 0)


def test_sessions_larger_than_reckoned_leave_fewer_slots() -> None:
    live, free = 60, 4 * GB
    assert next_slots(139, live, Memory(free_bytes=free - 2 * live * limits.SESSION_BYTES)) < 139


def test_pressure_sends_some_of_the_live_ones_to_sleep_and_growth_comes_slowly_and_in_peace() -> None:
    plenty = 16 * GB
    assert next_slots(100, 80, Memory(free_bytes=plenty, pressure=limits.PRESSURE_HIGH_PERCENT + 1)) == 72
    assert next_slots(100, 80, Memory(free_bytes=plenty, pressure=limits.PRESSURE_LOW_PERCENT + 1)) == 100
    assert next_slots(100, 80, Memory(free_bytes=plenty)) == 110
    assert next_slots(5, 5, Memory(free_bytes=plenty)) == 6


@settings(max_examples=1000, deadline=None)
@given(st.integers(limits.HOT_SLOTS_MIN, limits.HOT_SLOTS_MAX), st.integers(0, limits.HOT_SLOTS_MAX), memories)
def test_a_node_keeps_its_bounds_whatever_happens(slots: int, live: int, memory: Memory) -> None:
    after = next_slots(slots, min(live, slots), memory)
    assert limits.HOT_SLOTS_MIN <= after <= limits.HOT_SLOTS_MAX
    if memory.pressure > limits.PRESSURE_LOW_PERCENT:
        assert after <= slots
