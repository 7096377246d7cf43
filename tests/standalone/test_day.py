"""A day on a virtual clock: what the real planner does with many accounts over hours, and the bench around it."""

import json
import sys
from random import Random

import pytest

from domain import limits
from domain.pace import Pace
from standalone.bench import day as bench
from standalone.bench._day_load import Message, day, linger_s, mean_linger_s
from standalone.bench._day_world import NAIVE, OURS, Policy, World

HOUR_MS = 3_600_000
NINE_MS = 9 * HOUR_MS
KEYS = {"p50_s", "p99_s", "max_s", "slots", "naive_p99_s"}


def at(due_ms: int, window_ms: int = 0) -> Message:
    """A message."""
    return Message(due_ms, due_ms + window_ms)


def lived(
    days: list[list[Message]],
    slots: int = 20,
    per_s: float = 20.0,
    *,
    policy: Policy = OURS,
    refused: float = 0.0,
) -> World:
    """A world after its day; nothing is lost and memory was bounded."""
    pace = Pace(per_s=per_s, ceiling_per_s=per_s)
    world = World(days, policy, slots=slots, pace=pace, dice=Random(1), refused=refused)
    world.run()
    left = [len(account.late_ms) for account in world.accounts.values()]
    assert left == [len(messages) for messages in days]
    assert world.most_live <= slots
    return world


def late_ms(world: World, first: int = 0) -> list[int]:
    """How late the messages of all accounts from number `first` were, sorted."""
    accounts = list(world.accounts.values())[first:]
    return sorted(late for account in accounts for late in account.late_ms)


def test_the_bench_prints_its_keys(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--accounts", "60"], ["--accounts", "60", "--windows", "--refused", "2", "--slots", "7"]):
        monkeypatch.setattr(sys, "argv", ["day", *arguments, "--json"])
        bench.main()
        (line,) = capsys.readouterr().out.splitlines()
        figures = json.loads(line)
        assert set(figures) >= KEYS
        assert (figures["accounts"], figures["messages"], figures["lost"]) == (60, 180, 0)
    assert figures["slots"] == 7


def test_as_many_as_there_are_slots_leave_at_their_instant_and_the_others_as_fast_as_they_can_connect() -> None:
    late = late_ms(lived([[at(NINE_MS)] for _ in range(60)], slots=20, per_s=5.0))
    assert late[:20] == [0] * 20
    assert late[20] > 0


def test_windows_make_room_for_what_is_exact() -> None:
    exact = [[at(NINE_MS)] for _ in range(20)]
    loose = [[at(NINE_MS, 300_000)] for _ in range(200)]
    assert late_ms(lived(exact + loose))[-1] == 0
    assert late_ms(lived(exact + [[at(NINE_MS)] for _ in loose]))[-1] > 10_000


def test_what_one_account_may_do_together_is_one_wake() -> None:
    together = [at(NINE_MS, 300_000), at(NINE_MS + 60_000), at(NINE_MS + 120_000, 60_000)]
    world = lived([together] * 5)
    assert (world.wakes, late_ms(world)[-1]) == (5, 0)
    apart = [at(NINE_MS), at(NINE_MS + 3 * HOUR_MS)]
    assert lived([apart] * 5).wakes == 10


def test_a_campaign_does_not_make_others_later() -> None:
    campaign = [at(NINE_MS - HOUR_MS // 2)] * 2000
    others = day(300, windows=False, dice=Random(7))
    for slots in (5, 20):
        without, beside = lived([[], *others], slots), lived([campaign, *others], slots)
        assert max(beside.accounts["000000"].late_ms) < 3 * HOUR_MS
        assert quantile(late_ms(beside, 1)) <= 1.1 * quantile(late_ms(without, 1)) + 1.0, slots


def test_nobody_starves_beside_more_campaigns_than_slots() -> None:
    """Eight send without end on five slots; forty others each wait for about a turn, not for the campaigns' end."""
    campaigns = [[at(NINE_MS)] * 1000 for _ in range(8)]
    others = [[at(NINE_MS + number * 20_000)] for number in range(40)]
    world = lived([*campaigns, *others], slots=limits.HOT_SLOTS_MIN)
    assert late_ms(world, len(campaigns))[-1] < 2 * limits.TURN_S * 1000
    ends = [max(account.late_ms) for account in list(world.accounts.values())[: len(campaigns)]]
    assert max(ends) < 2 * min(ends)


def test_nobody_is_last_each_day() -> None:
    nine_each_day = [[at(NINE_MS + number * 24 * HOUR_MS) for number in range(12)] for _ in range(40)]
    world = lived(nine_each_day, slots=10, per_s=5.0)
    sums = [sum(account.late_ms) for account in world.accounts.values()]
    last = [max(world.accounts, key=lambda one: world.accounts[one].late_ms[number]) for number in range(12)]
    assert len(set(last)) > 6
    assert max(sums) < 3 * sum(sums) / len(sums)


def test_refused_connects_lose_nothing_and_cost_little() -> None:
    load = day(300, windows=False, dice=Random(7))
    assert quantile(late_ms(lived(load, 50, refused=0.02))) <= 1.2 * quantile(late_ms(lived(load, 50))) + 1.0


def test_the_same_world_has_the_same_day() -> None:
    load = day(100, windows=True, dice=Random(3))
    assert late_ms(lived(load)) == late_ms(lived(load))


def test_waking_when_due_is_late_by_the_connect_at_least() -> None:
    naive = lived([[at(NINE_MS)] for _ in range(10)], policy=NAIVE)
    assert late_ms(naive)[0] >= 1000


def test_the_load_is_what_it_says() -> None:
    messages = [one for each in day(3000, windows=True, dice=Random(5)) for one in each]
    assert len(messages) == 9000
    assert all(0 <= one.due_ms < 24 * HOUR_MS and one.due_ms % 60_000 == 0 for one in messages)
    assert 0.75 < sum(one.latest_ms > one.due_ms for one in messages) / len(messages) < 0.85
    dice = Random(5)
    mean_s = sum(linger_s(dice) for _ in range(20_000)) / 20_000
    assert abs(mean_s - mean_linger_s()) < 0.1


def quantile(late: list[int]) -> float:
    """The p99 in seconds."""
    return bench.quantile_s(late, 0.99)
