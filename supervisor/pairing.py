"""Linking a device: what is shown meanwhile, what is kept when the phone accepts it, what is said if not."""

import asyncio
from typing import TYPE_CHECKING, Final

from domain import limits
from domain.account import Link, LinkEvent, PairPhase, Run, RunEvent
from domain.naming import digits_of
from domain.refusal import Unavailable
from enclave.wire import news
from enclave.wire.news import Notice, PairTrouble
from enclave.wire.operations import Unlink
from store.accounts import PhoneTaken
from store.database import transaction
from store.door import DoorFailed, DoorLost
from store.notices import Element
from store.run_state import PairingShown
from supervisor import clock, standing
from supervisor.chores import until_available
from supervisor.log import emit
from supervisor.session import LiveSession

if TYPE_CHECKING:
    from supervisor.actor import Actor

PHONE_TAKEN: Final = "phone_taken"
UNAVAILABLE: Final = "unavailable"
INTERRUPTED: Final = "interrupted"
"""The session ended without WhatsApp having said no: our machine restarted, or the last step did not come."""


def begin(actor: "Actor", session: LiveSession) -> None:
    """A session that links is about to open: what an earlier one showed is void."""
    if session.pairing:
        _move(actor, session, PairPhase.ASKING)


def hear(actor: "Actor", session: LiveSession, notice: Notice) -> None:
    """Takes what a pairing session tells."""
    if not session.pairing:
        return
    match notice:
        case news.QrShown():
            session.codes += 1
            _show_code(actor, session, notice.valid_s, qr=notice.text)
        case news.PairCodeShown():
            _show_code(actor, session, limits.PAIR_TYPED_S, code=notice.code)
        case news.Paired():
            if actor.state is Run.CONNECTING:
                actor.set_deadline(limits.PAIR_LOGIN_S)
            session.accepted = True
            _move(actor, session, PairPhase.FOUND)
            actor.spawn(_keep(actor, session, notice))
        case news.Connected() if session.paired:
            _follow(actor, session, PairPhase.NAMES)


def hand_on(actor: "Actor", session: LiveSession, event: RunEvent, notice: Notice) -> None:
    """Posts what the session's news mean. While its device is being persisted they wait: there is no link to move."""
    if session.accepted and not session.paired:
        session.held.append((event, notice))
    else:
        actor.post(event, notice)


def note_ready(actor: "Actor", session: LiveSession) -> None:
    """The address book of a freshly linked phone has arrived."""
    if session.pairing:
        _follow(actor, session, PairPhase.READY)


def is_barred(actor: "Actor") -> bool:
    """Whether somebody wants to link while WhatsApp refuses our client: nobody connects for a while, and is told so."""
    wanted = actor.wish == "pair" and actor.link is Link.PAIRING and actor.state is Run.COLD
    return wanted and actor.context.fleet_stopped_until_ms > clock.now_ms()


def fail(actor: "Actor") -> None:
    """The session says why linking ended; `end` writes it down when the slot is returned."""
    if actor.session is not None and not actor.session.trouble:
        actor.session.trouble = PairTrouble.OTHER


def refuse(actor: "Actor", reason: str) -> None:
    """There is no use in trying: the account is unlinked again, and the page says why."""
    emit("pairing_failed", account=actor.account, reason=reason)
    store, account, epoch = actor.context.store, actor.account, actor.epoch
    actor.wish = ""
    # In this order: once the page offers to try again, no wish of before is left that could end the new one.
    actor.chore(lambda: store.accounts.end_wish(account, epoch, "pair"))
    actor.chore(lambda: store.run_state.hide_pairing(account))
    standing.move_link(actor, LinkEvent.ABANDONED, reason)
    actor.chore(lambda: _tell(actor))


def end(actor: "Actor", session: LiveSession) -> None:
    """The session is over: without a device the account is unlinked again, unless another try is wished already."""
    if not session.pairing:
        return
    if session.shown is not None and session.shown.phase is PairPhase.READY:
        return  # it stays true; its key ends by itself
    session.shown = None
    if session.accepted or session.replaced or actor.link is not Link.PAIRING:
        _publish_soon(actor, session)
    else:
        refuse(actor, session.trouble or INTERRUPTED)


def _show_code(actor: "Actor", session: LiveSession, valid_s: int, *, qr: str = "", code: str = "") -> None:
    now_ms = clock.now_ms()
    session.shown = PairingShown(
        phase=PairPhase.SHOWN,
        qr=qr,
        code=code,
        number=session.codes,
        since_ms=now_ms,
        ends_ms=now_ms + valid_s * 1000,
    )
    _publish_soon(actor, session, "pairing_shown", how="qr" if qr else "code", valid_s=valid_s)


def _follow(actor: "Actor", session: LiveSession, phase: PairPhase) -> None:
    """Moves on, never back: a second login of the session says nothing new."""
    if session.shown is not None and _ORDER.index(session.shown.phase) < _ORDER.index(phase):
        _move(actor, session, phase)


def _move(actor: "Actor", session: LiveSession, phase: PairPhase) -> None:
    session.shown = PairingShown(phase=phase, since_ms=clock.now_ms())
    _publish_soon(actor, session, "pairing_phase", phase=phase)


def _publish_soon(actor: "Actor", session: LiveSession, event: str = "", /, **fields: object) -> None:
    async def publish() -> None:
        if await _publish(actor, session) and event:
            emit(event, account=actor.account, **fields)

    actor.spawn(publish())


async def _publish(actor: "Actor", session: LiveSession) -> bool:
    """Shows what is true now, one write at a time, so that none leaves an older one behind.

    While Redis is away a code is void, and linking ends; how far it came is shown once it is back. False: it was not.
    """
    async with session.showing:
        end_s = clock.loop_s() + limits.PAIR_PHASE_S  # after that nobody would be shown it
        while not await _show(actor, session):
            if session.shown is not None and session.shown.phase is PairPhase.SHOWN:  # nobody can see the code
                session.trouble = UNAVAILABLE
                actor.post(RunEvent.RELEASED)
                return False
            await asyncio.sleep(limits.WORLD_RETRY_S)
            if actor.session not in (session, None) or clock.loop_s() >= end_s:  # the next one shows something else
                return False
    await _tell(actor)
    return True


async def _show(actor: "Actor", session: LiveSession) -> bool:
    state, shown = actor.context.store.run_state, session.shown
    try:
        if shown is None:
            await state.hide_pairing(actor.account)
        else:
            await state.show_pairing(actor.account, shown)
    except Unavailable:
        return False
    return True


async def _keep(actor: "Actor", session: LiveSession, paired: news.Paired) -> None:
    """Device, link and store in one transaction. The phone has accepted: this is tried until Postgres is there."""
    store, taken, kept = actor.context.store, False, False

    async def write() -> None:
        nonlocal taken, kept
        try:
            async with transaction(store.pool) as connection:
                user = await store.accounts.pair(
                    connection,
                    actor.account,
                    actor.epoch,
                    jid=paired.jid,
                    lid=paired.lid,
                    phone=digits_of(paired.jid),
                    woken=session.woken,
                    new=not actor.context.demo,
                )
                await store.stores.put_within(connection, actor.account, actor.epoch, paired.store)
                kept = user is not None
        except PhoneTaken:
            taken = True

    await until_available(write)
    if kept:
        await _linked(actor, session)
        return
    await _unlink(actor)
    if taken:  # whoever removed us on the phone while that account slept can link it here a moment later
        await until_available(lambda: store.accounts.doubt_link(digits_of(paired.jid)))
    if actor.link is Link.PAIRING:
        refuse(actor, PHONE_TAKEN if taken else INTERRUPTED)
    if actor.session is session:
        actor.post(RunEvent.RELEASED)


async def _linked(actor: "Actor", session: LiveSession) -> None:
    row = None

    async def load() -> None:
        nonlocal row
        row = await actor.context.store.accounts.load(actor.account)

    await until_available(load)
    if row is None:
        return
    actor.row, actor.link, actor.wish, actor.unsynced = row, Link.LINKED, "", True
    actor.waits.failures = actor.waits.restarts = actor.waits.until_ms = 0
    session.mark_paired(row)
    emit("pairing_done", account=actor.account)
    connected = any(event is RunEvent.CONNECTED for event, _ in session.held)
    _follow(actor, session, PairPhase.NAMES if connected else PairPhase.RESTARTING)
    standing.unblock(actor)
    actor.changed()
    for event, notice in session.held:
        if actor.session is session:
            actor.post(event, notice)


async def _unlink(actor: "Actor") -> None:
    """The phone must not keep a device that belongs to nobody."""
    try:
        await actor.context.door.call(Unlink(account=str(actor.account), epoch=actor.epoch))
    except (DoorFailed, DoorLost):
        return  # the device is without a store then and WhatsApp removes it in time


async def _tell(actor: "Actor") -> None:
    await actor.context.store.notices.tell(
        actor.row.user, (Element.PAIRING, actor.account), (Element.ACCOUNT, actor.account)
    )


_ORDER: Final = tuple(PairPhase)
