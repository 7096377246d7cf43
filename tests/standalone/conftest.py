"""State folders of a test's own, short enough for sockets and walkable for `nobody`."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from standalone.home import Home, open_home_at

_numbers = itertools.count(1)


@pytest.fixture
def own_folder(rig_folder: Path) -> Path:
    """Give an empty folder with the rig folder's mode."""
    folder = rig_folder / f"t{next(_numbers)}"
    folder.mkdir()
    folder.chmod(rig_folder.stat().st_mode & 0o777)
    return folder


@pytest.fixture
def own_home(own_folder: Path) -> Iterator[Home]:
    """Give an opened state folder of the test's own."""
    with open_home_at(own_folder / "home", own_folder / "run", f"test-{own_folder.parent.name[-4:]}") as home:
        yield home
