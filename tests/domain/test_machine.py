"""The machine's own functions: one look-up, one printer."""

from enum import StrEnum

import pytest

from domain.machine import IllegalTransition, mermaid, sources, targets, transition


class _Door(StrEnum):
    OPEN = "OPEN"
    SHUT = "SHUT"


class _Event(StrEnum):
    PUSHED = "pushed"
    PULLED = "pulled"


class _Effect(StrEnum):
    CREAK = "creak"


TABLE = {
    (_Door.OPEN, _Event.PUSHED): (_Door.SHUT, (_Effect.CREAK,)),
    (_Door.SHUT, _Event.PULLED): (_Door.OPEN, ()),
}


def test_a_row_gives_the_next_state_and_its_effects() -> None:
    assert transition(TABLE, (), _Door.OPEN, _Event.PUSHED) == (_Door.SHUT, (_Effect.CREAK,))


def test_what_is_neither_handled_nor_ignored_raises_and_names_the_pair() -> None:
    assert transition(TABLE, {(_Door.OPEN, _Event.PULLED)}, _Door.OPEN, _Event.PULLED) == (_Door.OPEN, ())
    with pytest.raises(IllegalTransition, match="SHUT does not expect pushed"):
        transition(TABLE, (), _Door.SHUT, _Event.PUSHED)


def test_sources_and_targets_of_an_event() -> None:
    assert sources(TABLE, _Event.PUSHED) == (_Door.OPEN,)
    assert targets(TABLE, _Event.PULLED) == (_Door.OPEN,)


def test_the_diagram_has_an_edge_for_each_row() -> None:
    assert mermaid(TABLE, _Door.OPEN, [_Door.SHUT]).splitlines() == [
        "stateDiagram-v2",
        "    [*] --> OPEN",
        "    OPEN --> SHUT: pushed / creak",
        "    SHUT --> OPEN: pulled",
        "    SHUT --> [*]",
    ]
