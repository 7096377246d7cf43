"""A run of the real engines and two quiet programs, as `up` does it. Argument: the folder to do it in."""

import sys
from pathlib import Path

from standalone.home import open_home_at
from standalone.postgres import Postgres
from standalone.processes import Bell, Processes, StopRequested
from standalone.programs import Program
from standalone.valkey import Valkey

NEEDS = {"first": ("PostgreSQL", "Valkey"), "second": ("first",)}
QUIET = "tests.standalone.programs.quiet"


def say(text: str) -> None:
    """Show progress on stdout, where the test reads it."""
    sys.stdout.write(text)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with Bell() as bell, open_home_at(folder / "home", folder / "run", folder.name[-8:]) as home:
        engines = [Postgres(home, durable=False), Valkey(home, durable=False)]
        programs = [
            Program(name, QUIET, home.log(name), dict, (name, str(folder / "notes"))) for name in ("first", "second")
        ]
        processes = Processes(home, [*engines, *programs], NEEDS, bell, say, lambda: {"web": "http://127.0.0.1:1"})
        try:
            processes.start()
            print("all up", flush=True)
            processes.watch()
        except StopRequested:
            pass
        finally:
            processes.stop()
