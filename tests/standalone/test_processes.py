"""The runner: order, ready lines, restarts within a budget, one Ctrl-C, and nobody left when it is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standalone.children import bring_up
from standalone.home import REPOSITORY, AlreadyRunning, CannotStart, Home, open_home_at
from standalone.processes import RESTARTS_MAX, Bell, Processes, StopRequested
from standalone.programs import Program
from tests.waiting import eventually_sync

PROGRAMS = "tests.standalone.programs"
START_S = 60.0


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def runner(own_folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a run of the engines and two quiet programs in a process of its own, all up."""
    command = [sys.executable, "-m", f"{PROGRAMS}.runner", str(own_folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            for line in child.stdout:
                if line == "all up\n":
                    break
            yield child
        finally:
            child.kill()


def _pids(own_folder: Path) -> dict[str, int]:
    with pytest.raises(AlreadyRunning) as refusal:
        open_home_at(own_folder / "home", own_folder / "run", "other")
    return refusal.value.running["processes"]


def test_a_program_is_ready_when_it_says_so_and_gets_only_its_variables(own_home: Home) -> None:
    notes = own_home.path / "notes"
    program = Program(
        "quiet", f"{PROGRAMS}.quiet", own_home.log("quiet"), lambda: {"AUTOSENDR_STATE": "here"}, ("quiet", str(notes))
    )
    bring_up(program)
    program.stop()
    assert program.facts == {"name": "quiet", "told": "here"}
    assert [line.split()[:2] for line in notes.read_text().splitlines()] == [["start", "quiet"], ["stop", "quiet"]]


def test_a_program_that_fails_shows_the_end_of_its_log(own_home: Home) -> None:
    program = Program("failing", f"{PROGRAMS}.failing", own_home.log("failing"), dict)
    with pytest.raises(CannotStart, match="the moon is in the wrong place"):
        bring_up(program)


def test_a_program_that_runs_once_must_end_well(own_home: Home) -> None:
    with pytest.raises(CannotStart, match="failing ended with 1"):
        bring_up(Program("failing", f"{PROGRAMS}.failing", own_home.log("failing"), dict, once=True))
    bring_up(Program("idle", "this", own_home.log("idle"), dict, once=True))


def test_restarts_are_bounded(own_home: Home) -> None:
    said: list[str] = []
    with Bell() as bell:
        program = Program("fragile", f"{PROGRAMS}.fragile", own_home.log("fragile"), dict)
        processes = Processes(own_home, [program], {}, bell, said.append)
        processes.start()
        with pytest.raises(CannotStart, match=f"{RESTARTS_MAX + 1} times"):
            processes.watch()
        processes.stop()
    assert sum(line.startswith("restarting fragile") for line in said) == RESTARTS_MAX


def test_each_starts_when_what_it_needs_is_up(own_home: Home) -> None:
    """Programs note when they start. The last needs "base" by way of an idle one, which runs once and is long over."""
    notes, said = own_home.path / "notes", list[str]()
    names = ("last", "left", "right", "middle", "base")
    programs = [Program(name, f"{PROGRAMS}.quiet", own_home.log(name), dict, (name, str(notes))) for name in names]
    programs.append(Program("idle", "this", own_home.log("idle"), dict, once=True))
    needs = {"last": ("middle", "idle"), "middle": ("left", "right", "absent"), "idle": ("base",)}
    with Bell() as bell:
        processes = Processes(own_home, programs, needs, bell, said.append)
        processes.start()
        processes.stop()
    starts = [line.split()[1] for line in notes.read_text().splitlines() if line.startswith("start")]
    stops = [line.split()[1] for line in notes.read_text().splitlines() if line.startswith("stop")]
    assert starts.index("middle") > max(starts.index("left"), starts.index("right"))
    assert starts[-1] == stops[0] == "last"
    assert stops.index("middle") < min(stops.index("left"), stops.index("right"))
    assert sorted(starts) == sorted(stops) == sorted(names)
    assert said[0] == "starting left, right, base\n"
    stopping = [line for line in said if line.startswith("stopping")]
    assert stopping == ["stopping last\n", "stopping middle\n", "stopping base\n", "stopping left, right\n"]


def test_a_stop_while_others_start_leaves_none(own_home: Home) -> None:
    with Bell() as bell:
        programs = [
            Program("quiet", f"{PROGRAMS}.quiet", own_home.log("quiet"), dict, ("quiet", str(own_home.path / "notes"))),
            Program("failing", f"{PROGRAMS}.failing", own_home.log("failing"), dict),
        ]
        processes = Processes(own_home, programs, {}, bell, lambda text: None)
        with pytest.raises(CannotStart, match="the moon is in the wrong place"):
            processes.start()
        processes.stop()
    assert [program.pid for program in programs] == [None, None]


def test_what_ends_by_itself_is_started_again(runner: subprocess.Popen[str], own_folder: Path) -> None:
    before = _pids(own_folder)
    for name in ("second", "PostgreSQL", "Valkey"):
        os.kill(before[name], signal.SIGKILL)
        eventually_sync(lambda name=name: _pids(own_folder)[name] not in (None, before[name]), f"a new {name}", START_S)
    assert _pids(own_folder)["first"] == before["first"]


def test_one_ctrl_c_stops_each_when_nothing_needs_it(runner: subprocess.Popen[str], own_folder: Path) -> None:
    pids = _pids(own_folder)
    assert list(pids) == ["PostgreSQL", "Valkey", "first", "second"]
    runner.send_signal(signal.SIGINT)
    output, _ = runner.communicate(timeout=START_S)
    stops = [line for line in output.splitlines() if line.startswith("stopping")]
    assert stops == ["stopping second", "stopping first", "stopping PostgreSQL, Valkey"]
    assert runner.returncode == 0
    assert all(map(_gone, pids.values()))
    assert not (own_folder / "run").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_killed_runner_leaves_no_orphan(runner: subprocess.Popen[str], own_folder: Path) -> None:
    pids = _pids(own_folder)
    runner.kill()
    eventually_sync(lambda: all(map(_gone, pids.values())), "the end of every child", START_S)
    assert "stop second" in (own_folder / "notes").read_text()  # asked, not killed


def test_a_stop_while_something_starts_is_heard(own_home: Home) -> None:
    with Bell() as bell:
        program = Program("never", "http.server", own_home.log("never"), dict, ("0", "--bind", "127.0.0.1"))
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StopRequested):
            bring_up(program, bell.pause)
    assert program.pid is None
