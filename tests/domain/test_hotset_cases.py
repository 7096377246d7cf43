"""The planner by hand: small worlds, one rule each."""

import msgspec
import pytest

from domain import limits
from domain.account import Run
from domain.hotset import Holder, Plan, Snapshot, Want, WantKind, may_sleep, plan
from domain.pace import Pace

NOW = 1_000_000_000
LEAD_MS = 4_000
TURN_MS = int(limits.TURN_S * 1000)
MERGE_MS = int(limits.MERGE_S * 1000)
KEEP_MS = int(limits.KEEP_S * 1000)
HALF_EACH_SECOND = Pace(per_s=2.0, ceiling_per_s=2.0, free_at_ms=NOW)


def want(account: str, kind: WantKind = WantKind.DUE, in_ms: int = 0, window_ms: int = 0, **fields: int) -> Want:
    """Ready in `in_ms`, or at most `window_ms` later."""
    ready_at_ms = NOW + in_ms
    return Want(account=account, kind=kind, ready_at_ms=ready_at_ms, latest_ms=ready_at_ms + window_ms, **fields)


def idle(account: str, next_use_in_ms: int | None = None) -> Holder:
    """A session that has done what correctness needs."""
    next_use_ms = None if next_use_in_ms is None else NOW + next_use_in_ms
    return Holder(account=account, kind=WantKind.DUE, run=Run.HOT, evictable=True, next_use_ms=next_use_ms)


def busy(account: str, since_ms: int = 0, kind: WantKind = WantKind.DUE, *, yielding: bool = False) -> Holder:
    """A session that has been sending for `since_ms`."""
    return Holder(account=account, kind=kind, run=Run.HOT, busy_since_ms=NOW - since_ms, yielding=yielding)


def sync(account: str, left_ms: int) -> Holder:
    """A first sync."""
    return Holder(account=account, kind=WantKind.STICKY, run=Run.HOT, sticky_left_ms=left_ms)


def leaving(account: str) -> Holder:
    """A session that closes."""
    return Holder(account=account, kind=WantKind.DUE, run=Run.DISCONNECTING)


def decide(slots: int, holders: list[Holder], wants: list[Want], pace: Pace | None = None) -> Plan:
    """The plan for a world."""
    return plan(Snapshot(now_ms=NOW, slots=slots, holders=tuple(holders), wants=tuple(wants), pace=pace))


def granted(decided: Plan) -> list[str]:
    """To whom, in order."""
    return [one.account for one in decided.grants]


def test_who_was_woken_often_keeps_its_slot_until_nobody_else_can_go() -> None:
    often = msgspec.structs.replace(idle("often", next_use_in_ms=900_000), sparing=True)
    assert decide(2, [often, idle("soon", next_use_in_ms=60_000)], [want("a")]).releases == ("soon",)
    assert decide(2, [often, sync("sync", 5)], [want("a")]).releases == ("sync",)
    assert decide(2, [often, busy("b")], [want("a")]).releases == ("often",)
    assert decide(2, [often, busy("b")], [want("a", kind=WantKind.HEALTH)]).releases == ()
    assert not may_sleep(NOW, often)


def test_nothing_to_do() -> None:
    assert decide(5, [], []) == Plan(grants=(), releases=(), turns=(), again_at_ms=None)


def test_who_could_not_begin_ahead_is_looked_at_when_it_must_begin() -> None:
    """At its latest start a wake may take what was kept for others, so that instant is one to plan at."""
    waiting = [want("a", in_ms=-1_000, window_ms=1_300), want("c", in_ms=-1_000, window_ms=1_600)]
    one_each_second = Pace(per_s=1.0, ceiling_per_s=1.0, free_at_ms=NOW)
    decided = decide(2, [busy("b"), busy("d")], waiting, one_each_second)
    assert granted(decided) == []
    assert decided.again_at_ms == NOW + 300


def test_a_wake_begins_its_lead_before_its_instant_and_not_sooner() -> None:
    assert granted(decide(5, [], [want("a", in_ms=LEAD_MS, lead_ms=LEAD_MS)])) == ["a"]
    early = decide(5, [], [want("a", in_ms=LEAD_MS + 1, lead_ms=LEAD_MS)])
    assert (granted(early), early.again_at_ms) == ([], NOW + 1)


def test_a_wake_with_time_to_spare_begins_sooner_while_there_is_room() -> None:
    spare = want("a", in_ms=12_000, lead_ms=LEAD_MS, spare_ms=9_000)
    assert granted(decide(5, [], [spare])) == ["a"]
    urgent = want("b", in_ms=LEAD_MS + 500, lead_ms=LEAD_MS)
    assert granted(decide(1, [], [urgent, spare])) == []  # the one slot is kept for who needs it first
    assert decide(5, [], [want("a", in_ms=13_001, lead_ms=LEAD_MS, spare_ms=9_000)]).again_at_ms == NOW + 1


def test_who_is_due_first_goes_first_whatever_the_leads() -> None:
    wants = [want("late", in_ms=-1), want("later", in_ms=0), want("far", in_ms=900, lead_ms=9_000)]
    assert granted(decide(2, [], wants)) == ["late", "later"]
    assert granted(decide(1, [], [want("soon", in_ms=500), wants[2]])) == ["far"]  # it is time for that one only


def test_who_connects_quickly_is_not_always_last() -> None:
    def leaves_last(day: int) -> str:
        wants = [want(f"{lead_ms}", in_ms=-day, lead_ms=lead_ms) for lead_ms in (0, 1_000, 2_000, 3_000)]
        return granted(decide(4, [], wants))[-1]

    assert {leaves_last(day) for day in range(60)} == {"0", "1000", "2000", "3000"}


def test_starts_are_laid_backwards_when_the_rate_does_not_let_them_begin_together() -> None:
    """Four due in 1.5 s at two connects a second: at 0, 0.5, 1 and 1.5 s. A fifth finds no slot."""
    four = [want(name, in_ms=1_500) for name in "abcd"]
    first = decide(4, [], four, HALF_EACH_SECOND)
    assert (len(first.grants), first.again_at_ms) == (1, NOW + 500)
    assert decide(4, [], four).grants == ()
    assert decide(4, [], [*four, want("e", in_ms=1_500)], HALF_EACH_SECOND).grants == first.grants


def test_a_person_with_a_code_stands_in_the_same_queue() -> None:
    wants = [want("due", in_ms=-500), want("pair", WantKind.PAIRING, in_ms=-900), want("next", in_ms=-100)]
    assert granted(decide(2, [], wants)) == ["pair", "due"]


def test_pairings_beyond_the_cap_take_nothing_from_others() -> None:
    pairings = [want(f"p{number}", WantKind.PAIRING, in_ms=number - 99) for number in range(4)]
    decided = decide(5, [busy("linking", kind=WantKind.PAIRING)], [*pairings, want("due")])
    assert granted(decided) == ["p0", "due"]


def test_enrichment_takes_what_is_left_and_one_slot_never() -> None:
    syncs = [want(f"s{number}", WantKind.STICKY, window_ms=60_000, in_ms=number - 9) for number in range(3)]
    assert granted(decide(3, [], syncs)) == ["s0", "s1"]
    assert granted(decide(3, [], [*syncs, want("due")])) == ["due", "s0"]
    assert granted(decide(3, [], [*syncs, want("soon", in_ms=5_000)])) == ["s0"]  # a slot is kept for it


def test_a_due_send_has_the_first_sync_with_least_budget_left_give_way() -> None:
    holders = [sync("fresh", 900_000), sync("done", 10), busy("sending")]
    assert decide(3, holders, [want("due")]).releases == ("done",)
    assert decide(3, [*holders[:2], leaving("x")], [want("due")]).releases == ()  # a slot is on its way


def test_the_idle_session_whose_next_use_is_furthest_goes_first_and_before_any_sync() -> None:
    holders = [idle("soon", 60_000), idle("never"), idle("far", 120_000), sync("s", 5), busy("b")]
    wants = [want(f"w{number}") for number in range(9)]
    assert decide(5, holders, wants).releases == ("never", "far", "soon", "s")
    assert decide(5, holders, wants[:2]).releases == ("never", "far")


def test_two_uses_within_a_moment_are_one_wake() -> None:
    assert decide(1, [idle("a", MERGE_MS)], [want("w", in_ms=-60_000)]).releases == ()
    assert decide(1, [idle("a", MERGE_MS + 1)], [want("w", in_ms=-60_000)]).releases == ("a",)


def test_nobody_is_sent_to_sleep_for_somebody_who_is_needed_later() -> None:
    needed_later = want("w", in_ms=30_000, lead_ms=30_000)
    assert decide(1, [idle("a", 30_000)], [needed_later]).releases == ()
    assert decide(1, [idle("a", 30_001)], [needed_later]).releases == ("a",)


def test_a_slot_is_emptied_a_moment_before_it_is_needed() -> None:
    ahead_ms = int(limits.EMPTY_AHEAD_S * 1000)
    assert decide(1, [idle("a")], [want("w", in_ms=ahead_ms)]).releases == ("a",)
    assert decide(1, [idle("a")], [want("w", in_ms=ahead_ms + 1)]).releases == ()


def test_no_slot_is_emptied_before_a_connect_may_begin_in_it() -> None:
    holders = [idle(f"h{number}") for number in range(9)]
    wants = [want(f"w{number}") for number in range(9)]
    assert len(decide(9, holders, wants).releases) == 9
    assert len(decide(9, holders, wants, HALF_EACH_SECOND).releases) == 3  # now, in half a second, in a second


def test_a_window_is_used_when_that_takes_nothing_from_anybody() -> None:
    windowed = want("w", in_ms=0, window_ms=300_000)
    exact = want("x", in_ms=3_000)
    assert granted(decide(2, [], [windowed, exact])) == ["w"]
    assert granted(decide(1, [], [windowed, exact])) == []
    assert granted(decide(1, [], [windowed, want("x", in_ms=60_000)])) == ["w"]
    assert granted(decide(1, [], [want("w", in_ms=1, window_ms=300_000)])) == []  # not open yet


def test_a_window_that_closes_is_as_urgent_as_an_exact_instant() -> None:
    closing = want("w", in_ms=-300_000, window_ms=299_000)
    assert granted(decide(1, [], [closing, want("x")])) == ["w"]


def test_who_sends_without_end_ends_its_turn_when_others_wait() -> None:
    hogs = [busy("hog", TURN_MS), busy("new", TURN_MS - 1_000)]
    decided = decide(2, hogs, [want("a"), want("b")])
    assert (decided.turns, decided.releases, decided.again_at_ms) == (("hog",), (), NOW + 1_000)
    assert decide(2, hogs, []).turns == ()
    assert decide(3, hogs, [want("a")]).turns == ()
    assert decide(2, [busy("hog", 2 * TURN_MS, yielding=True), busy("b", TURN_MS)], [want("a")]).turns == ()


def test_after_a_turn_what_was_due_long_ago_stands_behind_those_who_waited() -> None:
    campaign = want("campaign", in_ms=-3_600_000, turn_ms=NOW - 1_000)
    assert granted(decide(1, [], [campaign, want("a", in_ms=-5_000)])) == ["a"]
    assert granted(decide(1, [], [campaign, want("a", in_ms=-500)])) == ["campaign"]


def test_fewer_slots_than_before_send_idle_ones_to_sleep_and_then_syncs_but_nobody_at_work() -> None:
    holders = [busy("b"), idle("soon", 1_000), idle("never"), sync("s", 5), leaving("l")]
    assert decide(3, holders, []).releases == ("never",)
    assert decide(1, holders, []).releases == ("never", "soon", "s")


def test_a_health_wake_that_waited_too_long_has_somebody_give_way_but_no_send() -> None:
    overdue = want("health", WantKind.HEALTH, in_ms=-90_000, window_ms=60_000)
    patient = want("health", WantKind.HEALTH, in_ms=-90_000, window_ms=100_000)
    assert decide(3, [idle("i", 60_000), busy("b"), busy("c")], [patient]).releases == ()
    assert decide(3, [idle("i", 60_000), busy("b"), busy("c")], [overdue]).releases == ("i",)
    assert decide(3, [sync("s", 7), sync("t", 5)], [overdue]).releases == ("t",)
    assert decide(3, [sync("s", 7), sync("t", 5), idle("i")], [overdue]).releases == ("t",)  # "i" would not make room
    assert decide(2, [busy("b"), busy("c")], [overdue]).turns == ()


def test_an_account_wants_one_slot_and_not_another() -> None:
    with pytest.raises(ValueError, match="two slots"):
        decide(5, [], [want("a"), want("a", WantKind.HEALTH)])
    assert decide(5, [idle("a")], [want("a")]) == Plan(grants=(), releases=(), turns=(), again_at_ms=None)


@pytest.mark.parametrize(
    ("holder", "sleeps"),
    [
        (idle("a"), True),
        (idle("a", KEEP_MS + 1), True),
        (idle("a", KEEP_MS), False),
        (busy("a"), False),
        (msgspec.structs.replace(idle("a"), stays_until_ms=NOW + 1), False),
        (msgspec.structs.replace(idle("a"), stays_until_ms=NOW), True),
    ],
)
def test_an_idle_session_sleeps_unless_it_is_needed_or_may_hear_something_soon(holder: Holder, sleeps: bool) -> None:
    assert may_sleep(NOW, holder) is sleeps


def test_a_stay_gives_way_to_whoever_needs_the_slot() -> None:
    staying = [msgspec.structs.replace(idle(name), stays_until_ms=NOW + 60_000) for name in ("a", "b", "c", "d", "e")]
    assert len(decide(5, staying, [want("due")]).releases) == 1
