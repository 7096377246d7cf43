"""A client that breaks the rules is refused, as the service or the recipient's phone would refuse it."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from simulator import linkcode, linking
from simulator.appstate import Collection
from simulator.curve import KeyPair
from simulator.node import LID, Jid, Malformed, Node, Value, node
from simulator.protobufs import action, e2e
from simulator.signal.party import Party
from simulator.world import Entry, Phone, WorldError
from tests.simulator.scripted import Client, Stage, upload

ANN, BOB = "491511000001", "491511000002"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def bob(stage: Stage) -> Phone:
    return stage.phone(BOB, "Bob")


@pytest.fixture
def client(stage: Stage) -> Client:
    return stage.client(stage.phone(ANN, "Ann"))


def lines(phone: Phone) -> list[tuple[str, str | None, str | None]]:
    return [(entry.id, entry.text, entry.error) for entry in phone.entries]


def last(phone: Phone) -> Entry:
    return phone.entries[-1]


def test_an_honest_message_arrives_and_is_acknowledged_and_confirmed(client: Client, bob: Phone) -> None:
    ack = client.send(bob, "hello", "A1")
    assert ack.text_or("error") == ""
    assert lines(bob) == [("A1", "hello", None)]
    assert len(client.got("receipt", id="A1", type="")) == 1


def test_a_phone_refuses_an_unpadded_message_and_asks_again(
    client: Client, bob: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.send(bob, "first", "A1")
    with monkeypatch.context() as patched:
        patched.setattr("simulator.signal.party.pad", lambda text, random_bytes: text)
        enc = client.encrypted(bob.lid, e2e.Message(conversation="not padded"))
    client.tell(client.message(bob.lid, [(bob.lid, enc)], "A2"))
    assert (last(bob).text, last(bob).error) == (None, "BadPadding")
    assert len(client.got("receipt", id="A2", type="retry")) == 1


def test_a_repeated_ratchet_key_is_refused(client: Client, bob: Phone) -> None:
    client.send(bob, "first", "A1")
    stale = Party.from_dict(client.party.to_dict(), os.urandom)
    client.send(bob, "second", "A2")
    client.party = stale
    client.send(bob, "same key again", "A3")
    assert [(entry.text, entry.error) for entry in bob.entries] == [
        ("first", None),
        ("second", None),
        (None, "OldCounter"),
    ]


def test_a_prekey_is_handed_out_once_and_opens_one_session(stage: Stage, client: Client, bob: Phone) -> None:
    eve = stage.client(stage.phone("491511000003", "Eve"))
    bundle = client.bundle(bob.lid)
    assert eve.bundle(bob.lid).prekey_id != bundle.prekey_id
    address = f"{bob.lid_user}.0"
    for sender, message_id in ((client, "A1"), (eve, "E1")):
        text = e2e.Message(conversation=message_id).SerializeToString()
        kind, data = sender.party.encrypt(address, text, bundle)
        enc = node("enc", {"v": "2", "type": kind}, data)
        sender.tell(sender.message(bob.lid, [(bob.lid, enc)], message_id))
    assert [(entry.id, entry.error) for entry in bob.entries] == [("A1", None), ("E1", "UnknownPrekey")]


def test_the_last_prekeys_are_announced_and_run_out(stage: Stage, client: Client) -> None:
    eve = stage.client(stage.phone("491511000003", "Eve"))
    companion = client.phone.companions[client.device]
    ids = [eve.bundle(client.lid).prekey_id for _ in range(len(companion.prekeys))]
    assert len(set(ids)) == len(ids)
    assert eve.bundle(client.lid).prekey_id is None
    notices = client.got("notification", type="encrypt")
    assert [notice.child("count").text("value") for notice in notices] == [str(left) for left in range(9, -1, -1)]


def test_a_message_with_a_changed_byte_is_refused(client: Client, bob: Phone) -> None:
    client.send(bob, "first", "A1")
    enc = client.encrypted(bob.lid, e2e.Message(conversation="changed"))
    # The last fields are ids outside the authenticated part; this byte lies in the MAC before them.
    data = bytearray(enc.data)
    data[-8] ^= 1
    client.tell(client.message(bob.lid, [(bob.lid, replace(enc, content=bytes(data)))], "A2"))
    assert last(bob).error == "BadMac"


def test_a_first_message_needs_the_devices_identity(client: Client, bob: Phone) -> None:
    enc = client.encrypted(bob.lid, e2e.Message(conversation="who am I"))
    whole = client.message(bob.lid, [(bob.lid, enc)], "A1")
    without = replace(whole, content=tuple(c for c in whole.children if c.tag != "device-identity"))
    client.tell(without)
    assert last(bob).error == "BadIdentity"


def test_a_first_message_needs_the_registered_identity(client: Client, bob: Phone) -> None:
    registered, client.party = client.party, Party.new(os.urandom)
    client.send(bob, "another key", "A1")
    assert last(bob).error == "UntrustedIdentity"
    client.party = registered
    client.send(bob, "my key", "A2")
    assert last(bob).text == "my key"


def test_a_signed_prekey_needs_a_right_signature(client: Client) -> None:
    bundles = [client.party.bundle() for _ in range(3)]
    other = Party.new(os.urandom).bundle()
    forged = replace(bundles[0], signed_prekey=other.signed_prekey)
    answer = client.ask("set", "encrypt", upload([forged, *bundles[1:]]))
    assert (answer.text("type"), answer.child("error").text("code")) == ("error", "406")
    foreign = replace(bundles[0], identity=other.identity)
    answer = client.ask("set", "encrypt", upload([foreign]))
    assert answer.text("type") == "error"


def test_an_unpaired_client_with_a_forged_prekey_is_not_offered_a_code(stage: Stage) -> None:
    client = Client(stage, stage.phone(ANN, "Ann"))
    honest = client.party.signed_prekey
    client.party.signed_prekey = Party.new(os.urandom).signed_prekey
    bundle = client.party.bundle()
    client.party.signed_prekey = honest
    client.party.bundle = lambda: replace(bundle, signature=bytes([bundle.signature[0] ^ 1]) + bundle.signature[1:])
    with pytest.raises(Malformed):
        client.offer()
    assert client.link.refs == ()


@pytest.mark.parametrize(
    "broken",
    [
        lambda bob: ("message", {"id": "A1", "type": "text", "to": str(bob.lid)}),
        lambda bob: ("message", {"type": "text", "to": bob.lid}),
        lambda bob: ("receipt", {"id": "A1", "to": str(bob.lid)}),
        lambda bob: ("presence", {"type": "subscribe", "to": str(bob.lid)}),
        lambda bob: ("chatstate", {"to": str(bob.lid)}),
        lambda bob: ("nonsense", {"id": "A1"}),
    ],
)
def test_a_stanza_with_text_where_an_address_belongs_is_ignored(
    client: Client, bob: Phone, broken: Callable[[Phone], tuple[str, dict[str, Value]]]
) -> None:
    tag, attrs = broken(bob)
    client.written.clear()
    with pytest.raises(Malformed):
        client.tell(node(tag, attrs, [node("composing")]))
    assert client.written == []
    assert not client.ended
    assert client.send(bob, "still here", "A9").text_or("error") == ""


def test_an_iq_with_text_where_an_address_belongs_is_an_error(client: Client, bob: Phone) -> None:
    answer = client.ask("get", "encrypt", [node("key", {}, [node("user", {"jid": str(bob.lid)})])])
    assert (answer.text("type"), answer.child("error").text("code")) == ("error", "400")


def test_a_fan_out_that_mixes_numbers_and_hidden_numbers_is_refused(client: Client, bob: Phone) -> None:
    enc = client.encrypted(bob.lid, e2e.Message(conversation="mixed"))
    own = client.encrypted(client.phone.lid, e2e.Message(conversation="mixed"))
    client.tell(client.message(bob.lid, [(bob.lid, enc), (client.phone.pn, own)], "A1"))
    assert client.ack("A1").text("error") == "400"
    assert bob.entries == []


def test_a_resend_with_both_forms_is_refused(client: Client, bob: Phone) -> None:
    enc = client.encrypted(bob.lid, e2e.Message(conversation="both"))
    client.tell(client.message(bob.lid, [(bob.lid, enc)], "A1", more=[enc]))
    assert client.ack("A1").text("error") == "479"
    assert bob.entries == []


def test_a_repeated_id_is_delivered_once_and_acknowledged_again(client: Client, bob: Phone) -> None:
    enc = client.encrypted(bob.lid, e2e.Message(conversation="once"))
    stanza = client.message(bob.lid, [(bob.lid, enc)], "A1")
    client.tell(stanza)
    client.tell(stanza)
    assert len(client.got("ack", id="A1")) == 2
    assert lines(bob) == [("A1", "once", None)]


def test_nobody_is_reached_at_an_unknown_number(client: Client) -> None:
    nobody = Jid("999999999999999", LID)
    enc = node("enc", {"v": "2", "type": "msg"}, b"\x33" + bytes(40))
    client.tell(client.message(nobody, [(nobody, enc)], "A1"))
    assert client.ack("A1").text("error") == "404"
    answer = client.ask("get", "encrypt", [node("key", {}, [node("user", {"jid": nobody})])])
    assert answer.child("list").child("user").child("error").text("code") == "404"


def test_an_inactive_receipt_is_no_tick(stage: Stage, client: Client, bob: Phone) -> None:
    other = stage.client(bob)
    enc = client.encrypted(other.lid, e2e.Message(conversation="to a device"))
    client.tell(client.message(bob.lid, [(other.lid, enc)], "A1"))
    assert len(other.got("message", id="A1")) == 1
    client.written.clear()
    other.tell(node("receipt", {"id": "A1", "to": client.lid, "type": "inactive"}))
    assert client.got("receipt") == []
    other.tell(node("receipt", {"id": "A1", "to": client.lid}))
    assert [receipt.jid("from") for receipt in client.got("receipt")] == [other.lid]


def test_a_stale_device_list_is_told_by_a_hash(stage: Stage, client: Client, bob: Phone) -> None:
    client.send(bob, "to the phone alone", "A1")
    own_phone = client.encrypted(client.phone.lid, e2e.Message(conversation="copy"))

    def sent(id: str) -> Node:
        enc = client.encrypted(bob.lid, e2e.Message(conversation=id))
        client.tell(client.message(bob.lid, [(bob.lid, enc), (client.phone.lid, own_phone)], id))
        return client.ack(id)

    assert sent("A2").text_or("phash") == ""
    stage.client(bob)
    assert sent("A3").text("phash").startswith("2:")


def sync(client: Client, patch: bytes, version: int) -> Node:
    """Send a patch of `regular_high` made against a version; the collection's answer."""
    attrs = {"name": "regular_high", "version": str(version)}
    request = node("sync", {}, [node("collection", attrs, [node("patch", {}, patch)])])
    return client.ask("set", "w:sync:app:state", [request]).child("sync").child("collection")


def test_app_state_refuses_stale_and_forged_patches_and_tells_other_devices(stage: Stage, client: Client) -> None:
    other = stage.client(client.phone)
    collection = client.phone.app_state["regular_high"]
    copy = Collection("regular_high", collection.key)
    muted = action.SyncActionValue()
    muted.muteAction.muted = True
    collection.set(["mute", "1"], muted, 2, 1)
    copy.set(["mute", "2"], muted, 2, 1)
    stale = copy.patches_since(0)[0]
    refused = sync(client, stale, 0)
    assert (refused.text("type"), refused.child("error").text("code")) == ("error", "409")
    assert sync(client, stale, 1).child("error").text("code") == "400"
    assert collection.version == 1
    follower = Collection("regular_high", collection.key)
    for patch in refused.child("patches").all("patch"):
        follower.apply_client_patch(patch.data, follower.version)
    follower.set(["mute", "2"], muted, 2, 1)
    assert sync(client, follower.patches_since(1)[0], 1).text("version") == "2"
    assert collection.indexes() == [["mute", "1"], ["mute", "2"]]
    told = other.got("notification", type="server_sync")[-1].child("collection")
    assert (told.text("name"), told.text("version")) == ("regular_high", "2")


def hello(client: Client, code: str, **changed: bytes | None) -> Node:
    """A code's first step as an honest unpaired client takes it, but for the changed children; the answer."""
    ephemeral = KeyPair.from_private(os.urandom(32))
    parts: dict[str, bytes | None] = {
        "link_code_pairing_wrapped_companion_ephemeral_pub": linkcode.wrap(code, ephemeral.public, os.urandom),
        "companion_server_auth_key_pub": client.noise.public,
        "companion_platform_id": b"1",
        "companion_platform_display": b"Chrome (Linux)",
        "link_code_pairing_nonce": b"\0",
    }
    children = [node(tag, {}, data) for tag, data in (parts | changed).items() if data is not None]
    attrs = {"jid": client.phone.pn, "stage": "companion_hello"}
    return client.ask("set", "md", [node("link_code_companion_reg", attrs, children)])


@pytest.mark.parametrize(
    "changed",
    [
        {"link_code_pairing_wrapped_companion_ephemeral_pub": bytes(79)},
        {"companion_server_auth_key_pub": bytes(32)},
        {"companion_platform_display": b"Chrome"},
        {"companion_platform_display": None},
        {"companion_platform_id": None},
    ],
)
def test_a_code_is_offered_only_to_a_client_that_says_who_it_is(stage: Stage, changed: dict[str, bytes | None]) -> None:
    client = Client(stage, stage.phone(ANN, "Ann"))
    client.offer()
    assert hello(client, "ABCDEFGH", **changed).child("error").text("code") == "400"
    with pytest.raises(WorldError):
        linking.enter_code(stage.hub, client.phone, "ABCDEFGH")
    assert hello(client, "ABCDEFGH").child("link_code_companion_reg").child("link_code_pairing_ref").data
    linking.enter_code(stage.hub, client.phone, "abcd-efgh")
    assert len(client.got("notification", type="link_code_companion_reg")) == 1
