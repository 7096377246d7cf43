"""Brings the schema up to date: numbered files, each once, in one transaction, with its checksum kept.

Run as `python -m store.migrate`. Several at once wait for each other by an advisory lock; a file that was changed after
it had been applied is refused.
"""

import asyncio
import hashlib
import os
import sys
from pathlib import Path
from typing import Final

import asyncpg

_FOLDER: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x6175746F73656E64  # "autosend": any constant that nothing else uses
CONNECT_S: Final = 30.0


class ChangedMigration(AssertionError):
    """A migration file differs from what was applied under its name: a bug in the release."""


async def migrate(url: str) -> list[str]:
    """Applies what is missing to the database at `url` and returns the names, in order."""
    connection = await asyncpg.connect(url, timeout=CONNECT_S)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations ("
            "name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known = {
            row["name"]: row["checksum"] for row in await connection.fetch("SELECT name, checksum FROM migrations")
        }
        applied = []
        for path in sorted(_FOLDER.glob("*.sql")):
            text = path.read_text()
            checksum = hashlib.sha256(text.encode()).hexdigest()
            if path.name in known:
                if known[path.name] != checksum:
                    raise ChangedMigration(f"{path.name} was changed after it had been applied")
                continue
            async with connection.transaction():
                await connection.execute(text)
                await connection.execute("INSERT INTO migrations (name, checksum) VALUES ($1, $2)", path.name, checksum)
            applied.append(path.name)
        return applied
    finally:
        await connection.close()


def main() -> int:
    """The command: the database is AUTOSENDR_DATABASE_URL."""
    url = os.environ.get("AUTOSENDR_DATABASE_URL", "")
    if not url:
        print("migrate: AUTOSENDR_DATABASE_URL is not set", file=sys.stderr)
        return 2
    applied = asyncio.run(migrate(url))
    print(f"migrate: {len(applied)} applied" + (f" ({', '.join(applied)})" if applied else ", nothing to do"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
