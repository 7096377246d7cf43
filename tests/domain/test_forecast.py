"""The queue's predicted lateness: on time while both walls hold, then as late as rate and slots make it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import limits
from domain.forecast import MINUTE_MS, Crowd, Fleet, forecast

NOW_MS = 29_000_000 * MINUTE_MS
AT_MS = NOW_MS + 3_600_000
LEAD_MS = 4000


def late(accounts: int, *, slots: int = 1000, per_s: float = 1000.0, at_ms: int = AT_MS) -> int:
    crowd = Crowd(due_ms=at_ms, accounts=accounts, messages=accounts)
    (minute,) = forecast([crowd], NOW_MS, Fleet(slots=slots, per_s=per_s, lead_ms=LEAD_MS))
    return minute.late_ms


def test_what_fits_leaves_at_its_instant() -> None:
    assert late(100, slots=100) == 0
    assert forecast([], NOW_MS, Fleet(slots=5, per_s=1)) == []


def test_more_than_can_connect_ahead_leave_at_the_connect_rate() -> None:
    # Starts begin LOOK_AHEAD_S before the instant: ten a second for 16 s are ready by then, and one more each 0.1 s.
    ahead = int((limits.LOOK_AHEAD_S - LEAD_MS / 1000) * 10) + 1
    assert late(ahead, per_s=10) == 0
    assert late(ahead + 50, per_s=10) == 5000


def test_more_than_there_are_slots_wait_for_a_whole_session_of_another() -> None:
    assert late(6, slots=5) == LEAD_MS + limits.FORECAST_HOLD_S * 1000


def test_what_is_due_before_a_wake_can_end_is_late_by_the_rest_of_it() -> None:
    assert late(1, at_ms=NOW_MS + 1000) == LEAD_MS - 1000


def test_without_slots_nothing_leaves() -> None:
    assert late(1, slots=0) == limits.QUEUE_S * 1000


def test_a_minute_counts_all_its_messages_and_the_latest_of_them() -> None:
    crowds = [Crowd(due_ms=AT_MS + n * 1000, accounts=2, messages=3) for n in range(61)]
    minutes = forecast(crowds, NOW_MS, Fleet(slots=5, per_s=10, lead_ms=LEAD_MS))
    assert [(minute.begins_ms, minute.messages) for minute in minutes] == [(AT_MS, 180), (AT_MS + MINUTE_MS, 3)]
    assert minutes[0].late_ms > 0


def test_crowds_out_of_order_are_refused() -> None:
    crowds = [Crowd(due_ms=AT_MS + n, accounts=1, messages=1) for n in (1, 0)]
    with pytest.raises(ValueError, match="ascend"):
        forecast(crowds, NOW_MS, Fleet(slots=5, per_s=10))


@given(
    st.lists(st.tuples(st.integers(0, 600_000), st.integers(1, 30)), max_size=20),
    st.integers(1, 20),
    st.floats(0.5, 50),
)
def test_more_slots_and_a_faster_rate_make_nothing_later(
    crowds: list[tuple[int, int]], slots: int, per_s: float
) -> None:
    queue = [Crowd(due_ms=NOW_MS + at, accounts=n, messages=n) for at, n in sorted(crowds)]

    def latest(slots: int, per_s: float) -> int:
        fleet = Fleet(slots=slots, per_s=per_s, lead_ms=LEAD_MS)
        return max((one.late_ms for one in forecast(queue, NOW_MS, fleet)), default=0)

    assert 0 <= latest(slots + 5, per_s) <= latest(slots, per_s)
    assert latest(slots, per_s * 2) <= latest(slots, per_s) + LEAD_MS
