"""Every script says what it does, stays short, and touches only the keys it is given."""

import re

import pytest

from store.redis import SCRIPTS

LINES_MAX = 25


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_has_its_header(name: str) -> None:
    head = [line for line in SCRIPTS[name].splitlines() if line.startswith("--")]
    text = "\n".join(head)
    assert head[0].startswith(f"-- {name}: ")
    assert all(word in text for word in ("KEYS", "ARGV", "Returns"))
    assert "whenever the caller dies" in text


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_short_and_names_no_key_and_no_clock(name: str) -> None:
    code = [line for line in SCRIPTS[name].splitlines() if line.strip() and not line.startswith("--")]
    assert len(code) <= LINES_MAX
    calls = re.findall(r"redis\.call\('(\w+)', (\w+)", "\n".join(code))
    assert calls
    assert {key for command, key in calls if command != "PUBLISH"} <= {"KEYS"}  # a channel is no key
    assert not {command for command, _ in calls} & {"TIME", "KEYS", "SCAN"}
