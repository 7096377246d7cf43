"""How nodes share the accounts that are in hand: who hands how many on to whom, in one round. Pure.

Every node reckons the same from the same numbers and carries out its own part. A node keeps what fits into its slots,
for that waits for nobody; of the rest it keeps its fair share, by slots. It begins to give only when it has clearly
more, and then gives down to that; a node takes only up to its share. So what was moved does not move back.
"""

from collections.abc import Iterable
from math import ceil

import msgspec

from domain import limits


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A living node: its slots, and the accounts that it owns at present. `draining`: an admin wants it empty."""

    name: str
    slots: int
    accounts: int
    draining: bool = False


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """`giver` hands `accounts` of its own on to `taker`."""

    giver: str
    taker: str
    accounts: int


def moves(nodes: Iterable[Node]) -> list[Move]:
    """One round. Who is being emptied takes nothing, and lets go by itself of what it has."""
    working = sorted((node for node in nodes if not node.draining and node.slots > 0), key=lambda node: node.name)
    slots, accounts = sum(node.slots for node in working), sum(node.accounts for node in working)
    found: list[Move] = []
    rooms = {node.name: accounts * node.slots // slots - node.accounts for node in working}
    for giver in working:
        keeps = max(giver.slots, -(-accounts * giver.slots // slots))
        surplus = giver.accounts - keeps
        if surplus <= max(1, ceil(keeps * limits.BALANCE_SLACK)):
            continue
        left = min(surplus, limits.MOVES_PER_ROUND_MAX)
        for taker in sorted(working, key=lambda node: (node.accounts / node.slots, node.name)):
            count = min(left, rooms[taker.name])
            if count > 0:
                found.append(Move(giver=giver.name, taker=taker.name, accounts=count))
                rooms[taker.name] -= count
                left -= count
    return found
