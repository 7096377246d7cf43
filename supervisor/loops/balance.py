"""Hands accounts on to nodes that have less to do. The rule is domain/balance.py's."""

from domain.balance import Node, moves
from store import nodes
from store.boards import Boards
from supervisor.actors import Actors
from supervisor.loops.turning import Turn


class BalanceLoop:
    """Every `limits.BALANCE_TICK_S`. Slots are as the boards say; whose accounts are whose, Postgres knows at once."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors
        self._boards = Boards(actors.context.store.redis)

    async def run_once(self) -> Turn:
        """Raises `Unavailable`; without Redis nothing moves."""
        context = self._actors.context
        boards = await self._boards.read()
        if len(boards) < 2:
            return Turn()
        owned = await nodes.owned(context.store.pool)
        found = [
            Node(name=one.node, slots=one.slots, accounts=owned.get(one.node, 0), draining=one.draining)
            for one in boards
        ]
        moved = 0
        for move in moves(found):
            if move.giver == context.ownership.node:
                moved += await self._actors.hand_over(move.taker, move.accounts)
        return Turn(counts={"moved": moved})
