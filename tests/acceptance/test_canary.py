"""A sealed text is where it must be, the recipient's phone, and nowhere in what the host has.

Two texts go the whole way: one sealed by a program, one typed in a browser.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import async_playwright, expect

from standalone.chromium import find_chromium, launch
from standalone.demo_world import CONTACTS
from standalone.person import ZONE, Person
from tests.acceptance.product import FRIEND, STEP_S, Product, demo_product, files_under
from tests.acceptance.searching import codings, database_dump, file_hits, hits, memory_hits, redis_dump
from tests.waiting import eventually_sync

AHEAD_S = 3.0
HOSTS_PROGRAMS = ("web", "supervisor")


TYPED_AHEAD = timedelta(hours=1)
BROWSER_MS = 60_000
TYPIST = "447700900777"


@dataclass(frozen=True, slots=True)
class Canary:
    """A text that has gone the whole way, and how often memory had it on the way."""

    text: str
    memory_while_scheduled: dict[str, int]


@dataclass(frozen=True, slots=True)
class Sent:
    """What the product was given to send: `account` is the program's."""

    product: Product
    account: str
    sealed: Canary
    typed: Canary

    @property
    def codings(self) -> tuple[bytes, ...]:
        """Both texts as they could lie anywhere."""
        return codings(self.sealed.text) + codings(self.typed.text)


@pytest.fixture(scope="module")
def sent() -> Iterator[Sent]:
    with demo_product() as product:
        account, sealed = by_program(product)
        yield Sent(product, account, sealed, asyncio.run(by_browser(product)))


def by_program(product: Product) -> tuple[str, Canary]:
    account = product.link()
    canary = f"canary-{os.urandom(16).hex()}"
    message = product.schedule(account, canary, datetime.now(UTC) + timedelta(seconds=AHEAD_S))
    on_the_way = memory_of_host(product, canary)
    eventually_sync(lambda: product.state(message) in ("DELIVERED", "READ"), "the receipt", STEP_S)
    return account, Canary(canary, on_the_way)


async def by_browser(product: Product) -> Canary:
    """Somebody else, with a phone of their own, types a text and sends it."""
    canary = f"typed-{os.urandom(16).hex()}"
    name = CONTACTS[0][1]
    product.phones.make(TYPIST, "Ana", knows=CONTACTS, own=True)
    async with async_playwright() as playwright:
        browser = await launch(playwright, find_chromium())
        page = await (await browser.new_context(locale="en-GB", timezone_id=ZONE)).new_page()
        page.set_default_timeout(BROWSER_MS)
        person = Person(page, product.plan.web_url, product.phones_url, "typist@example.org", TYPIST)
        await person.sign_in()
        await person.ask_for_code()
        await person.scan()
        await page.get_by_role("link", name="Write the first message").click()
        await person.write(name[:3], name, canary, datetime.now(UTC) + TYPED_AHEAD, first=True)
        await expect(page.get_by_text(canary)).to_be_visible()  # opened by the browser's own key
        on_the_way = memory_of_host(product, canary)
        await page.get_by_role("button", name="Send now").click()
        await expect(page.get_by_text("Delivered").first).to_be_visible(timeout=BROWSER_MS)
        await browser.close()
    return Canary(canary, on_the_way)


def memory_of_host(product: Product, text: str) -> dict[str, int]:
    if not may_look(product):
        return {}
    return {name: memory_hits(product.pid(name), codings(text)) for name in HOSTS_PROGRAMS}


def may_look(product: Product) -> bool:
    try:
        memory_hits(product.pid("web"), (b"x" * 64,))
    except PermissionError:
        return False
    return True


@pytest.fixture
def looked_into(sent: Sent) -> Sent:
    """The same, where this user may read the memory of its processes; CI must be able to."""
    if sys.platform != "linux" or not may_look(sent.product):
        assert "CI" not in os.environ, "CI must be able to read the memory of its own processes"
        pytest.skip("THE MEMORY OF WEB AND SUPERVISOR WAS NOT SEARCHED: this user may not read it")
    return sent


def test_the_recipients_phone_has_each_once(sent: Sent) -> None:
    assert sent.product.phones.texts(FRIEND) == [sent.sealed.text, sent.typed.text]


def test_no_dump_of_the_database_has_it(sent: Sent) -> None:
    dump = database_dump(sent.product.postgres)
    assert hits(dump, sent.codings) == 0
    assert hits(dump, codings(sent.product.email)) > 0
    assert sent.account.encode() in dump


def test_no_file_of_the_database_has_it(sent: Sent) -> None:
    product = sent.product
    product.postgres.query("CHECKPOINT")
    files = files_under(product.postgres.data)
    assert file_hits(files, sent.codings) == {}
    found = file_hits(files, codings(product.email))
    assert [path for path in found if "/base/" in path] and [path for path in found if "/pg_wal/" in path]


def test_no_key_of_redis_and_nothing_in_its_append_only_file_has_it(sent: Sent) -> None:
    valkey = sent.product.valkey
    dump = redis_dump(valkey)
    assert hits(dump, sent.codings) == 0
    assert sent.account.encode() in dump
    files = files_under(valkey.data)
    assert file_hits(files, sent.codings) == {}
    assert file_hits(files, codings(sent.account)) != {}


def test_no_log_and_no_other_file_of_the_host_has_it(sent: Sent) -> None:
    product = sent.product
    phones = product.home.folder("simulator")
    files = [path for path in files_under(product.home.path) if not path.is_relative_to(phones)]
    assert {path.name for path in files} >= {"web.log", "supervisor.log", "enclave.log", "postgres.log"}
    assert file_hits(files, sent.codings) == {}
    assert file_hits([product.program("supervisor").log], codings(sent.account)) != {}


def test_the_memory_of_web_and_supervisor_never_had_it(looked_into: Sent) -> None:
    clean = dict.fromkeys(HOSTS_PROGRAMS, 0)
    for canary in (looked_into.sealed, looked_into.typed):
        assert canary.memory_while_scheduled == clean
        assert memory_of_host(looked_into.product, canary.text) == clean


def test_the_same_search_finds_what_must_be_in_their_memory(looked_into: Sent) -> None:
    product = looked_into.product
    assert all(memory_of_host(product, looked_into.account).values())
    assert memory_hits(product.pid("web"), codings(product.email)) > 0
    for canary in (looked_into.sealed, looked_into.typed):
        assert memory_hits(product.pid("simulator"), codings(canary.text)) > 0


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le"])
def test_the_same_search_finds_a_planted_text(looked_into: Sent, coding: str) -> None:
    del looked_into
    secret = os.urandom(16).hex()
    line = "import sys; held = sys.stdin.buffer.read(%d); print(flush=True); sys.stdin.buffer.read()"
    planted = f"canary-{secret}".encode(coding)
    command = [sys.executable, "-c", line % len(planted)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(planted)
        process.stdin.flush()
        assert process.stdout.readline() == b"\n"
        found = memory_hits(process.pid, codings(f"canary-{secret}"))
        process.stdin.close()
    assert found > 0
