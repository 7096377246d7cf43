"""No stanza, however wrong, gets past the handlers as anything but ignored or refused."""

import random
from collections.abc import Callable

from simulator import binary
from simulator.node import GROUP, LID, PN, SERVER, Jid, Malformed, Node, Value, node
from simulator.stanzas.dispatch import dispatch
from simulator.stanzas.table import TABLE
from tests.simulator.scripted import Client, Stage

ROUNDS = 6_000
GROUP_ID = "12030000000001"


def samples(anna: Jid, ben: Jid) -> list[Node]:
    """A stanza of each kind that a client sends."""
    user = node("user", {"jid": ben}, [node("contact", {}, b"+491511000002")])
    queries = [node(tag) for tag in ("contact", "lid", "status", "picture", "devices")]
    enc = node("enc", {"v": "2", "type": "msg"}, b"\x33" + bytes(40))
    shared = node("enc", {"v": "2", "type": "skmsg"}, b"\x33" + bytes(90))
    to = node("to", {"jid": ben}, [enc])
    usync = node("usync", {"sid": "1"}, [node("query", {}, queries), node("list", {}, [user])])
    collection = node("collection", {"name": "regular", "version": "0"}, [node("patch", {}, bytes(40))])
    by_code = node(
        "link_code_companion_reg",
        {"jid": anna, "stage": "companion_hello"},
        [node("link_code_pairing_wrapped_companion_ephemeral_pub", {}, bytes(80))],
    )
    keys = [node("id", {}, bytes(3)), node("value", {}, bytes(32)), node("signature", {}, bytes(64))]
    upload = [
        node("registration", {}, bytes(4)),
        node("type", {}, b"\x05"),
        node("identity", {}, bytes(32)),
        node("list", {}, [node("key", {}, keys[:2])]),
        node("skey", {}, keys),
    ]
    group = Jid(GROUP_ID, GROUP)
    participant = node("participant", {"jid": ben})
    children: dict[str, list[Node]] = {
        "usync": [usync],
        "key": [node("key", {}, [user])],
        "registration": upload,
        "sync": [node("sync", {}, [collection])],
        "picture": [node("picture", {"jid": ben, "type": "image"})],
        "tokens": [node("tokens", {}, [node("token", {"jid": ben, "t": "1", "type": "trusted_contact"}, b"")])],
        "remove-companion-device": [node("remove-companion-device", {"jid": ben, "reason": "user_initiated"})],
    }
    iqs = [
        node("iq", {"id": "1", "type": kind, "xmlns": xmlns, "to": SERVER}, children.get(tag, [node(tag or "x")]))
        for xmlns, kind, tag in TABLE
    ]
    groups = [
        node("iq", {"id": "1", "type": kind, "xmlns": "w:g2", "to": where}, [child])
        for kind, where, child in (
            ("get", Jid("", GROUP), node("participating")),
            ("get", group, node("query", {"request": "interactive"})),
            ("set", Jid("", GROUP), node("create", {"subject": "x"}, [participant])),
            ("set", Jid("", GROUP), node("leave", {}, [node("group", {"id": group})])),
            ("set", group, node("add", {}, [participant])),
            ("set", group, node("subject", {}, b"new")),
            ("set", group, node("remove", {}, [participant])),
            ("set", group, node("announcement")),
            ("set", group, node("ephemeral", {"expiration": "86400"})),
            ("set", group, node("description", {"id": "a"}, [node("body", {}, b"text")])),
        )
    ]
    retry = [node("retry", {"id": "A", "count": "1", "t": "1", "v": "1"}), node("registration", {}, bytes(4))]
    return [
        *iqs,
        *groups,
        node("iq", {"id": "1", "type": "set", "xmlns": "md", "to": SERVER}, [by_code]),
        node("message", {"id": "A", "to": ben, "type": "text"}, [node("participants", {}, [to])]),
        node("message", {"id": "A", "to": ben.at(1), "type": "text"}, [enc]),
        node("message", {"id": "A", "to": group, "type": "text"}, [node("participants", {}, [to]), shared]),
        node("message", {"id": "A", "to": group, "participant": ben, "type": "text"}, [enc]),
        node("receipt", {"id": "A", "to": ben, "type": "read"}, [node("list", {}, [node("item", {"id": "B"})])]),
        node("receipt", {"id": "A", "to": ben, "type": "retry"}, retry),
        node("receipt", {"id": "A", "to": group, "participant": ben, "type": "retry"}, retry),
        node("ack", {"class": "message", "id": "A", "to": ben}),
        node("presence", {"type": "available", "name": "x"}),
        node("presence", {"type": "subscribe", "to": ben}),
        node("chatstate", {"to": ben}, [node("composing")]),
        node("iq", {"id": "sim-1", "type": "result"}, [node("pair-device-sign")]),
    ]


def wrong_value(dice: random.Random) -> Value:
    jids = [Jid("", PN), Jid("1", LID, 3), Jid("491511000002", PN), Jid("x", GROUP), Jid("7", "newsletter")]
    return dice.choice(["", "x", "-1", "99999999999999999999", "²", "1@lid", *jids])


def damaged(node_: Node, dice: random.Random) -> Node:
    """The node with one thing wrong somewhere in it."""
    attrs, content = dict(node_.attrs), node_.content
    if isinstance(content, tuple) and dice.random() < 0.6:
        place = dice.randrange(len(content))
        inside = dice.choice([(), (damaged(content[place], dice),), (content[place], content[place])])
        return Node(node_.tag, attrs, (*content[:place], *inside, *content[place + 1 :]) or None)
    change = dice.randrange(5)
    if change == 0 and attrs:
        del attrs[dice.choice(sorted(attrs))]
    elif change == 1 and attrs:
        attrs[dice.choice(sorted(attrs))] = wrong_value(dice)
    elif change == 2:
        content = dice.choice([None, b"", dice.randbytes(dice.randrange(100)), (Node("x"),)])
    elif change == 3:
        attrs[dice.choice(["participant", "recipient", "target", "version", "count"])] = wrong_value(dice)
    else:
        return Node(dice.choice(["iq", "message", "receipt", "enc", "user", "x"]), attrs, content)
    return Node(node_.tag, attrs, content)


def run(prepare: Callable[[Stage], tuple], seed: int) -> int:
    """Give damaged stanzas to a client's link; counts those that were ignored."""
    dice, stage = random.Random(seed), Stage()
    stage.phone("491511000002", "Ben")
    client, anna, ben = prepare(stage)
    stanzas, ignored = samples(anna, ben), 0
    for _ in range(ROUNDS):
        stanza = damaged(dice.choice(stanzas), dice)
        if dice.random() < 0.3:
            stanza = damaged(stanza, dice)
        try:
            dispatch(stage.hub, client.link, binary.decode(binary.encode(stanza)))
        except Malformed:
            ignored += 1
        stage.later.settle()
        if client.link.phone is not None and client.link not in stage.hub.links:
            client, anna, ben = prepare(stage)
    return ignored


def test_a_paired_clients_damaged_stanzas_are_ignored_or_refused() -> None:
    def prepare(stage: Stage) -> tuple:
        anna = stage.phone("491511000001", "Anna")
        anna.companions.clear()
        client, ben = stage.client(anna), stage.phone("491511000002", "Ben")
        stage.hub.world.groups.create(GROUP_ID, anna.lid_user, "Friends", [ben.lid_user], 1)
        return client, anna.pn, ben.lid

    assert run(prepare, 3) > ROUNDS // 50


def test_an_unpaired_clients_damaged_stanzas_are_ignored_or_refused() -> None:
    def prepare(stage: Stage) -> tuple:
        anna = stage.phone("491511000001", "Anna")
        client = Client(stage, anna)
        client.offer()
        return client, anna.pn, stage.phone("491511000002", "Ben").lid

    assert run(prepare, 4) > ROUNDS // 50
