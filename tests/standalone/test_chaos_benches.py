"""The benches of the whole product in a tiny size: faults are those of the seed, and what they count is right."""

from collections import Counter

import pytest

from standalone.bench import chaos, cycles
from standalone.bench._faults import DECK, Kind, faults_of


def test_faults_depend_on_the_seed_alone_and_sixty_have_every_kind() -> None:
    faults = faults_of(7, 60, 100.0)
    assert faults == faults_of(7, 60, 100.0)
    assert faults != faults_of(8, 60, 100.0)
    assert Counter(fault.kind for fault in faults) == DECK
    assert [fault.at_s for fault in faults] == sorted(fault.at_s for fault in faults)
    assert all(0 <= fault.at_s <= 100 for fault in faults)


def test_chaos_loses_and_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing that strikes a send on purpose: until nobody's receipt can say what became of it, a minute passes.
    deck = {Kind.KILL_SUPERVISOR: 1, Kind.FLUSH_REDIS: 1, Kind.KILL_POSTGRES: 1, Kind.STREAM_515: 1}
    monkeypatch.setattr("standalone.bench._faults.DECK", deck)
    figures = chaos.measure(seed=3, messages=8, faults=4, accounts=2, recipients=2, span_s=4.0, stop_s=1.0)
    assert set(figures) >= {"messages", "lost", "duplicates", "unconfirmed", "recovered_p99_s", "faults", "seed"}
    assert (figures["messages"], figures["faults"]) == (8, 4)
    assert (figures["lost"], figures["duplicates"], figures["untrue"]) == (0, 0, 0)
    assert figures["struck"] == {str(kind): 1 for kind in deck}
    assert {name: figures["started_again"][name] for name in ("supervisor", "PostgreSQL")} == {
        "supervisor": 1,
        "PostgreSQL": 1,
    }


def test_cycles_send_and_sleep_and_leave_no_file_and_no_process() -> None:
    figures = cycles.measure(wakes=8, accounts=2)
    assert set(figures) >= {"wakes", "minutes", "start", "middle", "end", "growth_percent", "late_growth_percent"}
    assert (figures["wakes"], figures["came"], figures["lost"], figures["duplicates"]) == (8, 8, 0, 0)
    assert set(figures["start"]) == set(figures["end"]) == set(figures["growth_percent"])
    assert figures["end"]["live_files"] == 0
    assert figures["end"]["processes"] == figures["start"]["processes"]
    assert cycles.growth({"memory_mb": 10.0, "files": 0}, {"memory_mb": 11.0, "files": 0}) == {
        "memory_mb": 10.0,
        "files": 0.0,
    }
