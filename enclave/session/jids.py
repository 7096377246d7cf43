"""JIDs between their text, "user[.agent][:device]@server", and neonize's protobuf message."""

from typing import Any


def jid_message(protos: Any, text: str) -> Any:
    """The protobuf JID of `text`; every field is required by the schema. Raises ValueError."""
    user, separator, server = text.partition("@")
    if not separator or not user or not server:
        raise ValueError("no JID")
    user, _, device = user.partition(":")
    user, _, agent = user.partition(".")
    return protos.JID(
        User=user, RawAgent=int(agent or 0), Device=int(device or 0), Integrator=0, Server=server, IsEmpty=False
    )


def jid_text(jid: Any) -> str:
    """The text of a protobuf JID."""
    agent = f".{jid.RawAgent}" if jid.RawAgent else ""
    device = f":{jid.Device}" if jid.Device else ""
    return f"{jid.User}{agent}{device}@{jid.Server}"


def same_user(participant: Any, users: frozenset[str]) -> bool:
    """Whether a group participant is one of `users`, by number or by LID."""
    return any(jid.User in users for jid in (participant.JID, participant.LID, participant.PhoneNumber))
