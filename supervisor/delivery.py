"""From a message in hand to its end: the gate, the door at the due instant, the books. One message at a time."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain import limits
from domain.message import MessageEvent, Reason
from domain.refusal import Unavailable
from domain.sending import Failure, after_failure, linger_s
from enclave.wire.answers import Certainty, NotSent, SendTrouble, Sent
from enclave.wire.envelope import Code
from enclave.wire.operations import Send
from enclave.wire.sealing import Binding, recipient_hash
from store.attempts import Begun, Finished
from store.database import new_id
from store.door import DoorFailed, DoorLost
from store.messages import Armed
from supervisor import clock, penalties
from supervisor.chores import until_available
from supervisor.log import emit
from supervisor.session import LiveSession

if TYPE_CHECKING:
    from supervisor.actor import Actor

_TROUBLES: Final[dict[SendTrouble, Failure]] = {
    SendTrouble.NOT_ON_WHATSAPP: Failure.NOT_ON_WHATSAPP,
    SendTrouble.NOT_IN_GROUP: Failure.NOT_IN_GROUP,
}
_CERTAINTIES: Final[dict[Certainty, Failure]] = {
    Certainty.NOT_SENT: Failure.NOT_SENT,
    Certainty.REFUSED: Failure.REFUSED,
    Certainty.MAYBE: Failure.MAYBE,
}
_CODES: Final[dict[Code, Failure]] = {
    Code.EXPIRED: Failure.SEAL_EXPIRED,
    Code.MALFORMED: Failure.SEAL_UNREADABLE,
    Code.EMPTY_TEXT: Failure.SEAL_UNREADABLE,
    Code.TEXT_TOO_LONG: Failure.SEAL_UNREADABLE,
    Code.WRONG_RECIPIENT: Failure.SEAL_UNREADABLE,
    Code.WRONG_KEY: Failure.SEAL_UNREADABLE,
    Code.BAD_OPERATION: Failure.SEAL_UNREADABLE,
    Code.TOO_LARGE: Failure.SEAL_UNREADABLE,
    Code.BUSY: Failure.NOT_SENT,
    Code.FENCED: Failure.NOT_SENT,
    Code.NO_SESSION: Failure.NOT_SENT,
    Code.NOT_CONNECTED: Failure.NOT_SENT,
}
"""What a call's failure says of the send. A code that is not here may have come after the wire: MAYBE."""


def failure_of(answer: NotSent | Code | None) -> Failure:
    """The class of a failed send; None: the door was lost."""
    if answer is None:
        return Failure.MAYBE
    if isinstance(answer, Code):
        return _CODES.get(answer, Failure.MAYBE)
    if answer.certainty is Certainty.MAYBE:
        return Failure.MAYBE
    return _TROUBLES.get(answer.trouble) or _CERTAINTIES[answer.certainty]


class Delivery:
    """Works off the outbox of one account for as long as one session lives."""

    def __init__(self, actor: "Actor", session: LiveSession) -> None:
        """`run` does it."""
        self._actor = actor
        self._session = session
        self._store = actor.context.store
        self._door = actor.context.door

    async def run(self) -> None:
        """Sends what is in hand, each at its instant, until the session closes; a send under way is finished."""
        session, outbox = self._session, self._actor.outbox
        while not session.closing.is_set():
            if not session.usable:
                await session.ready.wait()
                continue
            first = outbox.first()
            if first is None or session.yielding:
                session.busy_since_ms = None
                await outbox.wait_change(None)
                continue
            early_s = (self._from_ms(first) - clock.now_ms()) / 1000 - limits.GATE_LEAD_S
            if early_s > limits.MERGE_S:
                session.busy_since_ms = None
            if early_s > 0:
                await outbox.wait_change(early_s)
                continue
            session.in_flight = True
            session.busy_since_ms = session.busy_since_ms or clock.now_ms()
            try:
                await self._deliver(first)
            finally:
                session.in_flight = False
                self._actor.changed()

    def _from_ms(self, message: Armed) -> int:
        """Its instant; for several that come late at once, the space between two sends holds all the same."""
        session = self._session
        if not session.row.paced or not session.sent_at_ms:
            return message.fire_ms
        return max(message.fire_ms, session.sent_at_ms + int(limits.SENDS_APART_S * 1000))

    async def _deliver(self, message: Armed) -> None:
        attempt = new_id()
        self._actor.sending.add(attempt)  # before it exists, so that settling never takes it for an abandoned one
        try:
            await self._attempt(message, attempt)
        finally:
            self._actor.sending.remove(attempt)

    async def _attempt(self, message: Armed, attempt: UUID) -> None:
        actor = self._actor
        try:
            begun = await self._store.attempts.begin_send(
                message.id, attempt, actor.account, actor.epoch, now=clock.now(), boot=self._door.boot
            )
        except Unavailable:
            # Whether the attempt was committed is unknown: settling finds it, or the gate opens at the next try.
            actor.doubt()
            await actor.outbox.wait_change(limits.WORLD_RETRY_S)
            return
        actor.outbox.remove(message.id)
        if not isinstance(begun, Begun):
            closed = begun is None
            emit(
                "message_gate_closed" if closed else "message_ended",
                account=actor.account,
                message=message.id,
                by=begun,
            )
            return
        emit("message_begun", account=actor.account, message=begun.message, attempt=begun.attempt, number=begun.number)
        await clock.sleep_until(begun.fire_ms)
        answer: Sent | NotSent | Code | None = None
        late_ms = clock.now_ms() - begun.fire_ms
        try:
            answer = await self._send(begun)
        except DoorFailed as failed:
            answer = failed.code
        except DoorLost:
            answer = None
        if isinstance(answer, Sent):
            await self._finish(begun, answer, late_ms, message.window_s)
        else:
            await self._fail(begun, answer)

    async def _send(self, begun: Begun) -> Sent | NotSent:
        actor = self._actor
        account = str(actor.account)
        answer = await self._door.call(
            Send(
                account=account,
                epoch=actor.epoch,
                attempt=str(begun.attempt),
                secret=begun.secret,
                recipient=begun.recipient,
                binding=Binding(
                    environment=begun.environment,
                    account=account,
                    schedule=str(begun.schedule),
                    recipient_hash=recipient_hash(account, begun.recipient),
                    not_after_s=begun.not_after_s,
                ),
                content_key=begun.content_key,
                body=begun.body,
            )
        )
        assert isinstance(answer, Sent | NotSent)
        return answer

    async def _finish(self, begun: Begun, sent: Sent, late_ms: int, window_s: int) -> None:
        actor = self._actor
        finished: Finished | None = None

        async def finish() -> None:
            nonlocal finished
            finished = await self._store.attempts.finish_send(
                begun,
                actor.account,
                actor.epoch,
                wa_id=sent.wa_id,
                server_time_s=sent.server_time_s,
                store=sent.store,
                left_at=clock.instant(begun.fire_ms + late_ms),
            )

        await until_available(finish)
        self._session.sent(
            sent.wa_id, begun.recipient, linger_s(first_contact=finished is not None and finished.first_contact)
        )
        actor.forgive()
        if window_s:  # inside its window it is not late
            late_ms = max(0, late_ms - window_s * 1000)
        emit("message_sent", account=actor.account, message=begun.message, attempt=begun.attempt, late_ms=late_ms)

    async def _fail(self, begun: Begun, answer: NotSent | Code | None) -> None:
        actor = self._actor
        failure = failure_of(answer)
        certainty = answer.certainty if isinstance(answer, NotSent) else failure
        trouble = answer.trouble if isinstance(answer, NotSent) else answer or "door_lost"
        code = answer.server_code if isinstance(answer, NotSent) else 0
        emit(
            "message_not_sent",
            account=actor.account,
            message=begun.message,
            attempt=begun.attempt,
            certainty=certainty,
            trouble=trouble,
            server_code=code,
        )
        verdict = after_failure(failure, code, begun.number, actor.context.dice())
        if verdict.event is None:
            actor.doubt()
            return
        event = verdict.event
        not_before = clock.now() + timedelta(seconds=verdict.retry_s) if event is MessageEvent.RETURNED else None
        await until_available(
            lambda: self._store.attempts.end_send(
                begun.attempt,
                begun.message,
                actor.epoch,
                event,
                reason=verdict.reason,
                trouble=str(trouble),
                server_code=code,
                not_before=not_before,
            )
        )
        emit("message_ended", account=actor.account, message=begun.message, by=event, reason=verdict.reason)
        if event is MessageEvent.REFUSED and failure is Failure.REFUSED:
            penalties.note_refused(actor, code)
        if not_before is not None:
            asyncio.get_running_loop().call_later(verdict.retry_s, actor.context.wake_due)


def reason_of_death(boot_then: str, boot_now: str) -> Reason:
    """Why nobody can say what became of an attempt."""
    return Reason.ENCLAVE_DIED if boot_then != boot_now else Reason.SESSION_DIED
