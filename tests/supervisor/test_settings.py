"""Settings: known variables only, each read or refused by name."""

from pathlib import Path

import pytest

from standalone import settings as runner
from supervisor.settings import OTHERS, VARIABLES, CannotStart, Settings, read_settings

NEEDED = {
    "AUTOSENDR_DATABASE_URL": "postgresql://x",
    "AUTOSENDR_REDIS_URL": "redis://x",
    "AUTOSENDR_ENCLAVE_SOCKET": "/x/door",
}


def test_what_is_set_is_read() -> None:
    settings = read_settings(
        {**NEEDED, "AUTOSENDR_HOT_SLOTS": "7", "AUTOSENDR_STAY_S": "30", "AUTOSENDR_READY_FD": "4", "PATH": "/"}
    )
    assert settings == Settings(
        database_url="postgresql://x",
        redis_url="redis://x",
        enclave_socket=Path("/x/door"),
        hot_slots=7,
        stay_s=30,
        ready_fd=4,
    )


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_needed_and_missing_is_named(name: str) -> None:
    with pytest.raises(CannotStart, match=name):
        read_settings({key: value for key, value in NEEDED.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTOSENDR_HOT_SLOT", "5"),
        ("AUTOSENDR_HOT_SLOTS", "4"),
        ("AUTOSENDR_HOT_SLOTS", "many"),
        ("AUTOSENDR_HOT_SLOTS", "999999"),
        ("AUTOSENDR_STAY_S", "9999"),
        ("AUTOSENDR_READY_FD", "-1"),
        ("AUTOSENDR_METRICS_PORT", "65536"),
        ("AUTOSENDR_SETTINGS_FILE", "/nowhere/at/all"),
        ("AUTOSENDR_SIMULATOR", ""),
    ],
)
def test_what_is_unknown_or_unreadable_is_named(name: str, value: str) -> None:
    with pytest.raises(CannotStart, match=name):
        read_settings({**NEEDED, name: value})


def test_the_runner_and_the_supervisor_know_the_same_variables() -> None:
    ours = {variable.name for variable in VARIABLES}
    assert {row.name for row in runner.VARIABLES if runner.SUPERVISOR in row.readers} == ours
    assert {row.name for row in runner.VARIABLES} - ours <= OTHERS


@pytest.mark.parametrize("environ", [{}, {"AUTOSENDR_HOT_SLOTS": "auto"}])
def test_slots_follow_the_memory_unless_a_number_is_set(environ: dict[str, str]) -> None:
    assert read_settings({**NEEDED, **environ}).hot_slots is None


def test_what_the_file_says_wins_and_other_programs_lines_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "autosendr.env"
    file.write_text("# one file for all\nAUTOSENDR_HOT_SLOTS = 8\nAUTOSENDR_WEB_PORT=80\nLANG='C'\n")
    settings = read_settings({**NEEDED, "AUTOSENDR_HOT_SLOTS": "7", "AUTOSENDR_SETTINGS_FILE": str(file)})
    assert (settings.hot_slots, settings.settings_file) == (8, file)


@pytest.mark.parametrize(("text", "said"), [("AUTOSENDR_HOT_SLOT=8", "AUTOSENDR_HOT_SLOT"), ("what\n", "line 1")])
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "autosendr.env"
    file.write_text(text)
    with pytest.raises(CannotStart, match=said):
        read_settings({**NEEDED, "AUTOSENDR_SETTINGS_FILE": str(file)})
