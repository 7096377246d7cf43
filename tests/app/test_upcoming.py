"""The first page over HTTP: its pages, its size, its queries, and what is found."""

import gzip
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from app.handlers.today import view_of
from domain.naming import search_text
from store.database import new_id, open_pool
from store.redis import Redis
from store.run_state import RunState
from tests.rows import add_message

HTML_BYTES_MAX = 12_000
ELEMENTS_MAX = 1500
OWN = "351911000001@s.whatsapp.net"


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
async def pool(database_url: str):
    """Give a pool on the module's database."""
    opened = await open_pool(database_url)
    yield opened
    await opened.close()


async def linked(pool, email: str):
    """Link an account for somebody who has signed in."""
    account = new_id()
    await pool.execute(
        "INSERT INTO accounts (id, user_id, link, wrapped_key, phone, name, names_synced_at) "
        "SELECT $1, id, 'LINKED', 'k', $3, 'Ana', now() FROM users WHERE email = $2",
        account,
        email,
        str(account)[-12:],
    )
    await pool.execute(
        "INSERT INTO contacts (account_id, jid, kind, name, search, established) "
        "VALUES ($1, $2, 'person', $3, $4, true)",
        account,
        OWN,
        "Mãe",
        search_text("Mãe", OWN),
    )
    return account


async def test_a_page_has_fifty_and_the_next_one_goes_on_without_a_gap(browser, pool):
    ana = browser().sign_in("ana@example.org")
    account = await linked(pool, "ana@example.org")
    start = datetime.now(UTC) + timedelta(days=1)
    made = [
        await add_message(pool, account, due=start + timedelta(minutes=n // 2), recipient=OWN)  # two at an instant
        for n in range(70)
    ]
    first = ana.get("/today")
    assert len(gzip.compress(first.content)) <= HTML_BYTES_MAX
    assert len(re.findall(r"<[a-z]", first.text)) <= ELEMENTS_MAX
    ids = re.findall(r'class="letter" id="m-([0-9a-f-]{36})"', first.text)
    (more,) = re.findall(r'href="(/today\?after=[^"]+)"', first.text)
    ids += re.findall(r'class="letter" id="m-([0-9a-f-]{36})"', ana.get(more).text)
    assert len(ids) == len(set(ids)) == 70
    assert set(ids) == {str(one) for one in made}
    assert ana.get("/today?after=nonsense").status_code == 404
    assert ana.get("/today?after=2026-01-01_x").status_code == 404


class Counting:
    """A pool that counts what it is asked."""

    def __init__(self, pool) -> None:
        """Ask `pool`."""
        self._pool = pool
        self.asked = 0

    def __getattr__(self, name: str):
        """Count, and pass on."""
        self.asked += 1
        return getattr(self._pool, name)


async def test_the_queries_do_not_grow_with_the_rows(browser, pool, redis_address):
    browser().sign_in("bea@example.org")
    account = await linked(pool, "bea@example.org")
    await pool.execute("UPDATE accounts SET paced = true WHERE id = $1", account)
    user = await pool.fetchval("SELECT user_id FROM accounts WHERE id = $1", account)
    redis = Redis(redis_address)
    counts = []
    for rows in (1, 40):
        for number in range(rows):
            await add_message(pool, account, due=datetime.now(UTC) + timedelta(hours=1 + number), recipient=OWN)
        counting = Counting(pool)
        site = SimpleNamespace(pool=counting, run_state=RunState(redis))
        view = await view_of(site, user, "")  # ty: ignore[invalid-argument-type]
        counts.append((counting.asked, sum(len(group.rows) for group in view.groups)))
    await redis.close()
    assert [shown for _, shown in counts] == [1, 41]
    assert counts[0][0] == counts[1][0]


async def test_whom_one_looks_for_is_found_without_their_accents_and_only_by_their_owner(browser, pool):
    cleo, dan = browser().sign_in("cleo@example.org"), browser().sign_in("dan@example.org")
    account = await linked(pool, "cleo@example.org")
    message = await add_message(pool, account, due=datetime.now(UTC) + timedelta(hours=1), recipient=OWN)
    text = cleo.get("/find?q=mae").text
    assert f"account={account}" in text
    assert f"/messages/{message}" in text
    assert "Mãe" not in dan.get("/find?q=mae").text
    assert "Nothing by that name" in dan.get("/find?q=mae").text
    part = cleo.get("/find?q=go to people", **{"HX-Request": "true"}).text
    assert "<html" not in part
    assert re.findall(r'role="option"[^>]*id="([^"]+)"', part) == ["do-people"]


async def test_what_changes_beside_a_message_comes_in_parts(browser, pool):
    eva = browser().sign_in("eva@example.org")
    account = await linked(pool, "eva@example.org")
    first = await add_message(pool, account, due=datetime.now(UTC) + timedelta(hours=1), recipient=OWN)
    await add_message(pool, account, due=datetime.now(UTC) + timedelta(hours=2), recipient=OWN)
    text = eva.get(f"/messages/now?newest={first}").text
    assert "1 new, show" in text
    assert set(re.findall(r'hx-target="#(lead|fresh|aside)"', text)) == {"lead", "fresh", "aside"}
    assert "Ana’s phone is asleep" in eva.get("/phones").text


async def test_the_first_snapshot_brings_nothing_that_the_page_has_just_shown(browser, pool):
    ana = browser().sign_in("seen@example.org")
    account = await linked(pool, "seen@example.org")
    message = await add_message(pool, account, due=datetime.now(UTC) + timedelta(days=1), recipient=OWN)
    (seen,) = re.findall(r'hx-get="(/messages\?seen=\w+)"', ana.get("/today").text)
    again = ana.get(seen)
    assert (again.status_code, again.content) == (204, b"")
    await pool.execute("UPDATE messages SET state = 'HELD' WHERE id = $1", message)
    news = ana.get(seen)
    assert news.status_code == 200
    assert 'hx-get="/messages"' in news.text  # and what is drawn later is always asked for whole
