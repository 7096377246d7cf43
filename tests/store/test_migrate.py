"""The migrator: once each, several at a time, never a changed file."""

import asyncio

import asyncpg
import pytest

from store import migrate as migrator
from store.migrate import ChangedMigration, migrate


async def test_several_at_once_apply_each_file_once(empty_database_url: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))
    names = [name for names in applied for name in names]
    assert names[0] == "0001_initial.sql"
    assert len(names) == len(set(names))
    assert await migrate(empty_database_url) == []


async def test_a_file_that_was_changed_after_it_was_applied_is_refused(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("UPDATE migrations SET checksum = 'other'")
    with pytest.raises(ChangedMigration, match="0001_initial"):
        await migrate(empty_database_url)
    await connection.execute("DROP TABLE migrations")
    await connection.close()


def test_the_command_asks_for_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOSENDR_DATABASE_URL", raising=False)
    assert migrator.main() == 2
