import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.curve import KeyPair
from simulator.node import Malformed
from simulator.noise import Initiator, Responder, Session

PROLOGUE = b"WA\x06\x03"


def handshake(prologue: bytes = PROLOGUE) -> tuple[Session, Session, KeyPair, KeyPair]:
    server, client = KeyPair.new(), KeyPair.new()
    responder, initiator = Responder(server, b"certificate", PROLOGUE), Initiator(client, prologue)
    finish, there = initiator.finish(responder.hello(initiator.hello()), b"payload")
    return there, responder.finish(finish), client, server


def test_both_sides_agree_and_learn_each_others_key_and_payload() -> None:
    there, here, client, server = handshake()
    assert (here.peer_static, here.payload) == (client.public, b"payload")
    assert (there.peer_static, there.payload) == (server.public, b"certificate")
    for text in (b"one", b"", b"three"):
        assert here.receiving.decrypt(there.sending.encrypt(text)) == text
        assert there.receiving.decrypt(here.sending.encrypt(text)) == text


def test_a_repeated_frame_is_refused() -> None:
    there, here, _, _ = handshake()
    frame = there.sending.encrypt(b"once")
    here.receiving.decrypt(frame)
    with pytest.raises(Malformed):
        here.receiving.decrypt(frame)


def test_another_prologue_is_refused() -> None:
    with pytest.raises(Malformed):
        handshake(b"WA\x06\x02")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120))
def test_random_handshake_bytes_are_refused_never_a_crash(data: bytes) -> None:
    responder = Responder(KeyPair.new(), b"c", PROLOGUE)
    with pytest.raises(Malformed):
        responder.finish(data)
    try:
        responder.hello(data)
    except Malformed:
        return
