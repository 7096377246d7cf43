"""What is typed to find somebody, and where it is in their name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.finding import Search, marked, read_search


@pytest.mark.parametrize(
    ("text", "words", "number"),
    [
        ("", (), ""),
        ("  ", (), ""),
        ("Zoë MÜLL", ("zoe", "mull"), ""),
        ("anna anna", ("anna",), ""),
        ("+49 171 12", ("+49 171 12",), "4917112"),
        ("0171-123", ("0171 123",), "171123"),
        ("0049171", ("0049171",), "49171"),
        ("+49 (0)171", ("+49 0 171",), "49171"),
        ("anna 0171", ("anna", "171"), ""),
        ("0", ("0",), "0"),
        ("٤٩ ١٧١", ("49 171",), "49171"),
        ("5b", ("5b",), ""),
        ("%", ("%",), ""),
        ("+", ("+",), ""),
    ],
)
def test_words_and_numbers_are_told_apart(text: str, words: tuple[str, ...], number: str) -> None:
    assert read_search(text) == Search(words, number)


def test_a_search_is_bounded() -> None:
    assert len(read_search(" ".join(f"a{n}" for n in range(500))).words) == 8
    assert len(read_search("9" * 5000).number) == 80


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("Rafael Dias", "ra", "[Ra]fael Dias"),
        ("Terera Imóveis", "ra imo", "Tere[ra] [Imó]veis"),
        ("Barbara Ra", "ra", "Barbara [Ra]"),
        ("Zoë", "zoe", "[Zoë]"),
        ("Müller", "muell", "[Müll]er"),
        ("Mueller", "mull", "[Muell]er"),
        ("Straße", "strass", "[Straß]e"),
        ("O'Brien", "obr", "[O'Br]ien"),
        ("Anna", "", "Anna"),
        ("Anna", "xyz", "Anna"),
        ("+491711234567", "0171 123", "+49[171123]4567"),
        ("<b>Ann", "ann", "<b>[Ann]"),
    ],
)
def test_the_part_that_was_looked_for_is_marked(name: str, text: str, shown: str) -> None:
    pieces = marked(name, read_search(text))
    assert "".join(f"[{piece}]" if hit else piece for piece, hit in pieces) == shown


@given(st.text(max_size=40), st.text(max_size=20))
def test_marking_changes_no_name(name: str, text: str) -> None:
    name = unicodedata.normalize("NFC", name)
    assert "".join(piece for piece, _ in marked(name, read_search(text))) == name
