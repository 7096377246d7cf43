"""Names by precedence, searches without case and accents."""

import pytest

from domain.naming import digits_of, fold, search_text, shown_name

JID = "491711234567@s.whatsapp.net"


@pytest.mark.parametrize(
    ("text", "folded"), [("Zoë  ÜNAL", "zoe unal"), ("Straße", "strasse"), ("ﬁn", "fin"), ("", "")]
)
def test_folding_drops_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_the_address_book_comes_before_what_people_call_themselves() -> None:
    assert shown_name(JID, "Ann", "Shop", "annie") == "Ann"
    assert shown_name(JID, " ", "Shop", "annie") == "Shop"
    assert shown_name(JID, "", "", "annie") == "annie"
    assert shown_name(JID, "", "", "") == "+491711234567"


def test_digits_of_a_lid_are_no_phone_number() -> None:
    assert digits_of("77001122@lid") == ""
    assert digits_of("491711234567:12@s.whatsapp.net") == "491711234567"
    assert search_text("Ann", JID) == "ann 491711234567"
