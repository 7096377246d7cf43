"""What an admin orders is done: asleep at once, cold until told otherwise, a node empty and back again."""

from uuid import UUID

import pytest

from domain.refusal import Refused
from store import orders
from store.orders import Act
from tests.rows import later
from tests.supervisor.engines import Engine


async def _admin(engine: Engine) -> tuple[UUID, int]:
    row = await engine.store.pool.fetchrow("SELECT user_id, number FROM accounts")
    return row["user_id"], row["number"]


async def test_an_account_is_sent_to_sleep_and_wakes_for_what_is_due(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    admin, number = await _admin(engine)
    message = await engine.schedule(account, later(9))
    await engine.hears("account_run", account=account, after="HOT")
    await orders.order_account(engine.store.pool, admin, Act.SLEEP, number)
    await engine.hears("account_run", account=account, before="HOT", by="released")
    await engine.state(message, "SENT", "DELIVERED", "READ")


async def test_a_parked_account_stays_cold_until_it_may_go_on(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    admin, number = await _admin(engine)
    await orders.order_account(engine.store.pool, admin, Act.PARK, number)
    with pytest.raises(Refused):
        await orders.order_account(engine.store.pool, admin, Act.PARK, number)
    message = await engine.schedule(account, later(1))
    await engine.hears("message_armed", account=account)
    other = await engine.link()
    await engine.state(await engine.schedule(other, later(2)), "SENT", "DELIVERED", "READ")
    assert await engine.state(message, "ARMED") == "ARMED"
    assert not [line for name, line in engine.heard if name == "account_run" and line["account"] == account]
    await orders.order_account(engine.store.pool, admin, Act.UNPARK, number)
    await engine.state(message, "SENT", "DELIVERED", "READ")
    acts = [order.act for order in await orders.trail(engine.store.pool, 9, number)]
    assert acts == [Act.UNPARK, Act.PARK]


async def test_a_backoff_ends_when_an_admin_ends_it(engine: Engine) -> None:
    account = await engine.link(backoff_until=later(3600))
    await engine.start()
    admin, number = await _admin(engine)
    message = await engine.schedule(account, later(1))
    await engine.hears("message_armed", account=account)
    await orders.order_account(engine.store.pool, admin, Act.UNPARK, number)
    await engine.state(message, "SENT", "DELIVERED", "READ")


async def test_a_drained_node_lets_go_of_everything_and_takes_it_back(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    admin, _ = await _admin(engine)
    node = engine.supervisor.ownership.node
    message = await engine.schedule(account, later(8))
    await engine.hears("account_run", account=account, after="HOT")
    assert await orders.order_node(engine.store.pool, admin, Act.DRAIN, node)
    assert not await orders.order_node(engine.store.pool, admin, Act.DRAIN, node)
    await engine.hears("loop_turn", loop="drain")
    assert await engine.store.pool.fetchval("SELECT owner FROM accounts WHERE id = $1", account) == ""
    assert await engine.state(message, "SCHEDULED") == "SCHEDULED"
    assert await orders.order_node(engine.store.pool, admin, Act.UNDRAIN, node)
    await engine.state(message, "SENT", "DELIVERED", "READ", wait_s=30)
