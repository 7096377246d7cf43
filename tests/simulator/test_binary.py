import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import binary, dictionary
from simulator.node import INTEROP, LID, MESSENGER, PN, Jid, Malformed, Node

WORDS = dictionary.installed()
CASES = settings(max_examples=10_000, deadline=None)

texts = st.one_of(
    st.sampled_from(sorted(WORDS.codes)),
    st.text("0123456789-.", min_size=1, max_size=130),
    st.text("0123456789ABCDEF", min_size=1, max_size=130),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
users = st.text("0123456789", max_size=15)
addresses = st.one_of(
    st.builds(Jid, users, st.sampled_from([PN, LID, "hosted", "hosted.lid"]), st.integers(0, 255)),
    st.builds(Jid, users, st.sampled_from(["g.us", "broadcast", "newsletter"])),
    st.builds(Jid, users, st.just(MESSENGER), st.integers(0, 65535)),
    st.builds(Jid, users, st.just(INTEROP), st.integers(0, 65535), st.integers(0, 65535)),
)
attributes = st.dictionaries(texts, st.one_of(texts, addresses), max_size=4)
leaves = st.builds(Node, texts, attributes, st.one_of(st.none(), st.binary(max_size=300)))
nodes = st.recursive(
    leaves,
    lambda inner: st.builds(Node, texts, attributes, st.lists(inner, min_size=1, max_size=4).map(tuple)),
    max_leaves=6,
)


@settings(CASES, max_examples=600)
@given(nodes)
def test_a_node_survives_the_wire(node: Node) -> None:
    assert binary.decode(binary.encode(node)) == node


@CASES
@given(st.binary(max_size=80))
def test_random_bytes_are_refused_or_are_a_node_never_a_crash(data: bytes) -> None:
    try:
        node = binary.decode(data)
    except Malformed:
        return
    assert binary.decode(binary.encode(node)) == node


def test_ten_thousand_damaged_stanzas_are_refused_or_are_a_node_never_a_crash() -> None:
    dice = random.Random(5)
    user = Node("user", {"jid": Jid("4915112345678", PN, 3), "id": "3EB0AF"}, (Node("value", {}, dice.randbytes(40)),))
    whole = binary.encode(Node("iq", {"to": Jid("", PN), "type": "set"}, (Node("list", {}, (user,) * 3),)))
    refused = 0
    for _ in range(10_000):
        frame = bytearray(whole)
        for _ in range(dice.randint(1, 3)):
            frame[dice.randrange(len(frame))] = dice.randrange(256)
        try:
            binary.decode(bytes(frame[: dice.choice([len(frame), dice.randrange(len(frame))])]))
        except Malformed:
            refused += 1
    assert refused > 5_000


def test_a_compressed_frame_is_inflated() -> None:
    node = Node("iq", {"id": "1", "to": Jid("", PN)}, (Node("ping"),))
    assert binary.decode(b"\x02" + zlib.compress(binary.encode(node)[1:])) == node


def test_a_frame_that_inflates_to_too_much_is_refused() -> None:
    with pytest.raises(Malformed):
        binary.decode(b"\x02" + zlib.compress(bytes(binary.INFLATED_BYTES_MAX + 1)))


def test_a_deep_stanza_is_refused() -> None:
    node = Node("a")
    for _ in range(binary.DEPTH_MAX + 1):
        node = Node("a", {}, (node,))
    with pytest.raises(Malformed):
        binary.decode(binary.encode(node))


def test_an_attribute_given_twice_is_refused() -> None:
    with pytest.raises(Malformed):
        binary.decode(bytes([0, 248, 5, 3, 4, 3, 4, 3]))


def test_an_address_given_as_text_is_not_taken_for_an_address() -> None:
    node = binary.decode(binary.encode(Node("message", {"to": "1@s.whatsapp.net"})))
    with pytest.raises(Malformed):
        node.jid("to")
