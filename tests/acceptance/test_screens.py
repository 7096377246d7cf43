"""The walk that takes the pictures still gets to every page and state; two are taken on its way."""

from pathlib import Path

import pytest

from standalone.chromium import NoBrowser, find_chromium
from standalone.screens.command import screens
from standalone.screens.pictures import files_of

FIRST, LAST = "landing", "engine"


def test_the_walk_gets_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        find_chromium()
    except NoBrowser as error:
        pytest.skip(str(error))
    assert screens([FIRST, LAST], tmp_path) == 0
    assert capsys.readouterr().out.split() == [FIRST, LAST]
    assert {path.name for path in tmp_path.iterdir()} == {file for name in (FIRST, LAST) for file, *_ in files_of(name)}
