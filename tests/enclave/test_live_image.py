"""Copies of a file that another one writes all the time are whole, every one of them."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.session.live_image import ImageUnstable, live_image

IMAGES = 200
WRITER = """
import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("PRAGMA synchronous = OFF")
print("writing", flush=True)
for n in range(10_000_000):
    store.execute("BEGIN")
    store.execute("UPDATE pair SET n = ? WHERE side = 'left'", (n,))
    store.execute("UPDATE pair SET n = ? WHERE side = 'right'", (n,))
    store.execute("COMMIT")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    store = sqlite3.connect(path)
    store.execute("CREATE TABLE pair (side TEXT, n INTEGER, filling BLOB)")
    # The filling puts the two rows on pages of their own, so that a torn copy shows.
    store.execute("INSERT INTO pair VALUES ('left', 0, zeroblob(9000)), ('right', 0, zeroblob(9000))")
    store.commit()
    store.close()
    return path


@pytest.fixture
def writer(path: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    yield
    process.kill()
    process.wait()
    process.stdout.close()


def pair(image: bytes) -> list[int]:
    store = sqlite3.connect(":memory:")
    store.deserialize(image)
    assert store.execute("PRAGMA quick_check").fetchone() == ("ok",)
    rows = store.execute("SELECT n FROM pair ORDER BY side").fetchall()
    store.close()
    return [row[0] for row in rows]


@pytest.mark.usefixtures("writer")
def test_every_copy_taken_during_writes_is_of_one_instant(path: Path) -> None:
    pairs = [pair(live_image(path)) for _ in range(IMAGES)]
    assert all(left == right for left, right in pairs)
    assert len({left for left, _ in pairs}) > 1, "the writer wrote nothing: this shows nothing"


def test_a_file_whose_journal_stays_is_given_up(path: Path) -> None:
    path.with_name("store.db-journal").write_bytes(b"")
    with pytest.raises(ImageUnstable):
        live_image(path, deadline_s=0.05)


def test_a_file_that_does_not_use_a_rollback_journal_is_refused(path: Path) -> None:
    store = sqlite3.connect(path)
    store.execute("PRAGMA journal_mode = WAL")
    store.close()
    with pytest.raises(ImageUnstable):
        live_image(path)
