"""What nodes show of themselves: the newest board of each, for as long as they live."""

import pytest

from domain import limits
from domain.refusal import Unavailable
from store import keys
from store.boards import Board, Boards, Held
from store.news_channel import NewsChannel
from store.redis import Redis

NOW_MS = 1_900_000_000_000


def board(node: str, at_ms: int = NOW_MS, *held: Held) -> Board:
    return Board(
        node=node, at_ms=at_ms, started_ms=at_ms, slots=5, held=held, owned=3, waiting=0, per_s=6.2, ceiling_per_s=20.0,
        free_bytes=1 << 30, pressure=0.0, chores=0, door=True, draining=False, stopped_until_ms=0, loops=(),
    )  # fmt: skip


async def test_the_newest_board_of_each_node_is_read(redis: Redis) -> None:
    boards = Boards(redis)
    held = Held(account="a", run="HOT", phase="sending", kind="due", since_ms=NOW_MS)
    for one in (board("b"), board("a"), board("b", NOW_MS + 1, held)):
        await boards.post(one)
    assert await boards.read() == [board("a"), board("b", NOW_MS + 1, held)]


async def test_who_posts_no_more_is_gone_and_all_of_it_expires(redis: Redis) -> None:
    boards = Boards(redis)
    await boards.post(board("dead"))
    await boards.post(board("alive", NOW_MS + int(limits.BOARD_KEPT_S * 1000)))
    assert [one.node for one in await boards.read()] == ["alive"]
    for key in (keys.board("dead"), keys.board("alive"), keys.BOARDS):
        assert 0 < await redis.client.pttl(key) <= limits.BOARD_KEPT_S * 1000


async def test_a_change_is_told_on_the_channel_of_the_engine_room(redis: Redis, each_redis_url: str) -> None:
    news = NewsChannel(each_redis_url)
    heard = news.listen()
    assert await anext(heard) is None
    await Boards(redis).tell()
    assert await anext(heard) == (keys.ENGINE, '[["engine","room"]]')
    await heard.aclose()  # ty: ignore[missing-attribute]


async def test_without_redis_only_telling_passes() -> None:
    boards = Boards(Redis("redis://127.0.0.1:9/0"))
    await boards.tell()
    with pytest.raises(Unavailable):
        await boards.post(board("a"))
    with pytest.raises(Unavailable):
        await boards.read()
