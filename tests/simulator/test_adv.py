"""Device identities: the phone's signature, the companion's answer, and everything that must not pass."""

import hashlib
import hmac
import os

import pytest

from simulator import xeddsa
from simulator.adv import (
    ACCOUNT_PREFIX,
    DEVICE_PREFIX,
    KEY_INDEX_PREFIX,
    BadIdentity,
    key_index_list,
    sign_device,
    verify_client_identity,
)
from simulator.curve import KeyPair
from simulator.protobufs import adv

PHONE, DEVICE, STRANGER = (KeyPair.from_private(os.urandom(32)) for _ in range(3))
SECRET = os.urandom(32)


def signed(key_index: int = 3) -> adv.ADVSignedDeviceIdentity:
    box = adv.ADVSignedDeviceIdentityHMAC.FromString(
        sign_device(PHONE.private, SECRET, DEVICE.public, key_index, 1_700_000_000)
    )
    assert hmac.compare_digest(box.HMAC, hmac.new(SECRET, box.details, hashlib.sha256).digest())
    return adv.ADVSignedDeviceIdentity.FromString(box.details)


def answered(device: KeyPair = DEVICE) -> adv.ADVSignedDeviceIdentity:
    """What a client sends back: its own signature added, the account key left out."""
    identity = signed()
    text = DEVICE_PREFIX + identity.details + device.public + identity.accountSignatureKey
    identity.deviceSignature = xeddsa.sign(device.private, text)
    identity.ClearField("accountSignatureKey")
    return identity


def test_the_signature_is_the_phones_and_covers_the_devices_key() -> None:
    identity = signed()
    details = adv.ADVDeviceIdentity.FromString(identity.details)
    assert (details.keyIndex, details.timestamp) == (3, 1_700_000_000)
    assert identity.accountSignatureKey == PHONE.public
    text = ACCOUNT_PREFIX + identity.details
    assert xeddsa.verify(PHONE.public, text + DEVICE.public, identity.accountSignature)
    assert not xeddsa.verify(PHONE.public, text + STRANGER.public, identity.accountSignature)


def test_the_list_of_key_indexes_is_signed_by_the_phone() -> None:
    signed_list = adv.ADVSignedKeyIndexList.FromString(key_index_list(PHONE.private, [3, 1], 1_700_000_000))
    details = adv.ADVKeyIndexList.FromString(signed_list.details)
    assert (list(details.validIndexes), details.currentIndex) == ([1, 3], 3)
    text = KEY_INDEX_PREFIX + signed_list.details
    assert xeddsa.verify(PHONE.public, text, signed_list.accountSignature)


def test_the_answer_of_an_honest_client_passes() -> None:
    identity = answered()
    verify_client_identity(identity.SerializeToString(), PHONE.public, DEVICE.public, 3)
    identity.accountSignatureKey = PHONE.public
    verify_client_identity(identity.SerializeToString(), PHONE.public, DEVICE.public, 3)


def test_every_other_answer_is_refused() -> None:
    good = answered().SerializeToString()
    foreign_key, unsigned = answered(), answered()
    foreign_key.accountSignatureKey = STRANGER.public
    unsigned.ClearField("deviceSignature")
    cases = [
        (good, STRANGER.public, DEVICE.public, 3),
        (good, PHONE.public, STRANGER.public, 3),
        (good, PHONE.public, DEVICE.public, 4),
        (answered(STRANGER).SerializeToString(), PHONE.public, DEVICE.public, 3),
        (foreign_key.SerializeToString(), PHONE.public, DEVICE.public, 3),
        (unsigned.SerializeToString(), PHONE.public, DEVICE.public, 3),
        (b"\xff\xff", PHONE.public, DEVICE.public, 3),
        (b"", PHONE.public, DEVICE.public, 3),
    ]
    for case in cases:
        with pytest.raises(BadIdentity):
            verify_client_identity(*case)
