"""What a supervisor says on loopback, as tests read it."""

import asyncio
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

PATIENCE_S = 10.0


async def ask(port: int, path: str, method: str = "GET") -> httpx.Response:
    """The answer of the listener at `port`."""
    url = f"http://127.0.0.1:{port}{path}"
    return await asyncio.to_thread(httpx.request, method, url, timeout=PATIENCE_S, trust_env=False)


async def ready(port: int) -> dict[str, Any]:
    """What `/readyz` says."""
    return (await ask(port, "/readyz")).json()


async def scrape(port: int) -> dict[tuple[str, str], float]:
    """Every sample by name and its labels' values, in the order of their names."""
    return samples((await ask(port, "/metrics")).text)


def samples(text: str) -> dict[tuple[str, str], float]:
    """The same of a text."""
    return {
        (sample.name, " ".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
