"""A database of an earlier version, with rows in it, is brought up to date."""

import shutil
from pathlib import Path

import pytest

from store import export, migrate, pages
from store.database import open_pool
from tests.rows import add_account, add_message


async def test_the_making_of_a_message_is_told_once_and_the_rest_of_its_history_is_kept(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in sorted(migrate._FOLDER.glob("*.sql")):
        if path.name < "0014":
            shutil.copy(path, tmp_path)
    with monkeypatch.context() as former:
        former.setattr(migrate, "_FOLDER", tmp_path)
        await migrate.migrate(empty_database_url)
    pool = await open_pool(empty_database_url)
    messages = [await add_message(pool, await add_account(pool)) for _ in range(2)]
    await pool.execute(
        "INSERT INTO changes (message_id, event) SELECT id, event"
        " FROM messages, unnest(ARRAY['created', 'moved']) AS events (event)"
    )
    assert "0014_less_disk.sql" in await migrate.migrate(empty_database_url)
    for message in messages:
        user, made_at = await pool.fetchrow(
            "SELECT m.user_id, s.created_at FROM messages m JOIN schedules s ON s.id = m.schedule_id WHERE m.id = $1",
            message,
        )
        history = await pages.changes(pool, user, message)
        assert [one.event for one in history] == ["created", "moved"]
        assert history[0].at == made_at
        assert [row["event"] for row in await export.changes(pool, user, messages)] == ["created", "moved"]
    await pool.close()
