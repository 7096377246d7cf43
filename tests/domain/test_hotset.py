"""The planner on random worlds: what holds for every plan."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import limits
from domain.account import Run
from domain.hotset import KEEP_IF_NEEDED_WITHIN_MS, Holder, Want, WantKind, may_sleep, plan

NOW = 1_000_000
ENRICHMENT = (WantKind.STICKY, WantKind.HEALTH)
WORLDS = settings(max_examples=400, deadline=None)

kinds = st.sampled_from(WantKind)
runs = st.sampled_from([Run.CONNECTING, Run.HOT, Run.DISCONNECTING])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[int, tuple[Holder, ...], tuple[Want, ...]]:
    slots = draw(st.integers(1, 8))
    holders = tuple(
        Holder(
            account=f"h{index}",
            kind=draw(kinds),
            run=draw(runs),
            evictable=draw(st.booleans()),
            next_use_ms=draw(st.none() | st.integers(NOW, NOW + 2 * KEEP_IF_NEEDED_WITHIN_MS)),
            sticky_left_ms=draw(st.integers(0, 900_000)),
        )
        for index in range(draw(st.integers(0, slots)))
    )
    wants = tuple(
        Want(
            account=f"w{index}",
            kind=draw(kinds),
            ready_at_ms=draw(st.integers(NOW - 5_000, NOW + 5_000)),
            lead_ms=draw(st.integers(0, 4_000)),
            not_before_ms=draw(st.sampled_from([0, NOW - 1, NOW + 2_000])),
        )
        for index in range(draw(st.integers(0, 12)))
    )
    return slots, holders, wants


def _ripe(wants: tuple[Want, ...]) -> list[Want]:
    return [want for want in wants if want.start_at_ms <= NOW]


@WORLDS
@given(worlds())
def test_slots_are_never_exceeded(world: tuple[int, tuple[Holder, ...], tuple[Want, ...]]) -> None:
    slots, holders, wants = world
    decided = plan(NOW, slots, holders, wants)
    assert len(holders) + len(decided.grants) <= slots


@WORLDS
@given(worlds())
def test_nobody_is_woken_before_the_time_or_during_a_wait(
    world: tuple[int, tuple[Holder, ...], tuple[Want, ...]],
) -> None:
    decided = plan(NOW, *world)
    assert all(want.start_at_ms <= NOW and want.not_before_ms <= NOW for want in decided.grants)


@WORLDS
@given(worlds())
def test_enrichment_never_goes_ahead_of_a_send_and_leaves_a_slot_free(
    world: tuple[int, tuple[Holder, ...], tuple[Want, ...]],
) -> None:
    slots, holders, wants = world
    decided = plan(NOW, slots, holders, wants)
    enriched = [want for want in decided.grants if want.kind in ENRICHMENT]
    sends = {want.account for want in _ripe(wants) if want.kind is WantKind.DUE}
    if enriched:
        assert sends <= {want.account for want in decided.grants}
        assert len(holders) + len(decided.grants) < slots


@WORLDS
@given(worlds())
def test_the_earliest_sends_are_granted_first(world: tuple[int, tuple[Holder, ...], tuple[Want, ...]]) -> None:
    decided = plan(NOW, *world)
    granted = {want.account for want in decided.grants}
    sends = sorted(
        (want for want in _ripe(world[2]) if want.kind is WantKind.DUE),
        key=lambda want: (want.ready_at_ms, want.account),
    )
    flags = [want.account in granted for want in sends]
    assert flags == sorted(flags, reverse=True)


@WORLDS
@given(worlds())
def test_pairings_have_a_cap(world: tuple[int, tuple[Holder, ...], tuple[Want, ...]]) -> None:
    slots, holders, wants = world
    before = sum(holder.kind is WantKind.PAIRING for holder in holders)
    granted = sum(want.kind is WantKind.PAIRING for want in plan(NOW, slots, holders, wants).grants)
    assert granted == 0 or before + granted <= limits.PAIRING_SLOTS_MAX


@WORLDS
@given(worlds())
def test_only_who_can_go_is_asked_to_and_no_more_than_needed(
    world: tuple[int, tuple[Holder, ...], tuple[Want, ...]],
) -> None:
    slots, holders, wants = world
    decided = plan(NOW, slots, holders, wants)
    known = {holder.account: holder for holder in holders}
    leaving = sum(holder.run is Run.DISCONNECTING for holder in holders)
    granted = {want.account for want in decided.grants}
    short = sum(want.account not in granted and want.kind not in ENRICHMENT for want in _ripe(wants))
    assert len(decided.releases) <= max(0, short - leaving)
    for account in decided.releases:
        holder = known[account]
        assert holder.run is not Run.DISCONNECTING
        assert holder.evictable or holder.kind in ENRICHMENT


@WORLDS
@given(worlds())
def test_it_says_when_the_next_wake_begins(world: tuple[int, tuple[Holder, ...], tuple[Want, ...]]) -> None:
    later = [want.start_at_ms for want in world[2] if want.start_at_ms > NOW]
    assert plan(NOW, *world).again_at_ms == min(later, default=None)


def test_an_idle_session_whose_next_use_is_furthest_goes_first_and_then_the_sticky_one_with_least_left() -> None:
    holders = (
        Holder(account="soon", kind=WantKind.DUE, run=Run.HOT, evictable=True, next_use_ms=NOW + 1),
        Holder(account="never", kind=WantKind.DUE, run=Run.HOT, evictable=True),
        Holder(account="fresh", kind=WantKind.STICKY, run=Run.HOT, sticky_left_ms=900),
        Holder(account="done", kind=WantKind.STICKY, run=Run.HOT, sticky_left_ms=10),
        Holder(account="busy", kind=WantKind.DUE, run=Run.HOT),
    )
    wants = tuple(Want(account=f"w{n}", kind=WantKind.DUE, ready_at_ms=NOW) for n in range(9))
    assert plan(NOW, 5, holders, wants).releases == ("never", "soon", "done", "fresh")


def test_an_account_wants_one_slot() -> None:
    want = Want(account="a", kind=WantKind.DUE, ready_at_ms=NOW)
    with pytest.raises(ValueError, match="two slots"):
        plan(NOW, 5, (), (want, want))


@pytest.mark.parametrize(
    ("evictable", "next_use_ms", "sleeps"),
    [
        (True, None, True),
        (True, NOW + KEEP_IF_NEEDED_WITHIN_MS + 1, True),
        (True, NOW + KEEP_IF_NEEDED_WITHIN_MS, False),
        (False, None, False),
    ],
)
def test_an_idle_session_sleeps_unless_it_is_needed_soon(
    evictable: bool, next_use_ms: int | None, sleeps: bool
) -> None:
    holder = Holder(account="a", kind=WantKind.DUE, run=Run.HOT, evictable=evictable, next_use_ms=next_use_ms)
    assert may_sleep(NOW, holder) is sleeps
