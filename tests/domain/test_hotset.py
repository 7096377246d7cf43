"""The planner on ten thousand random worlds: what holds for every plan, each invariant in words."""

import math

from hypothesis import HealthCheck, given, settings

from domain import limits
from domain.account import Run
from domain.hotset import ENRICHMENT, Holder, Plan, Snapshot, Want, WantKind, plan, urgency
from domain.pace import begun, room
from tests.domain.hot_worlds import NOW, shuffled, worlds

WORLDS = settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))


def ripe(world: Snapshot) -> list[Want]:
    """Wants whose latest start has come, most urgent first."""
    return sorted((want for want in world.wants if want.latest_start_ms <= NOW), key=urgency)


def holders_by_account(world: Snapshot) -> dict[str, Holder]:
    return {holder.account: holder for holder in world.holders}


def never_more_than_slots(world: Snapshot, decided: Plan) -> None:
    assert not decided.grants or len(world.holders) + len(decided.grants) <= world.slots


def no_more_connects_than_the_pace_allows(world: Snapshot, decided: Plan) -> None:
    assert world.pace is None or len(decided.grants) <= room(world.pace, NOW)


def nobody_is_woken_during_a_wait(world: Snapshot, decided: Plan) -> None:
    assert all(want.not_before_ms <= NOW for want in decided.grants)


def nobody_is_woken_twice(world: Snapshot, decided: Plan) -> None:
    accounts = [want.account for want in decided.grants]
    assert len(set(accounts)) == len(accounts)
    assert not set(accounts) & {holder.account for holder in world.holders}


def a_due_send_never_waits_behind_enrichment(world: Snapshot, decided: Plan) -> None:
    if any(want.kind in ENRICHMENT for want in decided.grants):
        granted = {want.account for want in decided.grants}
        assert all(want.account in granted for want in ripe(world) if want.kind is WantKind.DUE)


def a_due_send_that_finds_all_slots_taken_has_enrichment_give_way(world: Snapshot, decided: Plan) -> None:
    waits = [want for want in ripe(world) if want.kind is WantKind.DUE and want not in decided.grants]
    given_up = {holder.account for holder in world.holders if holder.run is Run.DISCONNECTING} | set(decided.releases)
    left = [
        holder
        for holder in world.holders
        if holder.kind in ENRICHMENT and not holder.evictable and holder.account not in given_up
    ]
    full = len(world.holders) >= world.slots
    assert not (waits and full and left and len(given_up) <= len(world.holders) - world.slots)


def one_slot_is_always_free_of_sticky(world: Snapshot, decided: Plan) -> None:
    if any(want.kind in ENRICHMENT for want in decided.grants):
        enriched = sum(one.kind in ENRICHMENT for one in (*world.holders, *decided.grants))
        assert enriched <= world.slots - 1
        assert len(world.holders) + len(decided.grants) < world.slots


def a_wake_never_starts_later_than_its_latest_start_when_a_slot_is_free(world: Snapshot, decided: Plan) -> None:
    free = world.slots - len(world.holders) - len(decided.grants)
    connects = free if world.pace is None else room(world.pace, NOW) - len(decided.grants)
    if min(free, connects) > 0:
        late = [want for want in ripe(world) if want not in decided.grants]
        assert all(want.kind is WantKind.PAIRING or want.kind in ENRICHMENT for want in late)


def the_most_urgent_go_first(world: Snapshot, decided: Plan) -> None:
    queue = [want for want in ripe(world) if want.kind in (WantKind.DUE, WantKind.WISH)]
    granted = [want in decided.grants for want in queue]
    assert granted == sorted(granted, reverse=True)


def who_has_time_takes_nothing_from_who_has_none(world: Snapshot, decided: Plan) -> None:
    early = [want for want in decided.grants if want.latest_start_ms > NOW]
    if any(want.latest_start_ms > NOW + limits.WAKE_HOLDS_S * 1000 for want in early):
        granted = {want.account for want in decided.grants}
        assert all(want.account in granted for want in ripe(world) if want.kind in (WantKind.DUE, WantKind.WISH))


def pairing_has_a_cap(world: Snapshot, decided: Plan) -> None:
    before = sum(holder.kind is WantKind.PAIRING for holder in world.holders)
    granted = sum(want.kind is WantKind.PAIRING for want in decided.grants)
    assert granted == 0 or before + granted <= limits.PAIRING_SLOTS_MAX


def only_who_can_go_is_asked_to(world: Snapshot, decided: Plan) -> None:
    assert len(set(decided.releases)) == len(decided.releases)
    for account in decided.releases:
        holder = holders_by_account(world)[account]
        assert holder.run is not Run.DISCONNECTING
        assert (holder.evictable and holder.run is Run.HOT) or holder.kind in ENRICHMENT


def nobody_goes_unless_somebody_needs_the_slot(world: Snapshot, decided: Plan) -> None:
    excess = max(0, len(world.holders) - world.slots)
    yielding = sum(holder.yielding for holder in world.holders)
    soon = NOW + limits.EMPTY_AHEAD_S * 1000
    needs = sum(
        want not in decided.grants and (want.opens_ms <= NOW or want.latest_start_ms <= soon or world.pace is not None)
        for want in world.wants
    )
    assert len(decided.releases) <= excess + yielding + needs


def the_furthest_next_use_goes_first(world: Snapshot, decided: Plan) -> None:
    never = 1 << 62
    known = holders_by_account(world)
    idle = [one for one in known.values() if one.evictable and one.run is Run.HOT and not one.yielding]
    idle = [one for one in idle if not one.sparing]
    uses = {one.account: never if one.next_use_ms is None else one.next_use_ms for one in idle}
    gone = [uses[account] for account in decided.releases if account in uses and known[account].kind not in ENRICHMENT]
    kept = [use for account, use in uses.items() if account not in decided.releases]
    assert not gone or not kept or min(gone) >= max(kept)


def who_was_woken_often_goes_last_and_never_for_enrichment(world: Snapshot, decided: Plan) -> None:
    known = holders_by_account(world)
    can_go = {one.account for one in known.values() if one.evictable and one.run is Run.HOT and not one.yielding}
    gone = {account for account in decided.releases if account in can_go and known[account].sparing}
    if gone:
        left = [known[account] for account in can_go if account not in decided.releases and not known[account].sparing]
        soon = NOW + limits.MERGE_S * 1000
        assert all(one.next_use_ms is not None for one in left)
        if len(world.holders) <= world.slots:
            latest = max(soon, *(want.ready_at_ms for want in world.wants))
            assert all(one.next_use_ms is not None and one.next_use_ms <= latest for one in left)
            waits = [want for want in world.wants if want.kind not in ENRICHMENT and want not in decided.grants]
            assert len(gone) <= len(waits)


def what_is_needed_at_once_is_one_wake(world: Snapshot, decided: Plan) -> None:
    """Sends a few seconds apart are merged: who sends in between is not sent to sleep, unless slots were taken away."""
    if len(world.holders) > world.slots:
        return
    for account in decided.releases:
        holder = holders_by_account(world)[account]
        if holder.kind not in ENRICHMENT and not holder.yielding:
            assert holder.next_use_ms is None or holder.next_use_ms > NOW + limits.MERGE_S * 1000


def the_first_sync_with_least_budget_left_goes_first(world: Snapshot, decided: Plan) -> None:
    syncs = [
        holder
        for holder in world.holders
        if holder.kind is WantKind.STICKY
        and holder.run in (Run.HOT, Run.CONNECTING)
        and not (holder.evictable and holder.run is Run.HOT)
    ]
    gone = [holder.sticky_left_ms for holder in syncs if holder.account in decided.releases]
    kept = [holder.sticky_left_ms for holder in syncs if holder.account not in decided.releases]
    assert not gone or not kept or max(gone) <= min(kept)


def who_sends_for_long_ends_its_turn_only_when_others_wait(world: Snapshot, decided: Plan) -> None:
    for account in decided.turns:
        holder = holders_by_account(world)[account]
        assert holder.busy_since_ms is not None and holder.busy_since_ms + limits.TURN_S * 1000 <= NOW
        assert not holder.yielding
    waiting = sum(want not in decided.grants and want.kind not in ENRICHMENT for want in world.wants)
    assert len(decided.turns) <= waiting


def whose_turn_is_over_goes_as_soon_as_it_can(world: Snapshot, decided: Plan) -> None:
    for holder in world.holders:
        if holder.yielding and holder.evictable and holder.run is Run.HOT:
            assert holder.account in decided.releases


def it_looks_again_before_the_next_start(world: Snapshot, decided: Plan) -> None:
    """But not before the pace lets it begin anything. Pairings beyond the cap wait for one of their own to end."""
    pace = world.pace
    for _ in decided.grants:
        pace = None if pace is None else begun(pace, NOW)
    free_at_ms = 0 if pace is None else math.ceil(pace.free_at_ms)
    starts = [
        want.latest_start_ms
        for want in world.wants
        if want.latest_start_ms > NOW and want.kind is not WantKind.PAIRING and want not in decided.grants
    ]
    if starts:
        assert decided.again_at_ms is not None and NOW < decided.again_at_ms <= max(min(starts), free_at_ms)


def who_waits_for_the_pace_alone_is_looked_at_when_it_allows(world: Snapshot, decided: Plan) -> None:
    pace = world.pace
    for _ in decided.grants:
        pace = None if pace is None else begun(pace, NOW)
    free = world.slots - len(world.holders) - len(decided.grants)
    late = [want for want in ripe(world) if want.kind in (WantKind.DUE, WantKind.WISH) and want not in decided.grants]
    if late and free > 0:
        assert pace is not None and decided.again_at_ms is not None
        assert decided.again_at_ms <= math.ceil(pace.free_at_ms)


def it_decides_the_same_in_whatever_order_it_is_told(world: Snapshot, decided: Plan) -> None:
    again = plan(shuffled(world))
    assert (again.grants, again.releases, again.turns) == (decided.grants, decided.releases, decided.turns)


INVARIANTS = (
    never_more_than_slots,
    no_more_connects_than_the_pace_allows,
    nobody_is_woken_during_a_wait,
    nobody_is_woken_twice,
    a_due_send_never_waits_behind_enrichment,
    a_due_send_that_finds_all_slots_taken_has_enrichment_give_way,
    one_slot_is_always_free_of_sticky,
    a_wake_never_starts_later_than_its_latest_start_when_a_slot_is_free,
    the_most_urgent_go_first,
    who_has_time_takes_nothing_from_who_has_none,
    pairing_has_a_cap,
    only_who_can_go_is_asked_to,
    nobody_goes_unless_somebody_needs_the_slot,
    the_furthest_next_use_goes_first,
    who_was_woken_often_goes_last_and_never_for_enrichment,
    what_is_needed_at_once_is_one_wake,
    the_first_sync_with_least_budget_left_goes_first,
    who_sends_for_long_ends_its_turn_only_when_others_wait,
    whose_turn_is_over_goes_as_soon_as_it_can,
    it_looks_again_before_the_next_start,
    who_waits_for_the_pace_alone_is_looked_at_when_it_allows,
    it_decides_the_same_in_whatever_order_it_is_told,
)


@WORLDS
@given(worlds())
def test_every_plan_keeps_every_invariant(world: Snapshot) -> None:
    decided = plan(world)
    for invariant in INVARIANTS:
        invariant(world, decided)
