"""What the engine room says of slots, loops and nodes: plain words for whoever looks after the machines. Pure."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app.amounts import lasting
from app.clock import moment
from domain import limits
from domain.account import Phase, Run, RunEvent
from domain.hotset import WantKind
from store.boards import Board, Held
from store.engine_room import Late

CHORES_MANY: Final = 50
FAILED_BEFORE: Final[dict[str, str]] = {
    RunEvent.RESTARTED: "backoff {} after 515",
    RunEvent.REFUSED: "backoff {} after a refused login",
    RunEvent.OVERDUE: "backoff {} after WhatsApp did not answer",
    RunEvent.FLAPPED: "backoff {} after the connection kept breaking",
    RunEvent.REPLACED: "parked {}: the same link was in use from elsewhere",
    RunEvent.OUTDATED: "backoff {} after WhatsApp wanted a newer client",
    RunEvent.DIED: "backoff {} after the session died",
}
_CONNECTING: Final[dict[str, str]] = {
    WantKind.DUE.name: "connecting",
    WantKind.PAIRING.name: "linking",
    WantKind.WISH.name: "connecting, its owner asked",
    WantKind.STICKY.name: "connecting, first sync",
    WantKind.HEALTH.name: "connecting, health wake",
}


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What the room says above all else."""

    tone: str
    icon: str
    title: str
    text: str


def numbered(number: int) -> str:
    """What an account is called."""
    return f"#{number:04}"


def at_ms(ms: int) -> datetime:
    """The instant of Unix ms."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def tile_of(held: Held) -> str:
    """Which tile a slot's account has."""
    if held.run == Run.CONNECTING:
        return "connecting"
    if held.run == Run.DISCONNECTING:
        return "closing"
    return "sending" if held.phase == Phase.SENDING else "hot"


def why(held: Held, zone: ZoneInfo) -> str:
    """Why an account has its slot."""
    kind = held.kind.upper()
    if held.run == Run.CONNECTING:
        return _CONNECTING.get(kind, "connecting")
    if held.run == Run.DISCONNECTING:
        return "persisting store"
    if held.phase == Phase.SENDING:
        return f"sending, {held.in_hand} more in hand" if held.in_hand else "sending, 1 message"
    if kind == WantKind.PAIRING.name:
        return "linking, history"
    if held.phase == Phase.DRAINING:
        return "taking in what had waited"
    if held.fires_ms:
        return f"ready, fires {moment(at_ms(held.fires_ms), zone).seconds}"
    if kind == WantKind.STICKY.name and not held.idle:
        return f"first sync, budget {lasting(held.sticky_left_ms)}"
    if held.phase == Phase.LINGERING and not held.idle:
        return "lingering for receipts"
    return "idle, nobody needs its slot"


def late_loops(boards: list[Board], now_ms: int) -> list[str]:
    """The loops that have not turned for longer than they may, as "reconcile of node, 12 s late"."""
    late = []
    for board in boards:
        # A board may be as old as BOARD_FRESH_S; a loop is judged by the clock of its own node.
        for loop in board.loops:
            behind_ms = board.at_ms - max(loop.turned_ms, board.started_ms) - loop.tick_ms
            if behind_ms > limits.LOOP_LATE_S * 1000:
                late.append(f"{loop.name} of {board.node}, {lasting(behind_ms)} late")
        silent_ms = now_ms - board.at_ms
        if silent_ms > (limits.BOARD_FRESH_S + limits.LOOP_LATE_S) * 1000:
            late.append(f"{board.node} silent for {lasting(silent_ms)}")
    return late


def trouble(boards: list[Board] | None, zone: ZoneInfo) -> Trouble | None:
    """The worst of what is wrong. `boards` None: Redis is away."""
    if boards is None:
        return Trouble(
            tone="watch",
            icon="triangle-alert",
            title="Degraded: Redis is away.",
            text="Messages keep leaving, from PostgreSQL alone. Slots and tiles cannot be seen until Redis is back.",
        )
    if not boards:
        return Trouble(
            tone="bad", icon="octagon-x", title="No node reports.", text="Nothing leaves until a supervisor runs."
        )
    for board in boards:
        if not board.door:
            text = "Its sessions have ended with it. It tries again by itself."
            title = f"The enclave of {board.node} does not answer."
            return Trouble(tone="bad", icon="octagon-x", title=title, text=text)
    stopped_ms = max((board.stopped_until_ms for board in boards if not board.draining), default=0)
    if stopped_ms:
        until = moment(at_ms(stopped_ms), zone).time if stopped_ms < limits.FOREVER_MS else "further notice"
        text = "WhatsApp refused this version of the client, or a node ends. What lives goes on."
        return Trouble(tone="bad", icon="octagon-x", title=f"Nobody connects until {until}.", text=text)
    for board in boards:
        if board.chores > CHORES_MANY:
            text = "PostgreSQL is slow or away; nothing is lost meanwhile."
            title = f"{board.chores} writes of {board.node} wait."
            return Trouble(tone="watch", icon="triangle-alert", title=title, text=text)
        if board.pressure > limits.PRESSURE_HIGH_PERCENT:
            text = "Sessions that nobody needs are put to sleep until there is room."
            title = f"{board.node} is short of memory."
            return Trouble(tone="watch", icon="triangle-alert", title=title, text=text)
    return None


def cause(late: Late) -> str:
    """Why a message left late, as far as the wakes around it tell."""
    number, late_by = numbered(late.number), lasting(_ms(late.due_at, late.gone_at))
    return f"{number} {late_by} late: {_because(late)}."


def _because(late: Late) -> str:
    if late.woken_at is None:
        return "nobody saw the wake in which it left"
    if late.woken_at > late.due_at:
        if late.before_at is not None and late.before_ending in FAILED_BEFORE:
            return FAILED_BEFORE[late.before_ending].format(lasting(_ms(late.before_at, late.woken_at)))
        if late.linking is not None:
            return f"slot busy by linking of {numbered(late.linking)}"
        return f"waited {lasting(_ms(late.due_at, late.woken_at))} for a slot"
    if late.attempts > 1:
        return f"left at try {late.attempts}"
    if late.ready_at is not None and late.ready_at > late.due_at:
        return f"connecting took {lasting(_ms(late.woken_at, late.ready_at))}"
    return "it stood behind others of its account"


def _ms(begin: datetime, end: datetime) -> int:
    return int((end - begin).total_seconds() * 1000)
