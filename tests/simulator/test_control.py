"""The control interface as `docs/simulator.md` promises it."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from simulator.server import Simulator, SimulatorError
from tests.simulator.real_client import ROOT, RealClient

ANNA, BEN, CLEO = "491511000001", "491511000002", "491511000003"


@pytest_asyncio.fixture
async def control(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=simulator.proxy, timeout=60, trust_env=False) as client:
        yield client


async def test_a_phone_is_made_changed_and_listed(control: httpx.AsyncClient) -> None:
    made = await control.post("/phones", json={"number": "491511000009", "name": "Dora", "picture": "shown"})
    assert made.status_code == 200
    assert re.fullmatch(r"\d{15}", made.json()["lid"])
    contact = {"number": ANNA, "name": "Anna from the book"}
    again = await control.post("/phones", json={"number": "491511000009", "contacts": [contact]})
    assert (again.json()["name"], again.json()["contacts"], again.json()["picture"]) == ("Dora", [contact], "shown")
    numbers = [phone["number"] for phone in (await control.get("/phones")).json()["phones"]]
    assert numbers == [ANNA, BEN, CLEO, "491511000009"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/phones", {"number": "+49 151"}, 409, "bad_number"),
        ("POST", "/phones", {"number": 5}, 400, "bad_request"),
        ("POST", "/phones", [], 400, "bad_request"),
        ("GET", "/phones/49999999999", None, 404, "no_such_phone"),
        ("POST", f"/phones/{ANNA}/scan", {"qr": "hello"}, 409, "bad_code"),
        ("POST", f"/phones/{ANNA}/scan", {"qr": "2@a,b,c,d"}, 409, "code_expired"),
        ("POST", f"/phones/{ANNA}/code", {"code": "ABCD-EFGH"}, 409, "no_code_shown"),
        ("POST", f"/phones/{ANNA}/say", {"to": BEN, "text": ""}, 409, "bad_text"),
        ("POST", f"/phones/{ANNA}/say", {"to": "49999999999", "text": "x"}, 404, "no_such_phone"),
        ("POST", f"/phones/{ANNA}/faults", {"when": "never"}, 400, "bad_request"),
        ("POST", f"/phones/{ANNA}/faults", {"when": "login", "op": "mute"}, 400, "bad_request"),
        ("POST", f"/phones/{ANNA}/kick", {}, 400, "bad_request"),
        ("POST", f"/phones/{ANNA}/unlink", {"device": 7}, 400, "bad_request"),
        ("POST", "/settings", {"login_delay_s": -1}, 400, "bad_request"),
        ("POST", "/settings", {"refused_logins": 1.1}, 400, "bad_request"),
        ("POST", "/settings", {"refused_logins": True}, 400, "bad_request"),
        ("POST", "/settings", {"unknown": 1}, 400, "bad_request"),
        ("GET", "/events?after=x", None, 400, "bad_request"),
        ("GET", "/nothing/here/at/all", None, 404, "not_found"),
    ],
)
async def test_a_wrong_request_is_refused_with_a_code(
    control: httpx.AsyncClient, method: str, path: str, body: object, status: int, code: str
) -> None:
    answer = await control.request(method, path, json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.json()["message"]


async def test_a_page_of_another_site_is_refused(control: httpx.AsyncClient) -> None:
    assert (await control.get("/state", headers={"Origin": "https://example.com"})).status_code == 403
    assert (await control.get("/state", headers={"Host": "example.com:80"})).status_code == 403


async def test_a_whole_conversation_is_driven_over_the_interface(
    control: httpx.AsyncClient, simulator: Simulator, folder: Path
) -> None:
    async def event(**wanted: str) -> dict:
        found = await control.get("/events", params={"after": "0", "timeout_s": "30", **wanted})
        return found.json()["events"][0]

    async with RealClient(simulator, folder / "store") as client:
        await client.call("connect")
        code = await client.event("QR")
        assert (await control.post(f"/phones/{ANNA}/scan", json={"qr": code})).json() == {"device": 1}
        assert (await event(kind="active", phone=ANNA))["device"] == 1
        sent = await client.call("send", to=BEN, text="hello")
        assert (await event(kind="inbox", phone=BEN))["text"] == "hello"
        (entry,) = (await control.get(f"/phones/{BEN}/inbox")).json()["entries"]
        assert (entry["id"], entry["sender"], entry["text"], entry["error"]) == (sent["id"], ANNA, "hello", None)
        assert (await control.post(f"/phones/{BEN}/read", json={"chat": ANNA})).json() == {"read": [sent["id"]]}
        await client.event("Receipt", Type="READ")
        said = (await control.post(f"/phones/{BEN}/say", json={"to": ANNA, "text": "hi"})).json()["id"]
        assert (await client.text())["Info"]["ID"] == said
        order = {"when": "message", "op": "error", "code": 463}
        assert (await control.post(f"/phones/{ANNA}/faults", json=order)).json() == {"waiting": 1}
        assert (await control.request("DELETE", "/faults")).json() == {"waiting": 0}
        assert (await control.post(f"/phones/{ANNA}/kick", json={"code": 515})).json() == {"struck": 1}
        await client.event("Connected", 2)
        state = (await control.get("/state")).json()
        assert state["counts"]["login"] == 2
        assert state["iqs"]["passive set active"] >= 2
        (device,) = state["phones"][ANNA]["devices"]
        assert (device["online"], device["logins"]) == (True, 2)
        assert (await control.post(f"/phones/{ANNA}/unlink", json={})).json() == {"unlinked": [1]}
        await client.event("LoggedOut")


async def test_a_group_is_made_and_written_to(control: httpx.AsyncClient) -> None:
    order = {"owner": ANNA, "subject": "Walks", "members": [BEN, CLEO]}
    group = (await control.post("/groups", json=order)).json()
    assert group["members"] == {ANNA: "superadmin", BEN: "member", CLEO: "member"}
    await control.post(f"/phones/{BEN}/say", json={"to": group["id"], "text": "at nine?"})
    (entry,) = (await control.get(f"/phones/{CLEO}/inbox", params={"chat": group["id"]})).json()["entries"]
    assert (entry["text"], entry["sender"]) == ("at nine?", BEN)


async def test_waiting_for_an_event_ends_when_it_happens_or_the_time_is_up(control: httpx.AsyncClient) -> None:
    seq = (await control.get("/state")).json()["seq"]
    waiting = asyncio.create_task(
        control.get("/events", params={"after": seq, "kind": "inbox", "phone": BEN, "timeout_s": "30"})
    )
    await control.post(f"/phones/{ANNA}/say", json={"to": BEN, "text": "now"})
    assert [event["text"] for event in (await waiting).json()["events"]] == ["now"]
    nothing = await control.get("/events", params={"after": seq, "kind": "never", "timeout_s": "0.05"})
    assert nothing.json()["events"] == []


async def test_a_second_simulator_in_one_folder_is_refused(simulator: Simulator, folder: Path) -> None:
    with pytest.raises(SimulatorError):
        await Simulator(folder / "simulator").start()


async def test_the_proxy_leads_nowhere_but_to_the_simulated_service(simulator: Simulator) -> None:
    for target in ("example.com:443", "web.whatsapp.com:80"):
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 403")
        writer.close()


async def test_the_process_says_when_it_is_ready_and_ends_on_a_signal(folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", "--state", str(folder / "own"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        ready = json.loads(await process.stdout.readline())
        assert ready["ready"]
        assert ready["ca_file"].endswith("ca.pem")
        assert len(bytes.fromhex(ready["root_key"])) == 32
        async with httpx.AsyncClient(base_url=ready["control"], trust_env=False) as client:
            assert (await client.get("/state")).json()["live"] == 0
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
