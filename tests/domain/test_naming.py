"""Names by precedence, and folding: what is compared when somebody looks for a name."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.naming import digits_of, fold, fold_with_origins, search_text, shown_name

JID = "491711234567@s.whatsapp.net"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zoë  ÜNAL", "zoe unal"),
        ("Straße", "strasse"),
        ("ﬁn", "fin"),
        ("", ""),
        ("Łukasz Wałęsa", "lukasz walesa"),
        ("Søren Ærø", "soren aero"),
        ("Đorđe", "dorde"),
        ("IŞIK ışık İpek", "isik isik ipek"),
        ("Þór Œuvre", "thor oeuvre"),
        ("O'Brien O\u2019Brien", "obrien obrien"),
        ("Anna-Lena (Work), Dr. B_C", "anna lena work dr b c"),
        ("100%", "100"),
        ("%_\\", "%_\\"),
        ("Νίκος ΝΊΚΟΣ", "νικοσ νικοσ"),
        ("Ёлка Ёж", "елка еж"),
        ("محمد ١٢", "محمد 12"),
        ("\u200eAnn\u200d", "ann"),
        ("❤️ Mum", "❤ mum"),
        ("E\u0301ve", "eve"),
        ("\u00a0\t", ""),
    ],
)
def test_folding_drops_case_accents_and_punctuation(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_every_character_folds_to_something_that_stays() -> None:
    for code in range(sys.maxunicode + 1):
        once = fold(f"a{chr(code)}a")
        assert fold(once) == once, hex(code)
        assert not once.startswith(" "), hex(code)


@given(st.text(max_size=40))
def test_folding_ignores_case_composition_and_repetition(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text))
    assert "  " not in once


@given(st.text(max_size=40), st.sampled_from(["plain", "long", "short"]))
def test_every_folded_sign_comes_from_the_name_in_its_order(name: str, spelling: str) -> None:
    folded, origins = fold_with_origins(name, spelling)
    assert len(folded) == len(origins)
    assert origins == sorted(origins)
    assert all(0 <= origin < len(name) for origin in origins)


def test_the_address_book_comes_before_what_people_call_themselves() -> None:
    assert shown_name(JID, "Ann", "Shop", "annie") == "Ann"
    assert shown_name(JID, " ", "Shop", "annie") == "Shop"
    assert shown_name(JID, "", "", "annie") == "annie"
    assert shown_name(JID, "", "", "") == "+491711234567"
    assert shown_name(JID, "Zoe\u0308", "", "") == "Zoë"


def test_digits_of_a_lid_are_no_phone_number() -> None:
    assert digits_of("77001122@lid") == ""
    assert digits_of("491711234567:12@s.whatsapp.net") == "491711234567"


@pytest.mark.parametrize(
    ("name", "jid", "looked_in"),
    [
        ("Ann", JID, "ann 491711234567"),
        ("Ski", "1@g.us", "ski"),
        ("Jörg Müller", JID, "jorg muller joerg mueller 491711234567"),
        ("Mueller", JID, "mueller muller 491711234567"),
        ("Søren", JID, "soren soeren 491711234567"),
        ("Mu\u0308ller", "1@g.us", "muller mueller"),
        ("+491711234567", JID, "+491711234567 491711234567"),
    ],
)
def test_names_are_looked_for_in_all_their_spellings(name: str, jid: str, looked_in: str) -> None:
    assert search_text(name, jid) == looked_in
