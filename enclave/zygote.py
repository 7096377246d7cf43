"""The zygote: a small process that has imported everything but the Go library, and forks one process per session.

Started by `enclave.session.nursery` as `python -m enclave.zygote BROKER_PID DESCRIPTOR OBSERVED HOOK`, in an
environment of its own making. Single-threaded and blocking: fork(2) copies only the calling thread. It talks the zygote
half of `enclave.session.pipe` on the inherited socket DESCRIPTOR, and ends when that closes, and its children with it.
"""

import array
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Final, NoReturn

from enclave.hardening import close_descriptors_except, die_with_parent, refuse_dumps, silence
from enclave.session import library, process
from enclave.session.pipe import ZYGOTE_ORDERS, Exited, Forked, Ready, ZygoteWord, frame, payload_bytes

_HEAD_BYTES: Final = 4


def main(arguments: list[str]) -> NoReturn:
    """Run the zygote until its socket closes. `arguments`: see the module; HOOK is "module:function" or ""."""
    broker_pid, descriptor, observed, after_load = (
        int(arguments[0]),
        int(arguments[1]),
        arguments[2] == "1",
        arguments[3],
    )
    die_with_parent(broker_pid)
    library.refuse_wrong_environment()
    if not observed:
        refuse_dumps()
    channel = socket.socket(fileno=descriptor)
    library.import_binding()
    hook = _find_hook(after_load) if after_load else None
    gc.collect()
    gc.freeze()
    gc.disable()
    _serve(channel, observed, hook)


def _find_hook(name: str) -> Callable[[], None]:
    """The callable named "module:function"."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def _serve(channel: socket.socket, observed: bool, hook: Callable[[], None] | None) -> NoReturn:
    """Fork on order and report who ended, for ever."""
    wake_reader, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    os.set_blocking(wake_reader, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the group; the broker decides
    signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(channel, selectors.EVENT_READ)
    selector.register(wake_reader, selectors.EVENT_READ)
    _say(channel, Ready())
    while True:
        ready = {key.fd for key, _ in selector.select()}
        if wake_reader in ready:
            os.read(wake_reader, 4096)
            _report_ended(channel)
        if channel.fileno() in ready:
            session_end = _read_fork(channel)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                selector.close()
                _become_session(session_end, observed, hook)
            os.close(session_end)
            _say(channel, Forked(pid=pid))


def _read_fork(channel: socket.socket) -> int:
    """The descriptor that came with the next Fork order. Leaves when the broker has gone or says anything else."""
    descriptors = array.array("i")
    data, ancillary, _, _ = channel.recvmsg(_HEAD_BYTES, socket.CMSG_SPACE(descriptors.itemsize))
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(value[: len(value) - len(value) % descriptors.itemsize])
    if not data:
        os._exit(0)
    data += _read_exactly(channel, _HEAD_BYTES - len(data))
    ZYGOTE_ORDERS.decode(_read_exactly(channel, payload_bytes(data)))
    return descriptors[0]


def _read_exactly(channel: socket.socket, size: int) -> bytes:
    """`size` bytes; leaves at end of file."""
    data = bytearray()
    while len(data) < size:
        piece = channel.recv(size - len(data))
        if not piece:
            os._exit(0)
        data += piece
    return bytes(data)


def _say(channel: socket.socket, word: ZygoteWord) -> None:
    """One word to the broker; leaves when it has gone."""
    try:
        channel.sendall(frame(word))
    except OSError:
        os._exit(0)


def _report_ended(channel: socket.socket) -> None:
    """Reap every child that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say(channel, Exited(pid=pid, status=os.waitstatus_to_exitcode(status)))


def _become_session(session_end: int, observed: bool, hook: Callable[[], None] | None) -> NoReturn:
    """The forked child: leave all that is the zygote's behind and run one session."""
    status = process.EXIT_BUG
    try:
        die_with_parent(_ZYGOTE_PID)
        os.setsid()
        if not observed:
            refuse_dumps()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        close_descriptors_except([session_end])
        silence((0, 1) if observed else (0, 1, 2))
        gc.enable()
        status = process.run(session_end, hook)
    except BaseException:
        traceback.print_exc()  # to nowhere, unless observed
    finally:
        os._exit(status)


_ZYGOTE_PID: Final = os.getpid()

if __name__ == "__main__":
    main(sys.argv[1:])
