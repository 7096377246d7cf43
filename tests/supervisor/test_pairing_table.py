"""Every way in which linking can end, with the real client: what is written down, and what a page may say meanwhile."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from domain import limits
from domain.account import Link, PairPhase
from store.run_state import PairingShown
from tests.enclave.simulator_rig import World, running_simulator
from tests.supervisor.engines import Engine
from tests.supervisor.worlds import linked, pair, running_engine, to_sleep

NOBODY = "4915799999999"


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running_simulator(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture
async def engine(world: World, database_url: str, redis_url: str) -> AsyncIterator[Engine]:
    async with running_engine(world, database_url, redis_url) as running:
        yield running
        await world.call("POST", "/settings", {"listening": True})


async def asked(engine: Engine, phone: str = "") -> UUID:
    """Somebody asks for a code: for the phone of that number, or to be scanned."""
    account = await engine.new_account()
    await engine.store.pool.execute("UPDATE accounts SET pair_phone = $2 WHERE id = $1", account, phone)
    await engine.wish(account, "pair", "PAIRING")
    return account


async def shown(engine: Engine, account: UUID) -> PairingShown:
    await engine.hears("pairing_shown", account=account)
    found = await engine.store.run_state.look_pairing(account)
    assert found is not None
    return found


async def ended(engine: Engine, account: UUID, reason: str) -> None:
    """The linking has ended for that reason, nothing is shown any more, nothing is wished."""
    await engine.hears("pairing_failed", account=account, reason=reason)
    await engine.hears("account_retired", account=account)
    query = "SELECT link, link_reason, wish FROM accounts WHERE id = $1"
    assert tuple(await engine.store.pool.fetchrow(query, account)) == ("UNLINKED", reason, "")
    assert await engine.store.run_state.look_pairing(account) is None


@pytest.mark.parametrize(("code", "reason"), [(405, "outdated"), (500, "unreachable"), (503, "unreachable")])
@pytest.mark.parametrize("phone", ["", "4915100999001"])
async def test_a_service_that_does_not_take_us(
    engine: Engine, world: World, code: int, reason: str, phone: str
) -> None:
    await world.call("POST", "/faults", {"when": "login", "reason": code})
    await ended(engine, await asked(engine, phone), reason)


@pytest.mark.parametrize("code", [400, 401, 403, 406, 409, 429, 501])
async def test_a_service_that_does_not_take_us_and_does_not_say_why(engine: Engine, world: World, code: int) -> None:
    await world.call("POST", "/faults", {"when": "login", "reason": code})
    await ended(engine, await asked(engine), "other")


async def test_a_service_that_is_gone(engine: Engine, world: World) -> None:
    await world.call("POST", "/settings", {"listening": False})
    await ended(engine, await asked(engine), "unreachable")


async def test_a_service_that_goes_away_while_a_code_is_shown(engine: Engine, world: World) -> None:
    account = await asked(engine)
    assert (await shown(engine, account)).qr
    await world.call("POST", "/settings", {"listening": False})
    await ended(engine, account, "broken_off")


async def test_a_number_for_which_there_is_no_code(engine: Engine) -> None:
    await ended(engine, await asked(engine, NOBODY), "refused")


async def test_a_phone_that_has_too_many_devices(engine: Engine, world: World) -> None:
    number = "4915100999002"
    for _ in range(4):
        await pair(engine, world, number)
        await engine.store.pool.execute("UPDATE accounts SET phone = id::text")
    account = await asked(engine, number)
    await world.call("POST", f"/phones/{number}/code", {"code": (await shown(engine, account)).code})
    await ended(engine, account, "broken_off")


async def test_a_phone_that_another_account_has(engine: Engine, world: World) -> None:
    _, number = await linked(engine, world)
    account = await asked(engine, number)
    await world.call("POST", f"/phones/{number}/code", {"code": (await shown(engine, account)).code})
    await ended(engine, account, "phone_taken")
    assert len((await world.call("GET", f"/phones/{number}"))["devices"]) == 1


async def test_a_phone_that_left_another_account_while_that_slept_is_linked_a_moment_later(
    engine: Engine, world: World
) -> None:
    before, number = await linked(engine, world)
    await to_sleep(engine, before)
    await world.call("POST", f"/phones/{number}/unlink", {})
    account = await asked(engine, number)
    await world.call("POST", f"/phones/{number}/code", {"code": (await shown(engine, account)).code})
    await engine.hears("pairing_failed", account=account, reason="phone_taken")
    await engine.hears("account_link", account=before, by="logged_out")
    await engine.wish(account, "pair", "PAIRING")
    await world.call("POST", f"/phones/{number}/code", {"code": (await shown(engine, account)).code})
    await engine.hears("pairing_done", account=account)


async def test_a_machine_of_ours_that_restarts(engine: Engine) -> None:
    account = await asked(engine)
    await shown(engine, account)
    await engine.broker.end()
    await engine.broker.start()
    await ended(engine, account, "interrupted")


async def test_while_whatsapp_refuses_our_client_a_person_is_told_so_at_once(engine: Engine) -> None:
    context = engine.supervisor.context
    context.fleet_stopped_until_ms = 1 << 60
    await ended(engine, await asked(engine), "outdated")


async def test_each_code_says_when_it_ends_and_which_it_is(engine: Engine, world: World) -> None:
    first = await shown(engine, await asked(engine))
    assert (first.phase, first.number, first.ends_ms - first.since_ms) == (PairPhase.SHOWN, 1, 60_000)
    number = "4915100999003"
    await world.call("POST", "/phones", {"number": number, "name": "Me"})
    typed = await shown(engine, await asked(engine, number))
    assert (len(typed.code), typed.ends_ms - typed.since_ms) == (9, limits.PAIR_TYPED_S * 1000)


async def test_who_asks_again_for_a_code_to_type_gets_another_one(engine: Engine, world: World) -> None:
    number = "4915100999004"
    await world.call("POST", "/phones", {"number": number, "name": "Me"})
    account = await asked(engine, number)
    before = await shown(engine, account)
    await engine.wish(account, "pair", "PAIRING")
    assert (await shown(engine, account)).code != before.code


async def test_from_the_scan_to_ready_each_step_is_told_in_order(engine: Engine, world: World) -> None:
    account, number = await linked(engine, world)
    await engine.hears("pairing_phase", account=account, phase="ready")
    told = await engine.store.run_state.look_pairing(account)
    assert told is not None
    assert told.phase is PairPhase.READY
    await world.event(kind="first_sync", phone=number)
    row = await engine.store.pool.fetchrow("SELECT link, contacts FROM accounts WHERE id = $1", account)
    assert (row["link"], row["contacts"]) == ("LINKED", 1)


async def test_the_account_has_the_name_that_its_owner_gave(engine: Engine, world: World) -> None:
    account, _ = await linked(engine, world)
    await engine.hears("contacts_copied", account=account, synced=True)
    while not (name := await engine.store.pool.fetchval("SELECT name FROM accounts WHERE id = $1", account)):
        await engine.hears("contacts_copied", account=account)
    assert name == "Me"


@pytest.mark.parametrize(
    ("fault", "link"),
    [
        ({"reason": 401}, Link.LOGGED_OUT),
        ({"reason": 403}, Link.LOCKED),
        ({"reason": 402, "attrs": {"code": "101", "expire": "3600"}}, Link.BANNED),
    ],
)
async def test_a_new_device_whose_first_login_is_refused(
    engine: Engine, world: World, fault: dict[str, Any], link: Link
) -> None:
    number = f"4915100999{fault['reason']}"
    await world.call("POST", "/phones", {"number": number, "name": "Me"})
    await world.call("POST", f"/phones/{number}/faults", {"when": "login", **fault})
    account = await asked(engine)
    await world.call("POST", f"/phones/{number}/scan", {"qr": (await shown(engine, account)).qr})
    await engine.hears("pairing_done", account=account)
    await engine.hears("account_link", account=account)
    await engine.hears("account_retired", account=account)
    row = await engine.store.accounts.load(account)
    assert row is not None
    assert (row.link, row.wish) == (link, "")
    assert await engine.store.run_state.look_pairing(account) is None
