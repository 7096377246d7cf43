"""What somebody types to find a person: words and numbers, and where in a name they are."""

import re
import unicodedata
from typing import Final, NamedTuple

from domain import limits
from domain.naming import fold, fold_with_origins

_NUMBER: Final = re.compile(r"[+\d\s()./‐-―-]*\d[+\d\s()./‐-―-]*")
_NUMBER_WORD: Final = re.compile(r"\+?0*(\d+)")
_TRUNK_ZERO: Final = "(0)"
"""Written in numbers such as +49 (0)171: not dialled from abroad."""


class Search(NamedTuple):
    """`words`: folded, each must be somewhere; `number`: digits if all that was typed may be a number, else "".

    What may be a number is one word, its spaces kept: it is in a name as it stands, or in a number without them.
    """

    words: tuple[str, ...] = ()
    number: str = ""


def read_search(text: str) -> Search:
    """What is looked for. Leading zeros of numbers are dropped: they stand for a country that we do not know."""
    text = text[: limits.SEARCH_CHARS_MAX]
    folded = fold(text)
    plain = unicodedata.normalize("NFKC", text).replace(_TRUNK_ZERO, "")
    if _NUMBER.fullmatch(plain):
        digits = "".join(str(unicodedata.decimal(sign)) for sign in plain if sign.isdecimal())
        return Search((folded,), digits.lstrip("0") or digits)
    words = dict.fromkeys(_word(word) for word in folded.split())
    return Search(tuple(words)[: limits.SEARCH_WORDS_MAX])


def marked(name: str, search: Search) -> list[tuple[str, bool]]:
    """`name` in pieces, each with whether it is what was looked for. The pieces together are the name."""
    spellings = [fold_with_origins(name, spelling) for spelling in ("plain", "long", "short")]
    found = [False] * len(name)
    for wanted in dict.fromkeys([*search.words, *search.number.split()]):
        for folded, origins in spellings:
            at = f" {folded}".find(f" {wanted}")
            at = at if at >= 0 else folded.find(wanted)
            if at >= 0:
                first, last = origins[at], origins[at + len(wanted) - 1]
                found[first : last + 1] = [True] * (last + 1 - first)
                break
    pieces: list[tuple[str, bool]] = []
    for char, hit in zip(name, found, strict=True):
        if pieces and (pieces[-1][1] == hit or unicodedata.combining(char)):
            pieces[-1] = (pieces[-1][0] + char, pieces[-1][1])
        else:
            pieces.append((char, hit))
    return pieces


def _word(word: str) -> str:
    number = _NUMBER_WORD.fullmatch(word)
    return number[1] if number else word
