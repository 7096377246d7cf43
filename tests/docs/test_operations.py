"""What the runbooks and the dashboard name is there, and what they tell to do does what they say."""

import itertools
import json
import os
import re
import subprocess

import asyncpg
import pytest
from prometheus_client import Metric

from standalone.commands import COMMANDS
from standalone.home import REPOSITORY
from standalone.postgres import Postgres
from standalone.reference import scraped_name, supervisor_metrics, web_metrics
from standalone.settings import VARIABLES
from store.database import open_pool
from supervisor.log import EVENTS
from tests.conftest import Engines
from tests.rows import RECIPIENT, add_account

PAGE = (REPOSITORY / "docs" / "operations.md").read_text()
RUNBOOKS = PAGE[PAGE.index("\n## Runbooks\n") : PAGE.index("\n## The ready contract\n")]
BOARD = json.loads((REPOSITORY / "docs" / "grafana.json").read_text())
EXPRESSIONS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
METRIC = re.compile(r"\b(?:autosendr|process)_[a-z_]+\b")
TOOLS = {"pg_dump", "pg_restore", "redis-cli", "kill"}
ENDINGS = {"histogram": ("_bucket", "_sum", "_count")}
OTHER_WORDS = {"autosendr"}


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", RUNBOOKS, re.M | re.S)


def _scraped(family: Metric) -> set[str]:
    name = scraped_name(family)
    return {name, *(name + ending for ending in ENDINGS.get(family.type, ()))}


METRICS = {name for family in (*supervisor_metrics(), *web_metrics()) for name in _scraped(family)}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_dashboard_asks_for_metrics_that_there_are(expression: str) -> None:
    named = METRIC.findall(expression)
    assert named
    assert set(named) <= METRICS
    assert expression.count("(") == expression.count(")")


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    shown = {name for expression in EXPRESSIONS for name in METRIC.findall(expression)}
    unseen = [
        family.name
        for family in (*supervisor_metrics(), *web_metrics())
        if family.name.startswith("autosendr_") and not _scraped(family) & shown
    ]
    assert unseen == []


def test_panels_have_titles_ids_and_places_of_their_own() -> None:
    panels = BOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    for one, other in itertools.combinations((panel["gridPos"] for panel in panels), 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y
    assert max(panel["gridPos"]["x"] + panel["gridPos"]["w"] for panel in panels) == 24


def test_metrics_that_the_page_names_are_there() -> None:
    named = set(METRIC.findall(RUNBOOKS)) - OTHER_WORDS
    assert len(named) >= 10
    assert named <= METRICS


def test_variables_that_the_page_names_are_there() -> None:
    assert set(re.findall(r"\bAUTOSENDR_[A-Z_]+\b", PAGE)) <= {variable.name for variable in VARIABLES}


def test_log_events_that_the_runbooks_name_are_there() -> None:
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", RUNBOOKS)) - METRICS
    assert named == {"dependency_away", "slots_fewer"}
    assert named <= set(EVENTS)


def test_commands_of_the_runbooks_are_there() -> None:
    lines = [line for block in _blocks("sh") for line in block.splitlines()]
    assert len(lines) >= 4
    assert {line.split()[0] for line in lines} <= TOOLS
    assert set(re.findall(r"\./autosendr (\w+)", RUNBOOKS)) <= set(COMMANDS)


async def test_what_the_runbooks_ask_the_database_can_be_asked(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    questions = _blocks("sql")
    assert len(questions) >= 2
    for question in questions:
        await connection.fetch(question)
    await connection.close()


MESSAGES = {
    "was due": ("SCHEDULED", "-5 minutes", "MISSED"),
    "was armed": ("ARMED", "-1 minute", "MISSED"),
    "was blocked": ("BLOCKED", "-1 minute", "MISSED"),
    "was on the wire": ("SENDING", "-1 minute", "UNCONFIRMED"),
    "is to come": ("SCHEDULED", "5 minutes", "SCHEDULED"),
    "was cancelled": ("CANCELLED", "-1 minute", "CANCELLED"),
}


async def _fill(url: str) -> None:
    """Rows as they were when the backup was made."""
    pool = await open_pool(url, size=1)
    account = await add_account(pool, store_dirty=False, owner="a node", epoch=3)
    for number, (state, due, _) in enumerate(MESSAGES.values()):
        one = f"00000000-0000-7000-8000-00000000000{number}"
        await pool.execute(
            "INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s,"
            " content_key, body) SELECT $1, user_id, id, $3, 'UTC', 3600, 'local', 0, '', '' FROM accounts WHERE id=$2",
            one,
            account,
            RECIPIENT,
        )
        await pool.execute(
            "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at, state)"
            f" SELECT $1, $1, 1, user_id, id, $3, now() + interval '{due}', $4 FROM accounts WHERE id = $2",
            one,
            account,
            RECIPIENT,
            state,
        )
        if state == "SENDING":
            await pool.execute(
                "INSERT INTO attempts (id, message_id, account_id, number, secret, epoch, store_version, boot)"
                " VALUES ($1, $1, $2, 1, $3, 3, 0, '')",
                one,
                account,
                bytes(32),
            )
    await pool.close()


def _run(postgres: Postgres, line: str, url: str, folder: str) -> None:
    """A line of the page, with PostgreSQL's programs of this run."""
    path = os.fspath(postgres.binaries.program("pg_dump").parent)
    environ = {**os.environ, "PATH": path + os.pathsep + os.defpath, "AUTOSENDR_DATABASE_URL": url}
    subprocess.run(["/bin/sh", "-ec", line], env=environ, cwd=folder, check=True, timeout=60)


async def test_after_a_restore_nothing_that_was_due_leaves_and_no_store_is_trusted(
    database_url: str, empty_database_url: str, engines: Engines, tmp_path
) -> None:
    await _fill(database_url)
    dump, restore = _blocks("sh")[-2].splitlines()
    _run(engines.postgres, dump, database_url, os.fspath(tmp_path))
    _run(engines.postgres, restore, empty_database_url, os.fspath(tmp_path))
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(_blocks("sql restore")[0])
    states = [row["state"] for row in await connection.fetch("SELECT state FROM messages ORDER BY id")]
    assert states == [after for _, _, after in MESSAGES.values()]
    account = await connection.fetchrow("SELECT store_dirty, owner FROM accounts")
    assert dict(account) == {"store_dirty": True, "owner": ""}
    assert await connection.fetchval("SELECT count(*) FROM attempts WHERE outcome = ''") == 0
    told = await connection.fetch("SELECT event, reason, count(*) FROM changes GROUP BY 1, 2 ORDER BY 1")
    assert [tuple(row) for row in told] == [("doubted", "session_died", 1), ("late", "too_late", 3)]
    await connection.close()
