"""What a supervisor counts, for Prometheus: from its own log lines, its loops and its calls through the door.

One a process: the counts go on when the tree is begun anew. Labels come from fixed sets, never an account or a number.
"""

from collections.abc import Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics import disable_created_metrics

from domain import limits
from domain.account import Run

DONE: Final = "done"


class Metrics:
    """`hear` takes log lines, `note_*` what is not logged, `text` gives all of it."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        disable_created_metrics()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._late = Histogram(
            "autosendr_send_late_seconds",
            "How late messages were handed to their session, after their due instant.",
            buckets=limits.LATENESS_BUCKETS_S,
            registry=self.registry,
        )
        self._sends = self._counter(
            "autosendr_sends", "Sends that ended: sent, or how sure it is that it was not.", "outcome"
        )
        self._endings = self._counter("autosendr_messages_ended", "Messages that ended unsent, by how.", "by")
        self._wakes = self._counter("autosendr_wakes", "Sessions that were begun, by what for.", "kind")
        self._connects = self._counter("autosendr_connects", "Connects that ended, by how.", "ending")
        self._links = self._counter("autosendr_links", "Changes of where accounts stand with WhatsApp.", "by")
        self._pairings = self._counter("autosendr_pairings", "Linkings that ended: done, or why not.", "ending")
        self._waits = self._counter("autosendr_waits", "Backoffs and parkings that began, by reason.", "reason")
        self._lost = self._counter("autosendr_leases_lost", "Accounts that another node took, or that we let go.")
        self._failures = self._counter("autosendr_child_failures", "Bugs, by the part of the tree.", "child")
        self._turns = self._counter("autosendr_loop_turns", "Turns of the loops.", "loop")
        self._bad_turns = self._counter("autosendr_loop_failures", "Turns that a dependency cut short.", "loop")
        self._turn_seconds = Histogram(
            "autosendr_loop_turn_seconds",
            "How long turns of the loops took.",
            ("loop",),
            buckets=limits.SHORT_BUCKETS_S,
            registry=self.registry,
        )
        self._calls = self._counter(
            "autosendr_door_calls", "Calls to the enclave, by operation and answer.", "operation", "answer"
        )
        self._call_seconds = Histogram(
            "autosendr_door_call_seconds",
            "How long calls to the enclave took.",
            ("operation",),
            buckets=limits.LONG_BUCKETS_S,
            registry=self.registry,
        )

    def hear(self, event: str, fields: Mapping[str, Any]) -> None:
        """Counts a log line."""
        match event:
            case "message_sent":
                self._late.observe(max(0, fields["late_ms"]) / 1000)
                self._sends.labels("sent").inc()
            case "message_not_sent":
                self._sends.labels(str(fields["certainty"]).lower()).inc()
            case "message_ended":
                self._endings.labels(fields["by"]).inc()
            case "session_opening":
                self._wakes.labels(fields["kind"]).inc()
            case "account_run" if fields["before"] is Run.CONNECTING:
                self._connects.labels(fields["by"]).inc()
            case "account_link":
                self._links.labels(fields["by"]).inc()
            case "pairing_done":
                self._pairings.labels(DONE).inc()
            case "pairing_failed":
                self._pairings.labels(fields["reason"]).inc()
            case "account_wait":
                self._waits.labels(fields["reason"]).inc()
            case "account_lost":
                self._lost.inc()
            case "child_failed":
                self._failures.labels(str(fields["child"]).split()[0]).inc()  # "actor ACCOUNT"

    def note_turn(self, loop: str, took_s: float, *, failed: bool) -> None:
        """A loop has turned."""
        self._turns.labels(loop).inc()
        self._turn_seconds.labels(loop).observe(took_s)
        if failed:
            self._bad_turns.labels(loop).inc()

    def note_call(self, operation: str, answer: str, took_s: float) -> None:
        """A call through the door has its answer: "ok", the enclave's code, or "lost"."""
        self._calls.labels(operation, answer).inc()
        self._call_seconds.labels(operation).observe(took_s)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)
