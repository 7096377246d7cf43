"""Rows as the engine leaves them: brings a message, its history and its wake to a state, so that a page can show it.

Also for the tests of pages. Only the states that need one get a history with times; the words are the pages' own.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from domain.message import MessageEvent, MessageState, Reason
from store.statements import Statements

Query = Callable[[str], str]
"""Runs SQL text through psql and returns its bare output."""
STATEMENTS: Final = Statements("rows", Path(__file__).parent)

_S, _E = MessageState, MessageEvent
LEFT: Final = (_S.SENT, _S.DELIVERED, _S.READ)
REASONS: Final[Mapping[MessageState, Reason]] = {
    _S.BLOCKED: Reason.LOGGED_OUT,
    _S.MISSED: Reason.TOO_LATE,
    _S.FAILED: Reason.NOT_ON_WHATSAPP,
    _S.UNCONFIRMED: Reason.NO_ACKNOWLEDGEMENT,
    _S.CANCELLED: Reason.BY_USER,
}
_HANDED: Final = ((_E.CLAIMED, -4.02), (_E.BEGUN, 0.004))
_ACCEPTED: Final = (*_HANDED, (_E.ACCEPTED, 0.094))
_DELIVERED: Final = (*_ACCEPTED, (_E.DELIVERED, 0.857))
HISTORY: Final[Mapping[MessageState, tuple[tuple[MessageEvent, float], ...]]] = {
    _S.ARMED: _HANDED[:1],
    _S.SENDING: _HANDED,
    _S.SENT: _ACCEPTED,
    _S.DELIVERED: _DELIVERED,
    _S.READ: (*_DELIVERED, (_E.READ, 192.4)),
    _S.UNCONFIRMED: (*_HANDED, (_E.DOUBTED, 30.12)),
    _S.FAILED: (*_HANDED, (_E.REFUSED, 0.311)),
    _S.MISSED: ((_E.LATE, 7_200.0),),
    _S.BLOCKED: ((_E.BLOCKED, -1_200.0),),
    _S.HELD: ((_E.HELD, -600.0),),
    _S.CANCELLED: ((_E.CANCELLED, -900.0),),
}
"""What happened until a state, and how many seconds after the message's time."""
MADE_S: Final = -3 * 3600.0
LATE_MS: Final = 31
WAKE_S: Final = (-4.11, -2.64, 121.3)
"""Woken, ready, asleep again: seconds after the message's time."""


def bring_to(
    query: Query,
    message: str,
    state: MessageState,
    due: datetime,
    *,
    late_ms: int = LATE_MS,
    made_s: float = MADE_S,
    stopped: datetime | None = None,
) -> None:
    """Bring a message that is due at `due` to `state`.

    `late_ms`: how late it left; `made_s`: when it was made, after `due`; `stopped`: when what stops it happened.
    """
    left = due + timedelta(milliseconds=late_ms) if state in LEFT else None
    happened = {event: due + timedelta(seconds=after_s) for event, after_s in HISTORY.get(state, ())}
    if stopped and state in (_S.BLOCKED, _S.HELD, _S.CANCELLED):
        happened = dict.fromkeys(happened, stopped)
    reason = str(REASONS.get(state, ""))
    steps = [[at, event, ""] for event, at in happened.items()]
    if reason:
        steps[-1][2] = reason
    run(
        query,
        "bring_message",
        message=message,
        state=str(state),
        reason=reason,
        due=due,
        made=due + timedelta(seconds=made_s),
        wa_id=f"3EB0{message.replace('-', '')[-18:].upper()}" if left else "",
        begun=happened.get(_E.BEGUN),
        left=left,
        delivered=happened.get(_E.DELIVERED),
        read=happened.get(_E.READ),
        steps=msgspec.json.encode(steps).decode(),
    )
    if left:
        woken, ready, slept = (due + timedelta(seconds=after_s) for after_s in WAKE_S)
        run(query, "note_wake", message=message, woken=woken, ready=ready, slept=slept)


def run(query: Query, name: str, /, **values: str | datetime | None) -> str:
    """Run a statement of rows.sql with these values (None: ""); return psql's bare output."""
    return query("".join(f"\\set {key} {_quoted(value)}\n" for key, value in values.items()) + STATEMENTS[name])


def _quoted(value: str | datetime | None) -> str:
    """A value as psql's `\\set` takes it."""
    text = value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value or ""
    return "'" + text.replace("\\", r"\\").replace("'", "''") + "'"
