"""Group messages between scripted clients and phones: fan-out, keys, receipts, retries, refusals."""

import pytest

from simulator import group_delivery
from simulator.groups import Group, participants_hash
from simulator.node import GROUP, PN, Jid, Node, node
from simulator.protobufs import e2e
from simulator.world import Phone, WorldError
from tests.simulator.scripted import Client, Stage

GROUPS_SERVER = Jid("", GROUP)
ANN, BOB, CEM, EVE = "491511000001", "491511000002", "491511000003", "491511000004"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def bob(stage: Stage) -> Phone:
    return stage.phone(BOB, "Bob")


@pytest.fixture
def client(stage: Stage) -> Client:
    stage.phone(CEM, "Cem")
    return stage.client(stage.phone(ANN, "Ann"))


def ask(client: Client, kind: str, child: Node, to: Jid = GROUPS_SERVER) -> Node:
    return client.ask(kind, "w:g2", [child], to)


def made(client: Client, *members: Phone) -> Group:
    people = [node("participant", {"jid": member.lid}) for member in members]
    answer = ask(client, "set", node("create", {"subject": "Friends"}, people))
    return client.hub.world.groups.get(answer.child("group").text("id"))


def devices(client: Client, group: Group) -> list[Jid]:
    return [phone.lid.at(device) for phone, device in group_delivery.devices_of(client.hub, group)]


def post(client: Client, group: Group, text: str, id: str, leave_out: tuple[Jid, ...] = (), phash: str = "") -> Node:
    """A text to the group as an honest client sends it, but for what the arguments say; the acknowledgement."""
    chat = str(group.jid)
    key = client.party.sender_key_distribution(chat)
    told = e2e.Message()
    told.senderKeyDistributionMessage.groupID = chat
    told.senderKeyDistributionMessage.axolotlSenderKeyDistributionMessage = key
    due = devices(client, group)
    targets = [jid for jid in due if jid != client.lid and jid not in leave_out]
    sealed = client.party.encrypt_group(chat, e2e.Message(conversation=text).SerializeToString())
    shared = node("enc", {"v": "2", "type": "skmsg"}, sealed)
    stanza = client.message(group.jid, [(jid, client.encrypted(jid, told)) for jid in targets], id, [shared])
    attrs = {**stanza.attrs, "phash": phash or participants_hash(due), "addressing_mode": "lid"}
    client.tell(Node("message", attrs, stanza.content))
    return client.ack(id)


def said(phone: Phone, group: Group) -> list[tuple[str | None, str | None]]:
    return [(entry.text, entry.error) for entry in phone.entries if entry.chat == str(group.jid)]


def test_a_group_message_reaches_phones_and_devices_and_is_confirmed_by_member(
    stage: Stage, client: Client, bob: Phone
) -> None:
    other = stage.client(bob)
    group = made(client, bob, stage.phone(CEM, "Cem"))
    ack = post(client, group, "hello all", "G1")
    assert (ack.text_or("error"), ack.text_or("phash")) == ("", "")
    for phone in (bob, stage.phone(CEM, "Cem"), client.phone):
        assert said(phone, group) == [("hello all", None)]
    delivered = other.got("message", id="G1")[0]
    assert delivered.jid("from") == group.jid
    assert delivered.jid("participant") == client.lid
    assert delivered.jid("participant_pn") == client.phone.pn.at(client.device)
    assert [enc.text("type") for enc in delivered.all("enc")] == ["pkmsg", "skmsg"]
    ticks = client.got("receipt", id="G1")
    assert {str(tick.jid("from")) for tick in ticks} == {str(group.jid)}
    assert {tick.jid("participant").user for tick in ticks} == {bob.lid_user, stage.phone(CEM, "Cem").lid_user}


def test_receipts_of_several_members_wait_until_each_is_confirmed(stage: Stage, client: Client, bob: Phone) -> None:
    group = made(client, bob, stage.phone(CEM, "Cem"))
    post(client, group, "hello all", "G1")
    client.log_in()
    waiting = client.got("receipt", id="G1", offline="0")
    assert len({receipt.jid("participant") for receipt in waiting}) == len(waiting) == 2
    companion = client.phone.companions[client.device]
    for left, receipt in ((1, waiting[0]), (1, waiting[0]), (0, waiting[1])):
        attrs = {"class": "receipt", "id": "G1", "to": group.jid, "participant": receipt.jid("participant")}
        client.tell(node("ack", attrs))
        assert sum(key.startswith("receipt|G1|") for key in companion.queue) == left


@pytest.mark.parametrize("id", ["a|b", "a|b|c|d", "%7C"])
def test_an_id_with_odd_signs_is_confirmed_like_any_other(stage: Stage, client: Client, bob: Phone, id: str) -> None:
    other = stage.client(bob)
    group = made(client, bob)
    post(client, group, "odd", id)
    companion = bob.companions[other.device]
    waiting = len(companion.queue)
    other.tell(node("ack", {"class": "message", "id": id, "to": group.jid, "participant": client.lid}))
    assert len(companion.queue) == waiting - 1


def test_a_phones_group_message_reaches_every_device_and_is_readable(stage: Stage, client: Client, bob: Phone) -> None:
    group = made(client, bob)
    for text in ("one", "two"):
        message_id = group_delivery.say(client.hub, bob, group, text)
        delivered = client.got("message", id=message_id)[0]
        key, shared = delivered.all("enc")
        sender = f"{bob.lid_user}.0"
        opened = e2e.Message.FromString(client.party.decrypt(sender, key.text("type"), key.data))
        told = opened.senderKeyDistributionMessage
        client.party.take_sender_key(told.groupID, sender, told.axolotlSenderKeyDistributionMessage)
        plain = client.party.decrypt_group(str(group.jid), sender, shared.data)
        assert e2e.Message.FromString(plain).conversation == text
    assert said(client.phone, group) == [("one", None), ("two", None)]


def test_strangers_neither_see_nor_write(stage: Stage, client: Client, bob: Phone) -> None:
    group = made(client, bob)
    eve = stage.client(stage.phone(EVE, "Eve"))
    info = ask(eve, "get", node("query", {"request": "interactive"}), group.jid)
    assert info.child("error").text("code") == "403"
    assert ask(eve, "get", node("participating")).child("groups").children == ()
    assert post(eve, group, "let me in", "E1").text("error") == "403"
    assert said(bob, group) == []
    with pytest.raises(WorldError):
        group_delivery.say(client.hub, eve.phone, group, "let me in")
    unknown = ask(client, "get", node("query", {"request": "interactive"}), Jid("1", GROUP))
    assert unknown.child("error").text("code") == "404"


def test_members_learn_of_creation_and_changes(stage: Stage, client: Client, bob: Phone) -> None:
    other = stage.client(bob)
    group = made(client, bob)
    created = other.got("notification", type="w:gp2")[0].child("create").child("group")
    assert created.text("subject") == "Friends"
    ask(client, "set", node("subject", {}, b"Best friends"), group.jid)
    ask(client, "set", node("announcement"), group.jid)
    ask(client, "set", node("remove", {}, [node("participant", {"jid": bob.lid})]), group.jid)
    changes = [notice.children[0].tag for notice in other.got("notification", type="w:gp2")]
    assert changes == ["create", "subject", "announcement", "remove"]
    assert post(other, group, "am I still here?", "B1").text("error") == "403"
    # The others' phones write under new keys now: the old one is of no use to Bob.
    before = stage.phone(CEM, "Cem").party.to_dict()["own_sender_keys"]
    assert str(group.jid) not in before


def test_a_stale_device_list_is_told_by_a_hash(stage: Stage, client: Client, bob: Phone) -> None:
    group = made(client, bob)
    old = participants_hash(devices(client, group))
    late = stage.client(bob)
    ack = post(client, group, "who is here?", "G1", leave_out=(late.lid,), phash=old)
    assert ack.text("phash") == participants_hash(devices(client, group))
    assert [enc.text("type") for enc in late.got("message", id="G1")[0].all("enc")] == ["skmsg"]


def test_a_member_without_the_key_asks_again_and_gets_the_text(stage: Stage, client: Client, bob: Phone) -> None:
    group = made(client, bob)
    post(client, group, "no key for Bob", "G1", leave_out=(bob.lid,))
    assert said(bob, group) == [(None, "NoSession")]
    retry = client.got("receipt", id="G1", type="retry")[0]
    assert (retry.jid("from"), retry.jid("participant")) == (group.jid, bob.lid)
    assert retry.child("keys").child("skey").child("signature").data
    enc = client.encrypted(bob.lid, e2e.Message(conversation="no key for Bob"))
    again = client.message(group.jid, [], "G1", [Node("enc", {**enc.attrs, "count": "1"}, enc.content)])
    attrs = {**again.attrs, "participant": bob.lid}
    children = tuple(child for child in again.children if child.tag != "participants")
    client.tell(Node("message", attrs, children))
    assert said(bob, group) == [("no key for Bob", None)]


def test_a_phone_answers_a_members_retry_with_text_and_key(stage: Stage, client: Client, bob: Phone) -> None:
    group = made(client, bob)
    message_id = group_delivery.say(client.hub, bob, group, "again, please")
    retry = node("retry", {"count": "1", "id": message_id, "t": "1", "v": "1"})
    attrs = {"id": message_id, "to": group.jid, "participant": bob.lid, "type": "retry"}
    client.tell(node("receipt", attrs, [retry]))
    again = client.got("message", id=message_id)[-1]
    (enc,) = again.all("enc")
    assert (enc.text("type"), enc.text("count")) == ("pkmsg", "1")
    opened = e2e.Message.FromString(client.party.decrypt(f"{bob.lid_user}.0", "pkmsg", enc.data))
    assert opened.conversation == "again, please"
    assert opened.senderKeyDistributionMessage.groupID == str(group.jid)


def test_mixed_addresses_and_missing_payloads_are_refused(client: Client, bob: Phone) -> None:
    group = made(client, bob)
    shared = node("enc", {"v": "2", "type": "skmsg"}, b"\x33" + bytes(80))
    enc = node("enc", {"v": "2", "type": "msg"}, b"\x33" + bytes(40))
    client.tell(client.message(group.jid, [(bob.lid, enc), (Jid(CEM, PN), enc)], "G1", [shared]))
    assert client.ack("G1").text("error") == "400"
    assert said(bob, group) == []


def test_a_repeated_group_message_is_delivered_once(client: Client, bob: Phone) -> None:
    group = made(client, bob)
    post(client, group, "once", "G1")
    shared = node("enc", {"v": "2", "type": "skmsg"}, b"\x33" + bytes(80))
    client.tell(client.message(group.jid, [], "G1", [shared]))
    assert len(client.got("ack", id="G1")) == 2
    assert said(bob, group) == [("once", None)]
