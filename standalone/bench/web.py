"""What the web process bears: one element of a page under load, then browsers that only listen.

The element is a message's state, the smallest that live pages fetch: a login and its rate in Redis, a query in
PostgreSQL, a template. The limit measured beside it: a file from memory by the same process, over the same connections.
The listeners are idle live streams; the page must still answer with all of them open.
"""

import asyncio
import json
import resource
import statistics
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx

from app.hub import PAGES_PER_USER_MAX
from app.static_files import static_url
from standalone.bench._command import run
from standalone.bench._stores import open_stores
from standalone.bench.wake import memory_of
from standalone.children import bring_up
from standalone.home import REPOSITORY
from standalone.programs import MODULES, Program
from store.database import new_id
from store.logins import Logins
from store.redis import Redis
from store.statements import Statements
from store.users import User

LISTENERS: Final = 2000
MESSAGES: Final = 50
CONNECTIONS: Final = 16
LOAD_S: Final = 8.0
WARM_S: Final = 2.0
OPENING_AT_ONCE: Final = 50
OPEN_S: Final = 60.0
SETTLE_S: Final = 1.0
SETTLES_MAX: Final = 20
SETTLED_MB: Final = 0.3
PAGE_S: Final = 5.0
HOST: Final = "127.0.0.1"


async def measure(listeners: int) -> dict[str, Any]:
    """The figures. Memory in kB (10^3 bytes) per listener, of what the web process has for itself alone."""
    _allow_descriptors()
    async with _web() as (pid, port, postgres, redis):
        users = [new_id() for _ in range(-(-listeners // PAGES_PER_USER_MAX))]
        messages = await _furnish(postgres, users)
        logins = Logins(redis)
        cookies = [f"login={await logins.create(_user(user), 'bench')}" for user in users]
        paths = [f"/messages/{message}/status" for message in messages]
        await _load(port, cookies[0], paths, WARM_S)
        partials = await _load(port, cookies[0], paths, LOAD_S)
        files = await _load(port, cookies[0], [static_url("live.js")], LOAD_S)
        before = await _settled_mb(pid)
        streams = await _listen(port, [cookies[turn // PAGES_PER_USER_MAX] for turn in range(listeners)])
        after = await _settled_mb(pid)
        page_ok, page_ms = await _page(port, cookies[0])
        alive = sum(not writer.is_closing() for _, writer in streams)
        for _, writer in streams:
            writer.close()
    per_s, limit_per_s = len(partials) / LOAD_S, len(files) / LOAD_S
    return {
        "req_per_s": round(per_s),
        "p50_ms": round(statistics.median(partials), 2),
        "p99_ms": round(statistics.quantiles(partials, n=100)[98], 2),
        "limit_req_per_s": round(limit_per_s),
        "ratio": round(per_s / limit_per_s, 2),
        "sse_clients": alive,
        "sse_kb_per_client": round((after - before) * 1000 / alive, 1),
        "page_ok": page_ok,
        "page_ms": round(page_ms, 1),
    }


def _allow_descriptors() -> None:
    """As many open files as this user may have: the web process inherits it, as a service's LimitNOFILE would say."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@asynccontextmanager
async def _web() -> AsyncGenerator[tuple[int, int, str, Redis]]:
    """A web process with stores of its own: process id, port, address of PostgreSQL, and Redis."""
    with open_stores() as (home, postgres, valkey):
        variables = {
            "AUTOSENDR_DATABASE_URL": postgres.url,
            "AUTOSENDR_REDIS_URL": valkey.url,
            "AUTOSENDR_ENCLAVE_SOCKET": str(home.socket("door.sock")),
            "AUTOSENDR_WEB_HOST": HOST,
            "AUTOSENDR_WEB_PORT": "0",
            "AUTOSENDR_PUBLIC_URL": f"http://{HOST}:8080",
            "AUTOSENDR_MAILBOX": str(home.folder("mail")),
        }
        program = Program("web", MODULES["web"], home.log("web"), lambda: variables)
        redis = Redis(valkey.url)
        try:
            bring_up(program)
            assert program.pid is not None
            yield program.pid, int(program.facts["port"]), postgres.url, redis
        finally:
            await redis.close()
            program.stop()


def _user(user: UUID) -> User:
    return User(id=user, email=f"{user}@example.org", zone="UTC", theme="", letter_keys=True)


async def _furnish(postgres: str, users: list[UUID]) -> list[UUID]:
    """Users, and the messages of the first."""
    sql = Statements("web_world", Path(__file__).parent)
    messages = [new_id() for _ in range(MESSAGES)]
    connection = await asyncpg.connect(postgres)
    try:
        for number, user in enumerate(users):
            await connection.execute(sql["add_user"], user, f"{user}@example.org")
            account = new_id()
            await connection.execute(sql["add_account"], account, user, f"4477009{number:05}")
            if number == 0:
                for turn, message in enumerate(messages):
                    due = datetime.now(UTC) + timedelta(hours=1, minutes=turn)
                    await connection.execute(sql["add_message"], new_id(), message, user, account, due)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return messages


async def _load(port: int, cookie: str, paths: list[str], seconds: float) -> list[float]:
    """The milliseconds of each answer to a process that asks for `seconds`."""
    asked = {
        "host": HOST,
        "port": port,
        "cookie": cookie,
        "paths": paths,
        "connections": CONNECTIONS,
        "seconds": seconds,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "standalone.bench._load",
        json.dumps(asked),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise SystemExit("the load could not be made; see above")
    return json.loads(told)


async def _listen(port: int, cookies: list[str]) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """One open live stream per cookie, each of which has got its first event."""
    room = asyncio.Semaphore(OPENING_AT_ONCE)

    async def open_one(cookie: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with room:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(f"GET /live HTTP/1.1\r\nHost: {HOST}:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
            await reader.readuntil(b"snapshot")
            return reader, writer

    async with asyncio.timeout(OPEN_S):
        return await asyncio.gather(*(open_one(cookie) for cookie in cookies))


async def _settled_mb(pid: int) -> float:
    """Private megabytes of the process once they hardly change any more."""
    last, _ = memory_of(pid)
    for _ in range(SETTLES_MAX):
        await asyncio.sleep(SETTLE_S)
        now, _ = memory_of(pid)
        if abs(now - last) < SETTLED_MB:
            return now
        last = now
    return last


async def _page(port: int, cookie: str) -> tuple[bool, float]:
    """Whether a whole page answers, and in how many milliseconds."""
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False, timeout=PAGE_S) as client:
        begun = time.perf_counter()
        try:
            answer = await client.get("/today", headers={"cookie": cookie})
        except httpx.TransportError:
            return False, PAGE_S * 1000
        return answer.status_code == 200, (time.perf_counter() - begun) * 1000


def main() -> None:
    """The command."""
    run(
        "web",
        __doc__,
        lambda options: asyncio.run(measure(options.listeners)),
        lambda figures: [
            f"elements   {figures['req_per_s']} a second, half within {figures['p50_ms']} ms,"
            f" 99 in 100 within {figures['p99_ms']} ms",
            f"limit      {figures['limit_req_per_s']} a second for a file from memory: {figures['ratio']} of it",
            f"listeners  {figures['sse_clients']} idle ones cost {figures['sse_kb_per_client']} kB each",
            f"page       {'answers' if figures['page_ok'] else 'DOES NOT ANSWER'} in {figures['page_ms']} ms with them",
        ],
        lambda parser: parser.add_argument("--listeners", type=int, default=LISTENERS),
    )


if __name__ == "__main__":
    main()
