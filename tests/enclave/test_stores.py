"""Sealed session stores."""

import random

import msgspec
import pytest

from enclave.stores import SQLITE_BYTES_MAX, OpenedStore, StoreRefused, open_store, seal_store
from enclave.wire.answers import SealedStore
from enclave.wire.envelope import Code

A = "00000000-0000-4000-8000-000000000001"
B = "00000000-0000-4000-8000-000000000002"
KEY = bytes(range(32))
STORE = OpenedStore(b"SQLite format 3\0" + bytes(4000), 7)


def sealed() -> SealedStore:
    return seal_store(KEY, account=A, environment="local", version=9, clean=True, store=STORE)


def code_of(store: SealedStore, account: str = A, key: bytes = KEY, environment: str = "local") -> Code:
    with pytest.raises(StoreRefused) as refused:
        open_store(key, account=account, environment=environment, sealed=store)
    return refused.value.code


def test_a_store_comes_back_as_it_was_also_through_json() -> None:
    stored = msgspec.json.decode(msgspec.json.encode(sealed()), type=SealedStore)
    assert stored.version == 9
    assert len(stored.ciphertext) < 200
    assert open_store(KEY, account=A, environment="local", sealed=stored) == STORE


def test_every_field_is_bound() -> None:
    store, changed = sealed(), msgspec.structs.replace
    assert code_of(store, account=B) is Code.STORE_CORRUPT
    assert code_of(store, key=bytes(32)) is Code.STORE_CORRUPT
    assert code_of(store, environment="demo") is Code.STORE_CORRUPT
    assert code_of(changed(store, environment="demo"), environment="demo") is Code.STORE_CORRUPT
    assert code_of(changed(store, version=10)) is Code.STORE_CORRUPT
    assert code_of(changed(store, clean=False)) is Code.STORE_CORRUPT
    assert code_of(changed(store, v=2)) is Code.STORE_CORRUPT
    assert code_of(changed(store, key_version=2)) is Code.STORE_CORRUPT
    assert code_of(changed(store, nonce=bytes(12))) is Code.STORE_CORRUPT
    assert code_of(changed(store, ciphertext=store.ciphertext[:-1])) is Code.STORE_CORRUPT
    assert code_of(changed(store, ciphertext=b"")) is Code.STORE_CORRUPT


def test_two_seals_of_one_store_share_no_nonce() -> None:
    assert len({sealed().nonce for _ in range(200)}) == 200


def test_a_store_over_the_cap_is_refused_both_ways() -> None:
    noise = OpenedStore(random.Random(1).randbytes(9 * 1024 * 1024), 0)
    with pytest.raises(StoreRefused) as refused:
        seal_store(KEY, account=A, environment="local", version=1, clean=True, store=noise)
    assert refused.value.code is Code.STORE_TOO_LARGE
    large = msgspec.structs.replace(sealed(), ciphertext=noise.sqlite)
    assert code_of(large) is Code.STORE_TOO_LARGE


def test_a_store_that_unfolds_without_end_is_refused() -> None:
    bomb = OpenedStore(bytes(SQLITE_BYTES_MAX + 1), 0)
    store = seal_store(KEY, account=A, environment="local", version=1, clean=True, store=bomb)
    assert code_of(store) is Code.STORE_CORRUPT
