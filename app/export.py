"""The file that a user takes along: JSON, written while it is read, a page of rows at a time."""

from collections.abc import AsyncGenerator
from typing import Final

import msgspec

from app.browsers import browser_name
from store import export
from store.database import Pool
from store.logins import Login

FORMAT: Final = "autosendr-export-1"
ABOUT: Final = (
    "Everything AutoSendr has of you. Texts are in `schedules`, sealed: a `body` opens with the content key that "
    "`viewing` holds under your viewing key, and that key with your recovery code, which we do not have. "
    "Bytes are base64; times are UTC."
)
LISTS: Final = ("contacts", "schedules", "messages", "wakes")

_write = msgspec.json.Encoder().encode


async def export_of(pool: Pool, login: Login, logins: list[Login]) -> AsyncGenerator[bytes]:
    """The file in pieces. Raises Unavailable in its middle if the database goes: the file then ends without its end."""
    user = login.user
    profile = await export.whole(pool, "profile", user)
    head = {
        "format": FORMAT,
        "about": ABOUT,
        "profile": profile[0] if profile else None,
        "accounts": await export.whole(pool, "accounts", user),
        "viewing_keys": await export.whole(pool, "viewing_keys", user),
        "logins": [
            {"browser": browser_name(one.agent), "agent": one.agent, "since": one.created_at, "this": one == login}
            for one in logins
        ],
    }
    yield _write(head)[:-1]
    for name in LISTS:
        yield b',"%s":[' % name.encode()
        comma = b""
        async for rows in export.pages(pool, name, user):
            if name == "messages":
                rows = await _with_changes(pool, login, rows)
            yield comma + b",".join(_write(row) for row in rows)
            comma = b","
        yield b"]"
    yield b"}\n"


async def _with_changes(pool: Pool, login: Login, rows: list[export.Row]) -> list[export.Row]:
    found: dict[object, list[export.Row]] = {row["id"]: [] for row in rows}
    for change in await export.changes(pool, login.user, [row["id"] for row in rows]):
        found[change.pop("message_id")].append(change)
    return [{**row, "changes": found[row["id"]]} for row in rows]
