"""What each node does right now, for the engine room: one board a node, in keys that expire.

Nothing decides by it but how nodes share what waits (domain/balance.py), and only by slots and who is being emptied.
"""

import contextlib
from typing import Final

import msgspec

from domain import limits
from domain.refusal import Unavailable
from store import keys
from store.redis import Redis

_KEPT_MS: Final = int(limits.BOARD_KEPT_S * 1000)
_NEWS: Final = msgspec.json.encode([(keys.ENGINE, "room")])


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An account with a slot. `run`, `phase` as in domain/account.py, `kind` a WantKind's name in lower case.

    `since_ms`: when this run began (Unix ms). `fires_ms`: when its next message leaves, `stays_until_ms`: how long it
    stays for what may still be heard (both 0: nothing). `in_hand`: messages armed for it, beside the one
    that is being sent.
    """

    account: str
    run: str
    phase: str
    kind: str
    since_ms: int
    in_hand: int = 0
    fires_ms: int = 0
    sticky_left_ms: int = 0
    stays_until_ms: int = 0
    idle: bool = False


class LoopTurned(msgspec.Struct, frozen=True, kw_only=True):
    """A loop, how often it turns at the least, and its last turn's end (Unix ms, 0: none yet)."""

    name: str
    tick_ms: int
    turned_ms: int


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """What a node does. Instants in Unix ms.

    `slots`: how many may live; `per_s`: connects a second that it allows itself, at most `ceiling_per_s`. `owned`:
    accounts with a lease; `waiting`: of them, those that want a slot and have none. `free_bytes`, `pressure`: of the
    machine (domain/slots.py). `chores`: writes that wait for Postgres. `door`: the enclave answers.
    """

    node: str
    at_ms: int
    started_ms: int
    slots: int
    held: tuple[Held, ...]
    owned: int
    waiting: int
    per_s: float
    ceiling_per_s: float
    free_bytes: int
    pressure: float
    chores: int
    door: bool
    draining: bool
    stopped_until_ms: int
    loops: tuple[LoopTurned, ...]


class Boards:
    """All boards. Every method but `tell` raises `Unavailable` when Redis is away."""

    def __init__(self, redis: Redis) -> None:
        """Works on `redis`."""
        self._redis = redis

    async def post(self, board: Board) -> None:
        """Puts the node's board in place of its last one."""
        text = msgspec.json.encode(board).decode()
        arguments = (board.node, text, board.at_ms, _KEPT_MS)
        await self._redis.script("post_board", (keys.board(board.node), keys.BOARDS), arguments)

    async def read(self) -> list[Board]:
        """The boards of the nodes that live, by name."""
        client = self._redis.client
        nodes = await self._redis.ask(client.zrange(keys.BOARDS, 0, limits.NODES_SHOWN_MAX - 1))
        texts = await self._redis.ask(client.mget([keys.board(node) for node in sorted(nodes)])) if nodes else []
        return [msgspec.json.decode(text, type=Board) for text in texts if text]

    async def tell(self) -> None:
        """Tells open engine rooms that a board has changed; what is not told is seen a little later."""
        with contextlib.suppress(Unavailable):
            await self._redis.ask(self._redis.client.publish(keys.news_of(keys.ENGINE), _NEWS))
