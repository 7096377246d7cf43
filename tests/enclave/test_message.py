"""The hand-made protobuf bytes are what neonize's own classes read and write."""

import sys
from typing import Any

import pytest

from enclave.session import library
from enclave.session.message import encode_text

SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def message_class() -> Any:
    import importlib

    if "neonize" not in sys.modules:
        library.import_binding()
    return importlib.import_module("neonize.proto.waE2E.WAWebProtobufsE2E_pb2").Message


@pytest.mark.parametrize("text", ["hi", "naïve 🎉 text", "x" * 127, "y" * 128, "z" * 20_000])
def test_a_plain_text_is_a_conversation_with_the_secret(message_class: Any, text: str) -> None:
    message = message_class.FromString(bytes(encode_text(memoryview(text.encode()), SECRET, 0)))
    assert message.conversation == text
    assert message.messageContextInfo.messageSecret == SECRET
    assert not message.HasField("extendedTextMessage")
    assert message_class.FromString(message.SerializeToString()) == message


@pytest.mark.parametrize("expiration_s", [1, 86_400, 7_776_000])
def test_a_text_in_a_disappearing_chat_carries_its_timer(message_class: Any, expiration_s: int) -> None:
    message = message_class.FromString(bytes(encode_text(memoryview(b"gone soon"), SECRET, expiration_s)))
    assert message.extendedTextMessage.text == "gone soon"
    assert message.extendedTextMessage.contextInfo.expiration == expiration_s
    assert message.messageContextInfo.messageSecret == SECRET
    assert not message.HasField("conversation")
    assert message_class.FromString(message.SerializeToString()) == message
