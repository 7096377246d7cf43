"""One try to send: the gate before it, its outcome after it (docs/architecture.md, "The life of a message").

Gate and acknowledged sends are done together (`store/together.py`): many due at one instant share their commits.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from domain import limits
from domain.message import MessageEvent, Reason, outcome, starts
from enclave.wire.answers import SealedStore
from store.database import Connection, Pool, new_secret, reaching, transaction
from store.messages import exhaust
from store.notices import Notices
from store.receipts import Receipts
from store.statements import Statements
from store.stores import Stores
from store.together import APART, Apart, Together

_SQL: Final = Statements("attempts")


class Outcome(StrEnum):
    """What became of an attempt; "" while nobody knows."""

    OPEN = ""
    SENT = "SENT"
    NOT_SENT = "NOT_SENT"
    REFUSED = "REFUSED"
    UNCONFIRMED = "UNCONFIRMED"


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A message that passed the gate, with all that the enclave needs. `number`: of the attempt, from 1."""

    message: UUID
    user: UUID
    schedule: UUID
    attempt: UUID
    secret: bytes
    number: int
    recipient: str
    fire_ms: int
    environment: str
    not_after_s: int
    content_key: bytes
    body: bytes


class OpenAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt whose outcome nobody knows. `lid`: the recipient's other name, "" if unknown."""

    id: UUID
    message: UUID
    user: UUID
    secret: bytes
    store_version: int
    boot: str
    number: int
    wa_id: str
    recipient: str
    lid: str
    begun_at: datetime


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody stands at the gate."""

    message: UUID
    attempt: UUID
    account: UUID
    epoch: int
    secret: bytes
    now: datetime
    boot: str


class _Sent(msgspec.Struct, frozen=True, kw_only=True):
    """WhatsApp took a message."""

    begun: Begun
    account: UUID
    epoch: int
    wa_id: str
    sent_at: datetime
    store: SealedStore
    left_at: datetime | None


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A send is in the books. `first_contact`: the account had not written with the recipient before."""

    first_contact: bool


class _End(msgspec.Struct, frozen=True, kw_only=True):
    """Of one attempt; what nobody knows is left as it is."""

    attempt: UUID
    message: UUID
    epoch: int
    wa_id: str = ""
    sent_at: datetime | None = None
    left_at: datetime | None = None


class Attempts:
    """Raises `Unavailable` where Postgres cannot be reached."""

    def __init__(self, pool: Pool, notices: Notices, stores: Stores, receipts: Receipts) -> None:
        """Works on `pool`; tells changes through `notices` once they are committed."""
        self._pool = pool
        self._notices = notices
        self._stores = stores
        self._receipts = receipts
        self._gate: Together[_Asked, Begun | MessageEvent | None] = Together(
            self._begin, most=limits.TOGETHER_MAX, at_once=limits.TOGETHER_BATCHES
        )
        self._books: Together[_Sent, Finished | None] = Together(
            self._finish, most=limits.TOGETHER_MAX, at_once=limits.TOGETHER_BATCHES
        )

    async def begin_send(
        self, message: UUID, attempt: UUID, account: UUID, epoch: int, *, now: datetime, boot: str
    ) -> Begun | MessageEvent | None:
        """The gate. Who gets no `Begun` does not send.

        LATE: the message was too late and is MISSED. None: somebody else has it, it was cancelled or moved, or the
        account is not ours. `attempt`: its new id. `boot`: of the enclave that it goes to.
        """
        return await self._gate.ask(
            _Asked(
                message=message,
                attempt=attempt,
                account=account,
                epoch=epoch,
                secret=new_secret(),
                now=now,
                boot=boot,
            )
        )

    async def _begin(self, asked: Sequence[_Asked], wait: bool) -> list[Begun | MessageEvent | Apart | None]:
        begun, late = MessageEvent.BEGUN, MessageEvent.LATE
        async with transaction(self._pool) as connection:
            if wait:
                await connection.execute(_SQL["hold"], [one.account for one in asked])
            rows = await connection.fetch(
                _SQL["begin"],
                [one.message for one in asked],
                [one.account for one in asked],
                [one.epoch for one in asked],
                [one.attempt for one in asked],
                [one.secret for one in asked],
                [one.now for one in asked],
                [one.boot for one in asked],
                starts(begun),
                outcome(begun),
                outcome(late),
                begun,
                late,
                Reason.TOO_LATE,
                limits.GATE_LEAD_S_MAX,
            )
            bodies = await connection.fetch(_SQL["bodies"], [row["schedule_id"] for row in rows])
            await exhaust(connection, [row["schedule_id"] for row in rows if row["late"]])
        await self._notices.tell_messages((row["user_id"], row["id"]) for row in rows)
        sealed = {row["id"]: row for row in bodies}
        passed = {row["attempt"]: row for row in rows}
        results: list[Begun | MessageEvent | Apart | None] = []
        for one in asked:
            row = passed.get(one.attempt)
            if row is None:
                results.append(None if wait else APART)  # perhaps only because somebody has the account locked
            elif row["late"]:
                results.append(late)
            else:
                results.append(_begun(one, row, sealed[row["schedule_id"]]))
        return results

    async def finish_send(
        self,
        begun: Begun,
        account: UUID,
        epoch: int,
        *,
        wa_id: str,
        server_time_s: int,
        store: SealedStore,
        left_at: datetime | None = None,
    ) -> Finished | None:
        """WhatsApp took it: store, SENT, attempt, history, schedule in one transaction. None: not ours any more.

        The store comes first, so nothing is SENT whose store is not persisted. Receipts that were quicker are applied.
        `server_time_s`: when WhatsApp took it; `left_at`: when it was handed over, by our clock, to the millisecond.
        """
        return await self._books.ask(
            _Sent(
                begun=begun,
                account=account,
                epoch=epoch,
                wa_id=wa_id,
                sent_at=datetime.fromtimestamp(server_time_s, UTC),
                store=store,
                left_at=left_at,
            )
        )

    async def _finish(self, sent: Sequence[_Sent], wait: bool) -> list[Finished | Apart | None]:
        async with transaction(self._pool) as connection:
            free = await self._hold_quiet(connection, [one.account for one in sent], wait)
            ours = [one for one in sent if one.account in free]
            kept = await self._stores.put_all_within(connection, [(one.account, one.epoch, one.store) for one in ours])
            ours = [one for one in ours if one.account in kept]
            known = await connection.fetch(
                _SQL["strangers"], [one.account for one in ours], [one.begun.recipient for one in ours]
            )
            moved = await self._end(
                connection,
                [
                    _End(
                        attempt=one.begun.attempt,
                        message=one.begun.message,
                        epoch=one.epoch,
                        wa_id=one.wa_id,
                        sent_at=one.sent_at,
                        left_at=one.left_at,
                    )
                    for one in ours
                ],
                event=MessageEvent.ACCEPTED,
                outcome_=Outcome.SENT,
            )
            await self._receipts.apply_strays(connection, [(one.account, one.epoch, one.wa_id) for one in ours])
        await self._notices.tell_messages(moved)
        strangers = {row["account"] for row in known}
        results: list[Finished | Apart | None] = []
        for one in sent:
            if one.account in kept:
                results.append(Finished(first_contact=one.account in strangers))
            else:
                results.append(None if wait or one.account in free else APART)
        return results

    async def _hold_quiet(self, connection: Connection, accounts: Sequence[UUID], wait: bool) -> set[UUID]:
        if not wait:
            return {row["id"] for row in await connection.fetch(_SQL["hold_quiet"], accounts)}
        for account in accounts:
            await self._receipts.serialize(connection, account)
        return {row["id"] for row in await connection.fetch(_SQL["hold"], accounts)}

    async def end_send(
        self,
        attempt: UUID,
        message: UUID,
        epoch: int,
        event: MessageEvent,
        *,
        reason: Reason = Reason.NONE,
        trouble: str = "",
        server_code: int = 0,
        not_before: datetime | None = None,
    ) -> bool:
        """Any other end of an attempt: RETURNED, REFUSED or DOUBTED. False: it had ended."""
        outcomes = {
            MessageEvent.RETURNED: Outcome.NOT_SENT,
            MessageEvent.REFUSED: Outcome.REFUSED,
            MessageEvent.DOUBTED: Outcome.UNCONFIRMED,
        }
        async with transaction(self._pool) as connection:
            rows = await self._end(
                connection,
                [_End(attempt=attempt, message=message, epoch=epoch)],
                event=event,
                outcome_=outcomes[event],
                reason=reason,
                trouble=trouble,
                server_code=server_code,
                not_before=not_before,
            )
        await self._notices.tell_messages(rows)
        return bool(rows)

    async def settle_send(
        self, attempt: UUID, message: UUID, account: UUID, epoch: int, *, wa_id: str, sent_at: datetime
    ) -> bool:
        """A receipt for `wa_id` says that the attempt was sent, at the latest at `sent_at`. False: it had ended."""
        async with transaction(self._pool) as connection:
            await self._receipts.serialize(connection, account)
            rows = await self._end(
                connection,
                [_End(attempt=attempt, message=message, epoch=epoch, wa_id=wa_id, sent_at=sent_at)],
                event=MessageEvent.ACCEPTED,
                outcome_=Outcome.SENT,
            )
            await self._receipts.apply_strays(connection, [(account, epoch, wa_id)])
        await self._notices.tell_messages(rows)
        return bool(rows)

    async def name(self, attempt: UUID, account: UUID, epoch: int, wa_id: str) -> None:
        """The session's store knows the attempt's WhatsApp id: receipts find its message, earlier ones too."""
        async with transaction(self._pool) as connection:
            await self._receipts.serialize(connection, account)
            await connection.execute(_SQL["name"], attempt, epoch, wa_id)
            moved = await self._receipts.apply_strays(connection, [(account, epoch, wa_id)])
        await self._notices.tell_messages(moved)

    async def open_of(self, account: UUID) -> list[OpenAttempt]:
        """The account's attempts whose outcome nobody knows, oldest first."""
        async with reaching():
            rows = await self._pool.fetch(_SQL["open"], account)
        found = []
        for row in rows:
            values = dict(row)
            found.append(OpenAttempt(message=values.pop("message_id"), user=values.pop("user_id"), **values))
        return found

    async def _end(
        self,
        connection: Connection,
        ends: Sequence[_End],
        *,
        event: MessageEvent,
        outcome_: Outcome,
        reason: Reason = Reason.NONE,
        trouble: str = "",
        server_code: int = 0,
        not_before: datetime | None = None,
    ) -> Sequence[tuple[UUID, UUID]]:
        rows = await connection.fetch(
            _SQL["end"],
            [one.attempt for one in ends],
            [one.message for one in ends],
            [one.epoch for one in ends],
            [one.wa_id for one in ends],
            [one.sent_at for one in ends],
            [one.left_at for one in ends],
            starts(event),
            outcome(event),
            event,
            reason,
            outcome_,
            trouble,
            server_code,
            not_before,
        )
        await exhaust(connection, [row["schedule_id"] for row in rows])
        return [(row["user_id"], row["id"]) for row in rows]


def _begun(asked: _Asked, row: Mapping[str, Any], sealed: Mapping[str, Any]) -> Begun:
    return Begun(
        message=asked.message,
        user=row["user_id"],
        schedule=row["schedule_id"],
        attempt=asked.attempt,
        secret=asked.secret,
        number=row["attempts"],
        recipient=row["recipient"],
        fire_ms=row["fire_ms"],
        environment=sealed["environment"],
        not_after_s=sealed["not_after_s"],
        content_key=sealed["content_key"],
        body=sealed["body"],
    )
