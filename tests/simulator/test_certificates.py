import time
from pathlib import Path

from simulator.certificates import DAY_S, open_trust


def test_trust_outlives_a_restart_and_its_keys_are_private(tmp_path: Path) -> None:
    first, second = open_trust(tmp_path / "trust"), open_trust(tmp_path / "trust")
    assert (first.root_key, first.static) == (second.root_key, second.static)
    for name in ("server.pem", "noise-root.key", "noise-static.key"):
        assert (tmp_path / "trust" / name).stat().st_mode & 0o077 == 0


def test_certificates_that_end_soon_are_renewed(tmp_path: Path) -> None:
    now_s = time.time()
    old = open_trust(tmp_path, now_s).ca_file.read_bytes()
    assert open_trust(tmp_path, now_s + 300 * DAY_S).ca_file.read_bytes() == old
    assert open_trust(tmp_path, now_s + 340 * DAY_S).ca_file.read_bytes() != old
