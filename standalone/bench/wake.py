"""What a wake costs: sessions on the simulator, forked one by one, each sends one message; then their memory, and the
processor time of all of it, from fork to closed store.

The limit measured beside it: connect and first message in a process that has everything loaded already.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final

from enclave.wire.answers import Sent
from simulator.trust import SWITCH, SWITCH_ON
from standalone.bench._command import run
from standalone.bench._rig import CONTACTS_PER_ACCOUNT, Rig, live_folder, open_rig
from standalone.demo_trust import ROOT_KEY
from standalone.home import REPOSITORY

SESSIONS: Final = 20
WARM_ROUNDS: Final = 9
WARM_S: Final = 120.0
SETTLE_S: Final = 30.0
LOOK_S: Final = 0.1
ENCLAVE_PROCESSES: Final = 2
"""Broker and zygote."""
FIRST_RECIPIENT: Final = 4917000000000
FIRST_NUMBER: Final = 4915100000000


async def measure(sessions: int) -> dict[str, Any]:
    """The figures: medians, per session; megabytes are 10^6 bytes."""
    async with open_rig() as rig:
        recipients = [str(FIRST_RECIPIENT + number) for number in range(WARM_ROUNDS + 1)]
        for number in recipients:
            await rig.phone(number, name="Recipient")
        numbers = [str(FIRST_NUMBER + number) for number in range(sessions + 1)]
        contacts = [
            {"number": str(4916000000000 + number), "name": f"Contact {number}"}
            for number in range(CONTACTS_PER_ACCOUNT)
        ]
        for number in numbers:
            await rig.phone(number, name=f"Owner {number[-3:]}", contacts=contacts)
        accounts = [await rig.link(number) for number in numbers[:-1]]
        sends = [await rig.sealed(account, recipients[-1], "hello") for account in accounts]
        warm = await _warm(rig, numbers[-1], recipients[:-1])
        cpu_before = _cpu_s(rig)
        wakes, pids = [], []
        for account, send in zip(accounts, sends, strict=True):
            begun = time.perf_counter()
            opened = await rig.wake(account)
            sent = await rig.door.call(send)
            wakes.append((time.perf_counter() - begun) * 1000)
            assert isinstance(sent, Sent)
            pids.append(opened.pid)
        memory = [memory_of(pid) for pid in pids]
        for account in accounts:
            await rig.sleep(account)
        cpu_s = await _settled_cpu_s(rig) - cpu_before
        return {
            "sessions": len(pids),
            "wake_ms": round(statistics.median(wakes), 1),
            "warm_ms": round(statistics.median(warm), 1),
            "private_mb": round(statistics.median(private for private, _ in memory), 1),
            "pss_mb": round(statistics.median(pss for _, pss in memory), 1),
            "wake_max_ms": round(max(wakes), 1),
            "cpu_ms": round(1000 * cpu_s / len(pids), 1),
        }


async def _warm(rig: Rig, number: str, recipients: list[str]) -> list[float]:
    """Milliseconds of each round in the loaded process."""
    facts = rig.simulator.facts
    folder = live_folder(rig.folder) / "warm"
    folder.mkdir(mode=0o700, parents=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "standalone.bench._warm",
        str(rig.relay_socket),
        str(folder),
        *recipients,
        cwd=REPOSITORY,
        env={
            "PATH": os.defpath,
            "NEONIZE_BOT_TAG": "off",
            "MALLOC_ARENA_MAX": "1",
            "SSL_CERT_FILE": str(facts["ca_file"]),
            SWITCH: SWITCH_ON,
            ROOT_KEY: str(facts["root_key"]),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WARM_S):
            qr = json.loads(await process.stdout.readline())["qr"]
            (await rig.control.post(f"/phones/{number}/scan", json={"qr": qr})).raise_for_status()
            return json.loads(await process.stdout.readline())["warm_ms"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _cpu_s(rig: Rig) -> float:
    """Processor seconds so far of the enclave, of its sessions that have ended, and of this process, which relays."""
    return sum(processor_s(pid, ended=True) for pid in rig.enclave_pids()) + time.process_time()


async def _settled_cpu_s(rig: Rig) -> float:
    """The same once every session process has been buried by its parent, which then counts its time."""
    async with asyncio.timeout(SETTLE_S):
        while len(rig.enclave_pids()) > ENCLAVE_PROCESSES:  # noqa: ASYNC110 - the kernel tells nobody but the parent
            await asyncio.sleep(LOOK_S)
    return _cpu_s(rig)


def processor_s(pid: int, *, ended: bool) -> float:
    """Processor seconds of a process, with `ended` also of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11 : 15 if ended else 13]) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> tuple[float, float]:
    """Private and proportional megabytes of a process, as the kernel counts them."""
    rows = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:] if ":" in line
    )
    kilobytes = {name: int(value.split()[0]) for name, value in rows.items()}
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return private * 1024 / 1e6, kilobytes["Pss"] * 1024 / 1e6


def main() -> None:
    """The command."""
    run(
        "wake",
        __doc__,
        lambda options: asyncio.run(measure(options.sessions)),
        lambda figures: [
            f"{figures['sessions']} sessions live, each after one message",
            f"wake      {figures['wake_ms']} ms from fork to acknowledged (at most {figures['wake_max_ms']} ms)",
            f"loaded    {figures['warm_ms']} ms for the same in a process that has everything loaded",
            f"processor {figures['cpu_ms']} ms for a wake, from fork to closed store",
            f"memory    {figures['private_mb']} MB private, {figures['pss_mb']} MB with its share of what is common",
        ],
        lambda parser: parser.add_argument("--sessions", type=int, default=SESSIONS),
    )


if __name__ == "__main__":
    main()
