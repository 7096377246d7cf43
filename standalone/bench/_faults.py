"""Which faults strike when: a pure function of a seed."""

from enum import StrEnum
from random import Random
from typing import Final, NamedTuple


class Kind(StrEnum):
    """What strikes. Kills are SIGKILL; who starts again what was killed is the runner's part in the bench."""

    KILL_SUPERVISOR = "kill supervisor"
    KILL_BROKER = "kill broker"
    KILL_SESSION = "kill session"
    STOP_SUPERVISOR = "stop supervisor"
    FLUSH_REDIS = "flush redis"
    KILL_REDIS = "kill redis"
    KILL_POSTGRES = "kill postgres"
    MESSAGE_DROPPED = "message dropped"
    """The service cuts the connection and has not taken the message in."""
    ACK_LOST = "acknowledgement lost"
    """It cuts the connection after it has taken the message in."""
    ACK_MUTE = "acknowledgement never comes"
    STREAM_515 = "stream 515"
    STREAM_503 = "stream 503"
    CONNECTION_CUT = "connection cut"
    SERVICE_AWAY = "service away"


DECK: Final = {
    Kind.KILL_SUPERVISOR: 8,
    Kind.KILL_BROKER: 5,
    Kind.KILL_SESSION: 9,
    Kind.STOP_SUPERVISOR: 2,
    Kind.FLUSH_REDIS: 4,
    Kind.KILL_REDIS: 5,
    Kind.KILL_POSTGRES: 5,
    Kind.MESSAGE_DROPPED: 4,
    Kind.ACK_LOST: 6,
    Kind.ACK_MUTE: 2,
    Kind.STREAM_515: 4,
    Kind.STREAM_503: 3,
    Kind.CONNECTION_CUT: 2,
    Kind.SERVICE_AWAY: 1,
}
"""How often each comes in 60."""
DOWN_S_MAX: Final = 3.0


class Fault(NamedTuple):
    """One fault. `pick` (0 to 1) says which account or session it hits; `down_s`: how long a server stays away."""

    at_s: float
    kind: Kind
    pick: float
    down_s: float


def faults_of(seed: int, count: int, span_s: float) -> list[Fault]:
    """`count` faults at random instants of `span_s`, by their instants; of 60 each kind as often as `DECK` says."""
    dice = Random(seed)  # noqa: S311 - a load, not a secret
    kinds: list[Kind] = []
    while len(kinds) < count:
        deck = [kind for kind, times in DECK.items() for _ in range(times)]
        dice.shuffle(deck)
        kinds += deck
    instants = sorted(dice.uniform(0, span_s) for _ in range(count))
    return [
        Fault(at_s, kind, dice.random(), dice.uniform(0, DOWN_S_MAX))
        for at_s, kind in zip(instants, kinds, strict=False)
    ]
