"""The broker: the process that holds the keys, answers the door and owns the session processes. No Go in here.

Started with nothing but its five variables; unknown ones refuse. TERM ends it in order: no new calls, the sends under
way get a moment, every session closes and its store goes to its owner, the socket goes.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import signal
import stat
import sys
import traceback
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from enclave.bodies import SealKey
from enclave.calls import Calls, Identity
from enclave.door import Door, SocketInUse, bind_private_socket
from enclave.egress import Egress
from enclave.hardening import close_descriptors_except, refuse_dumps
from enclave.keys import KeyFileUnsafe, open_local_provider
from enclave.session.nursery import Nursery, NurseryClosed
from enclave.sessions import Sessions

PREFIX: Final = "AUTOSENDR_"
EXPIRE_EVERY_S: Final = 60.0
DRAIN_S: Final = 3.0
SHUT_DOWN_S: Final = 9.0
"""For all sessions together; whoever stops us waits 15 s in all."""


class CannotStart(Exception):
    """The settings or the machine don't allow a start; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Config:
    """Where things are. `ready_fd` -1: nobody waits for the ready line."""

    door: Path
    relay: Path
    state: Path
    tmpfs: Path
    ready_fd: int


def read_config(environ: Mapping[str, str]) -> Config:
    """Read the variables. Raises CannotStart at a missing or an unknown one."""
    paths = {name: PREFIX + name for name in ("ENCLAVE_SOCKET", "EGRESS_SOCKET", "STATE", "TMPFS")}
    ready = PREFIX + "READY_FD"
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in {*paths.values(), ready})
    missing = sorted(name for name in paths.values() if not environ.get(name))
    if unknown or missing:
        raise CannotStart(f"The enclave does not know {unknown} and needs {missing}.")
    if not environ.get(ready, "0").isdigit():
        raise CannotStart(f"{ready} must be a number.")
    return Config(
        door=Path(environ[paths["ENCLAVE_SOCKET"]]),
        relay=Path(environ[paths["EGRESS_SOCKET"]]),
        state=Path(environ[paths["STATE"]]),
        tmpfs=Path(environ[paths["TMPFS"]]),
        ready_fd=int(environ.get(ready, "-1")),
    )


@dataclass(frozen=True, slots=True)
class Setup:
    """What is not a setting but fixed by who starts the enclave; see `main`."""

    environment: str
    driver: str
    ca_file: str
    after_load: str
    hook_environment: Mapping[str, str]
    observed: bool


def main(
    environment: str = "local",
    *,
    driver: str = "neonize",
    ca_file: str = "",
    after_load: str = "",
    hook_environment: Mapping[str, str] | None = None,
    observed: bool = False,
) -> None:
    """Run the enclave until TERM. Exits with 1 and a sentence if it cannot start or its zygote dies.

    `environment`: "local", or "demo" by the demo's wrapper, which also passes `after_load` ("module:function", called
    in every session process, with `hook_environment` in its environment) and `ca_file` (the certificate authorities of
    the WhatsApp client). `driver`: "neonize", or "null" for benches, which may be `observed` (see `Nursery.start`).
    """
    try:
        config = read_config(os.environ)
        refuse_dumps()
        close_descriptors_except({config.ready_fd})
        setup = Setup(environment, driver, ca_file, after_load, hook_environment or {}, observed)
        asyncio.run(_run(config, setup))
    except (CannotStart, KeyFileUnsafe, SocketInUse, NurseryClosed) as error:
        sys.exit(f"enclave: {str(error) or 'the zygote has ended'}")


async def _run(config: Config, setup: Setup) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(report_bug)
    term = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, term.set)
    identity = Identity(setup.environment, secrets.token_hex(8), SealKey())
    provider = open_local_provider(config.state)
    sys.stderr.write("enclave: not attested; account keys are wrapped under a key file of this machine\n")
    with _owned(config.tmpfs):
        async with _egress(config.relay) as proxy_url, _zygote(setup) as nursery:
            sessions = Sessions(config.tmpfs, nursery, setup.environment, setup.driver, proxy_url)
            await asyncio.to_thread(sessions.inherit)
            calls = Calls(identity, provider, sessions, nursery.pid)
            door = Door(calls.handle, sessions.connection_lost)
            await door.listen(bind_private_socket(config.door))
            expiring = asyncio.create_task(_expire(sessions))
            try:
                _say_ready(config.ready_fd, identity)
                await _first(term.wait(), nursery.gone.wait())
                if not term.is_set():
                    raise NurseryClosed
                await _shut_down(door, calls, sessions)
            finally:
                expiring.cancel()
                config.door.unlink(missing_ok=True)
                await door.close()


async def _shut_down(door: Door, calls: Calls, sessions: Sessions) -> None:
    door.stop_listening()
    await calls.drain(DRAIN_S)
    with contextlib.suppress(TimeoutError):  # what did not close in time stays on tmpfs, to be gone on with
        async with asyncio.timeout(SHUT_DOWN_S):
            await sessions.shut_down()


async def _expire(sessions: Sessions) -> None:
    while True:
        sessions.expire()
        await asyncio.sleep(EXPIRE_EVERY_S)


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def _egress(relay: Path) -> AsyncGenerator[str]:
    egress = Egress(relay)
    try:
        yield await egress.start()
    finally:
        await egress.close()


@asynccontextmanager
async def _zygote(setup: Setup) -> AsyncGenerator[Nursery]:
    nursery = await Nursery.start(
        certificates=setup.ca_file,
        after_load=setup.after_load,
        hook_environment=setup.hook_environment,
        observed=setup.observed,
    )
    try:
        yield nursery
    finally:
        await nursery.close()


@contextlib.contextmanager
def _owned(tmpfs: Path) -> Generator[None]:
    """Hold the folder of live stores, private, for this process alone: two brokers would be two owners of a store."""
    tmpfs.mkdir(mode=0o700, exist_ok=True)
    status = tmpfs.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise CannotStart(f"{tmpfs.name} must be a folder of this user with mode 0700.")
    descriptor = os.open(tmpfs, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"Another enclave works in {tmpfs.name}.") from None
        yield
    finally:
        os.close(descriptor)


def _say_ready(descriptor: int, identity: Identity) -> None:
    if descriptor < 0:
        return
    line = {"ready": "enclave", "environment": identity.environment, "boot": identity.boot, "attested": False}
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(line) + "\n")


def report_bug(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Write where a bug was, and its kind: no message of it, since that could quote what it was about."""
    error = context.get("exception")
    if not isinstance(error, BaseException):
        return
    places = "".join(
        f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}\n"
        for frame in traceback.extract_tb(error.__traceback__)
    )
    sys.stderr.write(f"enclave: bug: {type(error).__name__}\n{places}")
