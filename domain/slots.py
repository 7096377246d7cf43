"""How many sessions may live at once: from the memory that there is, anew at each look."""

import msgspec

from domain import limits


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """A look at the machine. `free_bytes`: what the system or our group of processes (cgroup) may still take, the less.

    `pressure`: share of the last 10 s, in percent, in which something waited for memory; 0 where nobody says.
    """

    free_bytes: int
    pressure: float = 0.0


def budget_bytes(free_bytes: int, live: int) -> int:
    """What sessions may take in all, when `free_bytes` are free beside `live` of them.

    A share of what would be free without them. Reckoned anew at each look, so that sessions that are larger than we
    think leave less room for more. The peaks of pairings are set aside.
    """
    without_us = free_bytes + live * limits.SESSION_BYTES
    return int(without_us * limits.HOT_MEMORY_SHARE) - limits.PAIRING_SLOTS_MAX * limits.PAIRING_BYTES


def slots_in(budget: int) -> int:
    """How many sessions fit into `budget` bytes, within the bounds of a node."""
    fitting = (budget - limits.SESSIONS_SHARED_BYTES) // limits.SESSION_BYTES
    return max(limits.HOT_SLOTS_MIN, min(limits.HOT_SLOTS_MAX, fitting))


def first_slots(memory: Memory) -> int:
    """The number that a node starts with."""
    return slots_in(budget_bytes(memory.free_bytes, 0))


def next_slots(slots: int, live: int, memory: Memory) -> int:
    """The number after a look. Under pressure some of those that live must go; growth comes slowly, and in peace."""
    fitting = slots_in(budget_bytes(memory.free_bytes, live))
    if memory.pressure > limits.PRESSURE_HIGH_PERCENT:
        fewer = int(min(slots, live) * (1 - limits.SLOTS_STEP))
        return max(limits.HOT_SLOTS_MIN, min(fitting, fewer))
    if memory.pressure > limits.PRESSURE_LOW_PERCENT:
        return min(slots, fitting)
    return min(fitting, slots + max(1, int(slots * limits.SLOTS_STEP)))
