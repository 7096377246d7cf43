"""App state: an account's synced collections, as encrypted patches whose sum is a homomorphic hash (LTHash).

The phone's side: it makes patches, and follows those of its companions. Source: docs/whatsapp.md §19.
"""

import hashlib
import hmac
import json
import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError

from simulator.protobufs import action, sync
from simulator.signal.errors import Malformed
from simulator.signal.keys import cbc_decrypt, cbc_encrypt, derive, mac

MAC_BYTES = 32
IV_BYTES = 16
KEY_ID_BYTES = 6
LTHASH_BYTES = 128
_LTHASH = struct.Struct("<64H")
_SET = sync.SyncdMutation.SET
_REMOVE = sync.SyncdMutation.REMOVE


class AppStateError(Exception):
    """A patch that a phone would not take."""


class Conflict(AppStateError):
    """The patch was made against an older version: fetch `patches_since`, then try again (409)."""


class BadPatch(AppStateError):
    """A MAC of the patch does not verify, or it is no patch."""


@dataclass(frozen=True, slots=True)
class AppStateKey:
    """A sync key as the phone shares it: id of 6 bytes, data of 32."""

    id: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """What a collection holds under one index."""

    index: list[str]
    value: bytes
    action_version: int
    value_mac: bytes


@dataclass(frozen=True, slots=True)
class _Keys:
    index: bytes
    cipher: bytes
    value: bytes
    snapshot: bytes
    patch: bytes

    @classmethod
    def of(cls, key: AppStateKey) -> "_Keys":
        data = derive(key.data, b"WhatsApp Mutation Keys", 5 * MAC_BYTES)
        return cls(*(data[i : i + MAC_BYTES] for i in range(0, len(data), MAC_BYTES)))


@dataclass(slots=True)
class _State:
    """Version, hash and content, so that a patch is tried on a copy and kept only if its MACs verify."""

    version: int = 0
    lthash: bytes = bytes(LTHASH_BYTES)
    entries: dict[bytes, Entry] = field(default_factory=dict)

    def put(self, index_mac: bytes, entry: Entry | None) -> None:
        """Set the entry of an index, or remove it; the hash follows."""
        old = self.entries.pop(index_mac, None)
        if old is not None:
            self.lthash = _combine(self.lthash, old.value_mac, -1)
        if entry is not None:
            self.lthash = _combine(self.lthash, entry.value_mac, 1)
            self.entries[index_mac] = entry


class Collection:
    """One named collection of an account, e.g. `critical_block`. `random_bytes` gives the IVs."""

    def __init__(self, name: str, key: AppStateKey, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self.name = name
        self.key = key
        self._keys = _Keys.of(key)
        self._random_bytes = random_bytes
        self._state = _State()
        self._patches: list[bytes] = []

    @property
    def version(self) -> int:
        """Number of the last patch; 0 while the collection is empty."""
        return self._state.version

    def get(self, index: list[str]) -> action.SyncActionValue | None:
        """The value under an index, or None."""
        entry = self._state.entries.get(mac(self._keys.index, _index_bytes(index)))
        return None if entry is None else action.SyncActionValue.FromString(entry.value)

    def indexes(self) -> list[list[str]]:
        """All indexes that have a value, oldest first."""
        return [list(entry.index) for entry in self._state.entries.values()]

    def set(self, index: list[str], value: action.SyncActionValue, action_version: int, timestamp_ms: int) -> None:
        """One patch that sets one value."""
        self.set_many([(index, value, action_version)], timestamp_ms)

    def set_many(self, values: Iterable[tuple[list[str], action.SyncActionValue, int]], timestamp_ms: int) -> None:
        """One patch that sets several `(index, value, action version)`, each index once."""
        mutations = []
        for index, value, action_version in values:
            stamped = action.SyncActionValue()
            stamped.CopyFrom(value)
            stamped.timestamp = timestamp_ms
            mutations.append(self._mutation(_SET, index, stamped.SerializeToString(), action_version))
        self._commit(mutations)

    def remove(self, index: list[str]) -> None:
        """One patch that removes the value of an index. Raises KeyError if there is none."""
        entry = self._state.entries[mac(self._keys.index, _index_bytes(index))]
        self._commit([self._mutation(_REMOVE, index, entry.value, entry.action_version)])

    def patches_since(self, version: int) -> list[bytes]:
        """The serialized patches after `version`, oldest first."""
        return self._patches[version:]

    def apply_client_patch(self, patch: bytes, base_version: int) -> None:
        """Take a companion's patch made against `base_version` (the collection's `version` attribute).

        Raises Conflict on a stale version, BadPatch if anything in it does not verify; the state then is as before."""
        if base_version != self.version:
            raise Conflict(f"the patch is for version {base_version}, the collection is at {self.version}")
        try:
            parsed = sync.SyncdPatch.FromString(patch)
            state = self._followed(parsed.mutations, verify=True)
        except (DecodeError, Malformed, ValueError) as error:
            raise BadPatch("not a patch") from error
        if self.key.id != parsed.keyID.ID:
            raise BadPatch("the patch is under an unknown key")
        snapshot = self._snapshot_mac(state)
        if not hmac.compare_digest(snapshot, parsed.snapshotMAC):
            raise BadPatch("the hash of the collection does not follow")
        if not hmac.compare_digest(self._patch_mac(snapshot, parsed.mutations, state.version), parsed.patchMAC):
            raise BadPatch("the patch MAC does not verify")
        # The service numbers the patches; the maker's copy has no number.
        parsed.version.version = state.version
        self._state = state
        self._patches.append(parsed.SerializeToString())

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able image, key included."""
        return {
            "name": self.name,
            "key": [self.key.id.hex(), self.key.data.hex()],
            "patches": [patch.hex() for patch in self._patches],
        }

    @classmethod
    def from_dict(cls, image: dict[str, Any], random_bytes: Callable[[int], bytes] = os.urandom) -> "Collection":
        """Undo `to_dict`: the patches are followed again from the first, which also checks them."""
        key_id, data = (bytes.fromhex(part) for part in image["key"])
        collection = cls(image["name"], AppStateKey(key_id, data), random_bytes)
        for patch in image["patches"]:
            collection.apply_client_patch(bytes.fromhex(patch), collection.version)
        return collection

    def _mutation(
        self, operation: "sync.SyncdMutation.SyncdOperation", index: list[str], value: bytes, action_version: int
    ) -> sync.SyncdMutation:
        index_bytes = _index_bytes(index)
        plain = action.SyncActionData(index=index_bytes, padding=b"", version=action_version)
        plain.value.ParseFromString(value)
        iv = self._random_bytes(IV_BYTES)
        content = iv + cbc_encrypt(self._keys.cipher, iv, plain.SerializeToString())
        mutation = sync.SyncdMutation(operation=operation)
        mutation.record.index.blob = mac(self._keys.index, index_bytes)
        mutation.record.value.blob = content + self._value_mac(operation == _REMOVE, content)
        mutation.record.keyID.ID = self.key.id
        return mutation

    def _commit(self, mutations: list[sync.SyncdMutation]) -> None:
        state = self._followed(mutations, verify=False)
        patch = sync.SyncdPatch(mutations=mutations, snapshotMAC=self._snapshot_mac(state))
        patch.version.version = state.version
        patch.patchMAC = self._patch_mac(patch.snapshotMAC, mutations, state.version)
        patch.keyID.ID = self.key.id
        self._state = state
        self._patches.append(patch.SerializeToString())

    def _followed(self, mutations: Iterable[sync.SyncdMutation], verify: bool) -> _State:
        """The state after the mutations. Raises BadPatch, Malformed, DecodeError or ValueError on a wrong one."""
        state = _State(self._state.version + 1, self._state.lthash, dict(self._state.entries))
        for mutation in mutations:
            blob = mutation.record.value.blob
            content, value_mac = blob[:-MAC_BYTES], blob[-MAC_BYTES:]
            if mutation.operation not in (_SET, _REMOVE) or self.key.id != mutation.record.keyID.ID:
                raise BadPatch("a mutation has an unknown operation or key")
            # MAC first: the cipher is CBC, and its padding error must say nothing about unauthenticated bytes.
            if verify and not hmac.compare_digest(self._value_mac(mutation.operation == _REMOVE, content), value_mac):
                raise BadPatch("a value MAC does not verify")
            data = action.SyncActionData.FromString(
                cbc_decrypt(self._keys.cipher, content[:IV_BYTES], content[IV_BYTES:])
            )
            index_mac = mutation.record.index.blob
            if not hmac.compare_digest(mac(self._keys.index, data.index), index_mac):
                raise BadPatch("an index MAC does not verify")
            index = json.loads(data.index)
            if not isinstance(index, list) or not all(isinstance(part, str) for part in index):
                raise BadPatch("an index is not a list of strings")
            entry = Entry(index, data.value.SerializeToString(), data.version, value_mac)
            state.put(index_mac, entry if mutation.operation == _SET else None)
        return state

    def _value_mac(self, removes: bool, content: bytes) -> bytes:
        length = struct.pack(">Q", KEY_ID_BYTES + 1)
        text = (b"\x02" if removes else b"\x01") + self.key.id + content + length
        return hmac.new(self._keys.value, text, hashlib.sha512).digest()[:MAC_BYTES]

    def _snapshot_mac(self, state: _State) -> bytes:
        return mac(self._keys.snapshot, state.lthash + struct.pack(">Q", state.version) + self.name.encode())

    def _patch_mac(self, snapshot: bytes, mutations: Iterable[sync.SyncdMutation], version: int) -> bytes:
        value_macs = b"".join(mutation.record.value.blob[-MAC_BYTES:] for mutation in mutations)
        return mac(self._keys.patch, snapshot + value_macs + struct.pack(">Q", version) + self.name.encode())


def _index_bytes(index: list[str]) -> bytes:
    return json.dumps(index, separators=(",", ":"), ensure_ascii=False).encode()


def _combine(lthash: bytes, value_mac: bytes, sign: int) -> bytes:
    """Add or subtract one value MAC, spread to 64 words, modulo 2^16 each."""
    spread = _LTHASH.unpack(derive(value_mac, b"WhatsApp Patch Integrity", LTHASH_BYTES))
    words = zip(_LTHASH.unpack(lthash), spread, strict=True)
    return _LTHASH.pack(*((word + sign * other) & 0xFFFF for word, other in words))
