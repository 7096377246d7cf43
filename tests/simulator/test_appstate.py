"""App state: the phone's patches and a companion's follow one hash; a wrong or stale patch changes nothing."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.appstate import AppStateKey, BadPatch, Collection, Conflict
from simulator.protobufs import action, sync

KEY = AppStateKey(b"\x00\x00\x00\x00\x00\x01", os.urandom(32))
NAME = "critical_unblock_low"


def contact(name: str) -> action.SyncActionValue:
    value = action.SyncActionValue()
    value.contactAction.fullName = name
    return value


def index(pn: str) -> list[str]:
    return ["contact", f"{pn}@s.whatsapp.net"]


def fresh(key: AppStateKey = KEY, name: str = NAME) -> Collection:
    return Collection(name, key)


def follow(leader: Collection, follower: Collection) -> None:
    for patch in leader.patches_since(follower.version):
        follower.apply_client_patch(patch, follower.version)


def names(collection: Collection) -> dict[str, str]:
    found = {}
    for key in collection.indexes():
        value = collection.get(key)
        assert value is not None
        found[key[1]] = value.contactAction.fullName
    return found


def test_a_follower_sees_what_was_set_changed_and_removed() -> None:
    phone, companion = fresh(), fresh()
    phone.set(index("1"), contact("Ann"), 2, 1_000)
    phone.set_many([(index("2"), contact("Bob"), 2), (index("3"), contact("Çem"), 2)], 2_000)
    follow(phone, companion)
    companion.set(index("2"), contact("Bobby"), 2, 3_000)
    follow(companion, phone)
    phone.remove(index("1"))
    follow(phone, companion)
    assert phone.version == companion.version == 4
    assert names(phone) == names(companion) == {"2@s.whatsapp.net": "Bobby", "3@s.whatsapp.net": "Çem"}
    value = companion.get(index("3"))
    assert value is not None
    assert value.timestamp == 2_000
    assert companion.get(index("1")) is None


def test_removing_everything_brings_the_hash_back_to_zero() -> None:
    collection = fresh()
    for name in ("Ann", "Bob", "Ann again"):
        collection.set(index(name[:3]), contact(name), 2, 1)
    collection.remove(index("Ann"))
    assert any(collection._state.lthash)
    collection.remove(index("Bob"))
    assert not any(collection._state.lthash)


def test_removing_what_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        fresh().remove(index("1"))


def test_a_stale_patch_is_a_conflict_and_succeeds_after_a_rebase() -> None:
    phone, companion = fresh(), fresh()
    phone.set(index("1"), contact("Ann"), 2, 1)
    companion.set(index("2"), contact("Bob"), 2, 1)
    stale = companion.patches_since(0)[0]
    with pytest.raises(Conflict):
        phone.apply_client_patch(stale, 0)
    # Lying about the version does not help: hash and MACs are of another state.
    with pytest.raises(BadPatch):
        phone.apply_client_patch(stale, 1)
    rebased = fresh()
    follow(phone, rebased)
    rebased.set(index("2"), contact("Bob"), 2, 1)
    phone.apply_client_patch(rebased.patches_since(1)[0], 1)
    assert names(phone) == {"1@s.whatsapp.net": "Ann", "2@s.whatsapp.net": "Bob"}


def test_patches_are_numbered_by_the_service() -> None:
    companion, phone = fresh(), fresh()
    companion.set(index("1"), contact("Ann"), 2, 1)
    made = sync.SyncdPatch.FromString(companion.patches_since(0)[0])
    made.ClearField("version")
    phone.apply_client_patch(made.SerializeToString(), 0)
    assert sync.SyncdPatch.FromString(phone.patches_since(0)[0]).version.version == 1


def test_a_patch_that_does_not_verify_is_refused_and_changes_nothing() -> None:
    phone, companion = fresh(), fresh()
    phone.set(index("1"), contact("Ann"), 2, 1)
    follow(phone, companion)
    companion.set(index("1"), contact("Anna"), 2, 2)
    good = companion.patches_since(1)[0]
    before = json.dumps(phone.to_dict())

    def changed(**how: bytes) -> bytes:
        patch = sync.SyncdPatch.FromString(good)
        record = patch.mutations[0].record
        for part, value in how.items():
            if part == "value":
                record.value.blob = value
            elif part == "index":
                record.index.blob = value
            elif part == "key":
                record.keyID.ID = value
            elif part == "patch_key":
                patch.keyID.ID = value
            else:
                setattr(patch, part, value)
        return patch.SerializeToString()

    blob = sync.SyncdPatch.FromString(good).mutations[0].record.value.blob
    bad = [
        changed(value=bytes([blob[0] ^ 1]) + blob[1:]),
        changed(value=blob[:-1] + bytes([blob[-1] ^ 1])),
        changed(value=b""),
        changed(index=bytes(32)),
        changed(key=bytes(6)),
        changed(patch_key=bytes(6)),
        changed(snapshotMAC=bytes(32)),
        changed(patchMAC=bytes(32)),
        b"\xff",
        b"",
    ]
    for patch in bad:
        with pytest.raises(BadPatch):
            phone.apply_client_patch(patch, 1)
    removal = sync.SyncdPatch.FromString(good)
    removal.mutations[0].operation = sync.SyncdMutation.REMOVE
    with pytest.raises(BadPatch):
        phone.apply_client_patch(removal.SerializeToString(), 1)
    assert json.dumps(phone.to_dict()) == before
    phone.apply_client_patch(good, 1)


def test_a_patch_of_another_collection_or_key_is_refused() -> None:
    for other in (fresh(name="regular"), fresh(AppStateKey(KEY.id, os.urandom(32)))):
        other.set(index("1"), contact("Ann"), 2, 1)
        with pytest.raises(BadPatch):
            fresh().apply_client_patch(other.patches_since(0)[0], 0)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["set", "remove"]), st.text(max_size=8)), max_size=8))
def test_any_sequence_of_changes_is_followed_and_saved(changes: list[tuple[str, str, str]]) -> None:
    phone, companion = fresh(), fresh()
    model: dict[str, str] = {}
    for turn, (pn, operation, name) in enumerate(changes):
        writer, reader = (phone, companion) if turn % 2 else (companion, phone)
        if operation == "set":
            writer.set(index(pn), contact(name), 2, turn)
            model[f"{pn}@s.whatsapp.net"] = name
        elif f"{pn}@s.whatsapp.net" in model:
            writer.remove(index(pn))
            del model[f"{pn}@s.whatsapp.net"]
        follow(writer, reader)
    saved = Collection.from_dict(json.loads(json.dumps(phone.to_dict())))
    assert names(phone) == names(companion) == names(saved) == model
    assert saved.version == phone.version
    assert saved._state.lthash == companion._state.lthash
