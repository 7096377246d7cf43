"""How long an account stays COLD after what went wrong. The rules are domain/sending.py's; Postgres has the copy."""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from domain import limits
from domain.sending import backoff_s, park_s, restart_wait
from store.accounts import Wait
from supervisor import clock
from supervisor.log import emit

if TYPE_CHECKING:
    from supervisor.actor import Actor


class Waits(msgspec.Struct, kw_only=True):
    """Failures and 515s in a row; COLD from `begun_ms` until `until_ms` (Unix ms) for `reason`."""

    failures: int = 0
    restarts: int = 0
    begun_ms: int = 0
    until_ms: int = 0
    reason: str = ""


def back_off(actor: "Actor") -> None:
    """One more failure in a row. A pairing is not punished: a person is waiting."""
    session = actor.session
    if session is not None and session.pairing and not session.paired:
        return
    waits = actor.waits
    waits.failures += 1
    wait_s = backoff_s(waits.failures, actor.context.dice())
    if session is not None:
        wait_s = max(wait_s, session.least_wait_s)
    _wait(actor, "no_connection", wait_s, parked=False)


def back_off_restart(actor: "Actor") -> None:
    """One more 515 in a row; after some of them the account is parked and the count starts anew."""
    waits = actor.waits
    waits.restarts += 1
    wait = restart_wait(waits.restarts, actor.context.dice())
    if wait.parked:
        waits.restarts = 0
    _wait(actor, "restarts", wait.wait_s, parked=wait.parked)


def park(actor: "Actor") -> None:
    """The same device is connected elsewhere: leave it alone for a while."""
    _wait(actor, "replaced", park_s(actor.context.dice()), parked=True)


def rest(actor: "Actor", until_ms: int) -> None:
    """The account has been woken as often as it may be, and something is due: pages say so, and until when."""
    if until_ms > max(actor.waits.until_ms, clock.now_ms()):
        _wait(actor, "woken_often", (until_ms - clock.now_ms()) / 1000, parked=False)


def stop_fleet(actor: "Actor") -> None:
    """WhatsApp refuses this client: nobody connects for a while, on any node."""
    context = actor.context
    context.fleet_stopped_until_ms = clock.now_ms() + int(limits.FLEET_STOP_S * 1000)
    code = actor.session.code if actor.session is not None else 0
    actor.chore(lambda: context.store.run_state.stop_fleet(code))


def clear_failures(actor: "Actor") -> None:
    """The session lasted until we let it go, or a send went through; a login alone does not count."""
    if actor.waits.failures:
        actor.waits.failures = 0
        _keep(actor, None, parked=False)


def forgive(actor: "Actor") -> None:
    """A send went through: refusals, failures, restarts in a row have ended. A wait that has begun meanwhile stays."""
    if actor.row.refusals:
        actor.row = msgspec.structs.replace(actor.row, refusals=0)
        actor.chore(lambda: actor.context.store.pacing.forgive(actor.account, actor.epoch))
    if actor.waits.until_ms > clock.now_ms():
        return
    clear_failures(actor)
    if actor.waits.restarts:
        actor.waits.restarts = 0
        _keep(actor, None, parked=False)


def note_refused(actor: "Actor", code: int) -> None:
    """WhatsApp has refused a message for good, with a code of its own: strangers wait, or after two all of them do."""

    async def write() -> None:
        found = await actor.context.store.pacing.note_refusal(actor.account, actor.epoch, code, clock.now())
        if found is not None:
            actor.row = msgspec.structs.replace(actor.row, refusals=found.refusals)

    actor.chore(write)


def _wait(actor: "Actor", reason: str, wait_s: float, *, parked: bool) -> None:
    waits = actor.waits
    waits.begun_ms = clock.now_ms()
    waits.until_ms = waits.begun_ms + int(wait_s * 1000)
    waits.reason = reason
    emit(
        "account_wait",
        account=actor.account,
        reason=reason,
        wait_s=round(wait_s, 1),
        failures=waits.failures,
        restarts=waits.restarts,
    )
    _keep(actor, wait_s, parked=parked)


def _keep(actor: "Actor", wait_s: float | None, *, parked: bool) -> None:
    """Copies the waits to Postgres, and as a hint to Redis."""
    until = None if wait_s is None else clock.now() + timedelta(seconds=wait_s)
    wait = Wait(
        failures=actor.waits.failures,
        restarts=actor.waits.restarts,
        backoff_until=None if parked else until,
        parked_until=until if parked else None,
    )
    store, account, reason = actor.context.store, actor.account, actor.waits.reason

    async def write() -> None:
        await store.accounts.wait(account, actor.epoch, wait)
        if wait_s is None:
            await store.run_state.clear_backoff(account)
        elif parked:
            await store.run_state.park(account, reason, wait_s)
        else:
            await store.run_state.back_off(account, reason, wait_s)

    actor.chore(write)
