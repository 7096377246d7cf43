"""A demo's enclave: the same program, told to trust the simulator. The live run's has no switch for that.

AUTOSENDR_SIMULATOR_ROOT_KEY and SSL_CERT_FILE say whom to trust.
"""

import os

from enclave.broker import main
from simulator.trust import SWITCH, SWITCH_ON
from standalone.demo_trust import HOOK, ROOT_KEY

ENVIRONMENT = "demo"


def run(*, observed: bool = False) -> None:
    """Run the demo's enclave until TERM. `observed`: see `enclave.broker.main`; for benches."""
    trusted = {SWITCH: SWITCH_ON, ROOT_KEY: os.environ.pop(ROOT_KEY)}
    main(
        ENVIRONMENT,
        after_load=HOOK,
        ca_file=os.environ["SSL_CERT_FILE"],
        hook_environment=trusted,
        observed=observed,
    )


if __name__ == "__main__":
    run()
