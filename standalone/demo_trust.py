"""What a demo's session processes do once the WhatsApp library is loaded: trust the simulator's Noise root.

Imported by the zygote, so it imports nothing heavy. The live run's enclave never names this module.
"""

import os

from simulator.trust import replace_noise_root

ROOT_KEY = "AUTOSENDR_SIMULATOR_ROOT_KEY"
HOOK = f"{__name__}:trust_simulator"


def trust_simulator() -> None:
    """Replace the service's root key by the one in AUTOSENDR_SIMULATOR_ROOT_KEY (hex). Raises TrustError, KeyError."""
    replace_noise_root(bytes.fromhex(os.environ[ROOT_KEY]))
