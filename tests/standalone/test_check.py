"""`demo --check` as a person runs it: from sign-in to the recipient's phone, with our servers and with the system's."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standalone.binaries import postgres_of_system, valkey_of_system
from standalone.commands import version
from standalone.demo_world import CONTACTS
from standalone.home import REPOSITORY, Home
from standalone.postgres import Postgres
from standalone.valkey import Valkey

CHECK_S = 200.0


def check(temporary: Path, **variables: str) -> dict[str, object]:
    """Run the command with an environment of its own; return the object of its last line."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(temporary), "TMPDIR": str(temporary), **variables}
    done = subprocess.run(
        [sys.executable, "-m", "standalone", "demo", "--check"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=CHECK_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def system_servers(own_home: Home) -> Iterator[dict[str, str]]:
    """Give the addresses of a PostgreSQL 15 and a Redis of the system."""
    postgres, redis = postgres_of_system(15), valkey_of_system(("redis-server",))
    if postgres is None or redis is None:
        pytest.skip("no PostgreSQL 15 or no redis-server on this machine")
    servers = Postgres(own_home, postgres, durable=False), Valkey(own_home, redis, durable=False)
    try:
        for server in servers:
            server.start()
        yield {"DATABASE_URL": servers[0].url, "REDIS_URL": servers[1].url}
    finally:
        for server in servers:
            server.stop()


def test_the_main_job_is_done_and_nothing_is_left_behind(own_folder: Path) -> None:
    outcome = check(own_folder)
    assert set(outcome) == {"ok", "linked_ms", "contacts", "lateness_ms", "delivered", "version"}
    assert (outcome["ok"], outcome["delivered"], outcome["version"]) == (True, True, version())
    assert outcome["contacts"] == len(CONTACTS)
    assert list(own_folder.iterdir()) == []


def test_it_is_done_on_a_system_postgres_15_and_redis_too(own_folder: Path, system_servers: dict[str, str]) -> None:
    assert check(own_folder, **system_servers)["ok"] is True
