"""The rig's servers answer through their addresses, and tests cannot leave the machine."""

import socket

import asyncpg
import pytest
from redis.asyncio import Redis


async def test_a_module_gets_a_database_of_its_own(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        assert await connection.fetchval("SHOW timezone") == "UTC"
        assert await connection.fetchval("SELECT current_user") == "autosendr"
        assert await connection.fetchval("SHOW listen_addresses") == ""
    finally:
        await connection.close()


async def test_a_modules_database_is_migrated(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM migrations") > 0
    finally:
        await connection.close()


@pytest.mark.parametrize("round_", [1, 2])
async def test_each_test_gets_an_empty_redis(redis_url: str, round_: int) -> None:
    async with Redis.from_url(redis_url) as redis:
        assert await redis.dbsize() == 0
        await redis.set("left", round_)


def test_a_connection_to_another_machine_is_refused(stays_on_this_machine: list[str]) -> None:
    with socket.socket() as line, pytest.raises(ConnectionRefusedError):
        line.connect(("192.0.2.1", 80))
    assert stays_on_this_machine == ["192.0.2.1"]
    stays_on_this_machine.clear()
