"""The person unlinks: the device is logged out at WhatsApp if it can be, and forgotten in any case."""

import asyncio
from typing import TYPE_CHECKING

from domain import limits
from domain.account import Link, LinkEvent, RunEvent, link_starts
from domain.message import Reason
from enclave.wire.envelope import Code
from enclave.wire.operations import Forget, Unlink
from store.door import DoorFailed, DoorLost
from supervisor import standing
from supervisor.session import LiveSession

if TYPE_CHECKING:
    from supervisor.actor import Actor

WISH = "unlink"
FAILURES_MAX = 3
"""After so many failed wakes the device is only forgotten here; the person is told to remove it on the phone."""
NOT_REACHED = "unlinked_here_only"


async def attend(actor: "Actor", session: LiveSession) -> None:
    """Waits for the wish while the session lives, then carries it out."""
    while not session.closing.is_set():
        await session.ready.wait()
        actor.wished.clear()
        if actor.wish == WISH and session.usable and not session.in_flight:
            session.unlinking = True  # that the device is gone is no news then
            try:
                await actor.context.door.call(Unlink(account=str(actor.account), epoch=actor.epoch))
            except DoorLost:
                return
            except DoorFailed as failed:
                session.unlinking = False
                if failed.code is Code.NO_SESSION:
                    return
                actor.post(RunEvent.REFUSED)
                return
            await _forget(actor)
            _mark(actor, "")
            actor.post(RunEvent.RELEASED)
            return
        if actor.wish == WISH:
            await asyncio.sleep(limits.WORLD_RETRY_S)  # a send is under way, or the library redials
        else:
            await actor.wished.wait()


async def unlink_cold(actor: "Actor") -> None:
    """Unlinks without a session: there is no device, or it cannot be reached."""
    await _forget(actor)
    _mark(actor, NOT_REACHED if actor.link is Link.LINKED else "")


def is_hopeless(actor: "Actor") -> bool:
    """Whether an unlinking has waited for a session in vain, or needs none any more."""
    return actor.wish == WISH and (actor.waits.failures >= FAILURES_MAX or actor.link is not Link.LINKED)


def _mark(actor: "Actor", reason: str) -> None:
    actor.wish = ""
    if actor.link in link_starts(LinkEvent.UNLINKED):
        standing.move_link(actor, LinkEvent.UNLINKED, reason)
    standing.drop_store(actor)
    standing.block(actor, Reason.NOT_LINKED)
    actor.chore(lambda: actor.context.store.accounts.end_wish(actor.account, actor.epoch, WISH))


async def _forget(actor: "Actor") -> None:
    try:
        await actor.context.door.call(Forget(account=str(actor.account), epoch=actor.epoch))
    except (DoorFailed, DoorLost):
        return  # an enclave that does not answer holds it in memory only
