"""The commands of people who work on AutoSendr: tests, checks, the lock, benches."""

import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from standalone.home import REPOSITORY, CannotStart
from standalone.programs import become

PACKAGES = ("domain", "store", "supervisor", "app", "enclave", "simulator", "standalone", "tests")
#: What each lock file holds: the run set, and the run set with what tests and checks need.
LOCKS = {"run.txt": ("embed",), "test.txt": ("embed", "test")}
OLDEST_PYTHON = "3.11"
BENCHES = Path(__file__).parent / "bench"
#: Most tests wait for something most of the time: two at a time need little more than half as long. A file's tests stay
#: together, and each half has servers of its own. The whole product's, few and long, begin, so that neither half
#: is left with them alone. `-n 0` puts an end to it.
SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def test(arguments: Sequence[str]) -> int:
    """Run pytest in the repository with `arguments`; becomes pytest, so its closing line is the last one."""
    become("pytest", [*SIDE_BY_SIDE, *arguments])


def check(arguments: Sequence[str]) -> int:
    """Run the linter, the format check and the type checker; return 1 if any has something to say."""
    steps = (["ruff", "check"], ["ruff", "format", "--check"], ["ty", "check", *PACKAGES])
    codes = [subprocess.run([_tool(step[0]), *step[1:]], cwd=REPOSITORY, check=False).returncode for step in steps]
    return int(any(codes))


def lock(arguments: Sequence[str]) -> int:
    """Compute the lock files from pyproject.toml: every version pinned, every file by its hash, no host named."""
    uv = shutil.which("uv") or shutil.which("uv", path=REPOSITORY / ".tools" / "bin")
    if uv is None:
        raise CannotStart("locking needs uv: put it on PATH")
    for name, groups in LOCKS.items():
        command = [uv, "pip", "compile", "-q", "--universal", "--generate-hashes", "--no-annotate", "--no-header"]
        command += ["--no-emit-index-url", "--python-version", OLDEST_PYTHON, *arguments]
        command += [part for group in groups for part in ("--group", group)]
        target = f"requirements/{name}"
        done = subprocess.run([*command, "pyproject.toml", "-o", target], cwd=REPOSITORY, check=False)
        if done.returncode != 0:
            return done.returncode
    return 0


def bench(arguments: Sequence[str]) -> int:
    """Become the bench that the first argument names, with the rest of the arguments; list them without one."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(BENCHES)]) if not module.name.startswith("_"))
    if not arguments:
        print("\n".join(names))
        return 0
    if arguments[0] not in names:
        raise CannotStart(f"unknown bench {arguments[0]!r}; there are: {', '.join(names) or 'none'}")
    return become(f"standalone.bench.{arguments[0]}", arguments[1:])


def _tool(name: str) -> str:
    beside = Path(sys.executable).parent / name
    if not beside.exists():
        raise CannotStart(f"{name} is not installed here; run `./autosendr check` rather than python -m standalone")
    return str(beside)
