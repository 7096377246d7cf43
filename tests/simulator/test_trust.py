"""The one place where a client is made to trust the simulator, and what keeps it away from live runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import trust
from tests.simulator.real_client import DRIVER, ROOT

NO_LIBRARY = "from simulator import trust; trust.replace_noise_root(bytes(32))"
LIBRARY = "import neonize; from simulator import trust; trust.replace_noise_root(bytes(32)); "


def run(code: str, switch: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), trust.SWITCH: switch}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_key_stays_unless_the_run_says_that_it_is_a_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(trust.SWITCH, raising=False)
    with pytest.raises(trust.TrustError, match="stays"):
        trust.replace_noise_root(bytes(32))
    assert "TrustError" in run(LIBRARY, "1").stderr


def test_without_the_library_there_is_nothing_to_replace() -> None:
    assert "not loaded" in run(NO_LIBRARY, trust.SWITCH_ON).stderr


def test_the_services_key_is_found_exactly_once_and_replaced() -> None:
    replaced = run(LIBRARY + "print('done')", trust.SWITCH_ON)
    assert replaced.stdout.endswith("done\n"), replaced.stderr
    again = run(LIBRARY + "trust.replace_noise_root(bytes(32))", trust.SWITCH_ON)
    assert "found 0 times" in again.stderr


@pytest.mark.parametrize("proxy", ["http://192.0.2.1:8080", "", "http://localhost.example.com:80"])
def test_the_driver_refuses_any_proxy_that_is_not_loopback(proxy: str, tmp_path: Path) -> None:
    config = {"proxy": proxy, "root_key": "", "store": str(tmp_path / "store")}
    ended = subprocess.run(
        [sys.executable, str(DRIVER), json.dumps(config)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr.strip()) == (1, "the proxy must be on loopback")
