"""What the host may ask of the enclave: a closed set of calls, no free text.

Each docstring names the answer's class (`enclave.wire.answers`); any call may fail with a `Code` instead. No operation
returns plaintext of a message. `account` is a UUID text, `epoch` the ownership epoch of the account: the enclave
remembers the highest it has seen and answers `fenced` to a lower one.
"""

import msgspec

from enclave.wire.answers import SealedStore
from enclave.wire.sealing import Binding


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """First call of every connection → `Welcome`. `owner` connections own the sessions they open: they end with it."""

    wire_version: int
    owner: bool


class NewAccountKey(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Makes the key of a new account → `AccountKey`."""

    account: str


class Ingest(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Takes a body sealed by the browser into the account's keeping → `Ingested`.

    `envelope` and `body` are those of `enclave.wire.sealing`; `kid` names the enclave key they were sealed to.
    Fails with stale_key, malformed, empty_text, text_too_long, expired, wrong_key.
    """

    account: str
    wrapped_key: bytes
    binding: Binding
    kid: str
    envelope: bytes
    body: bytes


class OpenSession(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Starts a session process → `Opened`; the rest is news. For a wake `store` is the newest sealed store, `jid` set.

    `dirty`: the host opened a session since `store` was taken and never got its closing store.
    """

    account: str
    epoch: int
    wrapped_key: bytes
    jid: str
    store: SealedStore | None
    dirty: bool


class PairSession(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Starts a session process that links a new device → `Opened`; then QrShown or PairCodeShown, Paired, Connected.

    `phone`: international digits for pairing by code, "" for QR.
    """

    account: str
    epoch: int
    wrapped_key: bytes
    phone: str


class Send(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Sends one sealed body → `Sent`, or `NotSent` with how certain that is.

    `secret` (32 bytes) was committed by the host before this call; after a crash `Settle` finds the send by it.
    """

    account: str
    epoch: int
    attempt: str
    secret: bytes
    recipient: str
    binding: Binding
    content_key: bytes
    body: bytes


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What became of the attempt with this secret, by the session's own store → `Settled`. Needs a live session.

    `after_version`: the version of the sealed store that the host held when the attempt began.
    """

    account: str
    epoch: int
    secret: bytes
    after_version: int


class TakeStore(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Seals the live session's store as it is now → `StoreTaken`."""

    account: str
    epoch: int


class CloseSession(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Disconnects, takes the last store, ends the process → `Closed`, also if it died meanwhile."""

    account: str
    epoch: int


class Unlink(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Logs the device out at WhatsApp and destroys its store → `Done`. Needs a live session."""

    account: str
    epoch: int


class Forget(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Destroys whatever the enclave still holds of an account, live or left over → `Done`."""

    account: str
    epoch: int


class ListContacts(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A page of the live session's contacts, by JID, after `after` ("" for the first) → `ContactPage`."""

    account: str
    epoch: int
    after: str
    limit: int


class ListGroups(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The groups the account is in → `GroupList`. One request to WhatsApp."""

    account: str
    epoch: int


class GetPicture(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The preview picture of a person or group → `Picture`. `known_id`: the id the host has, "" for none."""

    account: str
    epoch: int
    jid: str
    known_id: str


class CheckNumber(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Whether a phone number (international digits) is on WhatsApp → `NumberChecked`. One at a time, never in bulk."""

    account: str
    epoch: int
    phone: str


class Stats(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Counters of the enclave → `StatsTaken`."""


Operation = (
    Hello
    | NewAccountKey
    | Ingest
    | OpenSession
    | PairSession
    | Send
    | Settle
    | TakeStore
    | CloseSession
    | Unlink
    | Forget
    | ListContacts
    | ListGroups
    | GetPicture
    | CheckNumber
    | Stats
)
