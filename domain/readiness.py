"""Whether a program can do its work, from which of the things it needs answer. Said by `/readyz` and by metrics."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec


class Dependency(StrEnum):
    """What a program needs of others."""

    POSTGRES = "postgres"
    ENCLAVE = "enclave"
    SUPERVISOR = "supervisor"
    REDIS = "redis"


class Answer(StrEnum):
    """What became of asking it. UNKNOWN: it could not be asked, because something else is away."""

    UP = "up"
    AWAY = "away"
    UNKNOWN = "unknown"


class Ready(StrEnum):
    """DEGRADED: the program works, and something is missing."""

    READY = "ready"
    DEGRADED = "degraded"
    NOT_READY = "not ready"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """One plain sentence for people, and what each dependency answered."""

    state: Ready
    sentence: str
    dependencies: Mapping[Dependency, Answer]


Needs = Mapping[Dependency, tuple[Ready, str]]

WEB_NEEDS: Final[Needs] = {
    Dependency.POSTGRES: (Ready.NOT_READY, "The database does not answer, so no page can be shown."),
    Dependency.SUPERVISOR: (Ready.DEGRADED, "No supervisor runs, so no message leaves until one does."),
    Dependency.ENCLAVE: (
        Ready.DEGRADED,
        "The enclave does not answer, so no message leaves and nothing new can be scheduled.",
    ),
    Dependency.REDIS: (
        Ready.DEGRADED,
        "Redis does not answer. Messages leave by the database alone; nobody can sign in, and pages are not live.",
    ),
}
"""What it means for the web process when a dependency is away, gravest first."""

SUPERVISOR_NEEDS: Final[Needs] = {
    Dependency.POSTGRES: (Ready.NOT_READY, "The database does not answer, so no message can be begun."),
    Dependency.ENCLAVE: (Ready.NOT_READY, "The enclave does not answer, so no session can live."),
    Dependency.REDIS: (Ready.DEGRADED, "Redis does not answer. Messages leave by the database alone."),
}
"""The same for a supervisor."""

ALL_ANSWER: Final = "Everything that is needed answers."
NOT_WORKING: Final = "This process is starting or stopping."


def readiness(needs: Needs, answers: Mapping[Dependency, Answer], *, working: bool = True) -> Readiness:
    """The gravest of what is missing decides. `working` False: the program itself is starting or stopping."""
    if not working:
        return Readiness(state=Ready.NOT_READY, sentence=NOT_WORKING, dependencies=answers)
    for dependency, (state, sentence) in needs.items():
        if answers[dependency] is Answer.AWAY:
            return Readiness(state=state, sentence=sentence, dependencies=answers)
    return Readiness(state=Ready.READY, sentence=ALL_ANSWER, dependencies=answers)
