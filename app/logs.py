"""Logs as JSON lines on standard output: a table of events and the only fields they may carry."""

import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

EVENTS: Final[dict[str, frozenset[str]]] = {
    "started": frozenset({"host", "port"}),
    "stopped": frozenset(),
    "request": frozenset({"method", "route", "status", "ms"}),
    "refused": frozenset({"code", "route"}),
    "unavailable": frozenset({"route", "what"}),
    "failed": frozenset({"route", "number", "kind", "where"}),
    "hub_lost": frozenset(),
    "hub_connected": frozenset(),
    "mail_sent": frozenset(),
    "mail_not_sent": frozenset(),
    "door_failed": frozenset({"operation", "code"}),
}
"""Whatever is not named here is dropped: a leak needs a change of this table."""

ALWAYS: Final = frozenset({"event", "level", "timestamp"})


def only_allowed(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor that drops every field and event that the table does not name."""
    allowed = EVENTS.get(str(entry.get("event")))
    if allowed is None:
        raise structlog.DropEvent
    return {name: value for name, value in entry.items() if name in allowed or name in ALWAYS}


def open_log() -> structlog.typing.FilteringBoundLogger:
    """The process's one logger."""
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stdout),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
    )
