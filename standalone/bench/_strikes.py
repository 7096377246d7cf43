"""How a bench's faults strike the running product, and what of a killed supervisor's work was taken up again when."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import httpx

from domain.refusal import Unavailable
from standalone import settings
from standalone.bench._faults import Fault, Kind
from standalone.bench._people import SQL, Account, People
from standalone.bench._product import Start
from standalone.plan import POSTGRES, VALKEY
from standalone.running import say

LOOK_S: Final = 0.02
STARTS_S: Final = 30.0
TAKEN_UP_S: Final = 60.0
"""What is not taken up again by then counts as this late."""
UNDISTURBED_S: Final = 1.0
"""A restart is judged if nothing else that it needs was struck until this long after it."""
DISTURBING: Final = frozenset(
    {Kind.KILL_SUPERVISOR, Kind.STOP_SUPERVISOR, Kind.KILL_BROKER, Kind.KILL_POSTGRES, Kind.SERVICE_AWAY}
)
MESSAGE_FAULTS: Final = {Kind.MESSAGE_DROPPED: "drop", Kind.ACK_LOST: "drop_after", Kind.ACK_MUTE: "mute"}
KICKS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.STREAM_515: {"code": 515},
    Kind.STREAM_503: {"code": 503},
    Kind.CONNECTION_CUT: {"abort": True},
}


class Blow(NamedTuple):
    """A fault that struck, from when to when something was away by it (Unix s)."""

    kind: Kind
    from_s: float
    until_s: float


class Restart(NamedTuple):
    """A killed supervisor: when it was killed (Unix s), which accounts had work in hand, its next start."""

    killed_s: float
    accounts: frozenset[UUID]
    start: Start


class Taken(NamedTuple):
    """When work of killed supervisors was taken up again, in s after their launch; of how many restarts."""

    after_s: list[float]
    judged: int
    disturbed: int


class Striker:
    """Strikes the product on which `accounts` live."""

    def __init__(self, people: People, accounts: Sequence[Account], stop_s: float) -> None:
        """Nothing is struck yet."""
        self._people = people
        self._product = people.product
        self._accounts = accounts
        self._stop_s = stop_s
        self._pids: dict[UUID, int] = {}
        self._blows: list[Blow] = []
        self._restarts: list[Restart] = []

    async def strike(self, faults: Sequence[Fault], begun_s: float) -> None:
        """Let each fault strike at its instant after `begun_s` (Unix s)."""
        async with asyncio.TaskGroup() as group:
            for place, fault in enumerate(faults, 1):
                await asyncio.sleep(max(0.0, begun_s + fault.at_s - time.time()))
                say(f"{fault.at_s:6.1f} s  fault {place}: {fault.kind}\n")
                group.create_task(self._blow(fault))

    @property
    def struck(self) -> dict[str, int]:
        """How often each kind has struck."""
        return {str(kind): count for kind, count in Counter(blow.kind for blow in self._blows).items()}

    def taken_up(self) -> Taken:
        """By the supervisor's log: from its launch to the opening of a session for each account with work in hand."""
        self._product.lines.read()
        opened = [
            (datetime.fromisoformat(line["timestamp"]).timestamp(), UUID(line["account"]))
            for line in self._product.lines.all
            if line["event"] == "session_opening"
        ]
        after_s, disturbed = list[float](), 0
        for restart in self._restarts:
            if self._is_disturbed(restart):
                disturbed += 1
                continue
            for account in restart.accounts:
                found = [at_s for at_s, one in opened if one == account and at_s >= restart.start.launched_s]
                after_s.append(min(found, default=restart.start.launched_s + TAKEN_UP_S) - restart.start.launched_s)
        return Taken(sorted(after_s), len(self._restarts) - disturbed, disturbed)

    def _is_disturbed(self, restart: Restart) -> bool:
        until_s = restart.start.ready_s + UNDISTURBED_S
        return any(
            blow.kind in DISTURBING and blow.from_s < until_s and blow.until_s > restart.killed_s
            for blow in self._blows
            if not (blow.kind is Kind.KILL_SUPERVISOR and blow.from_s <= restart.killed_s <= blow.until_s)
        )

    async def _blow(self, fault: Fault) -> None:
        from_s = time.time()
        match fault.kind:
            case Kind.KILL_SUPERVISOR:
                await self._kill_supervisor(fault.down_s)
            case Kind.KILL_BROKER:
                await self._kill(settings.ENCLAVE, fault.down_s)
            case Kind.KILL_REDIS:
                await self._kill(VALKEY, fault.down_s)
            case Kind.KILL_POSTGRES:
                await self._kill(POSTGRES, fault.down_s)
            case Kind.KILL_SESSION:
                await self._kill_session(fault.pick)
            case Kind.STOP_SUPERVISOR:
                await self._product.hold(settings.SUPERVISOR, self._stop_s)
            case Kind.FLUSH_REDIS:
                await self._flush()
            case Kind.SERVICE_AWAY:
                await self._service_away(fault.down_s)
            case Kind.MESSAGE_DROPPED | Kind.ACK_LOST | Kind.ACK_MUTE:
                order = {"when": "message", "op": MESSAGE_FAULTS[fault.kind]}
                await self._order(f"/phones/{self._pick(fault.pick).number}/faults", order)
            case Kind.STREAM_515 | Kind.STREAM_503 | Kind.CONNECTION_CUT:
                account = self._pick(fault.pick, [one for one in self._accounts if self._pid(one.id)])
                await self._order(f"/phones/{account.number}/kick", KICKS[fault.kind])
        self._blows.append(Blow(fault.kind, from_s, time.time()))

    def _pick(self, pick: float, among: Sequence[Account] = ()) -> Account:
        chosen = among or self._accounts
        return chosen[int(pick * len(chosen)) % len(chosen)]

    def _pid(self, account: UUID) -> int | None:
        """The live session process of an account."""
        for line in self._product.lines.read():
            if line["event"] == "session_opened":
                self._pids[UUID(line["account"])] = line["pid"]
        pid = self._pids.get(account)
        return pid if pid is not None and _lives(pid) else None

    async def _kill(self, name: str, away_s: float) -> Start | None:
        """Kill it and see it start again; None if it did not run, or did not start in time."""
        product = self._product
        before = len(product.starts)
        product.kill(name, away_s)
        until_s = time.time() + away_s + STARTS_S
        while time.time() < until_s:
            start = next((one for one in product.starts[before:] if one.name == name), None)
            if start is not None:
                return start
            await asyncio.sleep(LOOK_S)
        return None

    async def _kill_supervisor(self, away_s: float) -> None:
        killed_s = time.time()
        killing = asyncio.create_task(self._kill(settings.SUPERVISOR, away_s))
        await asyncio.sleep(0)  # it is dead from here on
        accounts = frozenset[UUID]()
        try:
            rows = await self._people.asked(lambda: self._people.store.pool.fetch(SQL["in_hand"]), 0.0)
            accounts = frozenset(row["account_id"] for row in rows)
        except Unavailable:
            pass  # the database is away too: another fault's affair
        start = await killing
        if start is not None:
            self._restarts.append(Restart(killed_s, accounts, start))

    async def _kill_session(self, pick: float) -> None:
        """One in the middle of a send where there is one."""
        live = [account for account in self._accounts if self._pid(account.id)]
        try:
            rows = await self._people.asked(lambda: self._people.store.pool.fetch(SQL["sending"]), 0.0)
        except Unavailable:
            rows = []
        busy = {row["account_id"] for row in rows}
        chosen = [account for account in live if account.id in busy] or live
        if chosen and (pid := self._pid(self._pick(pick, chosen).id)) is not None:
            os.kill(pid, signal.SIGKILL)

    async def _flush(self) -> None:
        try:
            redis = self._people.store.redis
            await redis.ask(redis.client.flushall())
        except Unavailable:
            return  # it is away, and empty in effect

    async def _service_away(self, seconds: float) -> None:
        await self._order("/settings", {"listening": False})
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._order("/settings", {"listening": True})

    async def _order(self, path: str, order: dict[str, Any]) -> None:
        answer = await self._product.control.post(path, json=order)
        if answer.status_code != httpx.codes.CONFLICT:  # nobody was there to be struck
            answer.raise_for_status()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
