"""What the host may ask of the enclave: a closed set of calls, no free text.

Each docstring names the answer's class (`enclave.wire.answers`); any call may fail with a `Code` instead. No operation
returns plaintext of a message. `account` is a UUID text, `epoch` the ownership epoch of the account: the enclave
remembers the highest it has seen and answers `fenced` to a lower one. Only the owner connection that opened a session
may use it; to others there is no session. A field that is unknown or out of bounds is a bad operation.
"""

from typing import Annotated

import msgspec

from enclave.wire.answers import SealedStore
from enclave.wire.limits import CONTACT_PAGE_MAX
from enclave.wire.sealing import Binding

Account = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
"""UUID, lower case with dashes. The enclave names folders by it, so nothing else may pass."""

Epoch = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Version = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Jid = Annotated[str, msgspec.Meta(min_length=3, max_length=128)]
JidOrNone = Annotated[str, msgspec.Meta(max_length=128)]
Phone = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{5,20}\Z")]
PhoneOrNone = Annotated[str, msgspec.Meta(pattern=r"\A([0-9]{5,20})?\Z")]
Secret = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Wrapped = Annotated[bytes, msgspec.Meta(min_length=1, max_length=4096)]
Short = Annotated[str, msgspec.Meta(max_length=64)]


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """First call of every connection → `Welcome`. `owner` connections own the sessions they open: they end with it."""

    wire_version: int
    owner: bool


class NewAccountKey(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Makes the key of a new account → `AccountKey`."""

    account: Account


class Ingest(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Takes a body sealed by the browser into the account's keeping → `Ingested`.

    `envelope` and `body` are those of `enclave.wire.sealing`; `kid` names the enclave key they were sealed to.
    Fails with stale_key, malformed, empty_text, text_too_long, expired, wrong_key.
    """

    account: Account
    wrapped_key: Wrapped
    binding: Binding
    kid: Short
    envelope: bytes
    body: bytes


class OpenSession(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Starts a session process → `Opened`; the rest is news. For a wake `store` is the newest sealed store, `jid` set.

    `dirty`: the host opened a session since `store` was taken and never got its closing store.
    """

    account: Account
    epoch: Epoch
    wrapped_key: Wrapped
    jid: Jid
    store: SealedStore | None
    dirty: bool


class PairSession(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Starts a session process that links a new device → `Opened`; then QrShown or PairCodeShown, Paired, Connected.

    `phone`: international digits for pairing by code, "" for QR.
    """

    account: Account
    epoch: Epoch
    wrapped_key: Wrapped
    phone: PhoneOrNone


class Send(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Sends one sealed body → `Sent`, or `NotSent` with how certain that is.

    `secret` (32 bytes) was committed by the host before this call; after a crash `Settle` finds the send by it.
    A code means that nothing left, except `internal`, and `timeout` of the host's own: those are maybe.
    """

    account: Account
    epoch: Epoch
    attempt: Short
    secret: Secret
    recipient: Jid
    binding: Binding
    content_key: bytes
    body: bytes


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """What became of the attempt with this secret, by the session's own store → `Settled`. Needs a live session.

    `after_version`: the version of the sealed store that the host held when the attempt began.
    """

    account: Account
    epoch: Epoch
    secret: Secret
    after_version: Version


class TakeStore(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Seals the live session's store as it is now → `StoreTaken`."""

    account: Account
    epoch: Epoch


class CloseSession(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Disconnects, takes the last store, ends the process → `Closed`, also if it died meanwhile."""

    account: Account
    epoch: Epoch


class Unlink(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Logs the device out at WhatsApp and destroys its store → `Done`. Needs a live session."""

    account: Account
    epoch: Epoch


class Forget(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Destroys whatever the enclave still holds of an account, live or left over → `Done`."""

    account: Account
    epoch: Epoch


class ListContacts(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """A page of the live session's contacts, by JID, after `after` ("" for the first) → `ContactPage`."""

    account: Account
    epoch: Epoch
    after: JidOrNone
    limit: Annotated[int, msgspec.Meta(ge=1, le=CONTACT_PAGE_MAX)]


class ListGroups(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The groups the account is in → `GroupList`. One request to WhatsApp."""

    account: Account
    epoch: Epoch


class GetPicture(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The preview picture of a person or group → `Picture`. `known_id`: the id the host has, "" for none."""

    account: Account
    epoch: Epoch
    jid: Jid
    known_id: Short


class CheckNumber(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Whether a phone number (international digits) is on WhatsApp → `NumberChecked`. One at a time, never in bulk."""

    account: Account
    epoch: Epoch
    phone: Phone


class Stats(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
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
