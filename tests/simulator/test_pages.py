"""The phone pages as a person uses them, without a browser's script."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from simulator import contacts
from simulator.server import Simulator
from tests.simulator.real_client import RealClient

ANNA, BEN = "491511000001", "491511000002"


@pytest_asyncio.fixture
async def browser(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=simulator.proxy, timeout=60, trust_env=False, follow_redirects=True
    ) as client:
        yield client


async def test_a_person_scans_a_code_writes_reads_and_unlinks(
    browser: httpx.AsyncClient, simulator: Simulator, folder: Path
) -> None:
    contacts.set_contact(simulator.hub, simulator.world.phone(ANNA), BEN, "Ben <b>")
    assert f'href="/phone/{ANNA}"' in (await browser.get("/")).text
    async with RealClient(simulator, folder / "store") as client:
        await client.call("connect")
        code = await client.event("QR")
        page = await browser.post(f"/phone/{ANNA}/scan", data={"qr": code})
        assert "Scanned" in page.text
        await client.event("Connected")
        page = await browser.post(f"/phone/{BEN}/say", data={"chat": ANNA, "text": "<i>hi</i>"})
        assert (await client.text())["Message"]["conversation"] == "<i>hi</i>"
        await client.call("send", to=BEN, text="back & forth")
        page = await browser.get(f"/phone/{BEN}", params={"chat": ANNA})
        assert "&lt;i&gt;hi&lt;/i&gt;" in page.text
        assert "back &amp; forth" in page.text
        await browser.post(f"/phone/{BEN}/read", data={"chat": ANNA})
        await client.event("Receipt", Type="READ")
        page = await browser.post(f"/phone/{ANNA}/unlink", data={"device": "1"})
        assert "Unlinked" in page.text
        assert "Ben &lt;b&gt;" in page.text
        await client.event("LoggedOut")


async def test_pages_have_nothing_inline_and_say_so(browser: httpx.AsyncClient) -> None:
    for path in ("/", f"/phone/{ANNA}"):
        page = await browser.get(path)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", page.text)
    assert (await browser.get("/page.css")).headers["content-type"].startswith("text/css")
    assert (await browser.get("/page.js")).headers["content-type"].startswith("text/javascript")


async def test_a_refused_act_is_told_and_a_foreign_form_is_not_taken(browser: httpx.AsyncClient) -> None:
    assert "Not done" in (await browser.post(f"/phone/{ANNA}/scan", data={"qr": "nonsense"})).text
    foreign = await browser.post(
        f"/phone/{ANNA}/say", data={"chat": BEN, "text": "x"}, headers={"Origin": "https://example.com"}
    )
    assert foreign.status_code == 403
