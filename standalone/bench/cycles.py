"""Wakes leave nothing behind: accounts wake, send a message, sleep, thousands of times, and nothing grows.

The product but its pages, as processes of the bench's own on the simulator, with PostgreSQL and Valkey. It is measured
while everything sleeps: after the first wakes, in the middle, and at the end. What is filled once, like a pool of
connections, grows in the first half; a leak grows in the second as well.
"""

import argparse
import asyncio
import time
from collections import Counter
from typing import Final
from uuid import UUID

from standalone.bench._command import Figures, run
from standalone.bench._engine import run_loop
from standalone.bench._people import SQL, Account, People, Planned, open_people
from standalone.bench._product import open_product
from standalone.bench._sizes import Size, sessions, size_of
from standalone.running import say

WAKES: Final = 5000
ACCOUNTS: Final = 50
SLOTS: Final = 40
FIRST_SHARE: Final = 0.1
"""Share of the wakes after which it is measured first."""
LOOK_S: Final = 0.1
REST_S: Final = 60.0
"""How long everything may take to fall asleep."""
WAKE_S: Final = 3.0
"""How long a wake may take when they are shared out evenly, before we stop waiting for more of them."""
PATIENCE_S: Final = 120.0
SAID_EACH: Final = 500


def measure(wakes: int = WAKES, accounts: int = ACCOUNTS) -> Figures:
    """The figures; the sizes are for tests. Megabytes are 10^6 bytes."""
    say(f"{wakes} wakes of {accounts} accounts\n")

    async def work() -> Figures:
        begun_s = time.monotonic()
        variables = {"AUTOSENDR_HOT_SLOTS": str(max(5, min(SLOTS, accounts))), "AUTOSENDR_STAY_S": "0"}
        async with open_product(variables, observed=True) as product, open_people(product) as people:
            cycles = _Cycles(people, await people.link(accounts, accounts))
            sizes: dict[str, Size] = {}
            for place, share in {"start": FIRST_SHARE, "middle": (1 + FIRST_SHARE) / 2, "end": 1.0}.items():
                await cycles.until(int(share * wakes), accounts * PATIENCE_S + wakes * WAKE_S)
                sizes[place] = await size_of(people)
                say(f"{place}, after {cycles.done} wakes: {sizes[place]}\n")
            came = await people.came()
            return {
                "wakes": cycles.done,
                "accounts": accounts,
                "sent": cycles.asked,
                "came": sum(came.texts.values()),
                "lost": cycles.asked - len(came.texts),
                "duplicates": sum(came.texts.values()) - len(came.texts),
                "minutes": round((time.monotonic() - begun_s) / 60, 1),
                **sizes,
                "growth_percent": growth(sizes["start"], sizes["end"]),
                "late_growth_percent": growth(sizes["middle"], sizes["end"]),
            }

    return run_loop(work())


def growth(before: Size, after: Size) -> dict[str, float]:
    """By how much each figure has grown, in percent of what it was."""
    return {name: round(100 * (after[name] - size) / max(1.0, size), 1) for name, size in before.items()}


class _Cycles:
    """Gives each account that sleeps something to wake for."""

    def __init__(self, people: People, accounts: list[Account]) -> None:
        self._people = people
        self._friends = dict(zip(accounts, people.recipients, strict=True))
        self._before: Counter[UUID] = Counter()
        """Wakes before ours: linking was one."""
        self._asked: Counter[UUID] = Counter()
        self.asked = 0
        self.done = 0

    async def until(self, wakes: int, seconds: float) -> None:
        """Have so many wakes in all, then let everything sleep. Raises TimeoutError."""
        if not self._before:
            await self._rest()
            self._before = await self._slept()
        async with asyncio.timeout(seconds):
            while self.done < wakes:
                slept = await self._slept()
                slept.subtract(self._before)
                before, self.done = self.done, slept.total()
                if self.done // SAID_EACH > before // SAID_EACH:
                    say(f"  {self.done} wakes\n")
                free = [one for one in self._friends if slept[one.id] >= self._asked[one.id]]
                await self._wake(free[: max(0, wakes - self.asked)])
                await asyncio.sleep(LOOK_S)
        await self._rest()

    async def _wake(self, accounts: list[Account]) -> None:
        """One message of each, due at once."""
        plans = [
            Planned(account, self._friends[account], f"message {self.asked + place}", time.time())
            for place, account in enumerate(accounts)
        ]
        await self._people.schedule(plans)
        self.asked += len(plans)
        self._asked.update(account.id for account in accounts)

    async def _slept(self) -> Counter[UUID]:
        """Wakes of each account that have ended."""
        rows = await self._people.store.pool.fetch(SQL["slept"])
        return Counter({row["account_id"]: row["wakes"] for row in rows})

    async def _rest(self) -> None:
        async with asyncio.timeout(REST_S):
            while sessions(self._people):  # noqa: ASYNC110 - the kernel tells nobody but the parent
                await asyncio.sleep(LOOK_S)


def _lines(figures: Figures) -> list[str]:
    rows = [
        f"{name:<24} {size:>9} {figures['middle'][name]:>9} {figures['end'][name]:>9}"
        f" {figures['growth_percent'][name]:>7} % {figures['late_growth_percent'][name]:>7} %"
        for name, size in figures["start"].items()
    ]
    return [
        f"{figures['wakes']} wakes of {figures['accounts']} accounts in {figures['minutes']} min:"
        f" {figures['lost']} lost, {figures['duplicates']} doubled",
        f"{'':<24} {'start':>9} {'middle':>9} {'end':>9}  growth   of it in the second half",
        *rows,
    ]


def main() -> None:
    """The command."""

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--wakes", type=int, default=WAKES)
        parser.add_argument("--accounts", type=int, default=ACCOUNTS)

    run("cycles", __doc__, lambda options: measure(options.wakes, options.accounts), _lines, arguments)


if __name__ == "__main__":
    main()
