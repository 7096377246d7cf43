"""What became of attempts whose end nobody saw: the session's store is asked by the secret, then the receipts."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from domain import limits
from domain.message import MessageEvent, Reason
from enclave.wire.answers import Settled, SettleFound
from enclave.wire.operations import Settle
from store.attempts import OpenAttempt
from store.door import DoorFailed, DoorLost
from supervisor import clock
from supervisor.chores import until_available
from supervisor.delivery import reason_of_death
from supervisor.log import emit
from supervisor.session import LiveSession

if TYPE_CHECKING:
    from supervisor.actor import Actor

LOOK_S = 1.0
"""Between two looks for a receipt that settles; news of receipts come in between, so this is only an upper bound."""


class Settling:
    """Settles the open attempts of one account in one live session."""

    def __init__(self, actor: "Actor", session: LiveSession) -> None:
        """`run` does it."""
        self._actor = actor
        self._session = session
        self._store = actor.context.store
        self._door = actor.context.door

    async def run(self) -> None:
        """Settles what is in doubt, now and whenever a send ends without an answer, until the session closes."""
        session, actor = self._session, self._actor
        while not session.closing.is_set():
            await session.ready.wait()
            if session.closing.is_set():
                return
            await actor.doubted.wait()
            session.settling += 1
            actor.doubted.clear()  # before looking: what is doubted meanwhile is for the next turn
            settled = False
            try:
                settled = await self._settle_all()
            finally:
                session.settling -= 1
                if not settled:
                    actor.doubt()
                actor.changed()
            if not settled:
                return

    async def _settle_all(self) -> bool:
        """Settles each open attempt that no send is working on. False: the session cannot be asked."""
        found: list[OpenAttempt] = []

        async def look() -> None:
            found[:] = await self._store.attempts.open_of(self._actor.account)

        await until_available(look)
        waits = []
        for attempt in found:
            if attempt.id in self._actor.sending:
                continue
            settled = await self._ask(attempt)
            if settled is None:
                return False
            if settled.found is SettleFound.ABSENT:
                await self._end(attempt, settled.found, MessageEvent.RETURNED, Reason.NO_CONNECTION)
                self._actor.context.wake_due()
            else:
                waits.append(self._wait_for_receipt(attempt, settled))
        await asyncio.gather(*waits)
        return True

    async def _ask(self, attempt: OpenAttempt) -> Settled | None:
        try:
            answer = await self._door.call(
                Settle(
                    account=str(self._actor.account),
                    epoch=self._actor.epoch,
                    secret=attempt.secret,
                    after_version=attempt.store_version,
                )
            )
        except (DoorFailed, DoorLost):
            return None  # the session has ended; the next one is asked
        assert isinstance(answer, Settled)
        return answer

    async def _wait_for_receipt(self, attempt: OpenAttempt, settled: Settled) -> None:
        """A receipt says that it was sent; without one for `limits.SETTLE_S` nobody can say."""
        actor = self._actor
        deadline_s = clock.loop_s() + limits.SETTLE_S
        if settled.wa_id:
            await until_available(
                lambda: self._store.attempts.name(attempt.id, actor.account, actor.epoch, settled.wa_id)
            )
        while True:
            if await self._is_settled(attempt, settled.wa_id):
                actor.forgive()  # the receipt says what an acknowledgement would have said
                emit_settled(actor, attempt, settled.found, MessageEvent.ACCEPTED)
                return
            left_s = deadline_s - clock.loop_s()
            if left_s <= 0:
                break
            await actor.wait_receipt(min(left_s, LOOK_S))
        reason = reason_of_death(attempt.boot, self._door.boot) if not settled.wa_id else Reason.NO_ACKNOWLEDGEMENT
        await self._end(attempt, settled.found, MessageEvent.DOUBTED, reason)

    async def _is_settled(self, attempt: OpenAttempt, wa_id: str) -> bool:
        """Whether a receipt has settled it: by its id, or else by an unknown id from that chat after it began."""
        actor = self._actor
        settled = False

        async def look() -> None:
            nonlocal settled
            settled = all(one.id != attempt.id for one in await self._store.attempts.open_of(actor.account))
            if settled or wa_id:
                return
            chats = [chat for chat in (attempt.recipient, attempt.lid) if chat]
            since = attempt.begun_at - timedelta(seconds=limits.RECEIPT_CLOCK_S)
            stray = await self._store.receipts.find_stray(actor.account, attempt.id, chats, since)
            if stray is not None:
                settled = await self._store.attempts.settle_send(
                    attempt.id, attempt.message, actor.account, actor.epoch, wa_id=stray.wa_id, sent_at=stray.at
                )

        await until_available(look)
        return settled

    async def _end(self, attempt: OpenAttempt, found: SettleFound, event: MessageEvent, reason: Reason) -> None:
        await until_available(
            lambda: self._store.attempts.end_send(
                attempt.id, attempt.message, self._actor.epoch, event, reason=reason, trouble=f"settled_{found}"
            )
        )
        emit_settled(self._actor, attempt, found, event)


def emit_settled(actor: "Actor", attempt: OpenAttempt, found: SettleFound, event: MessageEvent) -> None:
    """One line for a settled attempt."""
    emit(
        "attempt_settled",
        account=actor.account,
        message=attempt.message,
        attempt=attempt.id,
        found=found,
        by=event,
    )
