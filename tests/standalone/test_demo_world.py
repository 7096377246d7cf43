"""The demo's phones are made in a real simulator, once."""

import httpx

from standalone.children import bring_up
from standalone.demo_world import CONTACTS, OWN_NUMBER, Phones
from standalone.home import Home
from standalone.plan import Plan


def phones(control: str) -> dict[str, list[str]]:
    """Return each phone's number with the names of its contacts."""
    answer = httpx.get(f"{control}/phones", timeout=10, trust_env=False).raise_for_status().json()
    return {phone["number"]: [contact["name"] for contact in phone["contacts"]] for phone in answer["phones"]}


def test_the_demo_is_furnished_once_and_keeps_its_phones_and_address(own_home: Home) -> None:
    plan = Plan(own_home, {"DATABASE_URL": "unused", "REDIS_URL": "unused"}, demo=True, port=0)
    simulator = plan.simulator
    assert simulator is not None
    try:
        bring_up(simulator)
        control = simulator.facts["control"]
        Phones(control).furnish()
        made = phones(control)
        assert made[OWN_NUMBER] == [name for _, name in CONTACTS]
        assert set(made) == {OWN_NUMBER, *(number for number, _ in CONTACTS)}
        httpx.post(f"{control}/phones", json={"number": "447700900009"}, timeout=10, trust_env=False).raise_for_status()
        simulator.stop()
        bring_up(simulator)
        Phones(control).furnish()
        assert set(phones(control)) == {*made, "447700900009"}
    finally:
        simulator.stop()
        plan.close()
