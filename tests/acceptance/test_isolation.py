"""A demo cannot reach WhatsApp, a live run cannot reach the simulator: on whole processes, all on this machine."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from enclave.wire.news import ConnectFailed, PairFailed, QrShown
from enclave.wire.tunnel import NO, OK
from standalone.home import REPOSITORY
from supervisor.destinations import demo_of
from supervisor.relay import Relay
from tests.acceptance.product import Product, demo_product
from tests.acceptance.sockets import foreign_ends, own_ends
from tests.enclave.brokers import Broker, Host, children
from tests.enclave.simulator_rig import World, running_simulator

WAIT_S = 30.0
WHATSAPP = b"CONNECT web.whatsapp.com 443\n"
ELSEWHERE = (b"CONNECT example.org 443\n", b"CONNECT 127.0.0.1 443\n", b"CONNECT web.whatsapp.com 5222\n")
HOOK = "tests.enclave.hooks:trust_the_simulator"


def relay_says(path: Path, line: bytes) -> bytes:
    """The relay's first word to an enclave that asks for `line`."""
    with socket.socket(socket.AF_UNIX) as enclave:
        enclave.settimeout(WAIT_S)
        enclave.connect(os.fspath(path))
        enclave.sendall(line)
        return enclave.recv(len(OK))


def with_children(pid: int) -> list[int]:
    """A process and all that it has started, and they."""
    return [pid, *(one for child in children(pid) for one in with_children(child))]


@pytest.fixture(scope="module")
def demo() -> Iterator[Product]:
    with demo_product() as product:
        product.link()
        yield product


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root sees the enclave's descriptors")
def test_no_process_of_a_demo_with_a_live_session_has_an_end_off_this_machine(demo: Product) -> None:
    enclave = with_children(demo.pid("enclave"))
    assert len(enclave) == 3, "broker, zygote and one live session"
    pids = [*enclave, *(demo.pid(name) for name in ("supervisor", "web", "simulator"))]
    assert {pid: foreign_ends(pid) for pid in pids if foreign_ends(pid)} == {}
    simulator = f"127.0.0.1:{demo.program('simulator').facts['port']}"
    assert any(simulator in end for end in own_ends(demo.pid("supervisor"))), "the relay's way to the simulator"
    with socket.create_server(("0.0.0.0", 0)):  # the control: an end that is not of this machine alone is seen
        assert len(foreign_ends(os.getpid())) == 1


def test_a_demo_without_its_simulator_reaches_nothing(demo: Product) -> None:
    egress = demo.home.socket("egress.sock")
    assert relay_says(egress, WHATSAPP) == OK
    assert [relay_says(egress, line) for line in ELSEWHERE] == [NO] * len(ELSEWHERE)
    demo.program("simulator").stop()
    assert relay_says(egress, WHATSAPP) == NO
    assert demo.program("supervisor").exit_code() is None
    assert demo.program("enclave").exit_code() is None


@asynccontextmanager
async def enclave_at(world: World, *, relayed: bool = True, **setup: Any) -> AsyncGenerator[Host]:
    """A host at an enclave with the real client, whose relay leads to the simulator (or is not there)."""
    with tempfile.TemporaryDirectory(prefix="autosendr-") as name:
        folder = Path(name)
        relay = Relay(folder / "egress", demo_of(world.proxy.removeprefix("http://")))
        if relayed:
            await relay.start()
        broker = Broker(folder, driver="neonize", observed=True, **setup)
        await broker.start()
        host = await Host(broker).connect()
        try:
            yield host
        finally:
            await host.door.close()
            await broker.end()
            await relay.close()


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        async with running_simulator(Path(folder)) as running:
            yield running


def demo_setup(world: World) -> dict[str, Any]:
    trusted = {"TEST_ROOT_KEY": world.root_key, "AUTOSENDR_SIMULATOR_TRUST": "replace-noise-root"}
    return {"environment": "demo", "ca_file": world.ca_file, "after_load": HOOK, "hook_environment": trusted}


async def connections(world: World) -> int:
    return (await world.call("GET", "/state"))["counts"].get("connection", 0)


async def refused(host: Host) -> None:
    """Wait until linking has failed, and see that no code was ever shown."""
    await host.pair()
    await host.signals.until(
        lambda: [one for one in host.heard if isinstance(one.notice, PairFailed | ConnectFailed)], "a refusal", WAIT_S
    )
    assert not [one for one in host.heard if isinstance(one.notice, QrShown)]


async def test_the_demos_enclave_does_reach_the_simulator(world: World) -> None:
    before = await connections(world)
    async with enclave_at(world, **demo_setup(world)) as host:
        await host.pair()
        await host.hear(QrShown)
    assert await connections(world) > before


async def test_the_demos_session_cannot_dial_without_the_relay(world: World) -> None:
    before = await connections(world)
    async with enclave_at(world, relayed=False, **demo_setup(world)) as host:
        await refused(host)
    assert await connections(world) == before


async def test_a_live_enclave_refuses_the_simulators_certificate_if_led_there(world: World) -> None:
    before = await connections(world)
    async with enclave_at(world) as host:
        await refused(host)
    assert await connections(world) == before


async def test_a_live_enclave_refuses_the_simulators_noise_key_even_if_it_took_the_certificate(world: World) -> None:
    before = await connections(world)
    async with enclave_at(world, ca_file=world.ca_file) as host:
        await refused(host)
    assert await connections(world) > before, "it did not come as far as the handshake: this shows nothing"


def supervisor_environment(folder: Path, database_url: str, redis_url: str) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "AUTOSENDR_DATABASE_URL": database_url,
        "AUTOSENDR_REDIS_URL": redis_url,
        "AUTOSENDR_ENCLAVE_SOCKET": str(folder / "door"),
        "AUTOSENDR_EGRESS_SOCKET": str(folder / "egress"),
        "AUTOSENDR_HOT_SLOTS": "5",
    }


@asynccontextmanager
async def null_enclave(environment: str) -> AsyncGenerator[Path]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as name:
        broker = Broker(Path(name), environment=environment)
        await broker.start()
        try:
            yield broker.folder
        finally:
            await broker.end()


@pytest.mark.parametrize(
    ("simulator", "environment", "words"),
    [
        ("192.0.2.1:443", "demo", "ValueError"),  # a front that is not on loopback
        ("web.whatsapp.com:443", "demo", "ValueError"),
        ("", "demo", "WrongEnclave"),  # a live supervisor at a demo's enclave
        ("127.0.0.1:9", "local", "WrongEnclave"),  # and the other way round
    ],
)
async def test_a_supervisor_does_not_start_between_the_two_worlds(
    simulator: str, environment: str, words: str, database_url: str, redis_url: str
) -> None:
    async with null_enclave(environment) as folder:
        variables = supervisor_environment(folder, database_url, redis_url)
        if simulator:
            variables["AUTOSENDR_SIMULATOR"] = simulator
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "supervisor"],
            env=variables,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=WAIT_S,
            check=False,
        )
    assert done.returncode == 1
    assert words.encode() in done.stdout


@pytest.mark.parametrize("variable", ["AUTOSENDR_SIMULATOR", "AUTOSENDR_SIMULATOR_ROOT_KEY"])
def test_a_live_enclave_has_no_variable_that_would_make_it_trust_another(variable: str, tmp_path: Path) -> None:
    names = ("ENCLAVE_SOCKET", "EGRESS_SOCKET", "STATE", "TMPFS")
    variables = {f"AUTOSENDR_{name}": str(tmp_path / name) for name in names}
    command = [sys.executable, "-m", "enclave"]
    environment = {"PATH": os.defpath, **variables, variable: "127.0.0.1:9"}
    done = subprocess.run(
        command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert (done.returncode, variable in done.stderr) == (1, True)


def may_unshare() -> bool:
    """Whether this user may make a network of its own."""
    program = shutil.which("unshare")
    if program is None:
        return False
    return subprocess.run([program, "--net", "--mount", "true"], capture_output=True, check=False).returncode == 0


async def test_a_live_supervisor_does_not_dial_this_machine_though_the_names_lead_here(
    database_url: str, redis_url: str
) -> None:
    if not may_unshare():
        pytest.skip("A LIVE RUN AMONG LYING NAMES WAS NOT TRIED: this user may not make a network of its own")
    async with null_enclave("local") as folder:
        hosts = folder / "hosts"
        hosts.write_text("127.0.0.1 localhost web.whatsapp.com mmg.whatsapp.net\n")
        ours, theirs = os.pipe()
        variables = supervisor_environment(folder, database_url, redis_url)
        process = await asyncio.create_subprocess_exec(
            *("unshare", "--net", "--mount", sys.executable, "-m", "tests.acceptance.lying_names", str(hosts)),
            env={**os.environ, **variables, "AUTOSENDR_READY_FD": str(theirs)},
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            pass_fds=[theirs],
        )
        os.close(theirs)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(WAIT_S):
                assert await process.stdout.readline() == b"reached\n"  # the control
                with os.fdopen(ours, "rb") as ready:
                    assert await asyncio.to_thread(ready.readline)
            assert await asyncio.to_thread(relay_says, folder / "egress", WHATSAPP) == NO
            assert await asyncio.to_thread(relay_says, folder / "egress", b"CONNECT mmg.whatsapp.net 443\n") == NO
        finally:
            process.terminate()
            async with asyncio.timeout(WAIT_S):
                told, _ = await process.communicate()
        assert told.splitlines()[-1] == b"1", "only the control has reached the trap"
