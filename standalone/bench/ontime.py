"""How exactly the engine keeps an instant: a steady rate of messages over awake accounts, an enclave that does nothing.

Real PostgreSQL, real Redis, the product's supervisor. The limit measured beside it, before and after: timers of a bare
event loop at the same rate. With `--hog` another process keeps one processor busy throughout.
"""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Generator
from typing import Final

from standalone.bench._command import Figures, run
from standalone.bench._engine import Due, Engine, open_engine, outcome, quantile, run_loop
from standalone.bench._stores import open_stores

ACCOUNTS: Final = 200
PER_S: Final = 200
LOAD_S: Final = 60.0
LIMIT_S: Final = 10.0
WARM_AFTER_S: Final = 2.0
WARM_S: Final = 5.0
WAIT_S: Final = 30.0
EARLY_MS: Final = 2.0


def measure(
    *,
    hog: bool,
    accounts: int = ACCOUNTS,
    load_s: float = LOAD_S,
    warm_s: float = WARM_S,
    limit_s: float = LIMIT_S,
) -> Figures:
    """The figures; the sizes are for tests."""
    with open_stores() as stores, _hog() if hog else contextlib.nullcontext():

        async def work() -> Figures:
            before = await bare_timers(limit_s)
            async with open_engine(stores, accounts) as engine:
                figures = await _load(engine, accounts, load_s, warm_s)
            limit = sorted(before + await bare_timers(limit_s))
            limit_p99 = quantile(limit, 0.99)
            return figures | {
                "limit_p50_ms": round(quantile(limit, 0.5), 2),
                "limit_p99_ms": round(limit_p99, 2),
                "limit_max_ms": round(limit[-1], 2),
                "ratio": round(figures["p99_ms"] / limit_p99, 2),
                "hog": hog,
            }

        return run_loop(work())


async def _load(engine: Engine, accounts: int, load_s: float, warm_s: float) -> Figures:
    owners = await engine.add_accounts(accounts)
    warm_ms = int((time.time() + WARM_AFTER_S) * 1000)
    warm = [Due(owner, warm_ms + int(number * warm_s * 1000 / accounts)) for number, owner in enumerate(owners)]
    first_ms = warm_ms + int(2 * warm_s * 1000)
    steady = [Due(owners[turn % accounts], first_ms + turn * 1000 // PER_S) for turn in range(int(load_s * PER_S))]
    warmed = await engine.add_messages(warm)
    due_ms = await engine.add_messages(steady)
    await engine.door.arrived(len(warm) + len(steady), first_ms / 1000 - time.time() + load_s + WAIT_S)
    unsettled = await engine.unsettled()
    came = outcome(engine.door, due_ms)
    woken = outcome(engine.door, warmed)
    return {
        "messages": len(steady),
        "p50_ms": round(quantile(came.late_ms, 0.5), 2),
        "p99_ms": round(quantile(came.late_ms, 0.99), 2),
        "max_ms": round(quantile(came.late_ms, 1.0), 2),
        "early": sum(late < -EARLY_MS for late in came.late_ms),
        "lost": came.lost + woken.lost,
        "duplicates": came.duplicates + woken.duplicates,
        "unsettled": unsettled,
    }


async def bare_timers(seconds: float, per_s: float = PER_S) -> list[float]:
    """By how many ms each timer of a loop that does nothing else was late, at the rate of the load."""
    loop, late = asyncio.get_running_loop(), []
    first_s = time.time() + 0.1
    dues = [first_s + turn / per_s for turn in range(int(seconds * per_s))]
    for due_s in dues:
        loop.call_at(loop.time() + due_s - time.time(), lambda due_s=due_s: late.append((time.time() - due_s) * 1000))
    await asyncio.sleep(dues[-1] - time.time() + 0.2)
    return late


@contextlib.contextmanager
def _hog() -> Generator[None]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """The command."""
    run(
        "ontime",
        __doc__,
        lambda options: measure(hog=options.hog),
        lambda figures: [
            f"{figures['messages']} messages at {PER_S} a second over {ACCOUNTS} awake accounts",
            f"late   p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms, max {figures['max_ms']} ms,"
            f" {figures['early']} early by more than {EARLY_MS} ms",
            f"limit  p99 {figures['limit_p99_ms']} ms of a bare loop's timers: {figures['ratio']} times that",
            f"books  {figures['lost']} lost, {figures['duplicates']} doubled, {figures['unsettled']} unsettled",
        ],
        lambda parser: parser.add_argument("--hog", action="store_true", help="keep one processor busy meanwhile"),
    )


if __name__ == "__main__":
    main()
