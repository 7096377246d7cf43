"""Sealed bodies: vectors that the browser is held to as well, bindings, and what is refused."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclave.bodies import (
    BodyRefused,
    SealKey,
    check_binding,
    check_recipient,
    ingest,
    open_content_key,
    opened_text,
)
from enclave.sealer import Sealed, seal, seal_body
from enclave.wire.envelope import Code
from enclave.wire.limits import SEAL_VALID_S_MAX, TEXT_CHARS_MAX
from enclave.wire.sealing import BODY_LABEL, Binding, recipient_hash

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "vectors" / "seal.json").read_text())["vectors"]
ACCOUNT = "00000000-0000-4000-8000-000000000001"
JID = "491510000001@s.whatsapp.net"
NOW_S = 1_800_000_000
BINDING = Binding(
    environment="local",
    account=ACCOUNT,
    schedule="00000000-0000-4000-8000-0000000000aa",
    recipient_hash=recipient_hash(ACCOUNT, JID),
    not_after_s=NOW_S + 3600,
)
BODY_KEY = bytes(range(32))


def refusal(**changes: Any) -> Code:
    key = SealKey()
    sealed = seal(key.public_key, BINDING, "hello")
    arguments: dict[str, Any] = {
        "kid": key.kid,
        "envelope": sealed.envelope,
        "body": sealed.body,
        "binding": BINDING.encode(),
    }
    with pytest.raises(BodyRefused) as refused:
        ingest(key, BODY_KEY, **{**arguments, **changes})
    return refused.value.code


def code_of_body(plain: bytes) -> Code:
    key = SealKey()
    sealed = seal(key.public_key, BINDING, "x")
    body = bytes(12) + AESGCM(sealed.content_key).encrypt(bytes(12), plain, BODY_LABEL + BINDING.encode())
    with pytest.raises(BodyRefused) as refused:
        ingest(key, BODY_KEY, kid=key.kid, envelope=sealed.envelope, body=body, binding=BINDING.encode())
    return refused.value.code


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_shared_vectors_hold(vector: dict[str, Any]) -> None:
    fields = vector["binding"]
    binding = msgspec.convert(fields, Binding)
    assert recipient_hash(fields["account"], vector["jid"]) == fields["recipient_hash"]
    assert binding.encode().hex() == vector["binding_bytes"]
    content_key = bytes.fromhex(vector["content_key"])
    body = bytes.fromhex(vector["body"])
    assert seal_body(content_key, bytes.fromhex(vector["nonce"]), binding.encode(), vector["text"]) == body
    key = SealKey(ec.derive_private_key(int(vector["private_scalar"], 16), ec.SECP256R1()))
    assert key.public_key.hex() == vector["public_key"]
    assert key.kid == vector["kid"]
    assert key.open(bytes.fromhex(vector["envelope"]), binding.encode()) == content_key
    with opened_text(content_key, body, binding.encode()) as text:
        assert str(text, "utf-8") == vector["text"]


def test_what_the_browser_sealed_is_opened_to_be_sent_and_zeroed_after() -> None:
    key = SealKey()
    sealed = seal(key.public_key, BINDING, "grüße 👋")
    bound = check_binding(BINDING, environment="local", account=ACCOUNT, now_s=NOW_S)
    kept = ingest(key, BODY_KEY, kid=key.kid, envelope=sealed.envelope, body=sealed.body, binding=bound)
    assert sealed.content_key not in kept
    content_key = open_content_key(BODY_KEY, kept, bound)
    assert content_key == sealed.content_key
    with opened_text(content_key, sealed.body, bound) as text:
        assert bytes(text).decode() == "grüße 👋"
        plain = text.obj
    assert isinstance(plain, bytearray)
    assert plain == bytes(len(plain))


@pytest.mark.parametrize("field", ["environment", "account", "schedule", "recipient_hash", "not_after_s"])
def test_a_change_of_any_bound_field_makes_it_unreadable(field: str) -> None:
    value = getattr(BINDING, field)
    other = msgspec.structs.replace(BINDING, **{field: value + 1 if isinstance(value, int) else value + "0"}).encode()
    assert refusal(binding=other) is Code.MALFORMED
    key = SealKey()
    sealed = seal(key.public_key, BINDING, "hello")
    kept = ingest(key, BODY_KEY, kid=key.kid, envelope=sealed.envelope, body=sealed.body, binding=BINDING.encode())
    with pytest.raises(BodyRefused):
        open_content_key(BODY_KEY, kept, other)
    with pytest.raises(BodyRefused), opened_text(sealed.content_key, sealed.body, other):
        pass


def test_malformed_pieces_are_refused_by_code() -> None:
    sealed = Sealed(*(bytes(n) for n in (113, 60, 32)))
    assert refusal(kid="0" * 16) is Code.STALE_KEY
    assert refusal(envelope=sealed.envelope) is Code.MALFORMED
    assert refusal(envelope=b"") is Code.MALFORMED
    assert refusal(envelope=b"\4" + bytes(112)) is Code.MALFORMED
    assert refusal(body=sealed.body) is Code.MALFORMED
    assert refusal(body=b"") is Code.MALFORMED
    assert refusal(body=bytes(28)) is Code.MALFORMED
    assert refusal(body=bytes(60_000)) is Code.TEXT_TOO_LONG


@pytest.mark.parametrize(
    ("plain", "code"),
    [
        (b"", Code.MALFORMED),
        (b"\1", Code.EMPTY_TEXT),
        (b"\1 \r\n\t", Code.EMPTY_TEXT),
        (b"\2hello", Code.MALFORMED),
        (b"\1\xff", Code.MALFORMED),
        (b"\1\xc0\x80", Code.MALFORMED),
        (b"\1\xed\xa0\x80", Code.MALFORMED),
        (b"\1\xf4\x90\x80\x80", Code.MALFORMED),
        (b"\1ab\xe2\x82", Code.MALFORMED),
        (b"\1" + b"a" * (TEXT_CHARS_MAX + 1), Code.TEXT_TOO_LONG),
        (b"\1" + "ä".encode() * (TEXT_CHARS_MAX + 1), Code.TEXT_TOO_LONG),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused(plain: bytes, code: Code) -> None:
    assert code_of_body(plain) is code


@pytest.mark.parametrize("char", ["a", "ä", "€", "👋", "\ud7ff", "\ue000", "\U0010ffff"])
def test_the_longest_text_is_taken_whatever_it_is_made_of(char: str) -> None:
    key = SealKey()
    sealed = seal(key.public_key, BINDING, char * TEXT_CHARS_MAX)
    assert ingest(key, BODY_KEY, kid=key.kid, envelope=sealed.envelope, body=sealed.body, binding=BINDING.encode())


def test_a_binding_counts_here_and_now_only() -> None:
    def code(binding: Binding, account: str = ACCOUNT) -> Code:
        with pytest.raises(BodyRefused) as refused:
            check_binding(binding, environment="local", account=account, now_s=NOW_S)
        return refused.value.code

    changed = msgspec.structs.replace
    assert code(changed(BINDING, environment="demo")) is Code.MALFORMED
    assert code(BINDING, "00000000-0000-4000-8000-000000000002") is Code.MALFORMED
    assert code(changed(BINDING, schedule="a\nb")) is Code.MALFORMED
    assert code(changed(BINDING, not_after_s=NOW_S)) is Code.EXPIRED
    assert code(changed(BINDING, not_after_s=NOW_S + SEAL_VALID_S_MAX + 3600)) is Code.MALFORMED
    assert check_binding(BINDING, environment="local", account=ACCOUNT, now_s=NOW_S) == BINDING.encode()


def test_a_text_cannot_be_redirected() -> None:
    check_recipient(BINDING, JID)
    with pytest.raises(BodyRefused) as refused:
        check_recipient(BINDING, "491510000002@s.whatsapp.net")
    assert refused.value.code is Code.WRONG_RECIPIENT
