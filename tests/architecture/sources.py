"""The sources that the architecture tests read: each file of ours once, parsed once."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from standalone.home import REPOSITORY

PACKAGES = ("domain", "store", "supervisor", "app", "enclave", "simulator", "standalone")
LIST_S = 30.0


@dataclass(frozen=True, slots=True)
class Source:
    """A Python file: its path from the repository's root, its text, its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The top-level package (or folder) that the file is in."""
        return self.path.split("/", 1)[0]

    def imports(self, *, for_types_too: bool = True) -> list[tuple[int, str]]:
        """Return line and full name of each module that is imported anywhere in the file, also inside functions.

        `for_types_too=False` leaves out what stands under `if TYPE_CHECKING`: it is never loaded.
        """
        unloaded = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                unloaded |= {inner for statement in node.body for inner in ast.walk(statement)}
        found: list[tuple[int, str]] = []
        for node in ast.walk(self.tree):
            if node in unloaded and not for_types_too:
                continue
            if isinstance(node, ast.Import):
                found += [(node.lineno, name.name) for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                found += [(node.lineno, f"{node.module}.{name.name}") for name in node.names]
        return found


@cache
def tracked_files() -> tuple[str, ...]:
    """Return each file that is part of the repository: what git knows, or else each outside dot-folders."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={REPOSITORY}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=LIST_S,
        check=False,
    )
    if listing.returncode == 0:
        names = listing.stdout.split("\0")
    else:
        names = [path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.rglob("*")]
        names = [name for name in names if not any(part.startswith(".") for part in name.split("/")[:-1])]
    return tuple(sorted(name for name in names if name and (REPOSITORY / name).is_file() and "__pycache__" not in name))


@cache
def sources(*packages: str) -> tuple[Source, ...]:
    """Return the Python files of the given top-level folders."""
    found = []
    for name in tracked_files():
        if name.endswith(".py") and name.split("/", 1)[0] in packages:
            text = (REPOSITORY / name).read_text()
            found.append(Source(name, text, ast.parse(text, name)))
    return tuple(found)


def text_of(name: str) -> str | None:
    """Return a file's text, or None when it is not text."""
    try:
        return Path(REPOSITORY, name).read_text()
    except UnicodeDecodeError:
        return None
