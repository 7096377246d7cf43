"""What the end of a connect tells the pace."""

from types import SimpleNamespace
from typing import Any

import pytest

from domain.account import Run, RunEvent
from domain.pace import Pace
from supervisor import connects

PACE = Pace(per_s=8.0, ceiling_per_s=16.0, pressed=True)


def _actor(*, code: int = 0, pairing: bool = False, attended: bool = False) -> Any:
    return SimpleNamespace(
        session=SimpleNamespace(code=code, pairing=pairing),
        attendants=["at work"] if attended else [],
        context=SimpleNamespace(pace=PACE),
    )


def _after(actor: Any, before: Run, event: RunEvent) -> Pace:
    connects.note_end(actor, before, event)
    return actor.context.pace


@pytest.mark.parametrize(
    ("event", "refusals"),
    [
        (RunEvent.CONNECTED, 0),
        (RunEvent.REFUSED, 1),
        (RunEvent.RESTARTED, 1),
        (RunEvent.FLAPPED, 1),
        (RunEvent.OVERDUE, 1),
    ],
)
def test_each_end_of_a_connect_is_judged(event: RunEvent, refusals: int) -> None:
    pace = _after(_actor(), Run.CONNECTING, event)
    assert (pace.ends, pace.refusals) == (1, refusals)
    assert (pace.per_s > PACE.per_s) == (event is RunEvent.CONNECTED)


def test_being_told_of_too_many_halves_the_rate() -> None:
    assert _after(_actor(code=429), Run.CONNECTING, RunEvent.REFUSED).per_s == PACE.per_s / 2


@pytest.mark.parametrize(
    ("actor", "before", "event"),
    [
        (_actor(attended=True), Run.CONNECTING, RunEvent.CONNECTED),  # a redial
        (_actor(pairing=True), Run.CONNECTING, RunEvent.OVERDUE),  # nobody has scanned
        (_actor(), Run.HOT, RunEvent.REFUSED),
        (_actor(), Run.CONNECTING, RunEvent.RELEASED),
        (_actor(), Run.CONNECTING, RunEvent.LOGGED_OUT),  # the person's doing
    ],
)
def test_what_says_nothing_of_the_rate_is_not_judged(actor: Any, before: Run, event: RunEvent) -> None:
    assert _after(actor, before, event) == PACE
