"""The Signal state of simulated phones: what it accepts, what it refuses, and that it never loses step."""

import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.signal import wire
from simulator.signal.errors import (
    BadKey,
    BadMac,
    BadPadding,
    BadSignature,
    Malformed,
    NoSession,
    OldCounter,
    SignalError,
    TooFarAhead,
    UnknownPrekey,
    UntrustedIdentity,
)
from simulator.signal.keys import Bundle, pad, unpad
from simulator.signal.party import Party
from simulator.signal.ratchet import COUNTER_JUMP_MAX, RECEIVING_CHAINS_MAX
from simulator.signal.sender_keys import SenderKey

ANN, BOB = "100.0", "200.3"


def parties() -> tuple[Party, Party]:
    return Party.new(os.urandom), Party.new(os.urandom)


def met() -> tuple[Party, Party]:
    """Two parties that have each decrypted a message of the other."""
    ann, bob = parties()
    bob.decrypt(ANN, *ann.encrypt(BOB, b"hello", bob.bundle()))
    ann.decrypt(BOB, *bob.encrypt(ANN, b"hello yourself"))
    return ann, bob


def restored(party: Party) -> Party:
    return Party.from_dict(json.loads(json.dumps(party.to_dict())), os.urandom)


def flipped(data: bytes, index: int) -> bytes:
    changed = bytearray(data)
    changed[index] ^= 1
    return bytes(changed)


def test_first_messages_carry_the_prekey_until_an_answer_comes() -> None:
    ann, bob = parties()
    first = ann.encrypt(BOB, b"one", bob.bundle())
    second = ann.encrypt(BOB, b"two")
    assert (first[0], second[0]) == ("pkmsg", "pkmsg")
    assert bob.decrypt(ANN, *second) == b"two"
    assert bob.decrypt(ANN, *first) == b"one"
    answer = bob.encrypt(ANN, b"three")
    assert answer[0] == "msg"
    assert ann.decrypt(BOB, *answer) == b"three"
    assert ann.encrypt(BOB, b"four")[0] == "msg"


def test_every_bundle_has_another_prekey_and_one_without_a_prekey_works() -> None:
    ann, bob = parties()
    first, second = bob.bundle(), bob.bundle()
    assert first.prekey_id != second.prekey_id
    assert first.prekey != second.prekey
    bare = Bundle(first.registration_id, first.identity, first.signed_prekey_id, first.signed_prekey, first.signature)
    assert bob.decrypt(ANN, *ann.encrypt(BOB, b"x", bare)) == b"x"


def test_a_prekey_opens_one_session_only() -> None:
    ann, bob = parties()
    eve = Party.new(os.urandom)
    bundle = bob.bundle()
    assert bob.decrypt(ANN, *ann.encrypt(BOB, b"mine", bundle)) == b"mine"
    with pytest.raises(UnknownPrekey):
        bob.decrypt("300.0", *eve.encrypt(BOB, b"mine too", bundle))


def test_a_prekey_that_was_never_handed_out_is_refused() -> None:
    ann, bob = parties()
    good = bob.bundle()
    made_up = Bundle(
        good.registration_id, good.identity, good.signed_prekey_id, good.signed_prekey, good.signature, 999, good.prekey
    )
    with pytest.raises(UnknownPrekey):
        bob.decrypt(ANN, *ann.encrypt(BOB, b"x", made_up))
    other = Bundle(good.registration_id, good.identity, 7, good.signed_prekey, good.signature)
    with pytest.raises(UnknownPrekey):
        bob.decrypt(ANN, *ann.encrypt(BOB, b"x", other))


def test_a_bundle_is_used_only_with_the_signature_of_its_identity() -> None:
    ann, bob = parties()
    good = bob.bundle()
    for signature in (flipped(good.signature, 0), flipped(good.signature, 40), good.signature[:-1], bytes(64)):
        forged = Bundle(good.registration_id, good.identity, 1, good.signed_prekey, signature)
        with pytest.raises(BadSignature):
            ann.encrypt(BOB, b"x", forged)
    with pytest.raises(BadKey):
        ann.encrypt(BOB, b"x", Bundle(1, good.identity, 1, good.signed_prekey[:-1], good.signature))
    assert not ann.has_session(BOB)


def test_a_prekey_of_small_order_is_refused() -> None:
    ann, bob = parties()
    good = bob.bundle()
    with pytest.raises(BadKey):
        ann.encrypt(
            BOB, b"x", Bundle(1, good.identity, 1, good.signed_prekey, good.signature, good.prekey_id, bytes(32))
        )


def test_a_repeated_message_is_an_old_counter() -> None:
    ann, bob = parties()
    first = ann.encrypt(BOB, b"one", bob.bundle())
    bob.decrypt(ANN, *first)
    with pytest.raises(OldCounter):
        bob.decrypt(ANN, *first)
    ann, bob = met()
    message = ann.encrypt(BOB, b"two")
    bob.decrypt(ANN, *message)
    with pytest.raises(OldCounter):
        bob.decrypt(ANN, *message)


def test_a_sender_restored_from_a_stale_copy_is_refused() -> None:
    ann, bob = met()
    stale = restored(ann)
    bob.decrypt(ANN, *ann.encrypt(BOB, b"sent and seen"))
    with pytest.raises(OldCounter):
        bob.decrypt(ANN, *stale.encrypt(BOB, b"same counter, other text"))
    assert bob.decrypt(ANN, *ann.encrypt(BOB, b"next")) == b"next"


def test_any_changed_byte_is_refused_and_changes_nothing() -> None:
    ann, bob = met()
    kind, message = ann.encrypt(BOB, b"genuine")
    for index in range(len(message)):
        before = json.dumps(bob.to_dict())
        with pytest.raises(SignalError):
            bob.decrypt(ANN, kind, flipped(message, index))
        assert json.dumps(bob.to_dict()) == before
    assert bob.decrypt(ANN, kind, message) == b"genuine"


def test_any_changed_byte_of_a_first_message_is_refused_and_costs_no_prekey() -> None:
    ann, bob = parties()
    kind, message = ann.encrypt(BOB, b"genuine", bob.bundle())
    refused = 0
    for index in range(len(message)):
        try:
            Party.from_dict(bob.to_dict(), os.urandom).decrypt(ANN, kind, flipped(message, index))
        except SignalError:
            refused += 1
    # The registration id is a hint outside the authenticated part: one varint of one or two bytes.
    assert len(message) - refused <= 2
    assert bob.decrypt(ANN, kind, message) == b"genuine"


def test_an_unpadded_message_is_refused_and_the_session_goes_on() -> None:
    ann, bob = met()
    session = ann._sessions[BOB][0]
    with pytest.raises(BadPadding):
        bob.decrypt(ANN, "msg", session.encrypt(b"no padding"))
    assert bob.decrypt(ANN, *ann.encrypt(BOB, b"padded")) == b"padded"


@pytest.mark.parametrize("padded", [b"", b"\x00", b"x\x10" * 20, b"x\x02", b"\x03\x03", b"text\x00"])
def test_wrong_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(BadPadding):
        unpad(padded)


@given(st.binary(max_size=80), st.binary(min_size=1, max_size=1))
def test_padding_comes_off_as_it_went_on(text: bytes, dice: bytes) -> None:
    padded = pad(text, lambda _: dice)
    assert 1 <= len(padded) - len(text) <= 15
    assert unpad(padded) == text


def test_sessions_used_alternately_lose_nothing() -> None:
    ann, bob = met()
    rng = random.Random(5)
    # Both begin anew at once, and old messages are still under way: now there are three sessions.
    late = [ann.encrypt(BOB, f"late {i}".encode()) for i in range(3)]
    from_ann = ann.encrypt(BOB, b"a", bob.bundle())
    from_bob = bob.encrypt(ANN, b"b", ann.bundle())
    assert ann.decrypt(BOB, *from_bob) == b"b"
    assert bob.decrypt(ANN, *from_ann) == b"a"
    rng.shuffle(late)
    assert sorted(bob.decrypt(ANN, *message) for message in late) == [b"late 0", b"late 1", b"late 2"]
    for i in range(12):
        sender, receiver, to, origin = (ann, bob, BOB, ANN) if rng.random() < 0.5 else (bob, ann, ANN, BOB)
        text = str(i).encode()
        assert receiver.decrypt(origin, *sender.encrypt(to, text)) == text


def test_a_message_far_ahead_is_refused() -> None:
    ann, bob = met()
    for _ in range(COUNTER_JUMP_MAX + 2):
        message = ann.encrypt(BOB, b"x")
    with pytest.raises(TooFarAhead):
        bob.decrypt(ANN, *message)


def test_chains_kept_for_late_messages_are_bounded() -> None:
    ann, bob = met()
    oldest = ann.encrypt(BOB, b"oldest")
    for _ in range(RECEIVING_CHAINS_MAX + 2):
        bob.decrypt(ANN, *ann.encrypt(BOB, b"ping"))
        ann.decrypt(BOB, *bob.encrypt(ANN, b"pong"))
    assert len(bob._sessions[ANN][0].receiving) <= RECEIVING_CHAINS_MAX
    with pytest.raises(BadMac):
        bob.decrypt(ANN, *oldest)


def test_a_first_message_under_another_identity_than_the_known_one_is_refused() -> None:
    ann, bob = parties()
    message = ann.encrypt(BOB, b"x", bob.bundle())
    with pytest.raises(UntrustedIdentity):
        bob.decrypt(ANN, *message, identity=bob.identity_public)
    assert bob.decrypt(ANN, *message, identity=ann.identity_public) == b"x"


def test_without_a_session_nothing_is_written_or_read() -> None:
    ann, bob = met()
    message = ann.encrypt(BOB, b"x")
    bob.drop_session(ANN)
    assert not bob.has_session(ANN)
    with pytest.raises(NoSession):
        bob.encrypt(ANN, b"x")
    with pytest.raises(NoSession):
        bob.decrypt(ANN, *message)
    # A new bundle heals it, as a retry receipt with keys does.
    assert bob.decrypt(ANN, *ann.encrypt(BOB, b"again", bob.bundle())) == b"again"


def test_a_stranger_cannot_write_in_anothers_session() -> None:
    ann, bob = met()
    eve = Party.new(os.urandom)
    eve.encrypt(BOB, b"x", bob.bundle())
    eve._sessions[BOB][0].pending = None
    with pytest.raises(BadMac):
        bob.decrypt(ANN, *eve.encrypt(BOB, b"I am Ann"))
    assert bob.decrypt(ANN, *ann.encrypt(BOB, b"I am")) == b"I am"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_two_parties_never_lose_step_under_drops_repeats_and_reordering(data: st.DataObject) -> None:
    ann, bob = parties()
    here = {"ann": (ann, BOB), "bob": (bob, ANN)}
    wires: dict[str, list[tuple[bytes, tuple[str, bytes]]]] = {"ann": [], "bob": []}
    seen: set[bytes] = set()
    actions = st.tuples(st.sampled_from(["send", "deliver", "drop", "repeat", "save"]), st.sampled_from(["ann", "bob"]))
    for count, (action, name) in enumerate(data.draw(st.lists(actions, max_size=30))):
        other = "bob" if name == "ann" else "ann"
        party, address = here[name]
        queue = wires[name]
        if action == "send":
            bundle = None if party.has_session(address) else here[other][0].bundle()
            text = f"{name} {count}".encode()
            queue.append((text, party.encrypt(address, text, bundle)))
        elif action == "save":
            here[name] = (restored(party), address)
        elif queue:
            index = data.draw(st.integers(0, len(queue) - 1))
            text, message = queue[index] if action == "repeat" else queue.pop(index)
            if action != "drop":
                receiver, origin = here[other]
                if text in seen:
                    with pytest.raises(SignalError):
                        receiver.decrypt(origin, *message)
                else:
                    assert receiver.decrypt(origin, *message) == text
                    seen.add(text)
    for name, other in (("ann", "bob"), ("bob", "ann")):
        party, address = here[name]
        receiver, origin = here[other]
        bundle = None if party.has_session(address) else receiver.bundle()
        assert receiver.decrypt(origin, *party.encrypt(address, b"last", bundle)) == b"last"


@given(st.binary(max_size=120))
def test_noise_is_refused_with_a_signal_error(noise: bytes) -> None:
    ann, bob = NOISE_PARTIES
    for data in (noise, b"\x33" + noise):
        for kind in ("msg", "pkmsg"):
            with pytest.raises(SignalError):
                bob.decrypt(ANN, kind, data)
        with pytest.raises(SignalError):
            bob.decrypt_group("g", ANN, data)
        with pytest.raises(SignalError):
            ann.take_sender_key("g", BOB, noise)


NOISE_PARTIES = met()


def test_an_unknown_type_is_refused() -> None:
    _, bob = met()
    with pytest.raises(Malformed):
        bob.decrypt(ANN, "frskmsg", b"\x33")


@given(st.dictionaries(st.integers(1, 200), st.one_of(st.integers(0, 2**32), st.binary(max_size=40)), max_size=6))
def test_protobuf_fields_come_back(fields: dict[int, int | bytes]) -> None:
    assert wire.decode(wire.encode(fields)) == fields


def group() -> tuple[Party, Party]:
    ann, bob = parties()
    bob.take_sender_key("g", ANN, ann.sender_key_distribution("g"))
    return ann, bob


def test_group_messages_are_read_in_any_order_once_each() -> None:
    ann, bob = group()
    messages = [ann.encrypt_group("g", f"{i}".encode()) for i in range(6)]
    for index in (3, 0, 5, 1, 2, 4):
        assert bob.decrypt_group("g", ANN, messages[index]) == f"{index}".encode()
    for message in messages:
        with pytest.raises(OldCounter):
            bob.decrypt_group("g", ANN, message)


def test_a_late_member_reads_only_what_comes_after_the_distribution() -> None:
    ann, bob = group()
    before = ann.encrypt_group("g", b"before")
    late = Party.new(os.urandom)
    late.take_sender_key("g", ANN, ann.sender_key_distribution("g"))
    after = ann.encrypt_group("g", b"after")
    with pytest.raises(OldCounter):
        late.decrypt_group("g", ANN, before)
    assert late.decrypt_group("g", ANN, after) == b"after"
    # Bob is told again, which must not cost him the earlier message.
    bob.take_sender_key("g", ANN, ann.sender_key_distribution("g"))
    assert bob.decrypt_group("g", ANN, after) == b"after"
    assert bob.decrypt_group("g", ANN, before) == b"before"


def test_group_messages_are_signed_by_their_sender() -> None:
    ann, bob = group()
    message = ann.encrypt_group("g", b"signed")
    before = json.dumps(bob.to_dict())
    for index in range(len(message)):
        with pytest.raises(SignalError):
            bob.decrypt_group("g", ANN, flipped(message, index))
    assert json.dumps(bob.to_dict()) == before
    # A member knows the chain key, but not the signing key.
    forger = Party.new(os.urandom)
    forged = SenderKey.from_distribution(ann.sender_key_distribution("g"))
    forged.signing = forger.identity
    with pytest.raises(BadSignature):
        bob.decrypt_group("g", ANN, forged.encrypt(b"not by Ann\x01", os.urandom))
    assert bob.decrypt_group("g", ANN, message) == b"signed"


def test_group_refusals_have_their_reasons() -> None:
    ann, bob = group()
    with pytest.raises(NoSession):
        bob.encrypt_group("g", b"not distributed yet")
    with pytest.raises(NoSession):
        bob.decrypt_group("other", ANN, ann.encrypt_group("g", b"x"))
    unpadded = ann._own_sender_keys["g"].encrypt(b"no padding", os.urandom)
    with pytest.raises(BadPadding):
        bob.decrypt_group("g", ANN, unpadded)
    ann._own_sender_keys["g"].iteration += 3000
    with pytest.raises(TooFarAhead):
        bob.decrypt_group("g", ANN, ann.encrypt_group("g", b"x"))
    ann.rotate_sender_key("g")
    ann.sender_key_distribution("g")
    with pytest.raises(NoSession):
        bob.decrypt_group("g", ANN, ann.encrypt_group("g", b"new key"))


def test_a_restored_party_goes_on_where_it_was() -> None:
    ann, bob = met()
    bob.take_sender_key("g", ANN, ann.sender_key_distribution("g"))
    skipped, late = ann.encrypt(BOB, b"skipped"), ann.encrypt_group("g", b"late")
    bob.decrypt(ANN, *ann.encrypt(BOB, b"x"))
    bob.decrypt_group("g", ANN, ann.encrypt_group("g", b"x"))
    open_bundle = bob.bundle()
    ann, bob = restored(ann), restored(bob)
    assert bob.decrypt(ANN, *skipped) == b"skipped"
    assert bob.decrypt_group("g", ANN, late) == b"late"
    assert bob.decrypt_group("g", ANN, ann.encrypt_group("g", b"next")) == b"next"
    assert bob.decrypt(ANN, *ann.encrypt(BOB, b"again", open_bundle)) == b"again"
    assert bob.bundle().prekey_id == (open_bundle.prekey_id or 0) + 1
