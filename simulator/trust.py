"""The client's side of the simulator's trust: another Noise root key in this process's copy of the client library.

Only the demo's enclave wrapper and the tests use this. It changes memory of the calling process, no file, and only
where the environment says that the run is a demo: a live run cannot come here by accident (docs/whatsapp.md §14).
"""

import ctypes
import os
from pathlib import Path

SERVICE_ROOT_KEY = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
SWITCH = "AUTOSENDR_SIMULATOR_TRUST"
SWITCH_ON = "replace-noise-root"
_MAPS = Path("/proc/self/maps")


class TrustError(RuntimeError):
    """The key was not replaced: not asked for, the library is not loaded, or the key is not there exactly once."""


def _writable_ranges(maps: str) -> list[tuple[int, int]]:
    ranges = []
    for line in maps.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) < 6 or not fields[1].startswith("rw"):
            continue
        name = fields[5].rsplit("/", 1)[-1]
        if name.startswith("neonize-") and name.endswith(".so"):
            start, end = fields[0].split("-")
            ranges.append((int(start, 16), int(end, 16)))
    return ranges


def replace_noise_root(root_key: bytes) -> None:
    """Make the loaded client library trust ``root_key`` (32 bytes) instead of the service's.

    Call it after the library is loaded and before a connection; once per process. TrustError unless the environment
    holds ``AUTOSENDR_SIMULATOR_TRUST=replace-noise-root`` and the service's key is found exactly once.
    """
    if os.environ.get(SWITCH) != SWITCH_ON:
        raise TrustError(f"{SWITCH} is not set to {SWITCH_ON}: the service's key stays")
    if len(root_key) != len(SERVICE_ROOT_KEY):
        raise TrustError("the root key must have 32 bytes")
    ranges = _writable_ranges(_MAPS.read_text())
    if not ranges:
        raise TrustError("the client library is not loaded in this process")
    hits = []
    for start, end in ranges:
        memory = ctypes.string_at(start, end - start)
        at = memory.find(SERVICE_ROOT_KEY)
        while at >= 0:
            hits.append(start + at)
            at = memory.find(SERVICE_ROOT_KEY, at + 1)
    if len(hits) != 1:
        raise TrustError(f"the service's key was found {len(hits)} times, expected once")
    ctypes.memmove(hits[0], root_key, len(root_key))
