"""What runs in a demo and in a live run, what needs what, and what each program is told."""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from domain.limits import TERM_DRAIN_S
from standalone import settings
from standalone.children import STOP_S, Service
from standalone.home import CannotStart, Home
from standalone.postgres import Postgres
from standalone.programs import MODULES, Program
from standalone.valkey import Valkey

POSTGRES, VALKEY = "PostgreSQL", "Valkey"
#: What must be up before each starts, and stops only after it. In a live run there is no simulator; the person's own
#: servers are up already.
NEEDS: Mapping[str, Collection[str]] = {
    POSTGRES: (),
    VALKEY: (),
    settings.SIMULATOR: (),
    settings.MIGRATE: (POSTGRES,),
    settings.ENCLAVE: (settings.SIMULATOR,),
    settings.SUPERVISOR: (settings.MIGRATE, VALKEY, settings.ENCLAVE),
    settings.WEB: (settings.MIGRATE, VALKEY, settings.ENCLAVE),
}
WEB_HOST = "127.0.0.1"
WEB_PORT = 8080
PORTS_TRIED = 20
#: The supervisor puts its sessions to sleep first; killing it earlier would cost ratchets.
STOPS_S = {settings.SUPERVISOR: TERM_DRAIN_S + STOP_S}
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, mode 0700, owner checked
#: In a demo the enclave trusts the simulator's roots: another entry, so that the live one has no such switch.
DEMO_ENCLAVE = "standalone.demo_enclave"


class Plan:
    """The services of one run (`services`, in an order that `NEEDS` allows) and where to find some of them."""

    def __init__(
        self, home: Home, environ: Mapping[str, str], *, demo: bool, port: int | None, durable: bool = True
    ) -> None:
        """Decide all of it; nothing starts yet. Raises CannotStart.

        `port`: the web's, None for the first free one. `durable=False`: the state is thrown away after the run.
        """
        settings.check_names(environ)
        if foreign := sorted(name for name in environ if name.startswith("AUTOSENDR_SIMULATOR")):
            raise CannotStart(
                f"{', '.join(foreign)} cannot be set from outside: the demo sets it, a live run never has it"
            )
        self._environ = environ
        self._home = home
        host = environ.get("AUTOSENDR_WEB_HOST", WEB_HOST)
        wanted = port if port is not None else _number(environ.get("AUTOSENDR_WEB_PORT"))
        chosen = _port(host, wanted)
        self.web_url = environ.get("AUTOSENDR_PUBLIC_URL", f"http://{host}:{chosen}")
        self.mailbox = home.folder("mail")
        self.live_stores = live_store_folder(home)
        self.simulator = self._simulator() if demo else None
        engines, database_url, redis_url = _engines(home, environ, durable=durable)
        self._ours = {
            "AUTOSENDR_DATABASE_URL": database_url,
            "AUTOSENDR_REDIS_URL": redis_url,
            "AUTOSENDR_ENCLAVE_SOCKET": str(home.socket("door.sock")),
            "AUTOSENDR_EGRESS_SOCKET": str(home.socket("egress.sock")),
            "AUTOSENDR_TMPFS": str(self.live_stores),
            "AUTOSENDR_WEB_HOST": host,
            "AUTOSENDR_WEB_PORT": str(chosen),
            "AUTOSENDR_PUBLIC_URL": self.web_url,
            "AUTOSENDR_MAILBOX": str(self.mailbox),
        }
        self.services: list[Service] = [*engines, self._program(settings.MIGRATE, once=True)]
        if self.simulator is not None:
            self.services.append(self.simulator)
        self.services += [
            self._program(settings.ENCLAVE, DEMO_ENCLAVE if demo else None),
            self._program(settings.SUPERVISOR),
            self._program(settings.WEB),
        ]

    def describe(self) -> dict[str, str]:
        """Return what a second start and the command `admin` want to know."""
        return {"web": self.web_url, "database": self._ours["AUTOSENDR_DATABASE_URL"]}

    def close(self) -> None:
        """Remove what only a running enclave needs."""
        shutil.rmtree(self.live_stores, ignore_errors=True)

    def _program(self, name: str, module: str | None = None, *, once: bool = False) -> Program:
        return Program(
            name,
            module or MODULES[name],
            self._home.log(name),
            lambda: self._variables(name),
            once=once,
            stop_s=STOPS_S.get(name, STOP_S),
        )

    def _simulator(self) -> Program:
        port = _remembered_port(self._home.folder("simulator") / "port")
        return Program(
            settings.SIMULATOR,
            MODULES[settings.SIMULATOR],
            self._home.log(settings.SIMULATOR),
            dict,
            ("--state", str(self._home.folder("simulator")), "--port", str(port)),
        )

    def _variables(self, program: str) -> dict[str, str]:
        # The enclave's keys lie apart: web and supervisor have no business in its folder.
        state = self._home.folder("enclave" if program == settings.ENCLAVE else "state")
        ours = {**self._ours, "AUTOSENDR_STATE": str(state)}
        more = {}
        if self.simulator is not None and program != settings.MIGRATE:  # which runs before the simulator does
            ours["AUTOSENDR_SIMULATOR_ROOT_KEY"] = str(self.simulator.facts["root_key"])
            ours["AUTOSENDR_SIMULATOR"] = f"{WEB_HOST}:{self.simulator.facts['port']}"
            if program == settings.ENCLAVE:
                # Read by Go's TLS when the process starts: set here, at exec, or never.
                more["SSL_CERT_FILE"] = str(self.simulator.facts["ca_file"])
        return {**settings.variables_for(program, ours, self._environ), **more}


def live_store_folder(home: Home) -> Path:
    """Make and return the folder for live session stores: in memory on Linux, else in the run folder."""
    if sys.platform != "linux" or not os.access(MEMORY_FOLDER, os.W_OK):
        return home.run_folder("live")
    folder = MEMORY_FOLDER / f"autosendr-{home.tag}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise CannotStart(f"{folder} belongs to another user; set AUTOSENDR_TMPFS")
    folder.chmod(0o700)
    return folder


def scratch_folder() -> Path:
    """Make a folder for a run that leaves nothing behind: short, and walkable for the servers' user."""
    folder = Path(tempfile.mkdtemp(prefix="autosendr-scratch-")).resolve()
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


def _engines(home: Home, environ: Mapping[str, str], *, durable: bool) -> tuple[list[Service], str, str]:
    """Return the servers that we start ourselves and the addresses of both, the person's where given."""
    services: list[Service] = []
    database_url = environ.get("AUTOSENDR_DATABASE_URL") or environ.get("DATABASE_URL")
    if not database_url:
        postgres = Postgres(home, durable=durable)
        services.append(postgres)
        database_url = postgres.url
    redis_url = environ.get("AUTOSENDR_REDIS_URL") or environ.get("REDIS_URL")
    if not redis_url:
        valkey = Valkey(home, durable=durable)
        services.append(valkey)
        redis_url = valkey.url
    return services, database_url, redis_url


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise CannotStart(f"AUTOSENDR_WEB_PORT is a port number, not {text!r}")
    return int(text)


def _port(host: str, wanted: int | None) -> int:
    """Return `wanted` if it is free (0: any free one), or the first free one from the default on."""
    for port in [wanted] if wanted is not None else range(WEB_PORT, WEB_PORT + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    if wanted is not None:
        raise CannotStart(f"port {wanted} on {host} is taken; choose another with --port")
    raise CannotStart(f"ports {WEB_PORT} to {WEB_PORT + PORTS_TRIED - 1} are taken; choose another with --port")


def _remembered_port(note: Path) -> int:
    """Return the port noted in the file if it is free, else a free one, and note it: addresses survive a restart."""
    noted = int(note.read_text()) if note.exists() else 0
    try:
        port = _port(WEB_HOST, noted)
    except CannotStart:
        port = _port(WEB_HOST, 0)
    note.write_text(str(port))
    return port
