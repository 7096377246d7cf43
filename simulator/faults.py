"""Faults to order: what goes wrong next, per phone (docs/whatsapp.md §5). Pure."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from simulator.node import Node, node

FAULTS_MAX = 1_000
COUNT_MAX = 10_000
PAIRING = ""
"""The phone of faults that hit clients which are not paired yet."""


class FaultError(ValueError):
    """The order is not understood."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong ``n`` times.

    * ``when="login"``: refuse with ``<failure reason>``; ``attrs`` go on it (``code``, ``expire``, ``location``).
    * ``when="paired"``: the device is linked, but its connection is cut before it is told to log in.
    * ``when="after_login"``: a stream error of ``code`` and/or ``conflict`` ``after_s`` the login; or just
      ``abort``/``close``.
    * ``when="iq"``: the next iq (of that ``xmlns``, if given) gets an error of ``code``.
    * ``when="message"``: ``op`` is ``drop`` (not accepted, connection aborted), ``drop_after`` (delivered, then
      aborted before the acknowledgement), ``error`` (acknowledged with ``code``), ``mute`` (delivered, no
      acknowledgement).
    """

    when: str
    n: int = 1
    reason: int = 0
    attrs: dict[str, str] = field(default_factory=dict)
    code: int = 0
    conflict: str = ""
    after_s: float = 0.0
    abort: bool = False
    close: bool = False
    op: str = ""
    xmlns: str = ""


_TYPES = {
    "n": int, "reason": int, "attrs": dict, "code": int, "conflict": str, "after_s": (int, float),
    "abort": bool, "close": bool, "op": str, "xmlns": str,
}  # fmt: skip
_ALLOWED = {
    "login": {"reason", "attrs"},
    "paired": set(),
    "after_login": {"code", "conflict", "after_s", "abort", "close"},
    "message": {"op", "code"},
    "iq": {"xmlns", "code"},
}
OPS = ("drop", "drop_after", "error", "mute")


def read_fault(order: dict[str, Any]) -> Fault:
    """A fault from JSON values; FaultError where a name, a type or a combination is not understood."""
    when = order.get("when")
    if not isinstance(when, str) or when not in _ALLOWED:
        raise FaultError(f"when must be one of {', '.join(_ALLOWED)}")
    for name, value in order.items():
        if name == "when":
            continue
        if name != "n" and name not in _ALLOWED[when]:
            raise FaultError(f"{name} has no meaning with when={when}")
        if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and _TYPES[name] is not bool):
            raise FaultError(f"{name} has the wrong type")
    checked: dict[str, Any] = order | {"attrs": {str(k): str(v) for k, v in order.get("attrs", {}).items()}}
    fault = Fault(**checked)
    if not 1 <= fault.n <= COUNT_MAX:
        raise FaultError(f"n must be 1 to {COUNT_MAX}")
    if when == "iq" and not fault.code:
        raise FaultError("an iq fault needs a code")
    if when == "login" and not fault.reason:
        raise FaultError("a login fault needs a reason")
    if when == "message" and (fault.op not in OPS or (fault.op == "error") != bool(fault.code)):
        raise FaultError(f"op must be one of {', '.join(OPS)}; error, and only it, takes a code")
    if when == "after_login" and not (fault.code or fault.conflict or fault.abort or fault.close):
        raise FaultError("an after_login fault needs a code, a conflict, abort or close")
    return fault


def stream_error(code: int, conflict: str) -> Node:
    """The stanza that ends a stream; ``replaced`` comes without a code (docs/whatsapp.md §5)."""
    children = [node("conflict", {"type": conflict})] if conflict else []
    return node("stream:error", {"code": code or None}, children)


def failure(fault: Fault) -> Node:
    """The refusal of a login."""
    return node("failure", {"reason": fault.reason, "location": "sim", **fault.attrs})


class Faults:
    """What is ordered and not consumed yet, first in first out per phone and occasion."""

    def __init__(self) -> None:
        self._ordered: dict[str, deque[Fault]] = {}

    def order(self, number: str, fault: Fault) -> None:
        """Add a fault; FaultError beyond the bound."""
        line = self._ordered.setdefault(number, deque())
        if len(line) >= FAULTS_MAX:
            raise FaultError("too many faults are ordered")
        line.append(fault)

    def take(self, number: str, when: str, xmlns: str = "") -> Fault | None:
        """The next fault for that occasion (and kind of iq), consumed once; None where there is none."""
        line = self._ordered.get(number, deque())
        for fault in line:
            if fault.when == when and fault.xmlns in ("", xmlns):
                fault.n -= 1
                if not fault.n:
                    line.remove(fault)
                return fault
        return None

    def clear(self, number: str | None = None) -> None:
        """Forget what is ordered for one phone, or for all."""
        if number is None:
            self._ordered.clear()
        else:
            self._ordered.pop(number, None)

    def waiting(self, number: str) -> int:
        """How many times something is still to go wrong for that phone."""
        return sum(fault.n for fault in self._ordered.get(number, ()))
