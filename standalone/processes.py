"""Starts services in order, keeps them running, and stops them in reverse order.

All in one thread: a byte on the wake-up pipe tells of Ctrl-C, SIGTERM and ended children, so nothing is polled.
"""

import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import FrameType, TracebackType
from typing import Any, Self

from standalone.children import Service, bring_up, tail
from standalone.home import CannotStart, Home
from standalone.programs import Program

#: A service that ends by itself is started again at most this often within the span; then all stop.
RESTARTS_MAX = 5
RESTARTS_SPAN_S = 60.0
#: Looks at the children even if a signal was lost.
WATCH_S = 10.0


class StopRequested(Exception):
    """The person (Ctrl-C) or the system (SIGTERM) wants an end."""


class Bell:
    """Turns INT, TERM and CHLD into something that can be waited for. One at a time, main thread only."""

    def __init__(self) -> None:
        """Make the bell; it hears nothing before it is entered."""
        self.stop_requested = False
        self._before: dict[signal.Signals, Any] = {}
        self._before_fd = -1
        self._read_end = self._write_end = -1

    def __enter__(self) -> Self:
        """Take the signals over."""
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(self._write_end, False)
        self._before_fd = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._on_stop)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._on_child)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._before_fd)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read_end)
        os.close(self._write_end)

    def wait(self, seconds: float) -> None:
        """Wait for the next signal, at most `seconds`. Raises StopRequested once an end is wanted."""
        if not self.stop_requested and select.select([self._read_end], [], [], seconds)[0]:
            os.read(self._read_end, 4096)
        if self.stop_requested:
            raise StopRequested

    def pause(self, seconds: float) -> None:
        """Wait for all of `seconds`, whatever children end meanwhile. Raises StopRequested once an end is wanted."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.wait(left)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop_requested = True

    def _on_child(self, number: int, frame: FrameType | None) -> None:
        """Do nothing: the byte on the pipe is the message."""


class Processes:
    """The services of one run, in the order in which they start.

    `say` gets pieces of text for the person, newlines included, so that a long step shows before it ends;
    `describe` returns what a second start shows.
    """

    def __init__(
        self,
        home: Home,
        services: Sequence[Service],
        bell: Bell,
        say: Callable[[str], None],
        describe: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """Describe the run; nothing starts yet."""
        self._home = home
        self._services = services
        self._bell = bell
        self._say = say
        self._describe = describe
        self._up: list[Service] = []
        self._ended_at: dict[str, deque[float]] = {}

    def start(self) -> None:
        """Start all in order, each when the one before is ready. Raises CannotStart or StopRequested."""
        for service in self._services:
            self._start(service, "starting")
            if not _ends_by_itself(service):
                self._up.append(service)
            self._note()

    def watch(self) -> None:
        """Start again what ends by itself, within its budget. Only ever leaves by CannotStart or StopRequested."""
        while True:
            # Look again after each restart: what ended meanwhile has rung the bell already.
            while any(self._look_at(service) for service in self._up):
                pass
            self._bell.wait(WATCH_S)

    def stop(self) -> None:
        """Stop all in reverse order. A second Ctrl-C changes nothing: each has its own deadline."""
        while self._up:
            service = self._up.pop()
            begun = time.monotonic()
            self._say(f"stopping {service.name} … ")
            service.stop()
            self._say(f"{time.monotonic() - begun:.1f} s\n")

    def tell_logs(self) -> None:
        """Show the end of every log, for a run whose folder goes away."""
        for service in self._up:
            if words := tail(service.log):
                self._say(f"--- the end of {service.name}'s log\n{words}\n")

    def _start(self, service: Service, verb: str) -> None:
        begun = time.monotonic()
        self._say(f"{verb} {service.name} … ")
        try:
            bring_up(service, self._bell.pause)
        except BaseException:
            self._say("not\n")
            raise
        self._say(f"{time.monotonic() - begun:.1f} s\n")

    def _look_at(self, service: Service) -> bool:
        """Start the service again if it has ended; return whether it had."""
        code = service.exit_code()
        if code is None:
            return False
        now = time.monotonic()
        ended = self._ended_at.setdefault(service.name, deque(maxlen=RESTARTS_MAX))
        self._say(f"{service.name} ended with {code}; the end of {service.log}:\n{tail(service.log)}\n")
        if len(ended) == RESTARTS_MAX and now - ended[0] < RESTARTS_SPAN_S:
            raise CannotStart(f"{service.name} ended {RESTARTS_MAX + 1} times within {RESTARTS_SPAN_S:.0f} s")
        ended.append(now)
        self._start(service, "restarting")
        self._note()
        return True

    def _note(self) -> None:
        pids = {service.name: getattr(service, "pid", None) for service in self._up}
        self._home.note_running({"processes": pids, **self._describe()})


def _ends_by_itself(service: Service) -> bool:
    return isinstance(service, Program) and service.once
