"""State machines as literal tables: one dictionary access, and a printer.

A machine is `TABLE: (state, event) -> (next state, effects)` and `IGNORED: set of (state, event)`. Events carry no
conditions: news is classified before it gets here. Any pair that is in neither is a bug of ours.
The shape is that of h11's state table.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)
F = TypeVar("F", bound=StrEnum)


class IllegalTransition(AssertionError):
    """A pair that the table neither handles nor ignores: a bug in us, never in the world."""


def transition(
    table: Mapping[tuple[S, E], tuple[S, tuple[F, ...]]],
    ignored: Collection[tuple[S, E]],
    state: S,
    event: E,
) -> tuple[S, tuple[F, ...]]:
    """The state after `event` and the effects to carry out, in order. Raises `IllegalTransition`."""
    if (state, event) in ignored:
        return state, ()
    try:
        return table[state, event]
    except KeyError:
        raise IllegalTransition(f"{state} does not expect {event}") from None


def sources(table: Mapping[tuple[S, E], tuple[S, tuple[F, ...]]], event: E) -> tuple[S, ...]:
    """The states in which `event` is handled: what a compare-and-set in SQL may start from."""
    return tuple(state for state, known in table if known is event)


def targets(table: Mapping[tuple[S, E], tuple[S, tuple[F, ...]]], event: E) -> tuple[S, ...]:
    """The states to which `event` leads, without repeats, in the table's order."""
    return tuple(dict.fromkeys(after for (_, known), (after, _) in table.items() if known is event))


def mermaid(table: Mapping[tuple[S, E], tuple[S, tuple[F, ...]]], start: S, ends: Iterable[S] = ()) -> str:
    """The table as a mermaid state diagram, one edge per row: `a --> b: event / effects`."""
    lines = ["stateDiagram-v2", f"    [*] --> {start}"]
    for (before, event), (after, effects) in table.items():
        done = f" / {', '.join(effects)}" if effects else ""
        lines.append(f"    {before} --> {after}: {event}{done}")
    lines += [f"    {end} --> [*]" for end in ends]
    return "\n".join(lines)
