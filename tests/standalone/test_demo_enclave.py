"""The demo's enclave starts as the plan describes it, says that it is a demo's, and stops in time."""

from standalone.children import bring_up
from standalone.home import Home
from standalone.plan import Plan
from standalone.programs import Program


def test_the_demos_enclave_starts_and_stops_and_the_live_one_is_another(own_home: Home) -> None:
    plan = Plan(own_home, {"DATABASE_URL": "unused", "REDIS_URL": "unused"}, demo=True, port=0)
    enclave = next(service for service in plan.services if service.name == "enclave")
    assert plan.simulator is not None and isinstance(enclave, Program)
    try:
        bring_up(plan.simulator)
        bring_up(enclave)
        assert enclave.facts["environment"] == "demo"
        enclave.stop()
        assert enclave.exit_code() == 0
        live = Plan(own_home, {"DATABASE_URL": "unused", "REDIS_URL": "unused"}, demo=False, port=0)
        enclave = next(service for service in live.services if service.name == "enclave")
        assert isinstance(enclave, Program)
        bring_up(enclave)
        assert enclave.facts["environment"] == "local"
    finally:
        enclave.stop()
        plan.simulator.stop()
        plan.close()
