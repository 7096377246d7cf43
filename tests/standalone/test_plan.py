"""What each program is told: enough, and nothing that it has no business with."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.limits import TERM_DRAIN_S
from standalone.home import CannotStart, Home
from standalone.plan import NEEDS, Plan
from standalone.programs import Program

FACTS = {"port": 1, "control": "http://127.0.0.1:1", "ca_file": "/ca.pem", "root_key": "00"}


def told(plan: Plan) -> dict[str, dict[str, str]]:
    """Return each program's variables."""
    return {service.name: dict(service.variables()) for service in plan.services if isinstance(service, Program)}


@pytest.fixture
def demo(own_home: Home) -> Iterator[Plan]:
    plan = Plan(own_home, {}, demo=True, port=0)
    assert plan.simulator is not None
    plan.simulator.facts = dict(FACTS)
    yield plan
    plan.close()


@pytest.fixture
def live(own_home: Home) -> Iterator[Plan]:
    plan = Plan(own_home, {"DATABASE_URL": "postgresql://theirs", "REDIS_URL": "redis://theirs"}, demo=False, port=0)
    yield plan
    plan.close()


def test_every_service_says_what_it_needs_and_comes_after_it(demo: Plan) -> None:
    names = [service.name for service in demo.services]
    assert sorted(names) == sorted(NEEDS)
    assert all(set(NEEDS[name]) <= set(names[: names.index(name)]) for name in names)


def test_migrate_is_told_its_database_before_the_simulator_runs(demo: Plan) -> None:
    assert demo.simulator is not None
    demo.simulator.facts = {}
    migrate = next(service for service in demo.services if service.name == "migrate")
    assert isinstance(migrate, Program)
    assert list(migrate.variables()) == ["AUTOSENDR_DATABASE_URL"]


def test_the_persons_servers_are_not_started_but_handed_on(live: Plan) -> None:
    assert [service.name for service in live.services] == ["migrate", "enclave", "supervisor", "web"]
    assert told(live)["web"]["AUTOSENDR_DATABASE_URL"] == "postgresql://theirs"
    assert told(live)["supervisor"]["AUTOSENDR_REDIS_URL"] == "redis://theirs"


def test_the_enclave_learns_no_database_and_has_a_state_folder_of_its_own(demo: Plan) -> None:
    variables = told(demo)
    assert not [name for name in variables["enclave"] if "DATABASE" in name or "REDIS" in name]
    assert variables["enclave"]["AUTOSENDR_STATE"] != variables["web"]["AUTOSENDR_STATE"]
    assert variables["web"]["AUTOSENDR_ENCLAVE_SOCKET"] == variables["enclave"]["AUTOSENDR_ENCLAVE_SOCKET"]


def test_only_a_demo_knows_the_simulator(demo: Plan) -> None:
    enclave = told(demo)["enclave"]
    assert enclave["SSL_CERT_FILE"] == "/ca.pem"
    assert enclave["AUTOSENDR_SIMULATOR_ROOT_KEY"] == "00"
    assert told(demo)["supervisor"]["AUTOSENDR_SIMULATOR"] == "127.0.0.1:1"


def test_a_live_run_knows_no_simulator(live: Plan) -> None:
    assert live.simulator is None
    assert not [name for variables in told(live).values() for name in variables if "SIMULATOR" in name]
    assert "SSL_CERT_FILE" not in told(live)["enclave"]


def test_live_stores_lie_in_a_private_folder_that_goes_at_the_end(live: Plan) -> None:
    folder = Path(told(live)["enclave"]["AUTOSENDR_TMPFS"])
    assert folder.stat().st_mode & 0o777 == 0o700
    live.close()
    assert not folder.exists()


def test_a_taken_port_is_refused_and_a_free_one_found(own_home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotStart, match="is taken; choose another with --port"):
            Plan(own_home, {}, demo=False, port=taken.getsockname()[1])


@pytest.mark.parametrize("port", ["eighty", "0", "70000"])
def test_a_port_that_is_none_is_refused(own_home: Home, port: str) -> None:
    with pytest.raises(CannotStart, match="AUTOSENDR_WEB_PORT"):
        Plan(own_home, {"AUTOSENDR_WEB_PORT": port}, demo=False, port=None)


def test_a_simulator_variable_in_a_live_run_is_not_handed_on(own_home: Home) -> None:
    environ = {"AUTOSENDR_SIMULATOR": "127.0.0.1:9", "AUTOSENDR_SIMULATOR_ROOT_KEY": "x", "PATH": os.defpath}
    with pytest.raises(CannotStart, match="AUTOSENDR_SIMULATOR"):
        Plan(own_home, environ, demo=False, port=0)


def test_the_supervisor_has_its_whole_drain_before_it_is_killed(demo: Plan) -> None:
    supervisor = next(service for service in demo.services if service.name == "supervisor")
    assert isinstance(supervisor, Program)
    assert supervisor.stop_s > TERM_DRAIN_S
