"""What all parts of one supervisor share, handed to each; nothing here is global."""

from collections.abc import Callable
from dataclasses import dataclass, field

from domain.pace import Pace
from store.engine import EngineStore
from store.slots import Slots
from supervisor.doorway import Doorway
from supervisor.ownership import Ownership


def _nobody() -> None:
    """Wakes nobody: the loops put themselves in its place."""


@dataclass(slots=True)
class Context:
    """`dice` gives numbers in [0, 1). `slots`: how many sessions may live, at present; `pace`: how fast they connect.

    `stay_s`: how long an idle session stays after a send while nobody needs its slot.

    `wake_*` have a loop look at once. `fleet_stopped_until_ms`: nobody connects.
    """

    store: EngineStore
    door: Doorway
    ownership: Ownership
    slots: int
    stay_s: float
    pace: Pace
    dice: Callable[[], float]
    keys: Slots = field(init=False)
    """Once the node has its name."""
    wake_hot: Callable[[], None] = field(default=_nobody)
    wake_idle: Callable[[], None] = field(default=_nobody)
    wake_due: Callable[[], None] = field(default=_nobody)
    wake_board: Callable[[], None] = field(default=_nobody)
    fleet_stopped_until_ms: int = 0
    demo: bool = False
    """The phones are simulated: no number is new, and none is at risk."""
    draining: bool = False
    """An admin wants this node empty: it takes nothing in."""
