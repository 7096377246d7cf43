"""A day of many accounts on one small machine, on a virtual clock: how late messages leave under the product's planner.

The planner is the product's (`domain/`); the load is `_day_load.py`'s; memory and processor time of a session are what
`./autosendr bench wake` measures, either the figures that the product reckons with or, with `--measure`, fresh ones.
The limit beside it: the same slots, connects, sends and lingers, woken when due and first come first served.
"""

import argparse
import asyncio
import time
from random import Random
from typing import Final

from domain import limits
from domain.pace import Pace, ceiling_per_s
from domain.slots import slots_in
from standalone.bench import wake
from standalone.bench._command import Figures, run
from standalone.bench._day_load import day, mean_linger_s
from standalone.bench._day_world import NAIVE, OURS, Policy, World

ACCOUNTS: Final = 10_000
SESSIONS_GB: Final = 2.8
"""What sessions may take on a machine of 4 GB."""
PROCESSORS: Final = 2
SEED: Final = 1
MEASURED_SESSIONS: Final = 20
ENGINE_CPU_MS: Final = 20.0
"""Of a wake's processor time, what supervisor, PostgreSQL and Redis take, whom `bench wake` does not run."""


def measure(
    accounts: int, *, windows: bool, slots: int, connects_per_s: float, refused: float = 0.0, seed: int = SEED
) -> Figures:
    """The figures: seconds by which messages left after their instant, or after their window's end."""
    days = day(accounts, windows=windows, dice=Random(seed))  # noqa: S311 - a load, not a secret
    pace = Pace(per_s=connects_per_s, ceiling_per_s=connects_per_s)

    def lived(policy: Policy) -> tuple[World, list[int]]:
        dice = Random(seed)  # noqa: S311
        world = World(days, policy, slots=slots, pace=pace, dice=dice, refused=refused)
        world.run()
        return world, sorted(late for account in world.accounts.values() for late in account.late_ms)

    begun_s = time.perf_counter()
    world, late = lived(OURS)
    run_s = time.perf_counter() - begun_s
    _, naive = lived(NAIVE)
    return {
        "accounts": accounts,
        "messages": len(late),
        "lost": sum(len(messages) for messages in days) - len(late),
        "p50_s": quantile_s(late, 0.5),
        "p99_s": quantile_s(late, 0.99),
        "max_s": quantile_s(late, 1.0),
        "on_time": round(sum(one <= limits.OVERDUE_S * 1000 for one in late) / max(1, len(late)), 4),
        "naive_p50_s": quantile_s(naive, 0.5),
        "naive_p99_s": quantile_s(naive, 0.99),
        "naive_max_s": quantile_s(naive, 1.0),
        "slots": slots,
        "most_live": world.most_live,
        "connects_per_s": round(connects_per_s, 1),
        "wakes": world.wakes,
        "linger_s": round(mean_linger_s(), 2),
        "run_s": round(run_s, 1),
    }


def quantile_s(late_ms: list[int], share: float) -> float:
    """The lateness that `share` of the sorted `late_ms` do not exceed, in seconds."""
    if not late_ms:
        return 0.0
    return round(late_ms[min(len(late_ms) - 1, int(share * len(late_ms)))] / 1000, 2)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--windows", action="store_true", help="four messages in five may leave within 5 minutes")
    parser.add_argument("--gb", type=float, default=SESSIONS_GB, help="memory for sessions, in 10^9 bytes")
    parser.add_argument("--slots", type=int, help="live sessions at once (default: as many as fit into --gb)")
    parser.add_argument("--processors", type=float, default=PROCESSORS, help="they bound the connects in a second")
    parser.add_argument("--connects", type=float, help="connects in a second (default: what the processors bear)")
    parser.add_argument("--refused", type=float, default=0.0, help="percent of connects that fail")
    parser.add_argument("--measure", action="store_true", help="measure a session's memory and a wake's time first")
    parser.add_argument("--seed", type=int, default=SEED)


def _measure(options: argparse.Namespace) -> Figures:
    slots, per_s = slots_in(int(options.gb * 1e9)), ceiling_per_s(options.processors)
    session_mb, wake_ms = limits.SESSION_BYTES / 1e6, limits.WAKE_CPU_S * 1000
    if options.measure:
        measured = asyncio.run(wake.measure(MEASURED_SESSIONS))
        session_mb, wake_ms = measured["private_mb"], measured["cpu_ms"] + ENGINE_CPU_MS
        shared_mb = (measured["pss_mb"] - session_mb) * measured["sessions"]
        slots = max(limits.HOT_SLOTS_MIN, int((options.gb * 1000 - shared_mb) / session_mb))
        per_s = options.processors * limits.WAKE_CPU_SHARE * 1000 / wake_ms
    figures = measure(
        options.accounts,
        windows=options.windows,
        slots=options.slots or slots,
        connects_per_s=options.connects or per_s,
        refused=options.refused / 100,
        seed=options.seed,
    )
    return figures | {"session_mb": session_mb, "wake_cpu_ms": round(wake_ms, 1)}


def _lines(figures: Figures) -> list[str]:
    return [
        f"{figures['accounts']} accounts, {figures['messages']} messages, {figures['wakes']} wakes in a day",
        f"machine   {figures['slots']} slots of {figures['session_mb']} MB,"
        f" {figures['connects_per_s']} connects a second",
        f"late      p50 {figures['p50_s']} s, p99 {figures['p99_s']} s, max {figures['max_s']} s",
        f"naive     p50 {figures['naive_p50_s']} s, p99 {figures['naive_p99_s']} s, max {figures['naive_max_s']} s",
    ]


def main() -> None:
    """The command."""
    run("day", __doc__, _measure, _lines, _arguments)


if __name__ == "__main__":
    main()
