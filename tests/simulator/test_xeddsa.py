from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import curve, xeddsa

SLOW = settings(max_examples=60, deadline=None)


@SLOW
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_a_signature_verifies_and_any_change_breaks_it(private: bytes, message: bytes) -> None:
    pair = curve.KeyPair.from_private(private)
    signature = xeddsa.sign(private, message)
    assert xeddsa.verify(pair.public, message, signature)
    assert not xeddsa.verify(pair.public, message + b"x", signature)
    assert not xeddsa.verify(curve.KeyPair.new().public, message, signature)
    for place in (0, 31, 32, 63):
        broken = bytearray(signature)
        broken[place] ^= 1
        assert not xeddsa.verify(pair.public, message, bytes(broken))


@SLOW
@given(st.binary(max_size=70), st.binary(max_size=70))
def test_nonsense_is_refused_not_raised(public: bytes, signature: bytes) -> None:
    assert not xeddsa.verify(public, b"m", signature)
