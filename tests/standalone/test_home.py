"""The state folder: one holder at a time, private, and found where servers can walk to it."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from standalone.home import AlreadyRunning, CannotStart, Home, checked_socket_path, open_home, open_home_at, walkable

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its servers another user")


def test_a_second_opening_is_refused_and_told_what_runs(own_home: Home) -> None:
    own_home.note_running({"web": "http://127.0.0.1:1", "processes": {"PostgreSQL": 7}})
    with pytest.raises(AlreadyRunning) as refusal:
        open_home_at(own_home.path, own_home.run, "other")
    assert refusal.value.running["pid"] == os.getpid()
    assert refusal.value.running["processes"] == {"PostgreSQL": 7}


def test_a_closed_folder_can_be_opened_again_and_keeps_what_was_in_it(own_folder: Path) -> None:
    for round_ in ("1", "2"):
        with open_home_at(own_folder / "home", own_folder / "run", "test") as home:
            kept = home.folder("kept") / "note"
            assert (kept.read_text() if kept.exists() else "") == {"1": "", "2": "1"}[round_]
            kept.write_text(round_)
        assert not home.run.exists()


def test_folders_are_private(own_home: Home) -> None:
    for folder in (own_home.folder("a"), own_home.run_folder("b")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(own_home.run.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)


def test_a_run_folder_that_is_a_link_is_refused(own_folder: Path) -> None:
    (own_folder / "elsewhere").mkdir()
    (own_folder / "run").symlink_to(own_folder / "elsewhere")
    with pytest.raises(CannotStart, match="belongs to another user"):
        open_home_at(own_folder / "home", own_folder / "run", "test")


@as_root
def test_a_run_folder_of_another_user_is_refused(own_folder: Path) -> None:
    (own_folder / "run").mkdir()
    os.chown(own_folder / "run", 65_534, 65_534)
    with pytest.raises(CannotStart, match="belongs to another user"):
        open_home_at(own_folder / "home", own_folder / "run", "test")


def test_a_socket_path_beyond_the_limit_is_refused() -> None:
    with pytest.raises(CannotStart, match="AUTOSENDR_RUN"):
        checked_socket_path(Path("/run") / ("x" * 104))


@as_root
def test_root_in_a_private_folder_keeps_its_state_where_nobody_can_walk(own_folder: Path) -> None:
    private = own_folder / "private"
    private.mkdir(mode=0o700)
    settings = {"AUTOSENDR_HOME": str(private), "AUTOSENDR_RUN": str(own_folder)}
    with open_home("live", settings) as home:
        try:
            assert walkable(home.path)
            assert not home.path.is_relative_to(private)
        finally:
            shutil.rmtree(home.path)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_demo_and_live_have_folders_of_their_own(own_folder: Path) -> None:
    settings = {"AUTOSENDR_HOME": str(own_folder / "state"), "AUTOSENDR_RUN": str(own_folder)}
    with open_home("live", settings) as live, open_home("demo", settings) as demo:
        assert live.path != demo.path
        assert live.run != demo.run
