"""PostgreSQL and Valkey of a bench's own, as safe against power loss as the product's, with the product's schema."""

import contextlib
import shutil
from collections.abc import Generator
from typing import NamedTuple

from standalone.children import bring_up
from standalone.home import Home, open_home_at
from standalone.plan import scratch_folder
from standalone.postgres import Postgres
from standalone.programs import MODULES, Program
from standalone.valkey import Valkey


class Stores(NamedTuple):
    """The two servers, in a state folder that is thrown away."""

    home: Home
    postgres: Postgres
    valkey: Valkey


@contextlib.contextmanager
def open_stores() -> Generator[Stores]:
    """Both servers running and the schema in place; nothing is left at the end. Call from the main thread."""
    folder = scratch_folder()
    try:
        with open_home_at(folder / "home", folder / "run", folder.name[-8:]) as home:
            postgres, valkey = Postgres(home), Valkey(home)
            schema = Program(
                "migrate",
                MODULES["migrate"],
                home.log("migrate"),
                lambda: {"AUTOSENDR_DATABASE_URL": postgres.url},
                once=True,
            )
            running = []
            try:
                for service in (postgres, valkey, schema):
                    bring_up(service)
                    running.append(service)
                yield Stores(home, postgres, valkey)
            finally:
                for service in reversed(running):
                    service.stop()
    finally:
        shutil.rmtree(folder)
