"""Our PostgreSQL and Valkey: data survives, old servers are taken over, other versions work, nothing listens on TCP."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from standalone import binaries
from standalone.binaries import postgres_of_system, postgres_of_wheel, valkey_of_system
from standalone.home import CannotStart, Home
from standalone.postgres import Postgres
from standalone.valkey import Valkey
from tests.waiting import eventually_sync


def _gone(pid: int) -> bool:
    """Say whether the process has ended; a zombie (our child, not yet waited for) has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_postgres_keeps_its_data_over_a_stop_and_over_a_kill(own_home: Home) -> None:
    server = Postgres(own_home)  # durable: a commit that was answered must be there after a kill
    server.start()
    server.query("CREATE TABLE kept (n int)")
    for end in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.query("INSERT INTO kept VALUES (1)")
        pid = server.pid
        assert pid is not None
        os.kill(pid, end)
        eventually_sync(lambda: server.exit_code() is not None, "the end of the server")
        server.start()
    try:
        assert server.query("SELECT count(*) FROM kept") == "3"
    finally:
        server.stop()


def test_a_postgres_that_a_dead_runner_left_behind_is_taken_over(own_home: Home) -> None:
    old = Postgres(own_home, durable=False)
    old.start()
    left = old.pid
    new = Postgres(own_home, durable=False)
    new.start()
    try:
        assert left is not None and _gone(left)
        assert new.query("SELECT 1") == "1"
    finally:
        new.stop()
        old.stop()


def test_a_stale_note_does_not_end_somebody_elses_process(own_home: Home) -> None:
    server = Postgres(own_home, durable=False)
    server.start()
    server.stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (server.data / "postmaster.pid").write_text(f"{stranger.pid}\n{server.data}\n")
        with suppress(CannotStart):  # as a normal user PostgreSQL refuses, since the process is that user's
            server.start()
        server.stop()
        assert stranger.poll() is None
        stranger.communicate(b"\n")
        assert stranger.returncode == 0


def test_postgres_says_why_it_cannot_start(own_home: Home) -> None:
    server = Postgres(own_home, durable=False)
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match="is of PostgreSQL 9"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another user")
def test_binaries_that_nobody_cannot_walk_to_are_copied_and_work(
    own_home: Home, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "walkable", lambda path: False)
    found = postgres_of_wheel(own_home)
    assert found is not None and found.folder.is_relative_to(own_home.path)
    assert not list(own_home.path.glob("**/include"))
    server = Postgres(own_home, found, durable=False)
    server.start()
    server.stop()
    again = postgres_of_wheel(own_home)
    assert again == found
    assert len(list(own_home.path.glob("bin-*"))) == 1


async def test_a_system_postgres_15_works_through_its_address(own_home: Home) -> None:
    found = postgres_of_system(15)
    if found is None:
        pytest.skip("no PostgreSQL 15 on this machine")
    server = Postgres(own_home, found, durable=False)
    server.start()
    try:
        connection = await asyncpg.connect(server.url)
        assert str(await connection.fetchval("SHOW server_version")).startswith("15.")
        assert await connection.fetchval("SELECT 'Z' < 'a'")  # the C order, as with every other version
        await connection.close()
    finally:
        server.stop()


async def test_a_system_redis_works_through_its_address_and_keeps_its_data(own_home: Home) -> None:
    found = valkey_of_system(("redis-server",))
    if found is None:
        pytest.skip("no redis-server on this machine")
    server = Valkey(own_home, found)
    for round_ in (1, 2):
        server.start()
        try:
            async with Redis.from_url(server.url) as redis:
                assert (await redis.info("server"))["redis_version"].split(".")[0] >= "6"
                assert await redis.execute_command("INCR", "rounds") == round_
        finally:
            server.stop()


async def test_valkey_keeps_its_data_and_takes_over_from_an_old_server(own_home: Home) -> None:
    old = Valkey(own_home)
    old.start()
    async with Redis.from_url(old.url) as redis:
        await redis.set("kept", "yes")
    left = old.pid
    new = Valkey(own_home)
    new.start()
    try:
        assert left is not None and _gone(left)
        async with Redis.from_url(new.url, decode_responses=True) as redis:
            assert await redis.get("kept") == "yes"
    finally:
        new.stop()
        old.stop()


def test_no_server_at_all_is_a_clear_error(own_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_wheel_folder", lambda package, inside: None)
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", own_home.path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(CannotStart, match="DATABASE_URL"):
        Postgres(own_home)
    with pytest.raises(CannotStart, match="REDIS_URL"):
        Valkey(own_home)
