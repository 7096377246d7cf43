"""What a supervisor is doing at the moment it is asked, for Prometheus."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from domain.account import Run
from domain.readiness import Answer
from supervisor import clock, machine
from supervisor.actors import Actors
from supervisor.lookout import Lookout

_MEANINGS: Final = {
    "autosendr_actors": "Accounts in hand, by run state.",
    "autosendr_degraded": "1: this dependency does not answer (NaN: nobody asked yet).",
    "autosendr_slots": "Sessions that may live at present.",
    "autosendr_slots_in_use": "Sessions that live.",
    "autosendr_leases": "Accounts that this node owns.",
    "autosendr_messages_in_hand": "Messages that are armed and wait for their instant.",
    "autosendr_accounts_in_doubt": "Accounts with a send whose end nobody saw yet.",
    "autosendr_backoffs": "Accounts that wait before they connect again.",
    "autosendr_chores": "Writes that wait for the database.",
    "autosendr_connects_per_second": "How fast sessions may connect at present.",
    "autosendr_fleet_stopped": "1: nobody connects, because WhatsApp refuses this client.",
    "autosendr_memory_free_bytes": "Memory that is left for us on this machine.",
    "autosendr_memory_pressure_percent": "Share of 10 s in which something waited for memory.",
}
GAUGES: Final = tuple(GaugeMetricFamily(name, meaning) for name, meaning in _MEANINGS.items())
"""All of them, without samples."""


class Gauges(Collector):
    """Looks at the actors when it is asked; from the event loop only."""

    def __init__(self, actors: Actors, lookout: Lookout) -> None:
        """Of one tree."""
        self._actors = actors
        self._lookout = lookout

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Their names, so that being registered looks at nothing."""
        return GAUGES

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One look."""
        context, actors = self._actors.context, list(self._actors.by_account.values())
        now_ms, memory = clock.now_ms(), machine.memory()
        runs = Counter(actor.state for actor in actors)
        answers = self._lookout.answers.items()
        yield _by("autosendr_actors", "run", {run: runs[run] for run in Run})
        yield _by("autosendr_degraded", "dependency", {name: _DEGRADED[answer] for name, answer in answers})
        values = {
            "autosendr_slots": context.slots,
            "autosendr_slots_in_use": sum(actor.session is not None for actor in actors),
            "autosendr_leases": len(context.ownership.epochs),
            "autosendr_messages_in_hand": sum(len(actor.outbox) for actor in actors),
            "autosendr_accounts_in_doubt": sum(actor.doubted.is_set() for actor in actors),
            "autosendr_backoffs": sum(actor.waits.until_ms > now_ms for actor in actors),
            "autosendr_chores": sum(len(actor.chores) for actor in actors),
            "autosendr_connects_per_second": context.pace.per_s,
            "autosendr_fleet_stopped": self._lookout.working and context.fleet_stopped_until_ms > now_ms,
            "autosendr_memory_free_bytes": memory.free_bytes,
            "autosendr_memory_pressure_percent": memory.pressure,
        }
        for name, value in values.items():
            yield GaugeMetricFamily(name, _MEANINGS[name], value=float(value))


_DEGRADED: Final = {Answer.UP: 0.0, Answer.AWAY: 1.0, Answer.UNKNOWN: float("nan")}


def _by(name: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, _MEANINGS[name], labels=(label,))
    for key, value in values.items():
        family.add_metric((str(key),), value)
    return family
