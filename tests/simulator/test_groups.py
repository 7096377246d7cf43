"""Groups: roles, refusals, and the stanza that a client reads."""

import json

import pytest

from simulator.groups import MEMBER, Group, Groups, Refused, group_node, participants_hash
from simulator.node import LID, Jid

ANN, BOB, CEM, EVE = "101", "102", "103", "999"


def made() -> tuple[Groups, Group]:
    groups = Groups()
    return groups, groups.create("1203", ANN, "Friends", [ANN, BOB, CEM], 1_000)


def refused(code: int) -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(Refused, match=f"^{code} ")


def test_a_group_lists_its_members_with_their_roles() -> None:
    groups, group = made()
    assert group.roles == {ANN: "superadmin", BOB: "member", CEM: "member"}
    assert groups.of(BOB) == [group]
    assert groups.of(EVE) == []
    assert groups.get("1203") is group
    with refused(404):
        groups.get("1")


def test_strangers_may_nothing() -> None:
    _, group = made()
    for act in (
        lambda: group.admits(EVE),
        lambda: group.may_write(EVE),
        lambda: group.rename(EVE, "Mine", 2),
        lambda: group.describe(EVE, "Mine", 2),
        lambda: group.change(EVE, "add", EVE),
        lambda: group.leave(EVE),
    ):
        with refused(403):
            act()


def test_only_admins_write_in_announcement_groups_and_edit_locked_ones() -> None:
    _, group = made()
    group.announcement = group.locked = True
    with refused(403):
        group.may_write(BOB)
    with refused(401):
        group.rename(BOB, "Bob's", 2)
    assert group.change(ANN, "promote", BOB) == 200
    group.may_write(BOB)
    group.rename(BOB, "Bob's", 2)
    assert (group.subject, group.subject_by, group.subject_s) == ("Bob's", BOB, 2)


def test_members_change_only_as_the_rules_allow() -> None:
    _, group = made()
    assert group.change(BOB, "add", EVE) == 200
    assert group.change(BOB, "add", EVE) == 409
    assert group.change(ANN, "demote", "5") == 404
    with refused(401):
        group.change(BOB, "remove", CEM)
    group.member_add_mode = "admin_add"
    with refused(401):
        group.change(BOB, "add", "6")
    assert group.change(ANN, "remove", EVE) == 200
    assert EVE not in group.roles


def test_a_group_is_never_left_without_an_admin() -> None:
    _, group = made()
    group.leave(ANN)
    assert group.roles == {BOB: "admin", CEM: MEMBER}
    group.leave(BOB)
    group.leave(CEM)
    assert group.roles == {}


@pytest.mark.parametrize("subject", ["", "x" * 101])
def test_a_bad_subject_is_not_acceptable(subject: str) -> None:
    groups, group = made()
    with refused(406):
        groups.create("2", ANN, subject, [], 1)
    with refused(406):
        group.rename(ANN, subject, 1)


def test_groups_survive_a_restart() -> None:
    groups, group = made()
    group.describe(BOB, "about", 5)
    again = Groups.from_list(json.loads(json.dumps(groups.to_list())))
    assert again.get("1203") == group


def test_the_stanza_has_every_member_with_both_addresses() -> None:
    _, group = made()
    group.describe(BOB, "about", 5)
    shown = group_node(group, {ANN: "49151", BOB: "49152", CEM: "49153"})
    assert shown.text("subject") == "Friends"
    assert shown.jid("creator") == Jid(ANN, LID)
    members = shown.all("participant")
    assert [str(member.jid("phone_number")) for member in members] == [
        "49151@s.whatsapp.net",
        "49152@s.whatsapp.net",
        "49153@s.whatsapp.net",
    ]
    assert [member.text_or("type") for member in members] == ["superadmin", "", ""]
    assert shown.child("description").child("body").data == b"about"


def test_the_participants_hash_ignores_the_order_and_sees_every_device() -> None:
    devices = [Jid(ANN, LID), Jid(ANN, LID, 3), Jid(BOB, LID)]
    one = participants_hash(devices)
    assert one == participants_hash(reversed(devices))
    assert one.startswith("2:")
    assert len(one) == 10
    assert one != participants_hash(devices[:2])
