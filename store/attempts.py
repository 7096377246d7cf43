"""One try to send: the gate before it, its outcome after it (docs/architecture.md, "The life of a message")."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
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


class Attempts:
    """Raises `Unavailable` where Postgres cannot be reached."""

    def __init__(self, pool: Pool, notices: Notices, stores: Stores, receipts: Receipts) -> None:
        """Works on `pool`; tells changes through `notices` once they are committed."""
        self._pool = pool
        self._notices = notices
        self._stores = stores
        self._receipts = receipts

    async def begin_send(
        self, message: UUID, attempt: UUID, account: UUID, epoch: int, *, now: datetime, boot: str
    ) -> Begun | MessageEvent | None:
        """The gate, one transaction. Who gets no `Begun` does not send.

        LATE: the message was too late and is MISSED. None: somebody else has it, it was cancelled or moved, or the
        account is not ours. `attempt`: its new id. `boot`: of the enclave that it goes to.
        """
        begun, late = MessageEvent.BEGUN, MessageEvent.LATE
        secret = new_secret()
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(
                _SQL["begin"],
                message,
                account,
                epoch,
                starts(begun),
                outcome(begun),
                outcome(late),
                attempt,
                secret,
                now,
                boot,
                begun,
                late,
                Reason.TOO_LATE,
                now + timedelta(seconds=limits.GATE_LEAD_S_MAX),
            )
            if row is None:
                return None
            sealed = await connection.fetchrow(_SQL["body"], row["schedule_id"])
            if row["late"]:
                await exhaust(connection, [row["schedule_id"]])
        assert sealed is not None
        await self._notices.tell_messages([(row["user_id"], message)])
        if row["late"]:
            return late
        return Begun(
            message=message,
            user=row["user_id"],
            schedule=row["schedule_id"],
            attempt=attempt,
            secret=secret,
            number=row["attempts"],
            recipient=row["recipient"],
            fire_ms=row["fire_ms"],
            environment=sealed["environment"],
            not_after_s=sealed["not_after_s"],
            content_key=sealed["content_key"],
            body=sealed["body"],
        )

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
    ) -> bool:
        """WhatsApp took it: store, SENT, attempt, history, schedule in one transaction. False: not ours any more.

        The store comes first, so nothing is SENT whose store is not persisted. Receipts that were quicker are applied.
        `server_time_s`: when WhatsApp took it; `left_at`: when it was handed over, by our clock, to the millisecond.
        """
        async with transaction(self._pool) as connection:
            await self._receipts.serialize(connection, account)
            if not await self._stores.put_within(connection, account, epoch, store):
                return False
            rows = await self._end(
                connection,
                begun.attempt,
                begun.message,
                epoch,
                event=MessageEvent.ACCEPTED,
                outcome_=Outcome.SENT,
                wa_id=wa_id,
                sent_at=datetime.fromtimestamp(server_time_s, UTC),
                left_at=left_at,
            )
            await self._receipts.apply_strays(connection, account, epoch, wa_id)
        await self._notices.tell_messages(rows)
        return True

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
                attempt,
                message,
                epoch,
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
                attempt,
                message,
                epoch,
                event=MessageEvent.ACCEPTED,
                outcome_=Outcome.SENT,
                wa_id=wa_id,
                sent_at=sent_at,
            )
            await self._receipts.apply_strays(connection, account, epoch, wa_id)
        await self._notices.tell_messages(rows)
        return bool(rows)

    async def name(self, attempt: UUID, account: UUID, epoch: int, wa_id: str) -> None:
        """The session's store knows the attempt's WhatsApp id: receipts find its message, earlier ones too."""
        async with transaction(self._pool) as connection:
            await self._receipts.serialize(connection, account)
            await connection.execute(_SQL["name"], attempt, epoch, wa_id)
            moved = await self._receipts.apply_strays(connection, account, epoch, wa_id)
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
        attempt: UUID,
        message: UUID,
        epoch: int,
        *,
        event: MessageEvent,
        outcome_: Outcome,
        reason: Reason = Reason.NONE,
        trouble: str = "",
        server_code: int = 0,
        not_before: datetime | None = None,
        wa_id: str = "",
        sent_at: datetime | None = None,
        left_at: datetime | None = None,
    ) -> Sequence[tuple[UUID, UUID]]:
        rows = await connection.fetch(
            _SQL["end"],
            attempt,
            message,
            epoch,
            starts(event),
            outcome(event),
            event,
            reason,
            outcome_,
            trouble,
            server_code,
            wa_id,
            sent_at,
            not_before,
            left_at,
        )
        await exhaust(connection, [row["schedule_id"] for row in rows])
        return [(row["user_id"], row["id"]) for row in rows]
