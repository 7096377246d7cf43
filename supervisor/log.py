"""Log lines: JSON, one table of events and the only fields they may carry. A leak needs a change to that table."""

import contextlib
import sys
from collections.abc import Callable, Generator, Mapping, MutableMapping
from typing import Any, Final, TextIO

import msgspec
import structlog

EVENTS: Final[dict[str, tuple[str, ...]]] = {
    # --- process ---
    "supervisor_started": ("node", "slots", "environment"),
    "slots_fewer": ("slots", "live", "pressure"),
    "supervisor_stopping": ("node", "signal"),
    "supervisor_stopped": ("node",),
    "child_started": ("child",),
    "child_failed": ("child", "error", "trace"),
    "child_stopped": ("child",),
    "budget_spent": ("child", "restarts"),
    "world_failed": ("part", "error"),
    "accounts_moved": ("node", "accounts"),
    "node_draining": ("node", "draining"),
    "lock_taken": ("node",),
    "lock_lost": ("node",),
    "settings_refused": ("problem",),
    "dependency_away": ("dependency",),
    "dependency_back": ("dependency",),
    "listening": ("port",),
    "port_taken": ("port",),
    "door_opened": ("boot", "environment"),
    "door_lost": ("boot",),
    # --- loops: only turns that did something ---
    "loop_turn": ("loop", "counts"),
    "wish_heard": ("account",),
    # --- accounts ---
    "account_adopted": ("account", "epoch"),
    "account_retired": ("account", "epoch"),
    "account_lost": ("account", "epoch"),
    "account_run": ("account", "before", "after", "by"),
    "account_phase": ("account", "phase"),
    "account_link": ("account", "by", "reason"),
    "turn_ended": ("account", "in_hand"),
    "account_wait": ("account", "reason", "wait_s", "failures", "restarts"),
    "account_state": ("account", "run", "phase", "epoch", "kind", "in_hand", "in_doubt", "chores", "wait_ms"),
    "session_opening": ("account", "epoch", "kind", "version", "dirty"),
    "session_opened": ("account", "epoch", "continued", "pid"),
    "session_not_opened": ("account", "epoch", "code"),
    "session_closed": ("account", "epoch", "version", "clean", "code"),
    "pairing_shown": ("account", "how", "valid_s"),
    "pairing_phase": ("account", "phase"),
    "pairing_done": ("account",),
    "pairing_failed": ("account", "reason"),
    "contacts_copied": ("account", "people", "groups", "synced"),
    "pictures_paused": ("account",),
    "receipt_lost": ("account", "kind"),
    # --- messages ---
    "message_armed": ("account", "message", "due_ms"),
    "message_begun": ("account", "message", "attempt", "number"),
    "message_sent": ("account", "message", "attempt", "late_ms"),
    "message_not_sent": ("account", "message", "attempt", "certainty", "trouble", "server_code"),
    "message_ended": ("account", "message", "by", "reason"),
    "message_gate_closed": ("account", "message"),
    "attempt_settled": ("account", "message", "attempt", "found", "by"),
    "receipt": ("account", "kind", "ids"),
}
"""Event → fields. No text of a message, no number, JID or name, no token, no QR text is among them."""

_ALWAYS: Final = frozenset({"event", "level", "timestamp"})

Listener = Callable[[str, Mapping[str, Any]], None]

dropped = 0
"""Fields that were dropped since the start, for want of a place in the table."""

_listeners: list[Listener] = []
_logger = structlog.get_logger()


def emit(event: str, /, **fields: object) -> None:
    """Writes one line. Raises KeyError for an event that is not in the table."""
    EVENTS[event]
    level = "warning" if event in _WARNINGS else "info"
    getattr(_logger, level)(event, **fields)
    for listener in _listeners:
        listener(event, fields)


def listen(listener: Listener) -> Callable[[], None]:
    """Has `listener` called after each line, in order; returns what ends that. How tests wait for what happens."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


_WARNINGS: Final = frozenset(
    {
        "child_failed",
        "budget_spent",
        "world_failed",
        "lock_lost",
        "door_lost",
        "account_lost",
        "receipt_lost",
        "settings_refused",
        "dependency_away",
        "port_taken",
    }
)


def keep_known_fields(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops every field that the table does not name for the event, and counts it."""
    global dropped
    allowed = _ALWAYS | frozenset(EVENTS.get(line["event"], ()))
    for field in [field for field in line if field not in allowed]:
        del line[field]
        dropped += 1
    return line


def _encode(line: object, **_: object) -> bytes:
    """The line as JSON; quicker than the standard library, and ids need no telling what they are."""
    return msgspec.json.encode(line, enc_hook=str)


def start_logging(file: TextIO = sys.stdout) -> None:
    """Sends lines to `file` as JSON. In the composition root."""
    global _logger
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_known_fields,
            structlog.processors.JSONRenderer(serializer=_encode),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=file.buffer),
        cache_logger_on_first_use=True,
    )
    _logger = structlog.get_logger()  # the one before has kept its file


@contextlib.contextmanager
def logging_to(file: TextIO) -> Generator[None]:
    """Does so for a while: for a supervisor inside another program."""
    global _logger
    start_logging(file)
    try:
        yield
    finally:
        structlog.reset_defaults()
        _logger = structlog.get_logger()
