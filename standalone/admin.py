"""The command `admin EMAIL`."""

import asyncio
import os
from collections.abc import Mapping

from standalone.home import CannotStart, home_path, read_running
from store.admins import make_admin
from store.database import open_pool


def database_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the person's database, else that of what runs here (`up` before `demo`). Raises CannotStart."""
    named = environ.get("AUTOSENDR_DATABASE_URL") or environ.get("DATABASE_URL")
    if named:
        return named
    for name in ("live", "demo"):
        if url := read_running(home_path(name, environ)).get("database"):
            return str(url)
    raise CannotStart("nothing runs here: start `./autosendr up` first, or set DATABASE_URL")


def run(email: str) -> int:
    """Make the user with this address an admin; return the exit code. Raises CannotStart when there is no such user."""
    if not asyncio.run(_make(database_url(), email)):
        raise CannotStart(f"nobody has signed in as {email} yet; sign in once, then run this again")
    print(f"{email} is an admin now; the engine room is at /admin")
    return 0


async def _make(url: str, email: str) -> bool:
    pool = await open_pool(url, size=1)
    try:
        return await make_admin(pool, email)
    finally:
        await pool.close()
