"""Encrypted media: what was uploaded comes back, anything else is refused."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.media import BadMedia, Kind, Sealed, decrypt, encrypt


def opened(sealed: Sealed, kind: Kind, **changed: object) -> bytes:
    parts = {name: getattr(sealed, name) for name in Sealed.__slots__}
    parts |= changed
    return decrypt(
        parts["blob"],
        parts["media_key"],
        kind,
        parts["file_sha256"],
        parts["file_enc_sha256"],
        parts["file_length"],
    )


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from(list(Kind)))
def test_a_file_comes_back(plaintext: bytes, kind: Kind) -> None:
    assert opened(encrypt(plaintext, kind, os.urandom), kind) == plaintext


def test_every_difference_from_the_announcement_is_refused() -> None:
    sealed = encrypt(b"picture" * 9, Kind.IMAGE, os.urandom)
    other = encrypt(b"picture" * 9, Kind.IMAGE, os.urandom)
    changes: list[dict[str, object]] = [
        {"blob": other.blob},
        {"blob": other.blob, "file_enc_sha256": other.file_enc_sha256},
        {"media_key": other.media_key},
        {"media_key": b"short"},
        {"file_sha256": bytes(32)},
        {"file_enc_sha256": bytes(32)},
        {"file_length": 1},
    ]
    for change in changes:
        with pytest.raises(BadMedia):
            opened(sealed, Kind.IMAGE, **change)
    with pytest.raises(BadMedia):
        opened(sealed, Kind.VIDEO)
    with pytest.raises(BadMedia):
        decrypt(b"", sealed.media_key, Kind.IMAGE, bytes(32), bytes(32), 0)
