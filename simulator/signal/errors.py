"""Why a Signal message or key was refused. Every refusal leaves the state of the party as it was."""


class SignalError(Exception):
    """A peer's message, bundle or key is not acceptable."""


class Malformed(SignalError):
    """Bytes that are not a Signal message of version 3, or miss a field."""


class BadMac(SignalError):
    """No session of the address authenticates the message."""


class BadSignature(SignalError):
    """A signed prekey or a group message carries a signature that its key did not make."""


class BadPadding(SignalError):
    """The decrypted text does not end in WhatsApp's padding."""


class BadKey(SignalError):
    """A public key of the wrong length, or a point of small order."""


class UntrustedIdentity(SignalError):
    """A first message under another identity key than the one that the sending device has."""


class OldCounter(SignalError):
    """The message key was used before: a repeated message, or a sender with a stale ratchet."""


class TooFarAhead(SignalError):
    """The counter lies further ahead than a phone would keep keys for."""


class NoSession(SignalError):
    """There is no session with the address, or no sender key of that group member."""


class UnknownPrekey(SignalError):
    """The message names a prekey that was never handed out, or was used before."""
