"""The command line: every command is in the help, mistakes get one clear line, the bootstrap works from anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from standalone.commands import COMMANDS, main, version
from standalone.home import REPOSITORY, CannotStart, open_home
from standalone.settings import VARIABLES, check_names, environment_for, variables_for


def test_an_unknown_command_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demmo"]) == 2
    shown = capsys.readouterr().err
    assert "unknown command 'demmo'" in shown
    assert all(f"  {name}" in shown for name in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"], ["-h"]])
def test_help_lists_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert all(command.help in shown for command in COMMANDS.values())


def test_an_unknown_bench_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "marking"]) == 1
    assert "unknown bench 'marking'" in capsys.readouterr().err


def test_a_misspelt_variable_is_refused() -> None:
    with pytest.raises(CannotStart, match="AUTOSENDR_DATABSE_URL"):
        check_names({"AUTOSENDR_DATABSE_URL": "x", "PATH": "/bin"})
    check_names({"AUTOSENDR_DATABASE_URL": "x"})


def test_a_program_gets_its_own_variables_and_the_persons_value_wins() -> None:
    ours = {"AUTOSENDR_DATABASE_URL": "ours", "AUTOSENDR_STATE": "state", "AUTOSENDR_TMPFS": "memory"}
    theirs = {"AUTOSENDR_STATE": "theirs", "PATH": "/bin"}
    assert variables_for("enclave", ours, theirs) == {"AUTOSENDR_STATE": "theirs", "AUTOSENDR_TMPFS": "memory"}
    assert "AUTOSENDR_DATABASE_URL" in variables_for("web", ours, theirs)


def test_one_file_of_variables_serves_every_program() -> None:
    everything = {variable.name: "x" for variable in VARIABLES} | {"PATH": "/bin"}
    enclave = environment_for("enclave", everything)
    assert "AUTOSENDR_DATABASE_URL" not in enclave and "AUTOSENDR_VENV" not in enclave
    assert {"AUTOSENDR_ENCLAVE_SOCKET", "PATH"} <= set(enclave)
    with pytest.raises(CannotStart, match="AUTOSENDR_DOR"):
        environment_for("web", {"AUTOSENDR_DOR": "x"})


def test_migrate_runs_as_one_process(empty_database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "standalone", "migrate"],
        env={"PATH": os.defpath, "AUTOSENDR_DATABASE_URL": empty_database_url, "AUTOSENDR_WEB_PORT": "1"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "applied" in done.stdout


def test_every_command_and_variable_is_in_the_operations_page() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    assert [name for name in COMMANDS if f"`./autosendr {name}" not in page] == []
    assert [variable.name for variable in VARIABLES if f"| `{variable.name}` | {variable.meaning} |" not in page] == []


def test_the_bootstrap_works_from_another_folder_with_an_empty_environment(own_folder: Path) -> None:
    environment = own_folder / "venv"
    (environment / "bin").mkdir(parents=True)
    run = environment / "bin" / "python"
    run.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    run.chmod(0o755)
    (environment / ".lock-test.txt").write_bytes((REPOSITORY / "requirements" / "test.txt").read_bytes())
    done = subprocess.run(
        [REPOSITORY / "autosendr", "version"],
        env={"HOME": os.fspath(own_folder), "PATH": "/usr/bin:/bin", "AUTOSENDR_VENV": os.fspath(environment)},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == (f"{version()}\n", 0), done.stderr
    assert list(own_folder.iterdir()) == [environment]  # nothing was set up: the stamp said it fits


def test_a_second_start_says_what_runs_where(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTOSENDR_HOME", str(own_folder / "state"))
    monkeypatch.setenv("AUTOSENDR_RUN", str(own_folder))
    with open_home("live") as first:
        first.note_running({"web": "http://127.0.0.1:8080", "processes": {"PostgreSQL": 7, "web": 8}})
        assert main(["up"]) == 1
    shown = capsys.readouterr().err
    assert f"already running in {first.path}" in shown
    assert all(line in shown for line in (f"process {os.getpid()}", "http://127.0.0.1:8080", "PostgreSQL: process 7"))
    assert str(first.path / "log") in shown
