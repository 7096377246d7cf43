"""What the web process counts, for Prometheus. Labels come from fixed sets: never an id, a number or an address."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics import disable_created_metrics

from domain import limits
from domain.readiness import Answer, Dependency
from store.figures import Figures

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
OTHER: Final = "other"
STREAM: Final = "/live"
"""A stream lasts as long as its page: how long says nothing about us."""
UNKNOWN: Final = float("nan")


class Metrics:
    """Of one process, in a registry of its own."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        disable_created_metrics()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._answers = Counter(
            "autosendr_web_answers",
            "Answers, by method, route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "autosendr_web_answer_seconds",
            "How long answers took, by route; streams are left out.",
            ("route",),
            buckets=limits.SHORT_BUCKETS_S,
            registry=self.registry,
        )
        self._pages = self._gauge("autosendr_web_pages", "Pages that are open and live.")
        self._degraded = Gauge(
            "autosendr_degraded",
            "1: this dependency does not answer (NaN: it cannot be asked).",
            ("dependency",),
            registry=self.registry,
        )
        self._supervisors = self._gauge("autosendr_supervisors", "Supervisors that live on this database.")
        self._overdue = self._gauge(
            "autosendr_messages_overdue", "Messages of linked accounts that should have left a minute ago and wait."
        )
        self._accounts = Gauge(
            "autosendr_accounts", "Accounts, by where they stand with WhatsApp.", ("link",), registry=self.registry
        )

    def note_answer(self, method: str, route: str, status: int, took_s: float) -> None:
        """One answer has gone out. `route` is a pattern, "" for none."""
        route = route or OTHER
        self._answers.labels(method if method in METHODS else OTHER, route, status).inc()
        if route != STREAM:
            self._seconds.labels(route).observe(took_s)

    def text(
        self, answers: Mapping[Dependency, Answer], supervisors: int, figures: Figures | None, pages: int
    ) -> bytes:
        """All of it in Prometheus' text format. `figures` None: the database cannot be asked."""
        for dependency, answer in answers.items():
            away = UNKNOWN if answer is Answer.UNKNOWN else float(answer is Answer.AWAY)
            self._degraded.labels(dependency).set(away)
        self._supervisors.set(UNKNOWN if figures is None else supervisors)
        self._overdue.set(UNKNOWN if figures is None else figures.overdue)
        for link, count in figures.accounts.items() if figures is not None else ():
            self._accounts.labels(link).set(count)
        self._pages.set(pages)
        return generate_latest(self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self.registry)
