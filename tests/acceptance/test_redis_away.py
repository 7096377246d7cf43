"""Redis is away for a while: messages keep leaving and everybody is told; back again, nothing is lost or doubled."""

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from standalone.children import bring_up
from tests.acceptance.product import demo_product
from tests.acceptance.stack import CERTAIN, DEADLINE_S, Stack, linked_stack
from tests.supervisor.scrapes import samples
from tests.waiting import eventually_sync

TOKEN = "who reads this may read the counts"
AWAY_DUE_S = (3.0, 8.0, 14.0, 20.0)
"""When messages are due that were scheduled before Redis went: it is away from the first to the last."""


@pytest.fixture(scope="module")
def port() -> int:
    """Give a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def stack(port: int) -> Iterator[Stack]:
    """Give the whole product with one linked account, watched."""
    watched = {"AUTOSENDR_METRICS_PORT": str(port), "AUTOSENDR_METRICS_TOKEN": TOKEN}
    with demo_product(watched) as product, linked_stack(product) as stack:
        yield stack


def get(url: str) -> httpx.Response:
    return httpx.get(url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=DEADLINE_S, trust_env=False)


def until_both_say(stack: Stack, port: int, state: str) -> list[dict[str, Any]]:
    """Wait until web and supervisor say the state at `/readyz`."""

    def look(url: str) -> dict[str, Any]:
        seen = get(f"{url}/readyz").json()
        return seen if seen["state"] == state else {}

    urls = (stack.product.plan.web_url, f"http://127.0.0.1:{port}")
    return [eventually_sync(lambda url=url: look(url), f"{url} {state}", DEADLINE_S) for url in urls]


def degraded(stack: Stack, port: int) -> list[float]:
    """What the metrics of web and supervisor say of Redis."""
    urls = (stack.product.plan.web_url, f"http://127.0.0.1:{port}")
    return [samples(get(f"{url}/metrics").text)["autosendr_degraded", "redis"] for url in urls]


def test_messages_leave_by_the_database_alone_and_all_is_well_when_redis_is_back(stack: Stack, port: int) -> None:
    assert stack.state(stack.schedule("before", 0)) != ""
    stack.until_delivered(stack.scheduled[0])
    across = [stack.schedule(f"known before, {ahead_s:.0f}", ahead_s) for ahead_s in AWAY_DUE_S]
    until_both_say(stack, port, "ready")
    assert degraded(stack, port) == [0, 0]

    stack.product.valkey.stop()
    for seen in until_both_say(stack, port, "degraded"):
        assert seen["dependencies"]["redis"] == "away"
        assert seen["sentence"].startswith("Redis does not answer.")
    assert degraded(stack, port) == [1, 1]
    during = [stack.schedule(f"scheduled without Redis, {ahead_s}", ahead_s) for ahead_s in (0, 2.0)]
    for message in (*across, *during):
        stack.until_delivered(message)
        stack.until_state(message, *CERTAIN)
    assert degraded(stack, port) == [1, 1]

    bring_up(stack.product.valkey)
    until_both_say(stack, port, "ready")
    assert degraded(stack, port) == [0, 0]
    after = stack.schedule("after", 1.0)
    stack.until_delivered(after)
    for message in stack.scheduled:
        stack.until_state(message, *CERTAIN)
        assert stack.attempts(message) == ["SENT"]
        assert stack.on_phone(message) == 1
    assert stack.ask("SELECT count(*) FROM attempts WHERE outcome = ''") == "0"
    seen = samples(get(f"http://127.0.0.1:{port}/metrics").text)
    assert seen["autosendr_sends_total", "sent"] == len(stack.scheduled)
    assert stack.told("child_failed") == []
