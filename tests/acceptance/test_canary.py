"""A sealed text is where it must be, the recipient's phone, and nowhere in what the host has."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.acceptance.product import FRIEND, STEP_S, Product, demo_product, files_under
from tests.acceptance.searching import codings, database_dump, file_hits, hits, memory_hits, redis_dump
from tests.waiting import eventually_sync

AHEAD_S = 3.0
HOSTS_PROGRAMS = ("web", "supervisor")


@dataclass(frozen=True, slots=True)
class Sent:
    """A canary that has gone the whole way, and how often memory had it on the way."""

    product: Product
    account: str
    canary: str
    memory_while_scheduled: dict[str, int]


@pytest.fixture(scope="module")
def sent() -> Iterator[Sent]:
    canary = f"canary-{os.urandom(16).hex()}"
    with demo_product() as product:
        account = product.link()
        message = product.schedule(
            account, f"Dear {canary}, all the best", datetime.now(UTC) + timedelta(seconds=AHEAD_S)
        )
        on_the_way = memory_of_host(product, canary) if may_look(product) else {}
        eventually_sync(lambda: product.state(message) in ("DELIVERED", "READ"), "the receipt", STEP_S)
        yield Sent(product, account, canary, on_the_way)


def memory_of_host(product: Product, text: str) -> dict[str, int]:
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


def test_the_recipients_phone_has_it_once(sent: Sent) -> None:
    texts = sent.product.phones.texts(FRIEND)
    assert texts == [f"Dear {sent.canary}, all the best"]


def test_no_dump_of_the_database_has_it(sent: Sent) -> None:
    dump = database_dump(sent.product.postgres)
    assert hits(dump, codings(sent.canary)) == 0
    assert hits(dump, codings(sent.product.email)) > 0
    assert sent.account.encode() in dump


def test_no_file_of_the_database_has_it(sent: Sent) -> None:
    product = sent.product
    product.postgres.query("CHECKPOINT")
    files = files_under(product.postgres.data)
    assert file_hits(files, codings(sent.canary)) == {}
    found = file_hits(files, codings(product.email))
    assert [path for path in found if "/base/" in path] and [path for path in found if "/pg_wal/" in path]


def test_no_key_of_redis_and_nothing_in_its_append_only_file_has_it(sent: Sent) -> None:
    valkey = sent.product.valkey
    dump = redis_dump(valkey)
    assert hits(dump, codings(sent.canary)) == 0
    assert sent.account.encode() in dump
    files = files_under(valkey.data)
    assert file_hits(files, codings(sent.canary)) == {}
    assert file_hits(files, codings(sent.account)) != {}


def test_no_log_and_no_other_file_of_the_host_has_it(sent: Sent) -> None:
    product = sent.product
    phones = product.home.folder("simulator")
    files = [path for path in files_under(product.home.path) if not path.is_relative_to(phones)]
    assert {path.name for path in files} >= {"web.log", "supervisor.log", "enclave.log", "postgres.log"}
    assert file_hits(files, codings(sent.canary)) == {}
    assert file_hits([product.program("supervisor").log], codings(sent.account)) != {}


def test_the_memory_of_web_and_supervisor_never_had_it(looked_into: Sent) -> None:
    clean = dict.fromkeys(HOSTS_PROGRAMS, 0)
    assert looked_into.memory_while_scheduled == clean
    assert memory_of_host(looked_into.product, looked_into.canary) == clean


def test_the_same_search_finds_what_must_be_in_their_memory(looked_into: Sent) -> None:
    product = looked_into.product
    assert all(memory_of_host(product, looked_into.account).values())
    assert memory_hits(product.pid("web"), codings(product.email)) > 0
    assert memory_hits(product.pid("simulator"), codings(looked_into.canary)) > 0


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
