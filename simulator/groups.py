"""Groups: who is in them, who may do what. Pure; members are users' LID digits, in the order in which they came.

Source: the shapes are those that the client's parser reads; docs/whatsapp.md §23.
Which refusal has which code is assumed where a line says so.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from simulator.node import GROUP, LID, PN, Jid, Node, node

SUBJECT_CHARACTERS_MAX = 100
MEMBERS_MAX = 1024
MEMBER, ADMIN, SUPERADMIN = "member", "admin", "superadmin"
CHANGES = ("add", "remove", "promote", "demote")


class Refused(Exception):
    """The service says no: an iq error code and its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


@dataclass(slots=True)
class Group:
    """One group. `roles` maps a member's LID digits to its role; times are Unix seconds."""

    id: str
    subject: str
    creator: str
    created_s: int
    roles: dict[str, str]
    subject_by: str = ""
    subject_s: int = 0
    announcement: bool = False
    locked: bool = False
    ephemeral_s: int = 0
    description: str = ""
    description_by: str = ""
    description_s: int = 0
    member_add_mode: str = "all_member_add"
    changes: int = field(default=1)

    @property
    def jid(self) -> Jid:
        """The group's address."""
        return Jid(self.id, GROUP)

    def admits(self, user: str) -> None:
        """Raises Refused 403 for a stranger."""
        if user not in self.roles:
            raise Refused(403, "forbidden")

    def may_write(self, user: str) -> None:
        """Raises Refused 403 for a stranger, and in an announcement group for whoever is no admin (code assumed)."""
        self.admits(user)
        if self.announcement and self.roles[user] == MEMBER:
            raise Refused(403, "forbidden")

    def may_edit(self, user: str) -> None:
        """Raises Refused 403 for a stranger; 401 in a locked group for whoever is no admin (code assumed)."""
        self.admits(user)
        if self.locked and self.roles[user] == MEMBER:
            raise Refused(401, "not-authorized")

    def rename(self, by: str, subject: str, now_s: int) -> None:
        """Set the subject. Raises Refused 401, 403, or 406 for an empty or over-long one."""
        self.may_edit(by)
        self.subject, self.subject_by, self.subject_s = checked_subject(subject), by, now_s

    def describe(self, by: str, text: str, now_s: int) -> None:
        """Set or (empty) delete the description. Raises Refused 401, 403."""
        self.may_edit(by)
        self.description, self.description_by, self.description_s = text, by, now_s

    def change(self, by: str, action: str, user: str) -> int:
        """Add, remove, promote or demote one user; the code for that user: 200, 404 no member, 409 already a member.

        Raises Refused 403 for a stranger, 401 where only an admin may."""
        self.admits(by)
        free_for_all = action == "add" and self.member_add_mode == "all_member_add"
        if self.roles[by] == MEMBER and not free_for_all:
            raise Refused(401, "not-authorized")
        if action == "add":
            if user in self.roles:
                return 409
            self.roles[user] = MEMBER
        elif user not in self.roles:
            return 404
        elif action == "remove":
            del self.roles[user]
        else:
            self.roles[user] = ADMIN if action == "promote" else MEMBER
        self.changes += 1
        return 200

    def leave(self, user: str) -> None:
        """The user goes; the first member who is left becomes admin if no other is. Raises Refused 403."""
        self.admits(user)
        del self.roles[user]
        self.changes += 1
        if self.roles and all(role == MEMBER for role in self.roles.values()):
            self.roles[next(iter(self.roles))] = ADMIN


class Groups:
    """All groups of the world."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def create(self, id: str, creator: str, subject: str, members: Iterable[str], now_s: int) -> Group:
        """A new group; the creator becomes superadmin. Raises Refused 406 for a bad subject or too many members."""
        roles = {creator: SUPERADMIN} | {user: MEMBER for user in members if user != creator}
        if len(roles) > MEMBERS_MAX:
            raise Refused(406, "not-acceptable")
        group = Group(id, checked_subject(subject), creator, now_s, roles, subject_by=creator, subject_s=now_s)
        self._groups[id] = group
        return group

    def get(self, id: str) -> Group:
        """Raises Refused 404 for an unknown group."""
        group = self._groups.get(id)
        if group is None:
            raise Refused(404, "item-not-found")
        return group

    def of(self, user: str) -> list[Group]:
        """The groups that a user is in, oldest first."""
        return [group for group in self._groups.values() if user in group.roles]

    def to_list(self) -> list[dict[str, Any]]:
        """A JSON-able image."""
        return [asdict(group) for group in self._groups.values()]

    @classmethod
    def from_list(cls, image: Iterable[dict[str, Any]]) -> "Groups":
        """Undo `to_list`."""
        groups = cls()
        groups._groups = {saved["id"]: Group(**saved) for saved in image}
        return groups


def checked_subject(subject: str) -> str:
    """The subject. Raises Refused 406 for an empty or over-long one."""
    if not subject or len(subject) > SUBJECT_CHARACTERS_MAX:
        raise Refused(406, "not-acceptable")
    return subject


def participants_hash(devices: Iterable[Jid]) -> str:
    """The `phash` over a device list: sorted `user.0:device@server`, SHA-256, 6 bytes in base64, version 2.

    Source: the client's sending code. Its own device is in the list."""
    text = "".join(sorted(f"{jid.user}.0:{jid.device}@{jid.server}" for jid in devices))
    return "2:" + base64.b64encode(hashlib.sha256(text.encode()).digest()[:6]).decode().rstrip("=")


def group_node(group: Group, phone_numbers: dict[str, str]) -> Node:
    """`<group>` as info, list, creation and notification carry it; `phone_numbers` maps LID digits to PN digits."""

    def lid(user: str) -> Jid | None:
        return Jid(user, LID) if user else None

    def pn(user: str) -> Jid | None:
        return Jid(phone_numbers[user], PN) if user in phone_numbers else None

    children = [
        node("participant", {"jid": lid(user), "phone_number": pn(user), "type": None if role == MEMBER else role})
        for user, role in group.roles.items()
    ]
    if group.description:
        about = {"id": f"{group.description_s:X}", "t": group.description_s, "participant": lid(group.description_by)}
        children.append(node("description", about, [node("body", {}, group.description.encode())]))
    children += [node(tag) for tag in ("announcement", "locked") if getattr(group, tag)]
    if group.ephemeral_s:
        children.append(node("ephemeral", {"expiration": group.ephemeral_s}))
    children.append(node("member_add_mode", {}, group.member_add_mode.encode()))
    attrs = {
        "id": group.id,
        "subject": group.subject,
        "creation": group.created_s,
        "creator": lid(group.creator),
        "creator_pn": pn(group.creator),
        "s_t": group.subject_s,
        "s_o": lid(group.subject_by),
        "s_o_pn": pn(group.subject_by),
        "size": len(group.roles),
        "a_v_id": str(group.changes),
        "p_v_id": str(group.changes),
        "addressing_mode": "lid",
    }
    return node("group", attrs, children)
