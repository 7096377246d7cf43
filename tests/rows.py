"""Rows as the web makes them, for tests of the engine: a user, an account, a schedule, its message."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain import limits
from enclave.wire.answers import SealedStore
from store.database import Pool, new_id

_numbers = itertools.count(1)
RECIPIENT = "491700000001@s.whatsapp.net"


def sealed(version: int, *, clean: bool = False) -> SealedStore:
    """Return a store that no enclave could open: the database does not look inside."""
    return SealedStore(
        v=1, environment="demo", key_version=1, version=version, clean=clean, nonce=bytes(12), ciphertext=b"\xff\x00"
    )


async def add_account(pool: Pool, link: str = "LINKED", **columns: object) -> UUID:
    """Insert a user with an account; return the account."""
    user, account = new_id(), new_id()
    await pool.execute("INSERT INTO users (id, email) VALUES ($1, $2)", user, f"{user}@example.org")
    number = next(_numbers)
    row = {
        "id": account,
        "user_id": user,
        "link": link,
        "wrapped_key": b"wrapped",
        "jid": f"49170{number:07}:1@s.whatsapp.net" if link == "LINKED" else "",
        "phone": f"49170{number:07}" if link == "LINKED" else "",
        **columns,
    }
    names = ", ".join(row)
    marks = ", ".join(f"${index}" for index in range(1, len(row) + 1))
    await pool.execute(f"INSERT INTO accounts ({names}) VALUES ({marks})", *row.values())
    return account


async def add_message(
    pool: Pool,
    account: UUID,
    *,
    due: datetime | None = None,
    state: str = "SCHEDULED",
    recipient: str = RECIPIENT,
    late_limit_s: int = limits.LATE_DEFAULT_S,
    body: bytes = b"body",
) -> UUID:
    """Insert a schedule with one message; return the message."""
    schedule, message = new_id(), new_id()
    user = await pool.fetchval("SELECT user_id FROM accounts WHERE id = $1", account)
    await pool.execute(
        "INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s,"
        " content_key, body) VALUES ($1, $2, $3, $4, 'UTC', $5, 'demo', 4000000000, 'key', $6)",
        schedule,
        user,
        account,
        recipient,
        late_limit_s,
        body,
    )
    await pool.execute(
        "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at, state)"
        " VALUES ($1, $2, 1, $3, $4, $5, $6, $7)",
        message,
        schedule,
        user,
        account,
        recipient,
        due or datetime.now(UTC),
        state,
    )
    return message


async def state_of(pool: Pool, message: UUID) -> tuple[str, str]:
    """Return the state and the reason of a message."""
    row = await pool.fetchrow("SELECT state, reason FROM messages WHERE id = $1", message)
    return row["state"], row["reason"]


def later(seconds: float) -> datetime:
    """Return the instant that many seconds from now; negative for the past."""
    return datetime.now(UTC) + timedelta(seconds=seconds)
