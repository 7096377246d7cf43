"""Random worlds for the planner: snapshots of every kind that can be."""

import msgspec
from hypothesis import strategies as st

from domain import limits
from domain.account import Run
from domain.hotset import Holder, Snapshot, Want, WantKind
from domain.pace import Pace

NOW = 1_000_000_000
SOON_MS = 12_000

_runs = st.sampled_from([Run.CONNECTING, Run.HOT, Run.HOT, Run.DISCONNECTING])
_holders = st.tuples(
    st.sampled_from(WantKind),
    _runs,
    st.booleans(),
    st.none() | st.integers(-SOON_MS, SOON_MS) | st.integers(0, 3_600_000),
    st.integers(0, 900_000),
    st.none() | st.integers(0, 2 * int(limits.TURN_S * 1000)),
    st.integers(0, 5).map(lambda one: one == 5),
    st.integers(0, 3).map(lambda one: one == 3),
)
_wants = st.tuples(
    st.sampled_from([WantKind.DUE, WantKind.DUE, *WantKind]),
    st.integers(-SOON_MS, SOON_MS),
    st.sampled_from([0, 0, 2_000, 300_000]),
    st.integers(0, 4_000),
    st.sampled_from([0, 0, NOW - 1, NOW + 2_000]),
    st.sampled_from([0, 0, 0, NOW - 500]),
)
_paces = st.none() | st.builds(
    Pace, per_s=st.floats(1, 40), ceiling_per_s=st.just(40.0), free_at_ms=st.integers(NOW - 1_000, NOW + 300)
)


@st.composite
def worlds(draw: st.DrawFn) -> Snapshot:
    """Any snapshot; sometimes with more holders than slots, for slots may have been taken away."""
    slots = draw(st.integers(1, 8))
    holders = tuple(
        Holder(
            account=f"h{index}",
            kind=kind,
            run=run,
            evictable=evictable,
            next_use_ms=None if next_use is None else NOW + next_use,
            sticky_left_ms=left,
            busy_since_ms=None if busy is None or evictable else NOW - busy,
            yielding=yielding,
            sparing=sparing,
        )
        for index, (kind, run, evictable, next_use, left, busy, yielding, sparing) in enumerate(
            draw(st.lists(_holders, max_size=slots + 2))
        )
    )
    wants = tuple(
        Want(
            account=f"w{index}",
            kind=kind,
            ready_at_ms=NOW + ready,
            latest_ms=NOW + ready + window,
            lead_ms=lead,
            not_before_ms=not_before,
            turn_ms=turn,
        )
        for index, (kind, ready, window, lead, not_before, turn) in enumerate(draw(st.lists(_wants, max_size=12)))
    )
    return Snapshot(now_ms=NOW, slots=slots, holders=holders, wants=wants, pace=draw(_paces))


def shuffled(world: Snapshot) -> Snapshot:
    """The same world told in another order."""
    return msgspec.structs.replace(world, holders=world.holders[::-1], wants=world.wants[::-1])
