"""Device identities: the phone signs a companion's identity key, and checks the companion's answer.

Source: docs/whatsapp.md §4 (the client's pairing code). Only accounts that live on a phone, not hosted ones.
"""

import hashlib
import hmac
from collections.abc import Iterable

from google.protobuf.message import DecodeError

from simulator import xeddsa
from simulator.curve import KeyPair
from simulator.protobufs import adv

ACCOUNT_PREFIX = b"\x06\x00"
DEVICE_PREFIX = b"\x06\x01"
KEY_INDEX_PREFIX = b"\x06\x02"


class BadIdentity(Exception):
    """A device identity that the phone did not sign, or that its device did not sign in turn."""


def sign_device(
    phone_identity_private: bytes, adv_secret: bytes, device_identity_public: bytes, key_index: int, timestamp_s: int
) -> bytes:
    """What the phone answers to a scanned code: a serialized ADVSignedDeviceIdentityHMAC.

    The HMAC under the code's secret shows the companion that the answer comes from whoever scanned its code; the
    signature binds the companion's key to the phone's."""
    phone = KeyPair.from_private(phone_identity_private)
    details = adv.ADVDeviceIdentity(rawID=_raw_id(phone), timestamp=timestamp_s, keyIndex=key_index).SerializeToString()
    signed = adv.ADVSignedDeviceIdentity(
        details=details,
        accountSignatureKey=phone.public,
        accountSignature=xeddsa.sign(phone.private, ACCOUNT_PREFIX + details + device_identity_public),
    ).SerializeToString()
    box = adv.ADVSignedDeviceIdentityHMAC(details=signed, HMAC=hmac.new(adv_secret, signed, hashlib.sha256).digest())
    return box.SerializeToString()


def key_index_list(phone_identity_private: bytes, indexes: Iterable[int], timestamp_s: int) -> bytes:
    """The phone's signed list of its devices' key indexes: a serialized ADVSignedKeyIndexList.

    Official clients take no other device. Source: the schema and field reports; the prefix is assumed."""
    phone = KeyPair.from_private(phone_identity_private)
    valid = sorted(indexes)
    details = adv.ADVKeyIndexList(
        rawID=_raw_id(phone), timestamp=timestamp_s, currentIndex=max(valid, default=0), validIndexes=valid
    ).SerializeToString()
    return adv.ADVSignedKeyIndexList(
        details=details,
        accountSignature=xeddsa.sign(phone.private, KEY_INDEX_PREFIX + details),
        accountSignatureKey=phone.public,
    ).SerializeToString()


def _raw_id(phone: KeyPair) -> int:
    return int.from_bytes(hashlib.sha256(phone.public).digest()[:4], "big")


def verify_client_identity(
    identity: bytes, phone_identity_public: bytes, device_identity_public: bytes, key_index: int
) -> None:
    """Check the `device-identity` of a companion (from `pair-device-sign`, or beside a first message).

    Raises BadIdentity unless the phone signed the device's key and the device signed back, for this key index."""
    try:
        signed = adv.ADVSignedDeviceIdentity.FromString(identity)
        details = adv.ADVDeviceIdentity.FromString(signed.details)
    except DecodeError as error:
        raise BadIdentity("not a device identity") from error
    if details.keyIndex != key_index:
        raise BadIdentity("the device identity is for another device")
    if signed.accountSignatureKey not in (b"", phone_identity_public):
        raise BadIdentity("the account signature key is not the phone's")
    account_text = ACCOUNT_PREFIX + signed.details + device_identity_public
    if not xeddsa.verify(phone_identity_public, account_text, signed.accountSignature):
        raise BadIdentity("the account signature does not verify")
    device_text = DEVICE_PREFIX + signed.details + device_identity_public + phone_identity_public
    if not xeddsa.verify(device_identity_public, device_text, signed.deviceSignature):
        raise BadIdentity("the device signature does not verify")
