"""The rig: a real PostgreSQL and a real Valkey for the whole run, a fresh database per test module, and the guards."""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
import redis.asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright
from redis.asyncio import RedisCluster

from standalone.binaries import postgres_of_system, valkey_of_system
from standalone.chromium import NoBrowser, find_chromium, launch
from standalone.home import REPOSITORY, Home, open_home_at
from standalone.postgres import Postgres
from standalone.valkey import Valkey
from store.redis import Redis
from tests.redis_cluster import Cluster, client_of, running_cluster

TEMPLATE = "autosendr_template"
MIGRATE_S = 60.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the whole suite run on the system's servers instead of the wheels'."""
    parser.addoption("--engines", choices=("wheel", "system"), default="wheel", help="whose PostgreSQL and Redis")
    parser.addoption(
        "--redis", choices=("single", "cluster"), default="single", help="one server, or three as a cluster"
    )


_scratch: list[Path] = []


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Put pytest's own temporary folders where they go at the end."""
    if config.option.basetemp is None:
        _scratch.append(Path(tempfile.mkdtemp(prefix="autosendr-pytest-")).resolve())
        config.option.basetemp = _scratch[0] / "tmp"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    while _scratch:
        shutil.rmtree(_scratch.pop(), ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Engines:
    """The two servers of this test run."""

    postgres: Postgres
    valkey: Valkey


@pytest.fixture(scope="session")
def rig_folder() -> Iterator[Path]:
    """Give a folder of the run's own, short (sockets) and walkable for `nobody` (servers), gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="autosendr-test-")).resolve()
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def rig_home(rig_folder: Path) -> Iterator[Home]:
    """Give the state folder in which the run's servers live."""
    with open_home_at(rig_folder / "home", rig_folder / "run", "test") as home:
        yield home


@pytest.fixture(scope="session")
def engines(rig_home: Home, request: pytest.FixtureRequest) -> Iterator[Engines]:
    """Run PostgreSQL and Valkey for the whole test run."""
    of_system = request.config.getoption("--engines") == "system"
    postgres = Postgres(rig_home, postgres_of_system() if of_system else None, durable=False)
    valkey = Valkey(rig_home, valkey_of_system() if of_system else None, durable=False)
    postgres.start()
    try:
        valkey.start()
        yield Engines(postgres, valkey)
    finally:
        valkey.stop()
        postgres.stop()


@pytest.fixture(scope="session")
def migrated_template(engines: Engines) -> str:
    """Migrate a database once; those that tests get are copies of it."""
    engines.postgres.query(f"CREATE DATABASE {TEMPLATE}")
    subprocess.run(
        [sys.executable, "-m", "store.migrate"],
        env={**os.environ, "AUTOSENDR_DATABASE_URL": engines.postgres.url_of(TEMPLATE)},
        cwd=REPOSITORY,
        timeout=MIGRATE_S,
        check=True,
    )
    return TEMPLATE


_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def database_url(engines: Engines, migrated_template: str) -> Iterator[str]:
    """Give the address of a fresh, migrated database, shared by the tests of one module."""
    yield from _database(engines.postgres, migrated_template)


@pytest.fixture(scope="module")
def empty_database_url(engines: Engines) -> Iterator[str]:
    """Give the address of a fresh database without any table, shared by the tests of one module."""
    yield from _database(engines.postgres, "template0")


def _database(postgres: Postgres, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    postgres.query(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.url_of(name)
    postgres.query(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_cluster(rig_home: Home, engines: Engines) -> Iterator[Cluster]:
    """Run three more servers, as a cluster, for the whole test run."""
    with running_cluster(rig_home, engines.valkey.binary) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def redis_address(request: pytest.FixtureRequest) -> str:
    """Give the address of Redis as it is: of one server, or with `--redis cluster` of a cluster."""
    return address_of(request, request.config.getoption("--redis"))


@pytest.fixture
def redis_url(redis_address: str) -> str:
    """Give the address of an empty Redis; emptied again for each test."""
    return emptied(redis_address)


@pytest.fixture
async def cache(redis_address: str) -> AsyncIterator[redis.asyncio.Redis | RedisCluster]:
    """Give a connection to Redis, as the supervisor has."""
    opened = Redis(redis_address)
    yield opened.client
    await opened.close()


def address_of(request: pytest.FixtureRequest, kind: str) -> str:
    """Give the address of this run's single server or cluster."""
    if kind == "cluster":
        return request.getfixturevalue("redis_cluster").url
    return request.getfixturevalue("engines").valkey.url


def emptied(address: str) -> str:
    """Empty the Redis at an address; return the address."""
    with client_of(address) as client:
        client.flushall()
    return address


_reached_out: list[str] = []


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _watch_network(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse to leave this machine: connecting elsewhere, or asking a name server."""
    host = None
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
    elif event == "socket.getaddrinfo" and arguments[0] is not None:
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
    if host is not None and not _is_loopback(host):
        _reached_out.append(host)
        raise ConnectionRefusedError(f"tests stay on this machine, but one reached out to {host}")


sys.addaudithook(_watch_network)


@pytest.fixture(autouse=True)
def stays_on_this_machine() -> Iterator[list[str]]:
    """Fail the test that reached out, even if it swallowed the error."""
    _reached_out.clear()
    yield _reached_out
    reached = list(_reached_out)
    _reached_out.clear()
    assert not reached, f"this test reached out to {', '.join(reached)}"


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Give a running Chromium; without one fail in CI and skip, saying so, elsewhere."""
    try:
        program = find_chromium()
    except NoBrowser as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    async with async_playwright() as playwright:
        started = await launch(playwright, program)
        yield started
        await started.close()


@pytest_asyncio.fixture
async def window(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Give an own window without cookies. Use `wait_until="domcontentloaded"`: a page with SSE is never idle."""
    context = await browser.new_context(locale="en-GB", timezone_id="Europe/Berlin")
    yield context
    await context.close()
