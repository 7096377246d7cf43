"""Stanzas as values: ``Node`` and ``Jid``. Reading a missing or wrongly typed part raises ``Malformed``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

PN = "s.whatsapp.net"
LID = "lid"
GROUP = "g.us"
MESSENGER = "msgr"
INTEROP = "interop"


class Malformed(ValueError):
    """The peer sent bytes or a stanza that no client of the service sends."""


@dataclass(frozen=True, slots=True)
class Jid:
    """An address: user (may be empty), server, device number (0 = the phone), integrator (interop only)."""

    user: str
    server: str
    device: int = 0
    integrator: int = 0

    def __str__(self) -> str:
        device = f":{self.device}" if self.device else ""
        at = "@" if self.user else ""
        return f"{self.user}{device}{at}{self.server}"

    def bare(self) -> "Jid":
        """The same user without the device."""
        return Jid(self.user, self.server)

    def at(self, device: int) -> "Jid":
        """The same user's device of that number."""
        return Jid(self.user, self.server, device)


SERVER = Jid("", PN)

Value = str | Jid
Content = bytes | tuple["Node", ...] | None


@dataclass(frozen=True, slots=True)
class Node:
    """One element: a tag, attributes (text or addresses) and bytes, children, or nothing."""

    tag: str
    attrs: Mapping[str, Value] = field(default_factory=dict)
    content: Content = None

    @property
    def children(self) -> tuple["Node", ...]:
        """The child nodes; none where the content is bytes or nothing."""
        return self.content if isinstance(self.content, tuple) else ()

    @property
    def data(self) -> bytes:
        """The content as bytes; Malformed where there are none."""
        if not isinstance(self.content, bytes):
            raise Malformed(f"<{self.tag}> has no bytes")
        return self.content

    def sized(self, size: int) -> bytes:
        """The content, exactly ``size`` bytes; Malformed otherwise."""
        if len(self.data) != size:
            raise Malformed(f"<{self.tag}> has not {size} bytes")
        return self.data

    def child(self, tag: str) -> "Node":
        """The first child of that tag; Malformed where there is none."""
        found = self.find(tag)
        if found is None:
            raise Malformed(f"<{self.tag}> lacks <{tag}>")
        return found

    def find(self, tag: str) -> "Node | None":
        """The first child of that tag, or None."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, tag: str) -> list["Node"]:
        """The children of that tag, in order."""
        return [child for child in self.children if child.tag == tag]

    def text(self, name: str) -> str:
        """A text attribute; Malformed where it is missing or an address."""
        value = self.attrs.get(name)
        if not isinstance(value, str):
            raise Malformed(f"<{self.tag}> lacks the text {name}")
        return value

    def text_or(self, name: str, otherwise: str = "") -> str:
        """A text attribute, or ``otherwise`` where it is missing; Malformed where it is an address."""
        return self.text(name) if name in self.attrs else otherwise

    def jid(self, name: str) -> Jid:
        """An address attribute; Malformed where it is missing or text: the service ignores such stanzas."""
        value = self.attrs.get(name)
        if not isinstance(value, Jid):
            raise Malformed(f"<{self.tag}> lacks the address {name}")
        return value

    def jid_or_none(self, name: str) -> Jid | None:
        """An address attribute or None; Malformed where it is text."""
        return self.jid(name) if name in self.attrs else None

    def count(self, name: str) -> int:
        """A number attribute, not negative; Malformed otherwise."""
        value = self.text(name)
        if not (value.isascii() and value.isdigit() and len(value) <= 15):
            raise Malformed(f"<{self.tag}> {name} is no number")
        return int(value)


def node(
    tag: str, attrs: Mapping[str, Value | int | None] | None = None, content: Iterable[Node] | bytes | None = None
) -> Node:
    """Build a node: numbers become text, attributes that are None or empty fall away, and so do empty child lists."""
    kept: dict[str, Value] = {}
    for name, value in (attrs or {}).items():
        if value is None or value == "":
            continue
        kept[name] = str(value) if isinstance(value, int) else value
    if content is None or isinstance(content, bytes):
        return Node(tag, kept, content)
    return Node(tag, kept, tuple(content) or None)
