"""Pairing by code, the phone's side, against a companion written out by hand."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import linkcode
from simulator.curve import KeyPair, shared_secret
from simulator.linkcode import BadCode


class Companion:
    """The client's side: shows a code, answers the phone's key with the bundle."""

    def __init__(self) -> None:
        self.identity, self.ephemeral = (KeyPair.from_private(os.urandom(32)) for _ in range(2))
        self.code = linkcode.make_code(os.urandom)
        self.hello = linkcode.wrap(self.code, self.ephemeral.public, os.urandom)
        self.secret = b""

    def finish(self, wrapped_primary: bytes, phone_identity: bytes) -> bytes:
        primary = linkcode.unwrap(self.code, wrapped_primary)
        ephemeral_shared = shared_secret(self.ephemeral.private, primary)
        random = os.urandom(32)
        identity_shared = shared_secret(self.identity.private, phone_identity)
        self.secret = linkcode.adv_secret(ephemeral_shared, identity_shared, random)
        return linkcode.seal_bundle(ephemeral_shared, self.identity.public + phone_identity + random, os.urandom)


PHONE = KeyPair.from_private(os.urandom(32))


def test_both_sides_derive_the_same_secret() -> None:
    companion = Companion()
    typed = f"{companion.code[:4]}-{companion.code[4:]}".lower()
    linking, wrapped = linkcode.answer(linkcode.read_code(typed), companion.hello, os.urandom)
    bundle = companion.finish(wrapped, PHONE.public)
    secret = linkcode.finish(linking, PHONE, companion.identity.public, bundle)
    assert secret == companion.secret
    assert len(secret) == 32


def test_a_wrong_code_opens_nothing() -> None:
    companion = Companion()
    wrong = companion.code[:-1] + ("1" if companion.code[-1] != "1" else "2")
    linking, wrapped = linkcode.answer(wrong, companion.hello, os.urandom)
    with pytest.raises(BadCode):
        linkcode.finish(linking, PHONE, companion.identity.public, companion.finish(wrapped, PHONE.public))


def test_a_bundle_for_other_identities_is_refused() -> None:
    companion, stranger = Companion(), KeyPair.from_private(os.urandom(32))
    linking, wrapped = linkcode.answer(companion.code, companion.hello, os.urandom)
    good = companion.finish(wrapped, PHONE.public)
    for phone, identity, bundle in (
        (PHONE, stranger.public, good),
        (stranger, companion.identity.public, good),
        (PHONE, companion.identity.public, companion.finish(wrapped, stranger.public)),
        (PHONE, companion.identity.public, b""),
        (PHONE, companion.identity.public, good[:-1]),
        (PHONE, bytes(32), good),
    ):
        with pytest.raises(BadCode):
            linkcode.finish(linking, phone, identity, bundle)


@pytest.mark.parametrize("typed", ["", "1234567", "123456789", "12345670", "ABCD-EFGI", "ÄBCDEFGH"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(BadCode):
        linkcode.read_code(typed)


@given(st.binary(min_size=5, max_size=5))
def test_every_code_that_is_made_can_be_typed(seed: bytes) -> None:
    code = linkcode.make_code(lambda _: seed)
    assert linkcode.read_code(f" {code[:4]}-{code[4:]}".lower()) == code


@settings(max_examples=5, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_a_key_comes_out_as_it_was_wrapped(key: bytes) -> None:
    assert linkcode.unwrap("ABCDEFGH", linkcode.wrap("ABCDEFGH", key, os.urandom)) == key
    with pytest.raises(BadCode):
        linkcode.unwrap("ABCDEFGH", key)
