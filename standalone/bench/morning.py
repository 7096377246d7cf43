"""A morning with the real thing: many accounts due at one instant, then minutes of messages of random ones.

Sessions of the real client on the simulator, whose logins take 1 to 3 s; a supervisor process, PostgreSQL, Redis. All
accounts sleep before the instant, and there are fewer slots than accounts. What each account has learnt of its wakes it
learnt in a rehearsal. Then the same minutes once more, while a share of all logins is refused. Lateness is that of the
instant at which the server took a message in; what counts as come is what the recipients' phones have decrypted.

Nothing is spaced (docs/architecture.md): this load is more than one number should send. Beside it, in the same minutes:
the timers of a bare event loop, and what the engine room predicted for the instant.
"""

import argparse
import asyncio
import time
from datetime import UTC, datetime
from random import Random
from typing import Final

from domain import limits
from domain.forecast import Fleet as Able
from domain.forecast import leaves
from domain.slots import slots_in
from standalone.bench._command import Figures, run
from standalone.bench._engine import quantile, run_loop
from standalone.bench._fleet import Due, Fleet, Outcome, open_fleet
from standalone.bench._stores import Stores, open_stores
from standalone.bench.day import SESSIONS_GB
from standalone.bench.ontime import bare_timers
from standalone.running import say
from store import engine_room
from store.boards import Boards

ACCOUNTS: Final = 200
PER_S: Final = 4
STEADY_S: Final = 300.0
LOGIN_DELAY_S: Final = 1.0
LOGIN_JITTER_S: Final = 2.0
REFUSED_PERCENT: Final = 2.0
AHEAD_S: Final = limits.LOOK_AHEAD_S + 5.0
"""From the writing of rows to the first instant: time to find them and to wake the accounts."""
BETWEEN_S: Final = 30.0
"""From the one instant to the first of the minutes."""
LEFT_S: Final = 60.0
"""How long what is due may take to leave before it counts as lost."""
SLEEP_S: Final = 90.0
"""How long all may take to fall asleep: the first messages to somebody keep a session for 20 s."""
SEED: Final = 1
ON_TIME_MS: Final = 1000.0


def measure(
    accounts: int = ACCOUNTS,
    slots: int | None = None,
    steady_s: float = STEADY_S,
    refused_percent: float = REFUSED_PERCENT,
    ahead_s: float = AHEAD_S,
    between_s: float = BETWEEN_S,
    sleep_s: float = SLEEP_S,
    login_s: tuple[float, float] = (LOGIN_DELAY_S, LOGIN_JITTER_S),
) -> Figures:
    """The figures; the sizes are for tests. `slots` None: what fits beside the rest on a machine of 4 GB."""
    slots = slots or slots_in(int(SESSIONS_GB * 1e9))
    variables = {"AUTOSENDR_HOT_SLOTS": str(slots), "AUTOSENDR_STAY_S": "0"}
    with open_stores() as stores:

        async def work() -> Figures:
            begun_s = time.monotonic()
            async with open_fleet(stores, accounts, variables) as fleet:
                linked_s = time.monotonic() - begun_s
                await fleet.settings(login_delay_s=login_s[0], login_jitter_s=login_s[1])
                morning = _Morning(stores, fleet, ahead_s)
                say(f"linked {accounts} accounts in {linked_s:.0f} s; rehearsal\n")
                await morning.rehearse(sleep_s)
                first = await morning.burst_and_steady(between_s, steady_s)
                await fleet.settings(refused_logins=refused_percent / 100)
                again = await morning.refused(steady_s, refused_percent)
            return {"accounts": accounts, "slots": slots, "linked_s": round(linked_s, 1)} | first | again

        return run_loop(work())


class _Morning:
    """The parts, one after another."""

    def __init__(self, stores: Stores, fleet: Fleet, ahead_s: float) -> None:
        self._stores = stores
        self._fleet = fleet
        self._ahead_s = ahead_s
        self._dice = Random(SEED)  # noqa: S311 - a load, not a secret
        self._first_p99_ms = 0.0

    async def rehearse(self, sleep_s: float) -> None:
        """One message of each account, all at one instant; then all sleep."""
        fleet = self._fleet
        at_ms = self._soon_ms()
        dues = await fleet.add_messages([Due(owner, at_ms) for owner in fleet.owners])
        await self._over(at_ms)
        came = await fleet.outcome(dues)
        say(f"rehearsal: {_words(came)}; falling asleep\n")
        if sleep_s and not await fleet.asleep(sleep_s):
            say("some sessions are still awake\n")

    async def burst_and_steady(self, between_s: float, steady_s: float) -> Figures:
        """All at one instant, and from `between_s` later on one by one."""
        fleet, at_ms = self._fleet, self._soon_ms()
        steady = self._steady(at_ms + int(between_s * 1000), steady_s)
        at_once = await fleet.add_messages([Due(owner, at_ms) for owner in fleet.owners])
        able, predicted_s = await self._predicted(at_ms)
        say(
            f"{len(at_once)} at one instant: 99 in 100 within {predicted_s:.1f} s, so the forecast"
            f" ({able.slots} slots, {able.per_s:.1f} connects a second, {able.lead_ms} ms a wake)\n"
        )
        one_by_one = await fleet.add_messages(steady)
        limit_ms = await self._run(steady[0].at_ms, steady_s, "one by one")
        burst, came = await fleet.outcome(at_once), await fleet.outcome(one_by_one)
        self._first_p99_ms = quantile(came.late_ms, 0.99)
        burst_s = quantile(burst.late_ms, 0.99) / 1000
        say(f"at one instant: {_words(burst)}\none by one: {_words(came)}\n")
        return {
            "messages": len(one_by_one),
            "p50_ms": round(quantile(came.late_ms, 0.5), 1),
            "p99_ms": round(self._first_p99_ms, 1),
            "max_ms": round(quantile(came.late_ms, 1.0), 1),
            "on_time": _on_time(came),
            "early": sum(late < 0 for late in burst.late_ms + came.late_ms),
            "limit_p99_ms": round(quantile(limit_ms, 0.99), 1),
            "wakes": await fleet.wakes_since(steady[0].at_ms),
            "burst_p50_s": round(quantile(burst.late_ms, 0.5) / 1000, 2),
            "burst_p99_s": round(burst_s, 2),
            "predicted_burst_p99_s": round(predicted_s, 2),
            "predicted_ratio": round(burst_s / predicted_s, 2) if predicted_s else 0.0,
            "connects_per_s": round(able.per_s, 1),
            "lead_ms": able.lead_ms,
            "lost": burst.lost + came.lost,
            "duplicates": burst.duplicates + came.duplicates,
        }

    async def refused(self, steady_s: float, percent: float) -> Figures:
        """One by one while logins are refused."""
        steady = self._steady(self._soon_ms(), steady_s)
        dues = await self._fleet.add_messages(steady)
        await self._run(steady[0].at_ms, steady_s, f"one by one, {percent} % of logins refused")
        came = await self._fleet.outcome(dues)
        p99_ms = quantile(came.late_ms, 0.99)
        state = (await self._fleet.rig.control.get("/state")).raise_for_status().json()
        say(f"with refused logins: {_words(came)}\n")
        return {
            "refused_percent": percent,
            "refused_logins": state["counts"].get("login_refused", 0),
            "refused_p50_ms": round(quantile(came.late_ms, 0.5), 1),
            "refused_p99_ms": round(p99_ms, 1),
            "refused_max_ms": round(quantile(came.late_ms, 1.0), 1),
            "refused_on_time": _on_time(came),
            "refused_ratio": round(p99_ms / self._first_p99_ms, 2) if self._first_p99_ms > 0 else 0.0,
            "refused_lost": came.lost,
            "refused_duplicates": came.duplicates,
        }

    def _soon_ms(self) -> int:
        return int((time.time() + self._ahead_s) * 1000)

    def _steady(self, first_ms: int, steady_s: float) -> list[Due]:
        owners = self._fleet.owners
        return [
            Due(self._dice.choice(owners), first_ms + turn * 1000 // PER_S) for turn in range(int(steady_s * PER_S))
        ]

    async def _predicted(self, at_ms: int) -> tuple[Able, float]:
        """What the engine room says of the instant: what the fleet is able to do, the lateness of 99 in 100 (s)."""
        store = self._fleet.store
        crowds, lead_ms = await engine_room.crowds(store.pool, _instant(at_ms + 1))
        boards = await Boards(store.redis).read()
        able = Able(
            slots=sum(board.slots for board in boards), per_s=sum(board.per_s for board in boards), lead_ms=lead_ms
        )
        late_ms = [float(ms - at_ms) for ms in leaves(crowds, int(time.time() * 1000), able)]
        return able, quantile(sorted(late_ms), 0.99) / 1000

    async def _run(self, first_ms: int, steady_s: float, name: str) -> list[float]:
        """Wait out the minutes, with timers beside them: by how many ms each was late."""
        say(f"{name}: {steady_s:.0f} s from in {first_ms / 1000 - time.time():.0f} s on\n")
        await asyncio.sleep(first_ms / 1000 - time.time())
        late_ms = await bare_timers(steady_s, PER_S)
        await self._over(first_ms + int(steady_s * 1000))
        return sorted(late_ms)

    async def _over(self, last_ms: int) -> None:
        await asyncio.sleep(max(0.0, last_ms / 1000 - time.time()))
        left = await self._fleet.settled(LEFT_S)
        if left:
            say(f"{left} have not left {LEFT_S:.0f} s later\n")


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _on_time(came: Outcome) -> float:
    return round(sum(late <= ON_TIME_MS for late in came.late_ms) / max(1, len(came.late_ms)), 4)


def _words(came: Outcome) -> str:
    late = [quantile(came.late_ms, share) / 1000 for share in (0.5, 0.99, 1.0)]
    return (
        f"p50 {late[0]:.3f} s, p99 {late[1]:.3f} s, max {late[2]:.3f} s late;"
        f" {came.lost} lost, {came.duplicates} doubled"
    )


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--slots", type=int, help="live sessions at once (default: as many as fit into 2.8 GB)")
    parser.add_argument("--steady", type=float, default=STEADY_S, help="seconds of messages one by one")
    parser.add_argument("--refused", type=float, default=REFUSED_PERCENT, help="percent of logins refused at the end")


def _lines(figures: Figures) -> list[str]:
    return [
        f"{figures['accounts']} accounts, {figures['slots']} slots; linked in {figures['linked_s']} s",
        f"at one instant  99 in 100 within {figures['burst_p99_s']} s; predicted {figures['predicted_burst_p99_s']} s",
        f"one by one      p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms, max {figures['max_ms']} ms late,"
        f" {figures['wakes']} wakes; timers beside it p99 {figures['limit_p99_ms']} ms",
        f"refused logins  p99 {figures['refused_p99_ms']} ms: {figures['refused_ratio']} times that",
        f"books           {figures['lost']} lost, {figures['duplicates']} doubled",
    ]


def main() -> None:
    """The command."""
    run(
        "morning",
        __doc__,
        lambda options: measure(options.accounts, options.slots, options.steady, options.refused),
        _lines,
        _arguments,
    )


if __name__ == "__main__":
    main()
