"""One device's whole Signal state: identity, prekeys, sessions by address, sender keys by group.

Addresses are strings `"user.device"`. Texts are without WhatsApp's padding; it is put on and checked here.
Source: docs/whatsapp.md §20; sender keys as the client's libsignal has them.
"""

from typing import Any

from simulator.curve import KeyPair
from simulator.signal import ratchet, saved, sender_keys, wire, x3dh
from simulator.signal.errors import (
    BadMac,
    Malformed,
    NoSession,
    OldCounter,
    SignalError,
    UnknownPrekey,
    UntrustedIdentity,
)
from simulator.signal.keys import Bundle, RandomBytes, new_pair, pad, sign, unpad, with_prefix, without_prefix
from simulator.signal.ratchet import Chain, Pending, Session
from simulator.signal.sender_keys import SenderKey

__all__ = ["Bundle", "Party", "SignalError"]

SESSIONS_MAX = 10
PREKEYS_OPEN_MAX = 2000
_REGISTRATION_ID_MAX = 0x3FFF
_SIGNED_PREKEY_ID = 1


class Party:
    """A device that others write to. Not safe for use from several threads."""

    def __init__(
        self, random_bytes: RandomBytes, identity: KeyPair, signed_prekey: KeyPair, registration_id: int
    ) -> None:
        self._random_bytes = random_bytes
        self.identity = identity
        self.signed_prekey = signed_prekey
        self.registration_id = registration_id
        self._prekeys: dict[int, KeyPair] = {}
        self._next_prekey_id = 1
        self._sessions: dict[str, list[Session]] = {}
        self._own_sender_keys: dict[str, SenderKey] = {}
        self._sender_keys: dict[tuple[str, str], list[SenderKey]] = {}

    @classmethod
    def new(cls, random_bytes: RandomBytes) -> "Party":
        """A fresh device. `random_bytes(n)` gives n bytes; a seeded source makes a reproducible device."""
        registration_id = int.from_bytes(random_bytes(2), "big") % _REGISTRATION_ID_MAX + 1
        return cls(random_bytes, new_pair(random_bytes), new_pair(random_bytes), registration_id)

    @property
    def identity_public(self) -> bytes:
        """The 32 raw bytes of the identity key."""
        return self.identity.public

    def bundle(self) -> Bundle:
        """Keys for one writer: every call hands out another one-time prekey, which opens one session only."""
        prekey = new_pair(self._random_bytes)
        prekey_id = self._next_prekey_id
        self._next_prekey_id += 1
        if len(self._prekeys) >= PREKEYS_OPEN_MAX:
            del self._prekeys[next(iter(self._prekeys))]
        self._prekeys[prekey_id] = prekey
        return Bundle(
            registration_id=self.registration_id,
            identity=self.identity.public,
            signed_prekey_id=_SIGNED_PREKEY_ID,
            signed_prekey=self.signed_prekey.public,
            signature=sign(self.identity, with_prefix(self.signed_prekey.public), self._random_bytes),
            prekey_id=prekey_id,
            prekey=prekey.public,
        )

    def has_session(self, address: str) -> bool:
        """Whether `encrypt` needs no bundle for this address."""
        return bool(self._sessions.get(address))

    def drop_session(self, address: str) -> None:
        """Forget all sessions with the address, as after a reinstallation."""
        self._sessions.pop(address, None)

    def encrypt(self, address: str, plaintext: bytes, bundle: Bundle | None = None) -> tuple[str, bytes]:
        """`("pkmsg" or "msg", ciphertext)` for one device.

        A bundle always starts a new session; without one the newest session is used.
        Raises NoSession, BadSignature, BadKey."""
        if bundle is not None:
            self._keep(address, self._start(bundle))
        if not self.has_session(address):
            raise NoSession("no session with this address")
        session = self._sessions[address][0]
        message = session.encrypt(pad(plaintext, self._random_bytes))
        pending = session.pending
        if pending is None:
            return "msg", message
        fields: wire.Fields = {} if pending.prekey_id is None else {1: pending.prekey_id}
        fields |= {
            2: with_prefix(session.base_key),
            3: with_prefix(self.identity.public),
            4: message,
            5: pending.registration_id,
            6: pending.signed_prekey_id,
        }
        return "pkmsg", ratchet.VERSION + wire.encode(fields)

    def decrypt(self, address: str, type: str, ciphertext: bytes, identity: bytes | None = None) -> bytes:
        """The text of a `pkmsg` or `msg` from the address; `identity` is the sender's key, where known (32 bytes).

        Raises a SignalError; the state then is as before, except for BadPadding: that message was authentic, its key
        is used."""
        if type == "pkmsg":
            padded = self._decrypt_first(address, ciphertext, identity)
        elif type == "msg":
            padded = self._try_sessions(address, ciphertext)
        else:
            raise Malformed("a message is of type pkmsg or msg")
        return unpad(padded)

    def sender_key_distribution(self, group: str) -> bytes:
        """The message that lets a member read this device's later messages to the group."""
        if group not in self._own_sender_keys:
            self._own_sender_keys[group] = SenderKey.new(self._random_bytes)
        return self._own_sender_keys[group].distribution()

    def rotate_sender_key(self, group: str) -> None:
        """Start over with a new sender key: a member who left keeps the old one. Distribute it anew."""
        self._own_sender_keys.pop(group, None)

    def take_sender_key(self, group: str, sender: str, skdm: bytes) -> None:
        """Learn the sender key of a member's device (an address). Raises Malformed, BadKey."""
        key = SenderKey.from_distribution(skdm)
        known = self._sender_keys.get((group, sender), [])
        if any(old.key_id == key.key_id and old.signing_public == key.signing_public for old in known):
            return  # Told again; the chain that we follow is further on and holds the skipped keys.
        others = [old for old in known if old.key_id != key.key_id]
        self._sender_keys[group, sender] = [key, *others][: sender_keys.STATES_MAX]

    def encrypt_group(self, group: str, plaintext: bytes) -> bytes:
        """The `skmsg` of a text to the group. Raises NoSession before the first distribution."""
        if group not in self._own_sender_keys:
            raise NoSession("no sender key was distributed in this group")
        return self._own_sender_keys[group].encrypt(pad(plaintext, self._random_bytes), self._random_bytes)

    def decrypt_group(self, group: str, sender: str, ciphertext: bytes) -> bytes:
        """The text of a member's `skmsg`. Raises a SignalError, as `decrypt`."""
        key_id, _, _ = sender_keys.parse(ciphertext)
        states = self._sender_keys.get((group, sender), [])
        for index, state in enumerate(states):
            if state.key_id == key_id:
                trial = state.copy()
                padded = trial.decrypt(ciphertext)
                states[index] = trial
                return unpad(padded)
        raise NoSession("no sender key of this member with this id")

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able image, private keys included."""
        return {
            "identity": self.identity.private.hex(),
            "signed_prekey": self.signed_prekey.private.hex(),
            "registration_id": self.registration_id,
            "next_prekey_id": self._next_prekey_id,
            "prekeys": [[prekey_id, pair.private.hex()] for prekey_id, pair in self._prekeys.items()],
            "sessions": {a: [saved.session_to_dict(s) for s in found] for a, found in self._sessions.items()},
            "own_sender_keys": {g: saved.sender_key_to_dict(key) for g, key in self._own_sender_keys.items()},
            "sender_keys": [
                [group, sender, [saved.sender_key_to_dict(key) for key in keys]]
                for (group, sender), keys in self._sender_keys.items()
            ],
        }

    @classmethod
    def from_dict(cls, image: dict[str, Any], random_bytes: RandomBytes) -> "Party":
        """Undo `to_dict`."""
        identity, signed_prekey = (KeyPair.from_private(bytes.fromhex(image[k])) for k in ("identity", "signed_prekey"))
        party = cls(random_bytes, identity, signed_prekey, image["registration_id"])
        party._next_prekey_id = image["next_prekey_id"]
        party._prekeys = {i: KeyPair.from_private(bytes.fromhex(private)) for i, private in image["prekeys"]}
        party._sessions = {a: [saved.session_from_dict(s) for s in found] for a, found in image["sessions"].items()}
        party._own_sender_keys = {g: saved.sender_key_from_dict(k) for g, k in image["own_sender_keys"].items()}
        party._sender_keys = {
            (group, sender): [saved.sender_key_from_dict(key) for key in keys]
            for group, sender, keys in image["sender_keys"]
        }
        return party

    def _start(self, bundle: Bundle) -> Session:
        """A session as its initiator: X3DH, then one turn with a fresh ratchet key for sending."""
        bundle.verify()
        base = new_pair(self._random_bytes)
        root, receiving = x3dh.send(self.identity, base, bundle)
        own = new_pair(self._random_bytes)
        root, sending = ratchet.turn_root(root, own, bundle.signed_prekey)
        return Session(
            local_identity=self.identity.public,
            remote_identity=bundle.identity,
            base_key=base.public,
            root=root,
            ratchet=own,
            sending=Chain(own.public, sending),
            receiving=[Chain(bundle.signed_prekey, receiving)],
            pending=Pending(bundle.prekey_id, bundle.signed_prekey_id, self.registration_id),
        )

    def _decrypt_first(self, address: str, ciphertext: bytes, known: bytes | None) -> bytes:
        if ciphertext[:1] != ratchet.VERSION:
            raise Malformed("not a prekey message of version 3")
        fields = wire.decode(ciphertext[1:])
        base_key, identity = without_prefix(wire.blob(fields, 2)), without_prefix(wire.blob(fields, 3))
        if known is not None and identity != known:
            raise UntrustedIdentity("the message names another identity key")
        message = wire.blob(fields, 4)
        # A repeated base key is a session that we have already answered to; its prekey is gone, rightly.
        for session in self._sessions.get(address, []):
            if session.base_key == base_key and session.remote_identity == identity:
                return self._try(address, session, message)
        if wire.number(fields, 6) != _SIGNED_PREKEY_ID:
            raise UnknownPrekey("the signed prekey is not ours")
        prekey_id = wire.number(fields, 1) if 1 in fields else None
        prekey = None
        if prekey_id is not None:
            prekey = self._prekeys.get(prekey_id)
            if prekey is None:
                raise UnknownPrekey("the one-time prekey was used before, or is not ours")
        root, sending = x3dh.receive(self.identity, self.signed_prekey, prekey, identity, base_key)
        session = Session(
            local_identity=self.identity.public,
            remote_identity=identity,
            base_key=base_key,
            root=root,
            ratchet=self.signed_prekey,
            sending=Chain(self.signed_prekey.public, sending),
        )
        padded = session.decrypt(message, self._random_bytes)
        self._keep(address, session)
        if prekey_id is not None:
            del self._prekeys[prekey_id]
        return padded

    def _try_sessions(self, address: str, ciphertext: bytes) -> bytes:
        sessions = self._sessions.get(address, [])
        if not sessions:
            raise NoSession("no session with this address")
        key, _, _ = ratchet.parse(ciphertext)
        # Only a session that knows the ratchet key can tell a used counter; any other would blame the MAC.
        for session in sorted(sessions, key=lambda session: not session.knows(key)):
            try:
                return self._try(address, session, ciphertext)
            except OldCounter:
                raise
            except BadMac:
                continue
        raise BadMac("no session of this address authenticates the message")

    def _try(self, address: str, session: Session, ciphertext: bytes) -> bytes:
        """Decrypt on a copy; on success the copy takes the session's place, in front."""
        trial = session.copy()
        padded = trial.decrypt(ciphertext, self._random_bytes)
        self._sessions[address] = [trial, *(other for other in self._sessions[address] if other is not session)]
        return padded

    def _keep(self, address: str, session: Session) -> None:
        self._sessions[address] = [session, *self._sessions.get(address, [])][:SESSIONS_MAX]
