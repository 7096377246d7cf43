"""Linking a device: what is shown meanwhile, what is kept when the phone accepts it, what is said if not."""

from typing import TYPE_CHECKING, Final

from domain import limits
from domain.account import Link, LinkEvent, Run, RunEvent
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
CODE_S: Final = 160
"""How long a typed code is good for (docs/whatsapp.md §4)."""


def hear(actor: "Actor", session: LiveSession, notice: Notice) -> None:
    """Takes what a pairing session tells."""
    match notice:
        case news.QrShown():
            shown = PairingShown(qr=notice.text, ends_ms=clock.now_ms() + notice.valid_s * 1000)
            actor.spawn(_show(actor, session, shown, "qr", notice.valid_s))
        case news.PairCodeShown():
            shown = PairingShown(code=notice.code, ends_ms=clock.now_ms() + CODE_S * 1000)
            actor.spawn(_show(actor, session, shown, "code", CODE_S))
        case news.Paired():
            if actor.state is Run.CONNECTING:
                actor.extend_deadline(limits.CONNECT_DEADLINE_S)
            actor.spawn(_keep(actor, session, notice))


def fail(actor: "Actor") -> None:
    """The session says why linking ended; `end` writes it down when the slot is returned."""
    if actor.session is not None and not actor.session.trouble:
        actor.session.trouble = PairTrouble.OTHER


def end(actor: "Actor", session: LiveSession) -> None:
    """The session is over: without a device the account is unlinked again, unless another try is wished already."""
    if not session.pairing or session.paired:
        return
    if session.replaced or actor.link is not Link.PAIRING:
        actor.chore(lambda: actor.context.store.run_state.hide_pairing(actor.account))
        return
    reason = session.trouble or PairTrouble.UNREACHABLE
    emit("pairing_failed", account=actor.account, reason=reason)
    standing.move_link(actor, LinkEvent.ABANDONED, reason)
    actor.wish = ""

    async def write() -> None:
        await actor.context.store.accounts.end_wish(actor.account, actor.epoch, "pair")
        await actor.context.store.run_state.hide_pairing(actor.account)
        await _tell(actor)

    actor.chore(write)


async def _show(actor: "Actor", session: LiveSession, shown: PairingShown, how: str, valid_s: int) -> None:
    try:
        await actor.context.store.run_state.show_pairing(actor.account, shown)
    except Unavailable:
        session.trouble = UNAVAILABLE  # nobody could see the code
        actor.post(RunEvent.RELEASED)
        return
    emit("pairing_shown", account=actor.account, how=how, valid_s=valid_s)
    await _tell(actor)


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
                )
                await store.stores.put_within(connection, actor.account, actor.epoch, paired.store)
                kept = user is not None
        except PhoneTaken:
            taken = True

    await until_available(write)
    if taken or not kept:
        session.trouble = PHONE_TAKEN if taken else PairTrouble.OTHER
        await _unlink(actor)
        actor.post(RunEvent.RELEASED)
        return
    await _linked(actor, session)


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
    await actor.context.store.run_state.hide_pairing(actor.account)
    await _tell(actor)
    standing.unblock(actor)
    actor.changed()


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
