"""What the enclave answers to a call: closed sets, no free text."""

from enum import StrEnum
from typing import Annotated

import msgspec


class SealedStore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of an account's session store, as the host keeps it (JSONB; bytes as base64).

    AES-256-GCM under the account's state key; every other field is bound as associated data. `clean` says that it was
    taken after the session had closed; a store that is not clean, or that the host calls dirty, loses its ratchets
    before use (docs/whatsapp.md §13). `version` starts at 1 and only grows; what is in `ciphertext`:
    `enclave/stores.py`.
    """

    v: int
    environment: Annotated[str, msgspec.Meta(max_length=16)]
    key_version: int
    version: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    clean: bool
    nonce: Annotated[bytes, msgspec.Meta(min_length=12, max_length=12)]
    ciphertext: bytes


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Who answers: `environment` is "local", "demo" or "nitro" (only the last is attested), `boot` a random id.

    `seal_kid` and `seal_public_key` (65-byte uncompressed P-256 point): what browsers seal content keys to.
    """

    wire_version: int
    environment: str
    boot: str
    seal_kid: str
    seal_public_key: bytes


class AccountKey(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An account key as the host keeps it: wrapped by the key provider."""

    wrapped_key: bytes


class Ingested(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The content key, sealed under the account's body key with the same binding. The body stays as it came."""

    content_key: bytes


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The session process runs. `continued`: it goes on with a store that never left the enclave (nothing was lost)."""

    continued: bool
    pid: int


class Sent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """WhatsApp accepted message `wa_id` at `server_time_s` (Unix seconds); persist `store` before SENT."""

    wa_id: str
    server_time_s: int
    store: SealedStore


class Certainty(StrEnum):
    """What we know of a send that brought no acknowledgement."""

    NOT_SENT = "not_sent"  # never reached the wire: send again
    REFUSED = "refused"  # the server said no, with a code
    MAYBE = "maybe"  # may have been sent: settle, never resend blindly


class SendTrouble(StrEnum):
    """Why a send failed, by class (docs/whatsapp.md §9, §11)."""

    NOT_ON_WHATSAPP = "not_on_whatsapp"
    NOT_IN_GROUP = "not_in_group"
    NOT_CONNECTED = "not_connected"
    SERVER_REFUSED = "server_refused"
    LOOKUP_FAILED = "lookup_failed"
    NO_ACKNOWLEDGEMENT = "no_acknowledgement"
    DEADLINE = "deadline"
    PROCESS_DIED = "process_died"
    OTHER = "other"


class NotSent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """No acknowledgement came. `server_code` is the ack's error when `certainty` is REFUSED, else 0."""

    certainty: Certainty
    trouble: SendTrouble
    server_code: int


class SettleFound(StrEnum):
    """What the session's store says of an attempt."""

    ABSENT = "absent"  # the store is continuous and has no trace: it never reached the wire
    PRESENT = "present"  # it reached the client's sending stage: wait for receipts of `wa_id`
    UNKNOWN = "unknown"  # the store may be older than the attempt, or of another branch


class Settled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The store's word on an attempt; `wa_id` only when PRESENT."""

    found: SettleFound
    wa_id: str


class StoreTaken(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The store as it was at the call, not clean."""

    store: SealedStore


class Closed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The process has ended. `store` is the clean closing store; None without a linked device, or if the process died.

    A process that died leaves its store in the enclave: the account stays dirty, and the next OpenSession goes on.
    """

    store: SealedStore | None


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It is done; nothing to tell."""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person: `jid` by phone number, `lid` if known. Names are "" where unknown. `established`: a session exists."""

    jid: str
    lid: str
    full_name: str
    push_name: str
    business_name: str
    established: bool


class ContactPage(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`after`: cursor of the next page, "" at the end. `names_synced`: the address book's app state has arrived.

    `own_name`: what the account calls itself to others, "" until WhatsApp has told.
    """

    contacts: list[Contact]
    after: str
    names_synced: bool
    own_name: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group that the account is in. `can_send` is False in announcement groups without admin rights."""

    jid: str
    name: str
    members: int
    can_send: bool
    expiration_s: int


class GroupList(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All groups of the account."""

    groups: list[Group]


class Picture(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`picture_id` "" when there is none or it is hidden; `image` empty when unchanged or none (JPEG)."""

    picture_id: str
    image: bytes


class NumberChecked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`jid` "" when the number is not on WhatsApp."""

    jid: str


class StatsTaken(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Counters since boot and the present number of sessions; memory in bytes (broker and zygote together)."""

    sessions: int
    opened: int
    closed: int
    killed: int
    sends: int
    memory_bytes: int
    descriptors: int


Answer = (
    Welcome
    | AccountKey
    | Ingested
    | Opened
    | Sent
    | NotSent
    | Settled
    | StoreTaken
    | Closed
    | Done
    | ContactPage
    | GroupList
    | Picture
    | NumberChecked
    | StatsTaken
)
