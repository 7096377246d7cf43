"""Pictures of people, with the real client against the simulated WhatsApp: slowly, and none after one too many."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from domain import limits
from tests.enclave.simulator_rig import World, running_simulator
from tests.rows import add_message, later
from tests.supervisor.engines import Engine
from tests.supervisor.worlds import ADA, ADA_JID, linked, running_engine, to_sleep
from tests.waiting import eventually

BEN, CLEO = "491700000071", "491700000072"
BEN_JID, CLEO_JID = (f"{number}@s.whatsapp.net" for number in (BEN, CLEO))
WAIT_S = 60
JPEG = b"\xff\xd8\xff"


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        async with running_simulator(Path(folder)) as running:
            for number, name, picture in ((ADA, "Ada", "shown"), (BEN, "Ben", "hidden"), (CLEO, "Cleo", "shown")):
                await running.call("POST", "/phones", {"number": number, "name": name, "picture": picture})
            yield running


@pytest.fixture
async def engine(
    world: World, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    monkeypatch.setattr(limits, "PICTURE_GAP_S", 0.05)
    async with running_engine(world, database_url, redis_url) as running:
        yield running


async def _asked(engine: Engine, account: UUID, jid: str) -> tuple[str, bytes | None]:
    """Return the picture's id and its bytes, once it has been asked for."""
    found = await eventually(lambda: _look(engine, account, jid), "a picture to be asked for", WAIT_S)
    assert found is not None
    return found


async def _look(engine: Engine, account: UUID, jid: str) -> tuple[str, bytes | None] | None:
    row = await engine.store.pool.fetchrow(
        "SELECT picture_id, picture, pictured_at FROM contacts WHERE account_id = $1 AND jid = $2", account, jid
    )
    return None if row is None or row["pictured_at"] is None else (row["picture_id"], row["picture"])


async def _paused(engine: Engine, account: UUID) -> bool:
    return await engine.store.pool.fetchval("SELECT pictures_after IS NOT NULL FROM accounts WHERE id = $1", account)


async def test_pictures_come_with_the_names_and_with_names_that_come_later(engine: Engine, world: World) -> None:
    account, number = await linked(engine, world)
    picture_id, image = await _asked(engine, account, ADA_JID)
    assert picture_id
    assert (image or b"").startswith(JPEG)
    for other, name in ((BEN, "Ben"), (CLEO, "Cleo")):
        await world.call("POST", f"/phones/{number}/contacts", {"number": other, "name": name})
    assert (await _asked(engine, account, CLEO_JID))[1]
    assert await _asked(engine, account, BEN_JID) == ("", None)


async def test_a_wake_for_a_message_asks_for_what_the_first_sync_left(engine: Engine, world: World) -> None:
    account, _ = await linked(engine, world)
    await to_sleep(engine, account)
    await engine.store.pool.execute("UPDATE contacts SET pictured_at = NULL WHERE account_id = $1", account)
    await engine.state(await engine.schedule(account, later(0), "hello", ADA_JID), "DELIVERED", "READ")
    assert (await _asked(engine, account, ADA_JID))[0]


async def test_one_that_fails_keeps_nobody_else_waiting(engine: Engine, world: World) -> None:
    number = "491700000087"
    contacts = [{"number": other, "name": name} for other, name in ((ADA, "Ada"), (CLEO, "Cleo"))]
    await world.call("POST", "/phones", {"number": number, "name": "Me", "contacts": contacts})
    fault = {"when": "iq", "code": 503, "xmlns": "w:profile:picture"}
    await world.call("POST", f"/phones/{number}/faults", fault)
    account = await _link(engine, world, number)
    await eventually(lambda: _pictures(engine, account), "a picture", WAIT_S)
    assert await engine.store.contacts.without_picture(account, later(0), 5)


async def _pictures(engine: Engine, account: UUID) -> int:
    return await engine.store.pool.fetchval("SELECT count(picture) FROM contacts WHERE account_id = $1", account)


async def _link(engine: Engine, world: World, number: str) -> UUID:
    account = await engine.new_account()
    await engine.wish(account, "pair", "PAIRING")
    await engine.hears("pairing_shown", account=account)
    shown = await engine.store.run_state.look_pairing(account)
    assert shown is not None
    await world.call("POST", f"/phones/{number}/scan", {"qr": shown.qr})
    return account


async def test_none_is_asked_for_after_one_too_many(engine: Engine, world: World) -> None:
    number = "491700000088"
    fault = {"when": "iq", "code": 429, "xmlns": "w:profile:picture"}
    await world.call("POST", "/phones", {"number": number, "name": "Me", "contacts": [{"number": CLEO, "name": "C"}]})
    await world.call("POST", f"/phones/{number}/faults", fault)
    account = await _link(engine, world, number)
    await eventually(lambda: _paused(engine, account), "a pause", WAIT_S)
    await add_message(engine.store.pool, account, recipient=CLEO_JID, due=later(1000))
    assert await engine.store.contacts.without_picture(account, later(0), 5) == []
    await engine.store.pool.execute("UPDATE accounts SET pictures_after = now() WHERE id = $1", account)
    assert (CLEO_JID, "") in await engine.store.contacts.without_picture(account, later(0), 5)


async def test_a_first_sync_ends_once_names_photos_and_groups_are_in_and_quiet(
    engine: Engine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SYNC_QUIET_S", 0.5)
    number = "491700000089"
    contacts = [{"number": other, "name": name} for other, name in ((ADA, "Ada"), (BEN, "Ben"), (CLEO, "Cleo"))]
    await world.call("POST", "/phones", {"number": number, "name": "Me", "contacts": contacts})
    account = await _link(engine, world, number)
    over = "SELECT names_synced_at IS NOT NULL FROM accounts WHERE id = $1"
    await eventually(lambda: engine.store.pool.fetchval(over, account), "the end of the first sync", WAIT_S)
    missing = "SELECT count(*) FROM contacts WHERE account_id = $1 AND pictured_at IS NULL"
    assert await engine.store.pool.fetchval(missing, account) == 0
    left = "SELECT sticky_remaining_ms, sticky_active_since FROM accounts WHERE id = $1"
    remaining_ms, since = await engine.store.pool.fetchrow(left, account)
    assert 0 < remaining_ms < limits.STICKY_SYNC_S * 1000
    assert since is None
