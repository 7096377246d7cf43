"""What people and groups are called. Names are shown in one spelling and found in all that people type for it."""

import unicodedata
from collections.abc import Iterator
from typing import Final

_LETTERS: Final = {
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n",
}  # fmt: skip
"""Letters that Unicode does not take apart, as people write them on a keyboard without them."""

_SPELLED: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
"""Letters that are also written as two: who is called Müller is looked for as Mueller."""

_APOSTROPHES: Final = "'’‘ʼ`´"
_VARIATION: Final = range(0xFE00, 0xFE10)
"""Marks that say whether a sign is an emoji; keyboards differ in whether they write them."""


def fold(text: str) -> str:
    """Text for comparing: no case, no accents, no punctuation, single spaces, digits as 0 to 9.

    Text of nothing but punctuation keeps it, so that it can be found. Folding twice is folding once.
    """
    return " ".join("".join(_pieces(text)).split()) or " ".join(text.split())


def fold_with_origins(name: str, spelling: str = "plain") -> tuple[str, list[int]]:
    """`name` (NFC) folded, and for each sign of that the index in `name` that it comes from.

    `spelling`: "plain" as `fold`; "long" with letters that are also written as two ("mueller" for "Müller");
    "short" with such pairs as one letter ("muller" for "Mueller").
    """
    signs: list[str] = []
    origins: list[int] = []
    for index, piece in enumerate(_pieces(name, long=spelling == "long")):
        for sign in piece:
            signs.append(sign)
            origins.append(index)
    if spelling == "short":
        kept = [at for at in range(len(signs)) if "".join(signs[max(at - 1, 0) : at + 1]) not in _SPELLED.values()]
        signs, origins = [signs[at] for at in kept], [origins[at] for at in kept]
    return "".join(signs), origins


def digits_of(jid: str) -> str:
    """The phone number of a person's JID, "" for a group or for a LID, whose digits are no phone number."""
    user, _, server = jid.partition("@")
    return user.partition(":")[0] if server == "s.whatsapp.net" else ""


def shown_name(jid: str, full_name: str, business_name: str, push_name: str) -> str:
    """The best name there is: address book, business, what they call themselves, number (docs/whatsapp.md §10)."""
    best = full_name.strip() or business_name.strip() or push_name.strip() or number_name(jid)
    return unicodedata.normalize("NFC", best)


def number_name(jid: str) -> str:
    """What somebody without a name is called: the number with its plus."""
    return f"+{digits_of(jid)}"


def search_text(name: str, jid: str) -> str:
    """What a search looks in: the words of the folded name, its words in other spellings, the number's digits."""
    name = unicodedata.normalize("NFC", name)
    words = fold(name).split()
    for spelling in ("long", "short"):
        words += [word for word in fold_with_origins(name, spelling)[0].split() if word not in words]
    return " ".join([*words, *digits_of(jid).split()])


def _pieces(text: str, *, long: bool = False) -> Iterator[str]:
    """For each character of `text` what it folds to: nothing, a space, one sign or several."""
    for char in text:
        spelled = _SPELLED.get(char.casefold()) if long else None
        if spelled:
            yield spelled
        else:
            yield "".join(_piece(sign) for sign in unicodedata.normalize("NFKD", char).casefold())


def _piece(sign: str) -> str:
    sign = _LETTERS.get(sign, sign)
    kind = unicodedata.category(sign[0])
    if kind == "Nd":
        return str(unicodedata.decimal(sign))
    if sign in _APOSTROPHES or unicodedata.combining(sign[0]) or (kind in ("Cf", "Cc") and not sign.isspace()):
        return ""
    if kind[0] == "P" or kind[0] == "Z" or sign.isspace():
        return " "
    return "" if ord(sign[0]) in _VARIATION else sign
