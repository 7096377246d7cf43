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
    for path in ("/", f"/phone/{ANNA}", "/?qr=2%40a", "/?code=ABCD-EFGH"):
        page = await browser.get(path)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", page.text)
    assert (await browser.get("/page.css")).headers["content-type"].startswith("text/css")
    assert (await browser.get("/page.js")).headers["content-type"].startswith("text/javascript")


async def test_every_file_that_a_page_names_is_served_from_here(browser: httpx.AsyncClient) -> None:
    page, style = (await browser.get("/")).text, (await browser.get("/page.css")).text
    named = {
        *re.findall(r'(?:href|src)="(/[\w.]+)[#"]', page),
        *(f"/{one}" for one in re.findall(r'url\("(.+?)"\)', style)),
    }
    assert {"/page.css", "/page.js", "/icons.svg", "/besley.woff2", "/hanken.woff2", "/tint.svg"} <= named
    for path in named:
        assert (await browser.get(path)).status_code == 200
    sprite = (await browser.get("/icons.svg")).text
    assert all(f'<symbol id="{name}"' in sprite for name in re.findall(r'icons\.svg#([\w-]+)"', page))


async def test_a_code_in_the_address_changes_nothing_until_it_is_pressed(
    browser: httpx.AsyncClient, simulator: Simulator
) -> None:
    simulator.world.phone(BEN).own = True
    before = simulator.hub.journal.seq
    page = (await browser.get("/", params={"qr": '2@"><i>,b'})).text
    assert simulator.hub.journal.seq == before
    assert f'action="/phone/{BEN}/scan"' in page
    assert 'value="2@&quot;&gt;&lt;i&gt;,b"' in page
    assert f'href="/phone/{ANNA}?qr=2%40%22%3E%3Ci%3E%2Cb"' in page


async def test_one_s_own_phone_stands_apart_from_those_one_writes_to(
    browser: httpx.AsyncClient, simulator: Simulator
) -> None:
    await browser.post("/phones", json={"number": BEN, "own": True})
    page = (await browser.get("/")).text
    yours, others = page.index("Your phone"), page.index("People you write to")
    assert yours < page.index(f'href="/phone/{BEN}"') < others < page.index(f'href="/phone/{ANNA}"')
    assert "This is your own phone" in page
    assert "This is somebody you write to" in (await browser.get(f"/phone/{ANNA}")).text


async def test_what_arrived_is_told_to_the_millisecond_with_its_copies(
    browser: httpx.AsyncClient, simulator: Simulator
) -> None:
    for text in ("*bold* and <b>", "again", "again"):
        simulator.say(ANNA, BEN, text)
    page = (await browser.get(f"/phone/{BEN}")).text
    assert "<strong>bold</strong> and &lt;b&gt;" in page
    assert re.search(r'Arrived decrypted</dt><dd><time>\d\d:\d\d:\d\d<span class="ms">\.\d{3}<', page)
    assert "exactly 2" in page
    assert "3 new messages" in page
    assert "Read. Whoever" in (await browser.post(f"/phone/{BEN}/read")).text


async def test_an_offline_phone_does_nothing_but_come_back(browser: httpx.AsyncClient, simulator: Simulator) -> None:
    page = (await browser.post(f"/phone/{BEN}/network", data={"offline": "yes"})).text
    assert "Offline. What is sent to this phone waits." in page
    assert "Go online" in page
    simulator.say(ANNA, BEN, "hello")
    said = await browser.post(f"/phone/{BEN}/say", data={"chat": ANNA, "text": "x"})
    assert "Not done: this phone is offline." in said.text
    assert "hello" in (await browser.post(f"/phone/{BEN}/network")).text


async def test_a_refused_act_is_told_and_a_foreign_form_is_not_taken(browser: httpx.AsyncClient) -> None:
    assert "Not done" in (await browser.post(f"/phone/{ANNA}/scan", data={"qr": "nonsense"})).text
    foreign = await browser.post(
        f"/phone/{ANNA}/say", data={"chat": BEN, "text": "x"}, headers={"Origin": "https://example.com"}
    )
    assert foreign.status_code == 403
