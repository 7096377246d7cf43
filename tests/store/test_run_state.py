"""Hints for pages: they expire, and without Redis only linking must know."""

import asyncio
import time
from uuid import uuid4

import msgspec
import pytest

from domain import limits
from domain.account import PairPhase
from domain.refusal import Unavailable
from store import keys
from store.notices import Element, Notices
from store.redis import Redis
from store.run_state import PairingShown, RunShown, RunState


def shown_until(ends_ms: int) -> PairingShown:
    return PairingShown(phase=PairPhase.SHOWN, qr="q", number=1, ends_ms=ends_ms)


async def _all(redis: Redis) -> list[str]:
    return [key async for key in redis.client.scan_iter()]


async def test_a_code_is_void_at_its_end_and_its_key_expires(redis: Redis) -> None:
    state, account = RunState(redis), uuid4()
    key = keys.pairing(str(account))
    now_ms = time.time_ns() // 1_000_000
    await state.show_pairing(account, shown_until(now_ms + 20_000))
    assert 0 < await redis.client.pttl(key) <= 20_000 + limits.PAIR_NEXT_S * 1000
    assert await state.look_pairing(account) == shown_until(now_ms + 20_000)
    await state.show_pairing(account, shown_until(now_ms - 1))
    assert await state.look_pairing(account) == msgspec.structs.replace(shown_until(now_ms - 1), qr="")
    await state.show_pairing(account, PairingShown(phase=PairPhase.FOUND))
    assert 20_000 < await redis.client.pttl(key) <= limits.PAIR_PHASE_S * 1000


async def test_what_is_shown_expires(redis: Redis) -> None:
    state, account = RunState(redis), uuid4()
    await state.show(account, RunShown(run="HOT", phase="ready"))
    await state.show_pairing(account, shown_until(time.time_ns() // 1_000_000 + 20_000))
    await state.back_off(account, "failed", 30)
    await state.park(account, "restarts", 600)
    await state.stop_fleet(405)
    assert await state.look(account) == RunShown(run="HOT", phase="ready")
    shown = await state.look_pairing(account)
    assert shown is not None
    assert shown.qr == "q"
    assert await state.fleet_stop_ms() > 0
    assert all([await redis.client.pttl(key) > 0 for key in await _all(redis)])
    await state.hide(account)
    await state.hide_pairing(account)
    await state.clear_backoff(account)
    assert await _all(redis) == [keys.FLEET_STOP]


async def test_without_redis_only_linking_fails() -> None:
    redis = Redis("unix:///nowhere/at/all.sock")
    state, account, notices = RunState(redis), uuid4(), Notices(redis)
    await state.show(account, RunShown(run="HOT"))
    await state.hide_pairing(account)
    await notices.tell(account, (Element.MESSAGE, account))
    assert notices.lost == 1
    with pytest.raises(Unavailable):
        await state.show_pairing(account, PairingShown(phase=PairPhase.ASKING))
    await redis.close()


async def test_a_notice_says_what_changed_to_its_user_only(redis: Redis) -> None:
    notices, user, thing = Notices(redis), uuid4(), uuid4()
    channel = await redis.channel()
    await channel.subscribe(keys.news_of(str(user)))
    await notices.tell_messages([(user, thing), (uuid4(), thing)])
    heard = None
    while heard is None:
        heard = await channel.get_message(timeout=5)
    assert msgspec.json.decode(heard["data"]) == [["message", str(thing)]]
    await channel.aclose()


async def test_whom_a_notice_did_not_reach_is_told_to_ask_for_everything_once_redis_answers_again(
    redis_url: str,
) -> None:
    redis, user = Redis(redis_url), uuid4()
    notices, channel = Notices(redis), await redis.channel()
    await channel.subscribe(keys.news_of(str(user)))
    await redis.ask(redis.client.client_pause(2_500))
    await notices.tell(user, (Element.MESSAGE, uuid4()))
    assert notices.lost == 1
    heard = []
    async with asyncio.timeout(20):
        while heard[-1:] != [[["snapshot", str(user)]]]:  # the pause may let the notice itself through, late
            if (news := await channel.get_message(timeout=1)) is not None:
                heard.append(msgspec.json.decode(news["data"]))
    await notices.close()
    await channel.aclose()
    await redis.close()
