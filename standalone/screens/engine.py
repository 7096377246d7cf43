"""The engine room in the middle of a day's work: a crowd of accounts, of which a few are awake."""

from typing import Final

from domain.account import Run
from standalone.person import Person
from standalone.screens.album import Album
from standalone.screens.desk import Desk, now_ms
from standalone.screens.rows import run
from store.boards import Board, Boards, Held, LoopTurned
from store.redis import Redis

MANY: Final = 480
SLOTS: Final = 60
LIVES: Final = (
    (Run.CONNECTING, "", "due"),
    (Run.HOT, "sending", "due"),
    (Run.HOT, "ready", "due"),
    (Run.HOT, "lingering", "due"),
    (Run.HOT, "ready", "due"),
    (Run.CONNECTING, "", "health"),
    (Run.HOT, "lingering", "due"),
    (Run.HOT, "ready", "sticky"),
    (Run.HOT, "ready", "due"),
    (Run.DISCONNECTING, "", "due"),
)
"""What the accounts with a slot are doing, in turn: run, phase, and why they were woken."""
FREE_BYTES: Final = 1_900_000_000


async def show_engine(person: Person, desk: Desk, album: Album, email: str) -> None:
    """Make the person an admin and let them look."""
    run(desk.query, "make_admin", email=email)
    run(desk.query, "add_crowd", many=str(MANY), peak=desk.today_at("09:00"))
    accounts = run(desk.query, "some_accounts").split()
    now = now_ms()
    held = tuple(
        Held(
            account=account,
            run=str(state),
            phase=phase,
            kind=kind,
            since_ms=now - 1_000 * (2 + turn),
            in_hand=int(phase == "ready" and kind == "due"),
            fires_ms=now + 1_000 * turn if phase == "ready" and kind == "due" else 0,
            stays_until_ms=now + 5_000 * turn if phase == "lingering" else 0,
            sticky_left_ms=90_000 if kind == "sticky" else 0,
        )
        for turn, account in enumerate(accounts)
        for state, phase, kind in (LIVES[turn % len(LIVES)],)
    )
    board = Board(
        node="n-1",
        at_ms=now,
        started_ms=now - 9 * 86_400_000,
        slots=SLOTS,
        held=held,
        owned=len(held),
        waiting=0,
        per_s=6.2,
        ceiling_per_s=20.0,
        free_bytes=FREE_BYTES,
        pressure=0.0,
        chores=0,
        door=True,
        draining=False,
        stopped_until_ms=0,
        loops=tuple(LoopTurned(name=name, tick_ms=1_500, turned_ms=now) for name in ("due", "connects", "lease")),
    )
    redis = Redis(desk.redis_url)
    await Boards(redis).post(board)
    await redis.close()
    await person.open("/admin")
    await person.page.locator("[data-count=hot]").wait_for()
    await album.take("engine", person.page)
