"""What a machine that watches us reads: alive, ready or what is missing, and counts for who has the word."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.settings import BadSettings, read_settings
from standalone.home import open_home_at
from standalone.valkey import Valkey
from store.locks import hold_lock
from store.nodes import LIVING
from tests.app.conftest import Browser, Web
from tests.waiting import eventually, eventually_sync

TOKEN = "a word of more than sixteen characters"
NODE = 4_711


@pytest.fixture(scope="module")
def own_cache(rig_folder: Path) -> Iterator[Valkey]:
    """Run a Valkey of this module's own, so that it can be stopped."""
    with open_home_at(rig_folder / "seen", rig_folder / "seenrun", "health") as home:
        cache = Valkey(home)
        cache.start()
        yield cache
        cache.stop()


@pytest.fixture(scope="module")
def web(web_environ: dict[str, str], enclave: object, own_cache: Valkey) -> Iterator[Web]:
    """Run a web process that has all it needs but a supervisor."""
    environ = {**web_environ, "AUTOSENDR_REDIS_URL": own_cache.url, "AUTOSENDR_METRICS_TOKEN": TOKEN}
    running = Web(environ, Path(web_environ["AUTOSENDR_MAILBOX"]).parent)
    yield running
    assert running.stop() == 0


@pytest.fixture
async def node(database_url: str) -> AsyncIterator[None]:
    """Hold what a living supervisor holds."""
    lock = await hold_lock(database_url, NODE, LIVING)
    assert lock is not None
    yield
    await lock.release()


def get(web: Web, path: str, **headers: str) -> httpx.Response:
    return httpx.get(web.url + path, headers=headers)


def ready(web: Web, state: str) -> dict:
    """Wait until `/readyz` says the state; it may be a second old."""
    return eventually_sync(lambda: (seen := get(web, "/readyz").json())["state"] == state and seen, state) or {}


async def until(web: Web, state: str) -> dict:
    async def look() -> dict:
        seen = (await asyncio.to_thread(get, web, "/readyz")).json()
        return seen if seen["state"] == state else {}

    return await eventually(look, state)


def metrics(web: Web) -> dict[tuple[str, str], float]:
    """Every sample by name and its labels' values."""
    answer = get(web, "/metrics", Authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_process_that_lives_says_so_to_anybody(web: Web) -> None:
    answer = get(web, "/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
    assert "set-cookie" not in answer.headers


def test_without_a_supervisor_it_is_degraded_and_says_so_in_words(web: Web) -> None:
    seen = ready(web, "degraded")
    assert seen["sentence"] == "No supervisor runs, so no message leaves until one does."
    assert seen["dependencies"] == {"postgres": "up", "supervisor": "away", "enclave": "up", "redis": "up"}
    assert get(web, "/readyz").status_code == 200


async def test_with_all_it_needs_it_is_ready(web: Web, node: None) -> None:
    seen = await until(web, "ready")
    assert seen["sentence"] == "Everything that is needed answers."
    assert set(seen["dependencies"].values()) == {"up"}
    found = await asyncio.to_thread(metrics, web)
    assert found["autosendr_supervisors", ""] == 1


async def test_without_redis_it_is_degraded_until_redis_is_back(web: Web, node: None, own_cache: Valkey) -> None:
    await until(web, "ready")
    await asyncio.to_thread(own_cache.stop)
    try:
        seen = await until(web, "degraded")
        assert seen["dependencies"]["redis"] == "away"
        assert seen["sentence"].startswith("Redis does not answer.")
        assert (await asyncio.to_thread(metrics, web))["autosendr_degraded", "redis"] == 1
    finally:
        own_cache.start()
    await until(web, "ready")
    assert (await asyncio.to_thread(metrics, web))["autosendr_degraded", "redis"] == 0


async def test_without_the_database_it_is_not_ready_and_still_alive(web: Web, node: None, engines) -> None:
    await until(web, "ready")
    await asyncio.to_thread(engines.postgres.stop)
    try:
        seen = await until(web, "not ready")
        assert seen["dependencies"]["postgres"] == "away"
        assert seen["dependencies"]["supervisor"] == "unknown"
        assert (await asyncio.to_thread(get, web, "/readyz")).status_code == 503
        assert (await asyncio.to_thread(get, web, "/healthz")).status_code == 200
        found = await asyncio.to_thread(metrics, web)
        assert found["autosendr_degraded", "postgres"] == 1
        assert math.isnan(found["autosendr_messages_overdue", ""])
    finally:
        engines.postgres.start()
    await until(web, "degraded")  # our lock fell with the database


def test_counts_are_for_who_brings_the_word(web: Web) -> None:
    for headers in ({}, {"Authorization": "Bearer something else"}, {"Authorization": TOKEN}):
        answer = get(web, "/metrics", **headers)
        assert (answer.status_code, answer.content) == (401, b"")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_without_a_word_there_is_no_such_page(web_environ: dict[str, str], enclave: object, tmp_path: Path) -> None:
    web = Web({**web_environ, "AUTOSENDR_MAILBOX": str(tmp_path / "mail")}, tmp_path)
    try:
        assert get(web, "/metrics").status_code == 404
        assert get(web, "/metrics", Authorization="Bearer x").status_code == 404
    finally:
        web.stop()


def test_a_word_that_can_be_guessed_refuses_to_start(web_environ: dict[str, str]) -> None:
    with pytest.raises(BadSettings, match="AUTOSENDR_METRICS_TOKEN"):
        read_settings({**web_environ, "AUTOSENDR_METRICS_TOKEN": "short"})


def test_labels_are_from_fixed_sets_whatever_is_asked(web: Web) -> None:
    for path in ("/nothing/here", "/messages/00000000-0000-7000-8000-000000000000", "/static/x.css"):
        get(web, path)
    httpx.request("PROPFIND", web.url + "/healthz")
    found = metrics(web)
    labels = {label for name, label in found if name == "autosendr_web_answers_total"}
    assert "GET other 404" in labels
    assert any(label.startswith("GET /messages/{") for label in labels)
    assert any(label.startswith("other ") for label in labels)
    assert not [label for label in labels if "00000000" in label or "nothing" in label or "PROPFIND" in label]


async def test_what_should_have_left_and_who_is_logged_out_are_counted(web: Web, database, database_url: str) -> None:
    ana = Browser(web)
    await asyncio.to_thread(ana.sign_in, "ana@example.org")
    user = database.run("SELECT id FROM users")
    for number, (link, minutes) in enumerate((("LINKED", 5), ("LINKED", -5), ("LOGGED_OUT", 5))):
        one = f"00000000-0000-7000-8000-00000000000{number}"
        database.run(
            f"INSERT INTO accounts (id, user_id, link, phone, wrapped_key) VALUES ('{one}', '{user}', '{link}',"
            f" '44770090000{number}', '');"
            "INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s,"
            f" content_key, body) VALUES ('{one}', '{user}', '{one}', 'x', 'UTC', 60, 'local', 0, '', '');"
            "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)"
            f" VALUES ('{one}', '{one}', 1, '{user}', '{one}', 'x', now() - interval '{minutes} minutes')"
        )
    found = await asyncio.to_thread(metrics, web)
    assert found["autosendr_messages_overdue", ""] == 1
    assert (found["autosendr_accounts", "LINKED"], found["autosendr_accounts", "LOGGED_OUT"]) == (2, 1)
    assert found["autosendr_accounts", "BANNED"] == 0


def test_open_pages_are_counted(web: Web) -> None:
    bob = Browser(web).sign_in("bob@example.org")
    with bob.client.stream("GET", "/live") as stream:
        lines = stream.iter_lines()  # kept: the stream closes with it
        assert next(lines)
        assert metrics(web)["autosendr_web_pages", ""] == 1
