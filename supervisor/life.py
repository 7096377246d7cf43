"""The composition root: what a supervisor consists of, in which order it starts, how it ends."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final

from domain import limits
from domain.pace import new_pace
from domain.refusal import Unavailable
from enclave.wire.envelope import News
from store.engine import EngineStore
from store.slots import Slots
from supervisor import machine
from supervisor.actors import Actors
from supervisor.board import BoardLoop
from supervisor.context import Context
from supervisor.destinations import Live, demo_of
from supervisor.doorway import Doorway, OpenDoor, open_owning
from supervisor.gauges import Gauges
from supervisor.hot import Hot, report
from supervisor.listener import Listener
from supervisor.log import emit, listen
from supervisor.lookout import Lookout
from supervisor.loops.balance import BalanceLoop
from supervisor.loops.drain import DrainLoop
from supervisor.loops.due import DueLoop, listen_due
from supervisor.loops.idle import IdleLoop
from supervisor.loops.leases import LeaseLoop
from supervisor.loops.memory import MemoryLoop
from supervisor.loops.reconcile import ReconcileLoop, listen_wishes
from supervisor.loops.sticky import StickyLoop
from supervisor.loops.turning import Loop
from supervisor.metrics import Metrics
from supervisor.ownership import Ownership
from supervisor.relay import Relay
from supervisor.settings import Settings
from supervisor.tree import Child, Tree

INTAKE: Final = ("balance", "sticky", "due", "due_news", "reconcile", "wishes")
"""Children that bring work: the first to stop."""

NEVER_MS: Final = 1 << 62


class Supervisor:
    """One tree with one configuration. `start`, then wait for `ended`, then `stop`."""

    def __init__(
        self,
        settings: Settings,
        store: EngineStore,
        metrics: Metrics | None = None,
        open_door: OpenDoor = open_owning,
    ) -> None:
        """Nothing runs yet. `metrics` go on counting from one supervisor of a process to the next."""
        self.settings = settings
        self.metrics = metrics or Metrics()
        self.ended = asyncio.Event()
        """Something is wrong that a restart of the process may mend."""
        self.store = store
        self.ownership = Ownership(store.accounts, settings.database_url, settings.state)
        self.door = Doorway(
            settings.enclave_socket,
            self._hear,
            self._door_lost,
            self.metrics.note_call,
            demo=bool(settings.simulator),
            open_door=open_door,
        )
        self.context = Context(
            store=store,
            door=self.door,
            ownership=self.ownership,
            dice=random.random,
            slots=machine.slots_now() if settings.hot_slots is None else settings.hot_slots,
            stay_s=settings.stay_s,
            pace=new_pace(machine.processors()),
            demo=bool(settings.simulator),
        )
        self.actors = Actors(self.context)
        self.lookout = Lookout(store, self.door)
        note = self.metrics.note_turn
        self.loops = {
            loop.name: loop
            for loop in (
                Loop("leases", limits.LEASE_TICK_S, LeaseLoop(self.actors).run_once, note),
                Loop("reconcile", limits.RECONCILE_TICK_S, ReconcileLoop(self.actors).run_once, note),
                Loop("hot", limits.IDLE_TICK_S, Hot(self.actors).run_once, note),
                Loop("idle", limits.IDLE_TICK_S, IdleLoop(self.actors).run_once, note),
                Loop("due", limits.DUE_TICK_S, DueLoop(self.actors).run_once, note),
                Loop("sticky", limits.IDLE_TICK_S, StickyLoop(self.actors).run_once, note),
                Loop("memory", limits.MEMORY_TICK_S, MemoryLoop(self.actors).run_once, note),
                Loop("drain", limits.DRAIN_TICK_S, DrainLoop(self.actors).run_once, note),
                Loop("balance", limits.BALANCE_TICK_S, BalanceLoop(self.actors).run_once, note),
                Loop("board", limits.BOARD_TICK_S, BoardLoop(self.actors, self.turning).run_once, note),
            )
        }
        self.context.wake_hot = self.loops["hot"].wake
        self.context.wake_idle = self.loops["idle"].wake
        self.context.wake_due = self.loops["due"].wake
        self.context.wake_board = self.loops["board"].wake
        self.tree = Tree(self.children())

    def children(self) -> list[Child]:
        """The tree: started in this order, stopped in reverse."""
        loops = self.loops
        return [
            Child("metrics", self._count),
            Child("lookout", self.lookout.run),
            *(
                [Child("listener", self._listener(port).run)]
                if (port := self.settings.metrics_port) is not None
                else []
            ),
            Child("lock", lambda started: self.ownership.hold(started, self.ended.set)),
            Child("slots", self._own_slots),
            *([Child("relay", self._relay)] if self.settings.egress_socket is not None else []),
            Child("door", self.door.run),
            Child("actors", self._keep_actors),
            Child("leases", loops["leases"].run),
            *([Child("memory", loops["memory"].run)] if self.settings.hot_slots is None else []),
            Child("drain", loops["drain"].run),
            Child("board", loops["board"].run),
            Child("hot", loops["hot"].run),
            Child("idle", loops["idle"].run),
            Child("wishes", lambda started: listen_wishes(self.actors, started)),
            Child("reconcile", loops["reconcile"].run),
            Child("due_news", lambda started: listen_due(self.actors, loops["due"].wake, started)),
            Child("due", loops["due"].run),
            Child("sticky", loops["sticky"].run),
            Child("balance", loops["balance"].run),
        ]

    def turning(self) -> list[Loop]:
        """The loops that turn: with a fixed number of slots nobody follows the memory."""
        return [one for name, one in self.loops.items() if name != "memory" or self.settings.hot_slots is None]

    async def start(self) -> None:
        """Starts all children. Raises `TreeFailed`."""
        await self.tree.start()
        await self.lookout.look()
        self.lookout.working = True
        emit(
            "supervisor_started",
            node=self.ownership.node,
            slots=self.context.slots,
            environment=self.door.environment,
        )

    async def stop(self, drain_s: float = limits.TERM_DRAIN_S) -> None:
        """Takes in nothing new, puts all sessions to sleep, stops all children in reverse order."""
        self.lookout.working = False
        for name in INTAKE:
            await self.tree.stop_one(name)
        self.context.fleet_stopped_until_ms = NEVER_MS
        await self.actors.drain(drain_s)
        await self.tree.stop()
        emit("supervisor_stopped", node=self.ownership.node)

    def report(self) -> None:
        """Writes every actor's state to the log."""
        report(self.actors)

    def _hear(self, told: News) -> None:
        self.actors.hear(told)

    def _door_lost(self) -> None:
        self.actors.door_lost()

    def _listener(self, port: int) -> Listener:
        return Listener(port, self.lookout.readiness, self.metrics.text)

    async def _count(self, started: Callable[[], None]) -> None:
        """Counts what is logged, for as long as the tree lives."""
        gauges = Gauges(self.actors, self.lookout)
        unlisten = listen(self.metrics.hear)
        self.metrics.registry.register(gauges)
        started()
        try:
            await asyncio.Event().wait()
        finally:
            self.metrics.registry.unregister(gauges)
            unlisten()

    async def _own_slots(self, started: Callable[[], None]) -> None:
        """The slots that an earlier process of this node left are nobody's: it is dead, we have its lock."""
        self.context.keys = Slots(self.store.redis, self.ownership.node)
        with contextlib.suppress(Unavailable):  # they expire
            await self.context.keys.clear()
        started()
        await asyncio.Event().wait()

    async def _relay(self, started: Callable[[], None]) -> None:
        assert self.settings.egress_socket is not None
        mode = demo_of(self.settings.simulator) if self.settings.simulator else Live()
        relay = Relay(self.settings.egress_socket, mode)
        await relay.start()
        started()
        try:
            await asyncio.Event().wait()
        finally:
            await relay.close()

    async def _keep_actors(self, started: Callable[[], None]) -> None:
        started()
        try:
            await self.actors.failed.wait()
            self.ended.set()
            await asyncio.Event().wait()
        finally:
            await self.actors.stop()
