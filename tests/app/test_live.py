"""The live stream: what it says, to whom, through a Redis outage, and at the end of the process."""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import redis.asyncio
from redis.asyncio import RedisCluster

from store import keys
from tests.app.conftest import ANSWER_S, Browser, Web


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@asynccontextmanager
async def open_stream(browser: Browser):
    async with (
        httpx.AsyncClient(base_url=browser.web.url, cookies=browser.client.cookies, timeout=ANSWER_S) as client,
        client.stream("GET", "/live", headers={"Accept": "text/event-stream"}) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()

        async def next_event() -> str:
            async with asyncio.timeout(ANSWER_S):
                async for line in lines:
                    if line.startswith("event: "):
                        return line.removeprefix("event: ")
            raise AssertionError("the stream has ended")

        yield next_event


async def user_of(browser: Browser, cache: redis.asyncio.Redis) -> str:
    digests = [key async for key in cache.scan_iter("{login}:*")]
    for key in digests:
        if ":of:" not in key and await cache.hget(key, "email") == browser.email:
            return str(await cache.hget(key, "user"))
    raise AssertionError("not signed in")


def signed_in(browser, email: str) -> Browser:
    return browser().sign_in(email)


async def test_a_stream_begins_with_a_snapshot_and_then_says_what_changed(browser, cache):
    ana = await asyncio.to_thread(signed_in, browser, "ana@example.org")
    async with open_stream(ana) as next_event:
        assert await next_event() == "snapshot"
        channel = keys.news_of(await user_of(ana, cache))
        await cache.publish(channel, json.dumps([["message", "m1"], ["account", "a1"], ["message", "m1"]]))
        assert [await next_event(), await next_event()] == ["message-m1", "account-a1"]


async def test_nobody_hears_the_news_of_another(browser, cache):
    ana = await asyncio.to_thread(signed_in, browser, "ana@example.org")
    bob = await asyncio.to_thread(signed_in, browser, "bob@example.org")
    async with open_stream(ana) as next_event:
        assert await next_event() == "snapshot"
        await cache.publish(keys.news_of(await user_of(bob, cache)), json.dumps([["message", "of-bob"]]))
        await cache.publish(keys.news_of(await user_of(ana, cache)), json.dumps([["message", "of-ana"]]))
        assert await next_event() == "message-of-ana"


async def test_too_much_news_at_once_is_a_snapshot(browser, cache):
    ana = await asyncio.to_thread(signed_in, browser, "ana@example.org")
    async with open_stream(ana) as next_event:
        assert await next_event() == "snapshot"
        flood = [["message", str(number)] for number in range(50)]
        await cache.publish(keys.news_of(await user_of(ana, cache)), json.dumps(flood))
        assert await next_event() == "snapshot"


async def test_a_lost_connection_to_redis_is_told_and_its_return_is_a_snapshot(browser, cache):
    ana = await asyncio.to_thread(signed_in, browser, "ana@example.org")
    async with open_stream(ana) as next_event:
        assert await next_event() == "snapshot"
        everywhere = {"target_nodes": cache.ALL_NODES} if isinstance(cache, RedisCluster) else {}
        await cache.execute_command("CLIENT KILL", "TYPE", "pubsub", **everywhere)
        told = [await next_event()]
        if told == ["paused"]:  # what is told together with the return is swallowed by it
            told.append(await next_event())
        assert told[-1] == "snapshot"


async def test_the_process_ends_when_told_although_streams_are_open(engines, web_environ, tmp_path):
    environ = {**web_environ, "AUTOSENDR_MAILBOX": str(tmp_path / "mail")}
    web = await asyncio.to_thread(Web, environ, Path(tmp_path))
    ana = await asyncio.to_thread(lambda: Browser(web).sign_in("ana@example.org"))
    async with open_stream(ana) as next_event:
        assert await next_event() == "snapshot"
        assert await asyncio.to_thread(web.stop, 4.0) == 0
