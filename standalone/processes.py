"""Starts services as soon as what they need is up, keeps them running, and stops them when nobody needs them.

All in one thread: a byte on the wake-up pipe tells of Ctrl-C, SIGTERM and ended children, so nothing is polled.
"""

import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from types import FrameType, TracebackType
from typing import Any, Self

from standalone.children import READY_LOOK_S, Rise, Service, bring_up, tail
from standalone.home import CannotStart, Home
from standalone.programs import Program

#: A service that ends by itself is started again at most this often within the span; then all stop.
RESTARTS_MAX = 5
RESTARTS_SPAN_S = 60.0
#: Looks at the children even if a signal was lost.
WATCH_S = 10.0
#: Between two looks at what is to stop; an ended child rings earlier.
STOP_LOOK_S = 0.1


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
        if not self.stop_requested:
            self.listen(seconds)
        if self.stop_requested:
            raise StopRequested

    def listen(self, seconds: float) -> None:
        """Wait for the next signal, at most `seconds`, whatever it wants."""
        if select.select([self._read_end], [], [], seconds)[0]:
            os.read(self._read_end, 4096)

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
    """The services of one run.

    `needs` names, for each, the services that must be up before it starts, and that stop only after it; a name that is
    not in this run is passed over. `say` gets lines for the person; `describe` returns what a second start shows.
    """

    def __init__(
        self,
        home: Home,
        services: Sequence[Service],
        needs: Mapping[str, Collection[str]],
        bell: Bell,
        say: Callable[[str], None],
        describe: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """Describe the run; nothing starts yet."""
        self._home = home
        self._services = services
        self._needs = needs
        self._bell = bell
        self._say = say
        self._describe = describe
        #: Launched and not yet down: running, on their way up, or done (what runs once).
        self._begun: list[Service] = []
        self._ended_at: dict[str, deque[float]] = {}

    def start(self) -> None:
        """Start all, each as soon as what it needs is up. Raises CannotStart or StopRequested."""
        waiting, rising = list(self._services), list[Rise]()
        while waiting or rising:
            missing = {service.name for service in (*waiting, *(rise.service for rise in rising))}
            free = [service for service in waiting if missing.isdisjoint(self._needs.get(service.name, ()))]
            if free:
                self._say(f"starting {_names(free)}\n")
            for service in free:
                waiting.remove(service)
                self._begun.append(service)
                rising.append(Rise(service))
            up = [rise for rise in rising if rise.over()]
            for rise in up:
                rising.remove(rise)
                self._say(f"  {rise.service.name} {_done(rise.service)} after {_since(rise.begun)}\n")
            if up:
                self._note()
            else:
                self._bell.pause(READY_LOOK_S)

    def watch(self) -> None:
        """Start again what ends by itself, within its budget. Only ever leaves by CannotStart or StopRequested."""
        while True:
            # Look again after each restart: what ended meanwhile has rung the bell already.
            while any(self._look_at(service) for service in self._begun if not _runs_once(service)):
                pass
            self._bell.wait(WATCH_S)

    def stop(self) -> None:
        """Stop all, each when nothing that needs it runs. Another Ctrl-C changes nothing: each has its own deadline."""
        asked: dict[str, float] = {}
        while self._begun:
            # What has ended already still counts until nothing needs it: through it others need what it needs.
            needed = {need for service in self._begun for need in self._needs.get(service.name, ())}
            free = [service for service in self._begun if service.name not in needed]
            down = [service for service in free if service.stopped()]
            for service in down:
                self._begun.remove(service)
                if service.name in asked:
                    self._say(f"  {service.name} down after {_since(asked[service.name])}\n")
            if running := [service for service in free if service not in down and service.name not in asked]:
                self._say(f"stopping {_names(running)}\n")
            for service in running:
                asked[service.name] = time.monotonic()
                service.ask_to_stop()
            if not down:
                self._bell.listen(STOP_LOOK_S)

    def tell_logs(self) -> None:
        """Show the end of every log, for a run whose folder goes away."""
        for service in self._begun:
            if words := tail(service.log):
                self._say(f"--- the end of {service.name}'s log\n{words}\n")

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
        self._say(f"restarting {service.name}\n")
        begun = time.monotonic()
        bring_up(service, self._bell.pause)
        self._say(f"  {service.name} up after {_since(begun)}\n")
        self._note()
        return True

    def _note(self) -> None:
        up = [service for service in self._services if service in self._begun and not _runs_once(service)]
        self._home.note_running({"processes": {service.name: service.pid for service in up}, **self._describe()})


def _runs_once(service: Service) -> bool:
    return isinstance(service, Program) and service.once


def _names(services: Sequence[Service]) -> str:
    return ", ".join(service.name for service in services)


def _done(service: Service) -> str:
    return "done" if _runs_once(service) else "up"


def _since(begun: float) -> str:
    return f"{time.monotonic() - begun:.1f} s"
