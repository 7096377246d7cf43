"""Account keys and the local provider's file."""

import os
from pathlib import Path

import pytest

from enclave.keys import KEY_FILE_NAME, KeyFileUnsafe, LocalKeyProvider, WrongKey, derive, open_local_provider

A = "00000000-0000-4000-8000-000000000001"
B = "00000000-0000-4000-8000-000000000002"


def test_a_wrapped_key_opens_for_its_account_only_and_only_here() -> None:
    provider = LocalKeyProvider(bytes(32))
    key, wrapped = provider.new_key(A)
    assert len(key) == 32
    assert key not in wrapped
    assert provider.open_key(A, wrapped) == key
    for other, account, blob in (
        (provider, B, wrapped),
        (LocalKeyProvider(b"\1" * 32), A, wrapped),
        (provider, A, wrapped[:-1]),
        (provider, A, b"\2" + wrapped[1:]),
        (provider, A, b""),
    ):
        with pytest.raises(WrongKey):
            other.open_key(account, blob)


def test_any_changed_byte_of_a_wrapped_key_is_noticed() -> None:
    provider = LocalKeyProvider(bytes(32))
    _, wrapped = provider.new_key(A)
    for at in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[at] ^= 1
        with pytest.raises(WrongKey):
            provider.open_key(A, bytes(changed))


def test_derived_keys_differ_by_use_and_account() -> None:
    keys = [*derive(A, bytes(32)), *derive(B, bytes(32)), *derive(A, b"\1" * 32)]
    assert len(set(keys)) == 6
    assert derive(A, bytes(32)) == derive(A, bytes(32))


def test_the_key_file_is_made_once_private_and_alone(tmp_path: Path) -> None:
    first = open_local_provider(tmp_path)
    _, wrapped = first.new_key(A)
    assert open_local_provider(tmp_path).open_key(A, wrapped) == first.open_key(A, wrapped)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE_NAME]
    assert (tmp_path / KEY_FILE_NAME).stat().st_mode & 0o7777 == 0o600


def test_an_unsafe_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE_NAME
    open_local_provider(tmp_path)
    path.chmod(0o640)
    with pytest.raises(KeyFileUnsafe):
        open_local_provider(tmp_path)
    path.chmod(0o600)
    path.write_bytes(bytes(31))
    with pytest.raises(KeyFileUnsafe):
        open_local_provider(tmp_path)
    moved = tmp_path / "elsewhere"
    path.rename(moved)
    path.symlink_to(moved)
    with pytest.raises(KeyFileUnsafe):
        open_local_provider(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_key_file_of_another_user_is_refused(tmp_path: Path) -> None:
    open_local_provider(tmp_path)
    os.chown(tmp_path / KEY_FILE_NAME, 65534, 65534)
    with pytest.raises(KeyFileUnsafe):
        open_local_provider(tmp_path)
