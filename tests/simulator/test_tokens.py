"""Trusted-contact tokens hold for one pair and about four weeks."""

import os

from simulator.tokens import BUCKET_S, issue, valid

KEY = os.urandom(32)
NOW = 2_900 * BUCKET_S


def test_a_token_holds_for_its_pair_and_window_only() -> None:
    token = issue(KEY, "101", NOW)
    assert valid(token, KEY, "101", NOW)
    assert valid(token, KEY, "101", NOW + 3 * BUCKET_S)
    assert not valid(token, KEY, "101", NOW + 4 * BUCKET_S)
    assert not valid(token, KEY, "102", NOW)
    assert not valid(token, os.urandom(32), "101", NOW)
    assert not valid(b"", KEY, "101", NOW)
