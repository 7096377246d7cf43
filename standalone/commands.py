"""The commands, one table."""

import argparse
import os
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from standalone import development, running
from standalone.home import REPOSITORY, AlreadyRunning, CannotStart
from standalone.programs import MODULES, become
from standalone.settings import environment_for

USAGE_CODE = 2


@dataclass(frozen=True, slots=True)
class Command:
    """What the help says about a command, and what does it: takes the arguments, returns the exit code."""

    shape: str
    help: str
    run: Callable[[Sequence[str]], int]


def version() -> str:
    """Return the version that pyproject.toml names."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]


def main(arguments: Sequence[str]) -> int:
    """Run one command line; return the exit code. Errors of the person or the machine are one line on stderr."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    name = {"-h": "help", "--help": "help", "--version": "version"}.get(name, name)
    command = COMMANDS.get(name)
    if command is None:
        print(f"autosendr: unknown command {name!r}\n\n{help_text()}", file=sys.stderr)
        return USAGE_CODE
    try:
        return command.run(rest)
    except AlreadyRunning as error:
        print(f"autosendr: {running.describe(error)}", file=sys.stderr)
        return 1
    except CannotStart as error:
        print(f"autosendr: {error}", file=sys.stderr)
        return 1


def help_text() -> str:
    """Return the list of commands."""
    width = max(len(f"{name} {command.shape}".strip()) for name, command in COMMANDS.items())
    lines = [f"  {f'{name} {command.shape}'.strip():<{width}}  {command.help}" for name, command in COMMANDS.items()]
    return "usage: ./autosendr COMMAND\n\n" + "\n".join(lines)


def _demo(arguments: Sequence[str]) -> int:
    parser = _parser("demo")
    parser.add_argument("--port", type=int, help="port of the web pages (default: the first free one from 8080)")
    parser.add_argument("--check", action="store_true", help="walk through the product by itself, then stop")
    options = parser.parse_args(arguments)
    if options.check:
        from standalone.check import check  # here, so that no other command loads the sealer

        return check(version())
    return running.run(demo=True, port=options.port)


def _up(arguments: Sequence[str]) -> int:
    parser = _parser("up")
    parser.add_argument("--port", type=int, help="port of the web pages (default: the first free one from 8080)")
    return running.run(demo=False, port=parser.parse_args(arguments).port)


def _one_process(name: str) -> Callable[[Sequence[str]], int]:
    def run(arguments: Sequence[str]) -> int:
        become(MODULES[name], arguments, environment_for(name, os.environ))

    return run


def _admin(arguments: Sequence[str]) -> int:
    from standalone import admin  # here, so that no other command loads the database's library

    parser = _parser("admin")
    parser.add_argument("email", metavar="EMAIL", help="the address that the user signs in with")
    return admin.run(parser.parse_args(arguments).email)


def _screens(arguments: Sequence[str]) -> int:
    from standalone.screens.command import screens  # here, so that only this command needs the browser's library

    parser = _parser("screens")
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these pictures (default: all)")
    return screens(parser.parse_args(arguments).names)


def _help(arguments: Sequence[str]) -> int:
    print(help_text())
    return 0


def _version(arguments: Sequence[str]) -> int:
    print(version())
    return 0


def _parser(name: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"./autosendr {name}", description=COMMANDS[name].help)


COMMANDS: Mapping[str, Command] = {
    "demo": Command("[--check] [--port N]", "run the product against a simulated WhatsApp on this machine", _demo),
    "up": Command("[--port N]", "run the product against the real WhatsApp", _up),
    "test": Command("[ARGS]", "run all tests; ARGS go to pytest", development.test),
    "check": Command("", "lint, format check and type check", development.check),
    "lock": Command("", "compute requirements/ anew from pyproject.toml", development.lock),
    "screens": Command("[NAME ...]", "write the pictures of every page and state into docs/screens", _screens),
    "bench": Command("NAME [--json]", "measure; without NAME: list the benches", development.bench),
    "web": Command("", "one web process, configured by AUTOSENDR_* variables", _one_process("web")),
    "supervisor": Command("", "one supervisor, the same way", _one_process("supervisor")),
    "enclave": Command("", "one enclave, the same way", _one_process("enclave")),
    "migrate": Command("", "bring the database up to date, the same way", _one_process("migrate")),
    "admin": Command("EMAIL", "make a user an admin", _admin),
    "help": Command("", "show this", _help),
    "version": Command("", "show the version", _version),
}
