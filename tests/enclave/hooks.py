"""Called in session processes of tests once the Go library is loaded."""

import os
from pathlib import Path


def write_environment() -> None:
    """Write what a program that the session executes would get as its environment."""
    lines = [f"{name}={value}" for name, value in os.environ.items()]
    Path(os.environ["TEST_TARGET"]).write_text("\n".join(lines))


def trust_the_simulator() -> None:
    """Replace the Noise root key by that of the test's simulator."""
    from simulator.trust import replace_noise_root

    replace_noise_root(bytes.fromhex(os.environ["TEST_ROOT_KEY"]))
