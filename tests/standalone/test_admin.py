"""Making an admin: on the database that is named, or on what runs here; nobody else becomes one."""

from pathlib import Path

import asyncpg
import pytest

from standalone.admin import database_url as chosen_url
from standalone.home import CannotStart, open_home
from store.admins import make_admin
from store.database import open_pool


async def test_only_the_named_user_becomes_an_admin(database_url: str) -> None:
    pool = await open_pool(database_url, size=1)
    try:
        await pool.execute(
            "INSERT INTO users (id, email) VALUES (gen_random_uuid(), 'ada@example.org'), "
            "(gen_random_uuid(), 'bob@example.org')"
        )
        assert await make_admin(pool, " Ada@Example.org")
        assert not await make_admin(pool, "eve@example.org")
    finally:
        await pool.close()
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT email FROM users WHERE is_admin")
    finally:
        await connection.close()
    assert [row["email"] for row in rows] == ["ada@example.org"]


def test_the_database_is_the_named_one_or_that_of_what_runs_here(own_folder: Path) -> None:
    settings = {"AUTOSENDR_HOME": str(own_folder / "state"), "AUTOSENDR_RUN": str(own_folder)}
    with pytest.raises(CannotStart, match="nothing runs here"):
        chosen_url(settings)
    with open_home("demo", settings) as demo:
        demo.note_running({"database": "postgresql://demo"})
        assert chosen_url(settings) == "postgresql://demo"
        assert chosen_url({**settings, "DATABASE_URL": "postgresql://theirs"}) == "postgresql://theirs"
    with pytest.raises(CannotStart, match="nothing runs here"):
        chosen_url(settings)
