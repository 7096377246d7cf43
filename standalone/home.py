"""The state folder of one installation: where data lies, where sockets lie, and who may use them.

`home` holds what must survive (PostgreSQL's data, Valkey's log, keys, the children's logs); `run` holds sockets only.
Whoever holds the lock on `home/lock` owns both. Source of the rules: the launcher's steps 1 to 4 (docs/operations.md).
"""

import fcntl
import hashlib
import json
import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

REPOSITORY = Path(__file__).resolve().parent.parent
RUNNING_FILE = "running.json"
#: `sun_path` is 108 bytes on Linux, 104 on macOS, the closing NUL included.
SOCKET_PATH_BYTES_MAX = 107 if sys.platform == "linux" else 103


class CannotStart(Exception):
    """The machine or the settings don't allow a start; the text is one sentence for the person at the terminal."""


class AlreadyRunning(CannotStart):
    """Another process holds the state folder. `running` is what that process wrote about itself, or empty."""

    def __init__(self, path: Path, running: Mapping[str, Any]) -> None:
        """Remember the folder and what runs there."""
        super().__init__(f"already running in {path}")
        self.path = path
        self.running = running


@dataclass(slots=True)
class Home:
    """An opened state folder; closing it gives the lock back and removes the run folder."""

    path: Path
    run: Path
    tag: str
    #: The user that servers run as, when we are root and they refuse to be; otherwise None.
    server_user: pwd.struct_passwd | None
    _lock: IO[str] = field(repr=False)

    def __enter__(self) -> Self:
        """Return the opened folder itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the folder back."""
        self.close()

    def close(self) -> None:
        """Remove the run folder and the note about what runs, then release the lock."""
        (self.path / RUNNING_FILE).unlink(missing_ok=True)
        shutil.rmtree(self.run, ignore_errors=True)
        self._lock.close()

    def folder(self, name: str, *, of_server: bool = False) -> Path:
        """Make (if absent) and return `home/name`, mode 0700; `of_server` gives it to the user that servers run as."""
        return self._private(self.path / name, of_server)

    def run_folder(self, name: str, *, of_server: bool = False) -> Path:
        """Make (if absent) and return `run/name`, mode 0700; `of_server` as for `folder`."""
        return self._private(self.run / name, of_server)

    def socket(self, name: str) -> Path:
        """Return the path of a socket in the run folder. Raises CannotStart where the system could not bind it."""
        return checked_socket_path(self.run / name)

    def log(self, name: str) -> Path:
        """Return the path of the log file of the child called `name`."""
        return self.folder("log") / f"{name}.log"

    def note_running(self, facts: Mapping[str, Any]) -> None:
        """Write down what runs here, for a second start to show."""
        note, half = self.path / RUNNING_FILE, self.path / f"{RUNNING_FILE}.part"
        half.touch(mode=0o600)
        half.write_text(json.dumps({"pid": os.getpid(), **facts}))
        half.rename(note)

    def _private(self, path: Path, of_server: bool) -> Path:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        if of_server and self.server_user is not None:
            os.chown(path, self.server_user.pw_uid, self.server_user.pw_gid)
        return path


def checked_socket_path(path: Path) -> Path:
    """Return `path` unless it is longer than the system's limit for a Unix socket; then raise CannotStart."""
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        raise CannotStart(f"the path {path} is too long for a socket; set AUTOSENDR_RUN to a short folder")
    return path


def walkable(path: Path) -> bool:
    """Say whether any user may walk into `path`: the folder and each parent has the o+x bit."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def open_home(name: str, environ: Mapping[str, str] = os.environ) -> Home:
    """Choose, make and lock the folder `name` in `AUTOSENDR_HOME`, by default `.autosendr` in the repository.

    As root the servers run as `nobody`; a folder that `nobody` cannot walk into is replaced by one in /var/lib.
    Raises AlreadyRunning when another process holds it, CannotStart when it cannot be used.
    """
    path, tag = home_path(name, environ), _tag(_wanted(name, environ))
    run = Path(environ.get("AUTOSENDR_RUN") or tempfile.gettempdir()).resolve() / f"autosendr-{os.geteuid()}-{tag}"
    return open_home_at(path, run, tag)


def home_path(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the state folder that `open_home` would choose."""
    wanted = _wanted(name, environ)
    if os.geteuid() == 0 and not walkable(_existing(wanted)):
        return Path("/var/lib") / f"autosendr-{_tag(wanted)}"
    return wanted


def _wanted(name: str, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("AUTOSENDR_HOME") or REPOSITORY / ".autosendr").resolve() / name


def _tag(wanted: Path) -> str:
    return hashlib.sha256(os.fsencode(wanted)).hexdigest()[:10]


def open_home_at(path: Path, run: Path, tag: str) -> Home:
    """Make and lock the state folder `path` with the run folder `run`. Raises as `open_home` does."""
    server_user = None
    if os.geteuid() == 0:
        try:
            server_user = pwd.getpwnam("nobody")
        except KeyError:
            raise CannotStart(
                "PostgreSQL refuses to run as root and there is no user nobody; set DATABASE_URL"
            ) from None
    # 0711 when root: `nobody` must be able to walk to its own folders in it, and nobody else sees what is there.
    mode = 0o711 if server_user else 0o700
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        path.chmod(mode)
        lock = (path / "lock").open("a+")
    except OSError as error:
        raise CannotStart(f"cannot use the state folder {path}: {error.strerror}; set AUTOSENDR_HOME") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyRunning(path, read_running(path)) from None
    try:
        run.mkdir(mode=mode, parents=True, exist_ok=True)
        if run.is_symlink() or run.stat().st_uid != os.geteuid():
            raise CannotStart(f"{run} belongs to another user; set AUTOSENDR_RUN to another folder")
        run.chmod(mode)
    except BaseException:
        lock.close()
        raise
    return Home(path=path, run=run, tag=tag, server_user=server_user, _lock=lock)


def read_running(path: Path) -> dict[str, Any]:
    """Return what the process that holds the state folder `path` wrote about itself, or an empty mapping."""
    with suppress(OSError, ValueError):
        facts = json.loads((path / RUNNING_FILE).read_text())
        if isinstance(facts, dict):
            return facts
    return {}


def _existing(path: Path) -> Path:
    """Return `path` or its nearest parent that exists: a folder that we are about to make will be walkable itself."""
    while not path.exists():
        path = path.parent
    return path
