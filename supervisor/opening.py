"""Opening, closing and killing a session through the door. Each returns the event that the actor hears next."""

from typing import TYPE_CHECKING

from domain.account import RunEvent
from domain.refusal import Unavailable
from enclave.wire.answers import Closed, Opened
from enclave.wire.envelope import Code
from enclave.wire.operations import CloseSession, OpenSession, PairSession
from store.door import DoorFailed, DoorLost
from supervisor.log import emit
from supervisor.session import LiveSession

if TYPE_CHECKING:
    from supervisor.actor import Actor

CLOSE_S = 45.0
"""For the enclave to end a session. It kills one that hangs well before this, and keeps its live store: only that can
say what became of a send, so nothing here may ever destroy it."""

_EVENTS = {Code.FENCED: RunEvent.SLOT_LOST}


async def open_session(actor: "Actor", session: LiveSession) -> RunEvent | None:
    """Starts the session process. None: it runs, the rest is news."""
    account, epoch = str(actor.account), actor.epoch
    try:
        row = await actor.context.store.accounts.load(actor.account)
        if row is None or row.epoch != epoch:
            return RunEvent.SLOT_LOST
        session.row = actor.row = row
        emit("session_opening", account=account, epoch=epoch, kind=session.kind.name.lower(), dirty=row.store_dirty)
        if session.pairing:
            operation = PairSession(account=account, epoch=epoch, wrapped_key=row.wrapped_key, phone=row.pair_phone)
        else:
            # Read before the doubt is written down, used after: from here to the closing store the row says "dirty".
            store = await actor.context.store.stores.get(actor.account)
            session.version = store.version if store is not None else 0
            if not await actor.context.store.accounts.mark_dirty(actor.account, epoch, session.woken):
                return RunEvent.SLOT_LOST
            actor.note_woken(session.woken)
            operation = OpenSession(
                account=account,
                epoch=epoch,
                wrapped_key=row.wrapped_key,
                jid=row.jid,
                store=store,
                dirty=row.store_dirty,
            )
        answer = await actor.context.door.call(operation)
    except Unavailable:
        return RunEvent.REFUSED
    except DoorLost:
        return RunEvent.DIED
    except DoorFailed as failed:
        emit("session_not_opened", account=account, epoch=epoch, code=failed.code)
        return _EVENTS.get(failed.code, RunEvent.REFUSED)
    assert isinstance(answer, Opened)
    emit("session_opened", account=account, epoch=epoch, continued=answer.continued, pid=answer.pid)
    return None


async def close_session(actor: "Actor", session: LiveSession) -> RunEvent:
    """Waits for a send under way, closes, keeps the closing store."""
    if actor.work is not None:
        await actor.work_done()
    try:
        closed = await _close(actor, session)
    except DoorLost:
        return RunEvent.DIED
    except DoorFailed:
        return RunEvent.CLOSED
    store = closed.store
    if store is not None and session.paired:
        slept = session.slept()

        async def write() -> None:
            kept = await actor.context.store.stores.put_closing(actor.account, actor.epoch, store, slept)
            session.end_noted = kept and store.clean

        await actor.chores.do(write)
    return RunEvent.CLOSED


async def kill_session(actor: "Actor", session: LiveSession) -> RunEvent:
    """Ends a session that must not go on. Its store stays in doubt, so its ratchets are not used again."""
    try:
        closed = await _close(actor, session)
    except DoorLost:
        return RunEvent.DIED
    except DoorFailed:
        return RunEvent.CLOSED
    store = closed.store
    if store is not None:
        actor.chore(lambda: actor.context.store.stores.put(actor.account, actor.epoch, store))
    return RunEvent.CLOSED


async def _close(actor: "Actor", session: LiveSession) -> Closed:
    """Raises DoorLost; DoorFailed, which is logged: what may still run there is in the way of the next wake only."""
    try:
        answer = await actor.context.door.call(CloseSession(account=str(actor.account), epoch=actor.epoch), CLOSE_S)
    except DoorFailed as failed:
        emit("session_closed", account=actor.account, epoch=actor.epoch, code=failed.code)
        raise
    assert isinstance(answer, Closed)
    store = answer.store
    emit(
        "session_closed",
        account=actor.account,
        epoch=actor.epoch,
        version=store.version if store is not None else 0,
        clean=store is not None and store.clean,
        code="",
    )
    session.version = store.version if store is not None else session.version
    return answer
