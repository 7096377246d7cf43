"""The zygote: how it starts, what it forks, and that nothing outlives whom it belongs to."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from enclave.session.nursery import Nursery, NurseryClosed
from enclave.session.pipe import Start, Started, Stop, Stopped
from enclave.session.process import EXIT_ORDERLY, EXIT_PIPE
from enclave.wire.news import Drained
from standalone.home import REPOSITORY
from tests.enclave.session_rig import lines, open_line
from tests.waiting import eventually


@pytest.fixture(scope="module")
async def nursery() -> AsyncIterator[Nursery]:
    started = await Nursery.start(observed=True)
    yield started
    await started.close()


async def test_a_session_process_starts_stops_and_is_reported(nursery: Nursery, tmp_path: Path) -> None:
    line = await open_line(nursery, tmp_path)
    assert await line.start() == Started()
    await line.told(Drained)
    assert isinstance(await line.ask(Stop()), Stopped)
    assert await line.ended() == EXIT_ORDERLY


async def test_the_zygote_has_not_loaded_the_go_library(nursery: Nursery) -> None:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("the maps of a process that is not dumpable are only root's to read")
    assert "neonize" not in proc_file(nursery.pid, "maps")


async def test_a_killed_session_is_reported_with_its_signal(nursery: Nursery, tmp_path: Path) -> None:
    line = await open_line(nursery, tmp_path)
    await line.start()
    os.kill(line.pid, 9)
    assert await line.ended() == -9


async def test_a_session_leaves_when_its_pipe_closes(nursery: Nursery, tmp_path: Path) -> None:
    line = await open_line(nursery, tmp_path)
    await line.start()
    await line.hang_up()
    assert await line.ended() == EXIT_PIPE


async def test_an_order_before_start_ends_the_session(nursery: Nursery, tmp_path: Path) -> None:
    line = await open_line(nursery, tmp_path)
    with pytest.raises(EOFError):
        await line.ask(Stop())
    assert await line.ended() == EXIT_PIPE


async def test_a_session_holds_no_descriptor_of_another_one(nursery: Nursery, tmp_path: Path) -> None:
    async with lines(nursery) as open_one:
        first = await open_one(tmp_path / "1")
        await first.hang_up()  # if the second process held a copy of the first one's end, this would not be seen
        second = await open_one(tmp_path / "2")
        (tmp_path / "2").mkdir()
        assert await second.start() == Started()
        assert await first.ended() == EXIT_PIPE


async def test_many_sessions_at_once_get_each_its_own_process(nursery: Nursery, tmp_path: Path) -> None:
    async with lines(nursery) as open_one:
        opened = await asyncio.gather(*(open_one(tmp_path) for _ in range(8)))
        assert len({line.pid for line in opened}) == 8


async def test_an_unobserved_session_leads_its_own_process_session_and_cannot_be_dumped(tmp_path: Path) -> None:
    nursery = await Nursery.start()
    line = await open_line(nursery, tmp_path)
    await line.start()
    assert os.getsid(line.pid) == line.pid
    for pid in (nursery.pid, line.pid):
        rows = proc_file(pid, "limits").splitlines()
        assert [row.split()[4:6] for row in rows if row.startswith("Max core file size")] == [["0", "0"]]
        assert owner_of_memory(pid) == 0  # what is not dumpable is root's, whoever runs it
    await nursery.close()


async def test_closing_the_nursery_ends_every_session(tmp_path: Path) -> None:
    nursery = await Nursery.start()
    line = await open_line(nursery, tmp_path)
    await line.start()
    await nursery.close()
    assert await line.ended() == -9
    await eventually(lambda: has_gone(line.pid), "the session process to be gone")
    with pytest.raises(NurseryClosed):
        await nursery.fork(lambda _: None)


async def test_zygote_and_sessions_die_with_a_killed_broker(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys, pathlib\n"
        "from enclave.session.nursery import Nursery\n"
        "from tests.enclave.session_rig import open_line\n"
        "async def main():\n"
        "    nursery = await Nursery.start()\n"
        f"    line = await open_line(nursery, pathlib.Path({str(tmp_path)!r}))\n"
        "    await line.start()\n"
        "    print(nursery.pid, line.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    broker = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=REPOSITORY, stdout=subprocess.PIPE)
    assert broker.stdout is not None
    pids = [int(word) for word in (await asyncio.wait_for(broker.stdout.readline(), 30)).split()]
    broker.kill()
    await broker.wait()
    for pid in pids:
        await eventually(lambda pid=pid: has_gone(pid), f"process {pid} to be gone")


def proc_file(pid: int, name: str) -> str:
    """What the kernel tells of a process."""
    return Path(f"/proc/{pid}/{name}").read_text()


def owner_of_memory(pid: int) -> int:
    """User id that owns the process's memory file."""
    return Path(f"/proc/{pid}/mem").stat().st_uid


async def has_gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has reaped yet counts."""
    try:
        return proc_file(pid, "stat").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(
    "environment",
    [{}, {"NEONIZE_BOT_TAG": "on"}, {"NEONIZE_BOT_TAG": "off", "SPHINX": "1"}],
    ids=["bot tag missing", "bot tag on", "library skipped"],
)
def test_the_zygote_refuses_a_wrong_environment(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "enclave.zygote", str(os.getpid()), "0", "0", ""]
    ended = subprocess.run(
        command,
        env={**environment, "PYTHONPATH": str(REPOSITORY)},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert b"WrongEnvironment" in ended.stderr


async def test_the_flag_that_skips_the_library_does_not_reach_what_a_session_executes(tmp_path: Path) -> None:
    nursery = await Nursery.start(
        after_load="tests.enclave.hooks:write_environment", hook_environment={"TEST_TARGET": str(tmp_path / "env")}
    )
    line = await open_line(nursery, tmp_path)
    await line.ask(Start(driver="neonize", folder=str(tmp_path), jid="", phone="",
                         proxy_url="http://127.0.0.1:9", drop_ratchets=False))  # fmt: skip
    seen = (tmp_path / "env").read_text().splitlines()
    assert "NEONIZE_BOT_TAG=off" in seen
    assert not [pair for pair in seen if pair.startswith("SPHINX")]
    await line.hang_up()
    await line.ended()
    await nursery.close()


async def test_a_nursery_whose_hook_does_not_exist_does_not_start() -> None:
    with pytest.raises(NurseryClosed):
        await Nursery.start(after_load="tests.enclave.hooks:no_such_thing")
