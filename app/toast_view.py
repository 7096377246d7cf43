"""What was just done, in one sentence, and how to take it back."""

import msgspec

from domain import limits


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """The form that takes it back, and the message that then looks anew."""

    path: str
    method: str
    fields: tuple[tuple[str, str], ...]
    message: str


class Toast(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence; `undo` None when nothing is to be taken back. `seconds`: how long it is shown."""

    sentence: str
    undo: Undo | None = None
    seconds: int = limits.UNDO_S
