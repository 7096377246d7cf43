"""How nodes share accounts: it comes to rest, moves no more than it must, and gives a node that is emptied nothing."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from domain import limits
from domain.balance import Move, Node, moves

SLOTS = limits.HOT_SLOTS_MIN
worlds = st.lists(
    st.tuples(st.integers(1, 200), st.integers(0, 1000), st.integers(0, 4).map(lambda one: one == 4)), max_size=6
).map(
    lambda rows: [
        Node(name=f"n{index}", slots=slots, accounts=accounts, draining=draining)
        for index, (slots, accounts, draining) in enumerate(rows)
    ]
)


def after(nodes: list[Node], moved: list[Move]) -> list[Node]:
    """The nodes once all of it has happened."""
    change = {node.name: node.accounts for node in nodes}
    for move in moved:
        change[move.giver] -= move.accounts
        change[move.taker] += move.accounts
    return [
        Node(name=node.name, slots=node.slots, accounts=change[node.name], draining=node.draining) for node in nodes
    ]


def keeps(nodes: list[Node]) -> dict[str, int]:
    """What each keeps whatever the others have: what fits, and its share."""
    working = [node for node in nodes if not node.draining]
    slots, accounts = sum(node.slots for node in working), sum(node.accounts for node in working)
    return {node.name: max(node.slots, ceil(accounts * node.slots / slots)) for node in working}


@given(worlds)
def test_it_comes_to_rest_with_nobody_overburdened_beside_somebody_with_room(nodes: list[Node]) -> None:
    needed = sum(node.accounts for node in nodes)
    rounds = 0
    while moved := moves(nodes):
        nodes, rounds = after(nodes, moved), rounds + 1
        assert rounds <= 2 + needed / limits.MOVES_PER_ROUND_MAX
    kept = keeps(nodes)
    rest = [node for node in nodes if not node.draining]
    burdened = [
        one for one in rest if one.accounts - kept[one.name] > max(1, kept[one.name] * limits.BALANCE_SLACK) + 1
    ]
    total, slots = sum(node.accounts for node in rest), sum(node.slots for node in rest)
    roomy = [one for one in rest if one.accounts + 1 <= total * one.slots // slots]
    assert not burdened or not roomy


@given(worlds)
def test_what_was_moved_is_never_moved_again_and_no_more_than_was_too_much(nodes: list[Node]) -> None:
    surplus = {
        name: max(0, node.accounts - kept) for node in nodes for name, kept in keeps(nodes).items() if name == node.name
    }
    givers: set[str] = set()
    takers: set[str] = set()
    given_up = 0
    while moved := moves(nodes):
        givers |= {move.giver for move in moved}
        takers |= {move.taker for move in moved}
        given_up += sum(move.accounts for move in moved)
        nodes = after(nodes, moved)
    assert not givers & takers
    assert given_up <= sum(surplus.values())


@given(worlds)
def test_a_round_is_bounded_and_the_same_on_every_node(nodes: list[Node]) -> None:
    moved = moves(nodes)
    for node in nodes:
        assert sum(move.accounts for move in moved if move.giver == node.name) <= limits.MOVES_PER_ROUND_MAX
    assert moved == moves(nodes[::-1])
    assert all(move.accounts > 0 for move in moved)


@given(worlds)
def test_a_node_that_is_being_emptied_takes_and_gives_nothing(nodes: list[Node]) -> None:
    draining = {node.name for node in nodes if node.draining}
    assert not draining & {name for move in moves(nodes) for name in (move.giver, move.taker)}


@given(worlds)
def test_what_fits_into_its_slots_stays(nodes: list[Node]) -> None:
    fits = {node.name for node in nodes if node.accounts <= node.slots}
    assert not fits & {move.giver for move in moves(nodes)}


def test_a_node_that_joins_gets_its_share() -> None:
    old, new = Node(name="a", slots=SLOTS, accounts=40), Node(name="b", slots=3 * SLOTS, accounts=0)
    assert moves([old, new]) == [Move(giver="a", taker="b", accounts=30)]


def test_one_too_many_is_not_worth_a_move() -> None:
    assert moves([Node(name="a", slots=5, accounts=7), Node(name="b", slots=5, accounts=5)]) == []
    assert moves([Node(name="a", slots=5, accounts=99)]) == []
    assert moves([]) == []
