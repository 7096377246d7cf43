"""A node shows what it does: who holds a slot and why, its loops, what it owns."""

from domain import limits
from store.boards import Board, Boards, Held
from tests.rows import later
from tests.supervisor.engines import Engine
from tests.waiting import eventually


async def board_of(engine: Engine) -> Board | None:
    boards = await Boards(engine.store.redis).read()
    return boards[0] if boards else None


async def test_an_account_is_seen_on_its_way_through_a_slot(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    await engine.schedule(account, later(6))

    async def seen(run: str) -> Held | None:
        board = await board_of(engine)
        held = board.held if board is not None else ()
        return next((one for one in held if one.run == run), None)

    hot = await eventually(lambda: seen("HOT"), "a HOT account on the board")
    assert hot is not None
    assert (hot.account, hot.kind, hot.in_hand) == (str(account), "due", 1)
    assert hot.fires_ms >= hot.since_ms
    await engine.hears("account_retired", account=account)

    async def empty() -> Board | None:
        board = await board_of(engine)
        return board if board is not None and not board.held and not board.owned else None

    rested = await eventually(empty, "a board without anybody")
    assert rested is not None
    assert rested.slots == 5
    assert rested.door
    assert rested.node == engine.supervisor.ownership.node


async def test_every_loop_that_turns_is_on_the_board_with_its_last_turn(engine: Engine) -> None:
    await engine.start()

    async def turned() -> Board | None:
        board = await board_of(engine)
        return board if board is not None and all(loop.turned_ms for loop in board.loops) else None

    board = await eventually(turned, "a board on which every loop has turned", limits.BOARD_FRESH_S * 2)
    assert board is not None
    assert {loop.name for loop in board.loops} == {
        "leases",
        "reconcile",
        "hot",
        "idle",
        "due",
        "sticky",
        "balance",
        "drain",
        "board",
    }
