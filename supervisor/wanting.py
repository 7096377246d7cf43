"""What an account wants a session for, and what it does with the one it has: what the planner and pages see of it."""

from typing import TYPE_CHECKING, Final

from domain import limits
from domain.account import Link, Run
from domain.hotset import Holder, Want, WantKind
from domain.wake_limits import free_at_ms, stays_for_ms
from domain.wakes import spare_ms
from store.run_state import RunShown
from supervisor import clock

if TYPE_CHECKING:
    from supervisor.actor import Actor
    from supervisor.session import LiveSession

_SLOT_STATES: Final = (Run.CONNECTING, Run.HOT, Run.DISCONNECTING)


def next_kind(actor: "Actor") -> WantKind:
    """What the session that begins now is for."""
    if actor.wish == "pair" and actor.link is Link.PAIRING:
        return WantKind.PAIRING
    if actor.doubted.is_set() or actor.outbox.first() is not None:
        return WantKind.DUE
    if actor.wish:
        return WantKind.WISH
    return WantKind.STICKY if wants_sync(actor) else WantKind.HEALTH


def wants_sync(actor: "Actor") -> bool:
    """Whether the account should be awake for its first sync: it is not over, and there is budget for it."""
    return actor.unsynced and actor.row.sticky_left_ms > 0


def want(actor: "Actor") -> Want | None:
    """Why the account wants a slot, if it has none and wants one."""
    if actor.state is not Run.COLD or actor.lost or actor.leaving or actor.busy:
        return None
    if actor.row.stopped and actor.wish != "unlink":  # its owner may always leave
        return None
    now_ms = clock.now_ms()
    not_before_ms = max(actor.waits.until_ms, actor.context.fleet_stopped_until_ms)
    kind, ready_at_ms, patience_s = None, now_ms, 0.0
    wake = actor.outbox.wake()
    if actor.wish == "pair" and actor.link is Link.PAIRING:
        kind, ready_at_ms = WantKind.PAIRING, actor.row.wished_ms
        not_before_ms = actor.context.fleet_stopped_until_ms
    elif actor.link is not Link.LINKED:
        return None
    elif actor.doubted.is_set():
        kind, ready_at_ms = WantKind.DUE, actor.doubted_ms
    elif actor.wish in ("unlink", "sync"):
        kind, ready_at_ms = WantKind.WISH, actor.row.wished_ms
    elif wake is not None:
        kind, (ready_at_ms, latest_ms) = WantKind.DUE, wake
        patience_s = (latest_ms - ready_at_ms) / 1000
    elif wants_sync(actor):
        kind, ready_at_ms, patience_s = WantKind.STICKY, actor.adopted_ms, limits.STICKY_PATIENCE_S
    elif actor.health_due:
        kind, ready_at_ms, patience_s = WantKind.HEALTH, actor.adopted_ms, limits.HEALTH_PATIENCE_S
    if kind is None:
        return None
    if kind is not WantKind.PAIRING and actor.wish != "unlink":  # who asks is refused, not made to wait; all may leave
        not_before_ms = max(not_before_ms, rests_until_ms(actor, kind))
    return Want(
        account=str(actor.account),
        kind=kind,
        ready_at_ms=ready_at_ms,
        latest_ms=ready_at_ms + int(patience_s * 1000),
        lead_ms=actor.row.lead_ms,
        spare_ms=spare_ms(actor.row.lead_ms) if kind is WantKind.DUE else 0,
        not_before_ms=not_before_ms,
        turn_ms=actor.turn_ms,
    )


def rests_until_ms(actor: "Actor", kind: WantKind) -> int:
    """How long the account stays cold because it was woken often (Unix ms, 0: not at all).

    After a failure the backoff says when; after a linking, which counts too, somebody may want to send at once.
    """
    wakes_ms = actor.row.wakes_ms
    linked = bool(wakes_ms) and actor.row.link_changed_ms >= wakes_ms[-1]
    return free_at_ms(wakes_ms, kind, again=linked or bool(actor.waits.failures or actor.waits.restarts))


def _spares(actor: "Actor", session: "LiveSession", next_use_ms: int | None) -> bool:
    """Whether its next wake would be one of few that are left. Before it is known when that will be, it may be."""
    now_ms = clock.now_ms()
    until_ms = stays_for_ms(actor.row.wakes_ms, now_ms)
    if until_ms <= now_ms:
        return False
    if next_use_ms is None:
        return not session.next_use_known
    return next_use_ms - actor.row.lead_ms < until_ms


def may_move(actor: "Actor") -> bool:
    """Whether another node can have the account: it sleeps, nothing of it is under way, nobody waits for it at once.

    What is in doubt stays where the session was: only its enclave can say what became of a send.
    """
    if actor.state is not Run.COLD or actor.slot_token or actor.busy or len(actor.chores) or actor.pins:
        return False
    if actor.lost or actor.wish or actor.doubted.is_set():
        return False
    now_ms, wanted = clock.now_ms(), want(actor)
    return wanted is None or not now_ms - 1 < wanted.latest_start_ms < now_ms + int(limits.BALANCE_TICK_S * 1000)


def holds(actor: "Actor") -> bool:
    """Whether the account has a slot."""
    return actor.state in _SLOT_STATES and actor.session is not None


def holder(actor: "Actor") -> Holder | None:
    """What the account does with its slot, if it has one."""
    session, first = actor.session, actor.outbox.first()
    if actor.state not in _SLOT_STATES or session is None:
        return None
    next_use = [ms for ms in (first.fire_ms if first else None, session.next_use_ms) if ms is not None]
    in_use = first is not None or session.in_flight or session.settling > 0
    return Holder(
        account=str(actor.account),
        kind=WantKind.DUE if in_use else session.kind,
        run=actor.state,
        evictable=session.evictable and actor.state is Run.HOT,
        next_use_ms=min(next_use, default=None),
        sticky_left_ms=session.sticky_left_ms,
        busy_since_ms=session.busy_since_ms,
        yielding=session.yielding,
        sparing=_spares(actor, session, min(next_use, default=None)),
        stays_until_ms=session.sent_at_ms + int(actor.context.stay_s * 1000) if session.sent_at_ms else 0,
    )


def shown(actor: "Actor") -> RunShown:
    """What pages may see."""
    phase = actor.session.phase if actor.session is not None and actor.state is Run.HOT else ""
    waiting = actor.waits.until_ms > clock.now_ms()
    return RunShown(
        run=actor.state,
        phase=phase,
        reason=actor.waits.reason if waiting else "",
        until_ms=actor.waits.until_ms if waiting else 0,
    )
