"""What the kernel says of memory and processors, and what is made of it when it says nothing."""

from pathlib import Path

from domain.slots import Memory
from supervisor.machine import memory, processors

KB = 1024


def _machine(folder: Path, **files: str) -> Path:
    (folder / "meminfo").write_text("MemTotal: 4000 kB\nMemAvailable:   3000 kB\n")
    (folder / "pressure").write_text("some avg10=2.50 avg60=0.00 avg300=0.00 total=9\nfull avg10=1.00 total=9\n")
    for name, text in files.items():
        (folder / f"memory.{name}").write_text(text)
    return folder


def _look(folder: Path) -> Memory:
    return memory(folder / "meminfo", folder / "pressure", folder)


def test_without_a_limit_of_our_own_the_systems_memory_counts(tmp_path: Path) -> None:
    assert _look(_machine(tmp_path)) == Memory(free_bytes=3000 * KB, pressure=2.5)
    assert _look(_machine(tmp_path, max="max\n", current="5\n")).free_bytes == 3000 * KB


def test_the_limit_of_the_group_counts_when_it_is_less_and_cached_files_are_free(tmp_path: Path) -> None:
    group = _machine(
        tmp_path,
        max=f"{1000 * KB}\n",
        current=f"{700 * KB}\n",
        stat=f"anon 7\ninactive_file {100 * KB}\n",
        pressure="some avg10=7.00 avg60=0.00\n",
    )
    assert _look(group) == Memory(free_bytes=400 * KB, pressure=7.0)


def test_a_group_over_its_limit_has_nothing_free(tmp_path: Path) -> None:
    assert _look(_machine(tmp_path, max="5\n", current="9\n")).free_bytes == 0


def test_a_kernel_that_says_nothing_is_borne(tmp_path: Path) -> None:
    look = _look(tmp_path)
    assert look.free_bytes > 0
    assert look.pressure == 0.0


def test_this_machine_has_something() -> None:
    assert processors() >= 1
    assert memory().free_bytes > 0
