"""The reference pages say what the code says."""

import pytest

from standalone.reference import FOLDER, PAGES
from store import keys


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "run `python -m standalone.reference`"


def test_every_key_has_an_expiry_or_is_a_channel() -> None:
    rows = [line for line in PAGES["keys.md"]().splitlines() if line.startswith("| `")]
    assert len(rows) >= sum(callable(getattr(keys, name)) for name in vars(keys) if name.islower() and name != "limits")
    assert [row for row in rows if "xpir" not in row and "Channel" not in row and "NOTIFY" not in row] == []
