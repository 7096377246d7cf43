"""Posts what this node does, for the engine room: after each change, and now and then as a sign of life."""

from collections.abc import Callable, Iterable

import msgspec

from domain import limits
from domain.account import Run
from domain.hotset import WantKind
from store.boards import Board, Boards, Held, LoopTurned
from supervisor import clock, machine, wanting
from supervisor.actor import Actor
from supervisor.actors import Actors
from supervisor.loops.turning import Loop, Turn


class BoardLoop:
    """At most one board each `limits.BOARD_GAP_S`, so that a storm of changes costs no more than a breeze."""

    def __init__(self, actors: Actors, loops: Callable[[], Iterable[Loop]]) -> None:
        """`loops`: all that turn here."""
        self._actors = actors
        self._loops = loops
        self._boards = Boards(actors.context.store.redis)
        self._started_ms = clock.now_ms()
        self._posted_s = float("-inf")
        self._last: Board | None = None

    async def run_once(self) -> Turn:
        """Raises `Unavailable` if Redis is away."""
        now_s = clock.loop_s()
        rest_s = self._posted_s + limits.BOARD_GAP_S - now_s
        if rest_s > 0:
            return Turn(again_s=rest_s)
        board = self._board()
        changed = self._last is None or _shape(board) != _shape(self._last)
        if changed or now_s - self._posted_s >= limits.BOARD_FRESH_S:
            self._posted_s = now_s
            await self._boards.post(board)
            await self._boards.tell()
            self._last = board
        return Turn()

    def _board(self) -> Board:
        context, now_ms = self._actors.context, clock.now_ms()
        actors = list(self._actors.by_account.values())
        memory = machine.memory()
        held = [_held(actor) for actor in actors if actor.state is not Run.COLD]
        stopped_ms = context.fleet_stopped_until_ms
        return Board(
            node=context.ownership.node,
            at_ms=now_ms,
            started_ms=self._started_ms,
            slots=context.slots,
            held=tuple(held[: limits.BOARD_TILES_MAX]),
            owned=len(context.ownership.epochs),
            waiting=sum(wanting.want(actor) is not None for actor in actors),
            per_s=context.pace.per_s,
            ceiling_per_s=context.pace.ceiling_per_s,
            free_bytes=memory.free_bytes,
            pressure=memory.pressure,
            chores=sum(len(actor.chores) for actor in actors),
            door=bool(context.door.boot),
            draining=context.draining,
            stopped_until_ms=stopped_ms if stopped_ms > now_ms else 0,
            loops=tuple(
                LoopTurned(name=loop.name, tick_ms=int(loop.tick_s * 1000), turned_ms=loop.turned_ms)
                for loop in self._loops()
            ),
        )


def _held(actor: Actor) -> Held:
    session, first, holder = actor.session, actor.outbox.first(), wanting.holder(actor)
    sending = session is not None and (session.in_flight or session.settling > 0)
    kind = holder.kind if holder is not None else WantKind.DUE
    if session is not None and not sending and session.kind is WantKind.PAIRING:
        kind = session.kind
    return Held(
        account=str(actor.account),
        run=actor.state,
        phase=session.phase if session is not None and actor.state is Run.HOT else "",
        kind=kind.name.lower(),
        since_ms=actor.since_ms,
        in_hand=len(actor.outbox),
        fires_ms=first.fire_ms if first is not None else 0,
        sticky_left_ms=session.sticky_left_ms if session is not None and kind is WantKind.STICKY else 0,
        stays_until_ms=holder.stays_until_ms if holder is not None else 0,
        idle=holder is not None and holder.evictable,
    )


def _shape(board: Board) -> Board:
    """The board without what changes by itself all the time."""
    held = tuple(msgspec.structs.replace(one, sticky_left_ms=0) for one in board.held)
    return msgspec.structs.replace(board, at_ms=0, free_bytes=0, pressure=0.0, loops=(), held=held)
