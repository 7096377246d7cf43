"""What pages read, one query a part; every query names the user, so that a foreign id finds nothing."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from domain import limits
from domain.account import Link
from domain.finding import Search
from domain.message import CREATED, MessageState
from store.database import Pool, reaching
from store.statements import Statements

_SQL = Statements("pages")
_ACCOUNTS_OF = _SQL["accounts_of"]
_ACCOUNT_OF = _SQL["account_of"]
_NEXT_DUE_OF_ACCOUNT = _SQL["next_due_of_account"]
_MESSAGE_OF = _SQL["message_of"]
_MESSAGE_OF_SCHEDULE = _SQL["message_of_schedule"]
_SEALED_OF = _SQL["sealed_of"]
_NEWEST_OF = _SQL["newest_of"]
_CHANGES_OF = _SQL["changes_of"]
_SEARCH_CONTACTS = _SQL["search_contacts"]
_CONTACT_OF = _SQL["contact_of"]
_PICTURE_OF = _SQL["picture_of"]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account as pages know it: no key, no JID.

    `phone_days`: bit n is the day n days before that of `phone_seen_at` (UTC); `lead_ms`: from a wake to ready.
    `cold_until`: nothing goes to strangers before; `sends_until`: to anybody. `stopped`: by us, until we
    say otherwise.
    """

    id: UUID
    link: Link
    link_reason: str
    link_changed_at: datetime
    banned_until: datetime | None
    phone: str
    name: str
    wish: str
    pair_phone: str
    contacts: int
    names_synced_at: datetime | None
    last_hot_at: datetime | None
    phone_seen_at: datetime | None
    backoff_until: datetime | None
    parked_until: datetime | None
    phone_days: int = 0
    lead_ms: int = int(limits.LEAD_DEFAULT_S * 1000)
    cold_until: datetime | None = None
    sends_until: datetime | None = None
    stopped: bool = False


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """A message that leaves or has left. `recipient_name` None: not among the contacts; `left_at` None: not yet."""

    due_at: datetime
    recipient: str
    recipient_name: str | None
    left_at: datetime | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as lists know it. `recipient_name` None: not among the contacts.

    `window_s`: it is on time until this much after `due_at`; `late_limit_s`: later than that still it is MISSED.
    `left_at`: when we handed it over, by our clock. `sent_at`, `delivered_at`, `read_at`: WhatsApp's, in whole seconds.
    `body_bytes`: size of its sealed text, whose seal ends at `not_after_s` (Unix s). `members`: of a group, else 0.
    """

    id: UUID
    account_id: UUID
    recipient: str
    recipient_name: str | None
    due_at: datetime
    state: MessageState
    reason: str
    left_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    updated_at: datetime
    not_after_s: int
    body_bytes: int
    members: int
    established: bool
    can_send: bool
    window_s: int = 0
    late_limit_s: int = limits.LATE_DEFAULT_S

    @property
    def on_time_until(self) -> datetime:
        """The end of its window: its due instant, where it has none."""
        return self.due_at + timedelta(seconds=self.window_s)


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What only a message's own page needs: of its sealed text, its account, its last attempt."""

    schedule_id: UUID
    begun_at: datetime | None
    late_limit_s: int
    body_bytes: int
    zone: str
    environment: str
    not_after_s: int
    phone: str
    name: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One step in a message's history."""

    at: datetime
    event: str
    reason: str


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person or group of an account. `picture_id` "" when there is no picture."""

    jid: str
    kind: str
    name: str
    members: int
    can_send: bool
    established: bool
    picture_id: str


async def accounts(pool: Pool, user: UUID) -> list[Account]:
    """The user's accounts, oldest first."""
    async with reaching():
        return msgspec.convert([dict(row) for row in await pool.fetch(_ACCOUNTS_OF, user)], list[Account])


async def account(pool: Pool, user: UUID, account_id: UUID) -> Account | None:
    """The user's account with this id, or None."""
    async with reaching():
        row = await pool.fetchrow(_ACCOUNT_OF, account_id, user)
    return None if row is None else msgspec.convert(dict(row), Account)


async def next_due(pool: Pool, account_id: UUID) -> tuple[datetime | None, int]:
    """When the account's next message is due, and how many wait. The caller has checked whose account it is."""
    async with reaching():
        row = await pool.fetchrow(_NEXT_DUE_OF_ACCOUNT, account_id)
    assert row is not None
    return row["at"], row["waiting"]


async def first_to_leave(pool: Pool, account_id: UUID) -> Leaving | None:
    """What the account sends next. The caller has checked whose account it is."""
    async with reaching():
        row = await pool.fetchrow(_SQL["first_to_leave"], account_id)
    return None if row is None else msgspec.convert(dict(row), Leaving)


async def left_lately(pool: Pool, user: UUID, account_id: UUID, since: datetime, most: int) -> list[Leaving]:
    """What the account has sent of what was due since an instant, newest first."""
    async with reaching():
        rows = await pool.fetch(_SQL["left_lately"], account_id, user, since, most)
    return msgspec.convert([dict(row) for row in rows], list[Leaving])


async def message(pool: Pool, user: UUID, message_id: UUID) -> Message | None:
    """The user's message with this id, or None."""
    async with reaching():
        row = await pool.fetchrow(_MESSAGE_OF, message_id, user)
    return None if row is None else msgspec.convert(dict(row), Message)


async def message_of_schedule(pool: Pool, user: UUID, schedule: UUID) -> UUID | None:
    """The first message of the user's schedule, or None."""
    async with reaching():
        return await pool.fetchval(_MESSAGE_OF_SCHEDULE, schedule, user)


async def sealed(pool: Pool, user: UUID, message_id: UUID) -> Sealed | None:
    """What is known of the message's sealed text, or None."""
    async with reaching():
        row = await pool.fetchrow(_SEALED_OF, message_id, user)
    return None if row is None else msgspec.convert(dict(row), Sealed)


async def newest_of(pool: Pool, user: UUID, schedule: UUID) -> UUID | None:
    """The newest message of the user's schedule, or None."""
    async with reaching():
        return await pool.fetchval(_NEWEST_OF, schedule, user)


async def changes(pool: Pool, user: UUID, message_id: UUID) -> list[Change]:
    """The message's history, oldest first."""
    async with reaching():
        rows = await pool.fetch(_CHANGES_OF, message_id, user, limits.PAGE_ROWS_MAX, CREATED)
    return msgspec.convert([dict(row) for row in rows], list[Change])


async def search_contacts(pool: Pool, user: UUID, account_id: UUID, search: Search, most: int) -> list[Contact]:
    """At most `most` contacts whose name or number has all that is looked for, in the order of the statement."""
    words = [literally(word) for word in search.words]
    async with reaching():
        rows = await pool.fetch(
            _SEARCH_CONTACTS,
            account_id,
            user,
            [f"%{word}%" for word in words],
            [f"% {word}%" for word in words],
            f"%{literally(search.number)}%" if search.number else None,
            limits.RECENT_SENDS_MAX,
            most,
        )
    return msgspec.convert([dict(row) for row in rows], list[Contact])


async def contact(pool: Pool, user: UUID, account_id: UUID, jid: str) -> Contact | None:
    """The contact with this JID, or None."""
    async with reaching():
        row = await pool.fetchrow(_CONTACT_OF, account_id, user, jid)
    return None if row is None else msgspec.convert(dict(row), Contact)


async def picture(pool: Pool, user: UUID, account_id: UUID, jid: str, picture_id: str, bytes_max: int) -> bytes | None:
    """The picture with this id of a contact, None where there is none, or one of more than `bytes_max`."""
    async with reaching():
        return await pool.fetchval(_PICTURE_OF, account_id, user, jid, picture_id, bytes_max)


def literally(text: str) -> str:
    """The text as a LIKE pattern that stands for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
