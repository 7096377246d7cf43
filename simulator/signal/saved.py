"""Sessions and sender keys as JSON-able dictionaries, keys in hex, for a world that survives restarts."""

from typing import Any

from simulator.curve import KeyPair
from simulator.signal.ratchet import Chain, Pending, Session
from simulator.signal.sender_keys import SenderKey

Json = dict[str, Any]


def session_to_dict(session: Session) -> Json:
    """A JSON-able image of the session."""
    pending = session.pending
    return {
        "local_identity": session.local_identity.hex(),
        "remote_identity": session.remote_identity.hex(),
        "base_key": session.base_key.hex(),
        "root": session.root.hex(),
        "ratchet": session.ratchet.private.hex(),
        "sending": _chain_to_list(session.sending),
        "receiving": [_chain_to_list(chain) for chain in session.receiving],
        "skipped": [[ratchet.hex(), counter, seed.hex()] for (ratchet, counter), seed in session.skipped.items()],
        "previous_counter": session.previous_counter,
        "pending": pending and [pending.prekey_id, pending.signed_prekey_id, pending.registration_id],
    }


def session_from_dict(saved: Json) -> Session:
    """Undo `session_to_dict`."""
    return Session(
        local_identity=bytes.fromhex(saved["local_identity"]),
        remote_identity=bytes.fromhex(saved["remote_identity"]),
        base_key=bytes.fromhex(saved["base_key"]),
        root=bytes.fromhex(saved["root"]),
        ratchet=KeyPair.from_private(bytes.fromhex(saved["ratchet"])),
        sending=_chain_from_list(saved["sending"]),
        receiving=[_chain_from_list(chain) for chain in saved["receiving"]],
        skipped={(bytes.fromhex(r), counter): bytes.fromhex(seed) for r, counter, seed in saved["skipped"]},
        previous_counter=saved["previous_counter"],
        pending=Pending(*saved["pending"]) if saved["pending"] else None,
    )


def sender_key_to_dict(key: SenderKey) -> Json:
    """A JSON-able image of the sender key; with the private signing key only for the owner's."""
    return {
        "key_id": key.key_id,
        "iteration": key.iteration,
        "chain_key": key.chain_key.hex(),
        "signing_public": key.signing_public.hex(),
        "signing": key.signing.private.hex() if key.signing else None,
        "skipped": [[iteration, seed.hex()] for iteration, seed in key.skipped.items()],
    }


def sender_key_from_dict(saved: Json) -> SenderKey:
    """Undo `sender_key_to_dict`."""
    return SenderKey(
        key_id=saved["key_id"],
        iteration=saved["iteration"],
        chain_key=bytes.fromhex(saved["chain_key"]),
        signing_public=bytes.fromhex(saved["signing_public"]),
        signing=KeyPair.from_private(bytes.fromhex(saved["signing"])) if saved["signing"] else None,
        skipped={iteration: bytes.fromhex(seed) for iteration, seed in saved["skipped"]},
    )


def _chain_to_list(chain: Chain) -> list[Any]:
    return [chain.ratchet.hex(), chain.key.hex(), chain.counter]


def _chain_from_list(saved: list[Any]) -> Chain:
    return Chain(bytes.fromhex(saved[0]), bytes.fromhex(saved[1]), saved[2])
