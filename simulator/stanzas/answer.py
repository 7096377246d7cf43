"""The shape of a handler for ``<iq>``, and its refusals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.hub import Hub, Link
from simulator.node import SERVER, Node, node
from simulator.world import Companion, Phone


class Refusal(Exception):
    """Answered as ``<error code text>``."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


NOT_FOUND = (404, "item-not-found")
BAD_REQUEST = (400, "bad-request")
FORBIDDEN = (403, "forbidden")


@dataclass(frozen=True, slots=True)
class Call:
    """A logged-in device's iq."""

    hub: Hub
    link: Link
    phone: Phone
    companion: Companion
    iq: Node

    @property
    def only(self) -> Node:
        """Its one child; Malformed where there is none."""
        return self.iq.children[0] if len(self.iq.children) == 1 else self.iq.child("(exactly one child)")


Handler = Callable[[Call], Sequence[Node]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A handler and where its answer's shape comes from."""

    handler: Handler
    source: str


def result(iq: Node, content: Sequence[Node]) -> Node:
    """The positive answer to an iq."""
    sender = iq.jid_or_none("to") or SERVER
    return node("iq", {"from": sender, "type": "result", "id": iq.text("id")}, content)


def error(iq: Node, code: int, text: str) -> Node:
    """The negative answer to an iq; its sender is S where the request has no usable one."""
    sender = iq.attrs.get("to")
    sender = SERVER if sender is None or isinstance(sender, str) else sender
    child = node("error", {"code": code, "text": text})
    return node("iq", {"from": sender, "type": "error", "id": iq.text("id")}, [child])
