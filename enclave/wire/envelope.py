"""The outermost shape of every frame on the door, and the codes by which a call fails."""

from enum import StrEnum

import msgspec

from enclave.wire.answers import Answer
from enclave.wire.news import Notice
from enclave.wire.operations import Operation


class Code(StrEnum):
    """Why a call failed. The door carries no other words."""

    BAD_FRAME = "bad_frame"
    BAD_OPERATION = "bad_operation"
    TOO_LARGE = "too_large"
    BUSY = "busy"  # in-flight or session limit reached
    FENCED = "fenced"  # epoch is not the newest
    NO_SESSION = "no_session"
    SESSION_EXISTS = "session_exists"
    STALE_KEY = "stale_key"  # sealed to a key this enclave no longer has: seal again
    MALFORMED = "malformed"  # the sealed body or envelope does not open under its binding
    EMPTY_TEXT = "empty_text"
    TEXT_TOO_LONG = "text_too_long"
    EXPIRED = "expired"  # not_after has passed
    WRONG_RECIPIENT = "wrong_recipient"  # the recipient is not the bound one
    WRONG_KEY = "wrong_key"  # the wrapped account key does not open here
    STALE_STORE = "stale_store"  # older than one this enclave has already sealed
    STORE_CORRUPT = "store_corrupt"
    STORE_TOO_LARGE = "store_too_large"
    TIMEOUT = "timeout"
    NOT_CONNECTED = "not_connected"
    RATE_LIMITED = "rate_limited"  # WhatsApp wants fewer requests of this kind
    INTERNAL = "internal"


class Call(msgspec.Struct, frozen=True, array_like=True):
    """Host to enclave. `id` is chosen by the host, unique among the calls in flight."""

    id: int
    operation: Operation


class Reply(msgspec.Struct, frozen=True, array_like=True, tag="reply"):
    """Enclave to host: the answer to call `id`."""

    id: int
    answer: Answer


class Failure(msgspec.Struct, frozen=True, array_like=True, tag="failure"):
    """Enclave to host: call `id` failed. `id` 0 is the connection itself, which closes after it."""

    id: int
    code: Code


class News(msgspec.Struct, frozen=True, array_like=True, tag="news"):
    """Enclave to host, unasked: something happened in an account's session."""

    account: str
    epoch: int
    notice: Notice


FromEnclave = Reply | Failure | News
