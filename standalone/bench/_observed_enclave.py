"""A demo's enclave whose session processes may be looked at, so that a bench can read their memory."""

import os

from enclave.broker import main
from simulator.trust import SWITCH, SWITCH_ON
from standalone.demo_enclave import ENVIRONMENT
from standalone.demo_trust import HOOK, ROOT_KEY

if __name__ == "__main__":
    trusted = {SWITCH: SWITCH_ON, ROOT_KEY: os.environ.pop(ROOT_KEY)}
    main(
        ENVIRONMENT,
        after_load=HOOK,
        ca_file=os.environ["SSL_CERT_FILE"],
        hook_environment=trusted,
        observed=True,
    )
