"""What people and groups are called, and how a search finds them. The web folds what is typed in the same way."""

import unicodedata


def fold(text: str) -> str:
    """Text for comparing: no case, no accents, single spaces (Unicode NFKD, marks dropped, casefold)."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(bare.casefold().split())


def digits_of(jid: str) -> str:
    """The phone number of a person's JID, "" for a group or for a LID, whose digits are no phone number."""
    user, _, server = jid.partition("@")
    return user.partition(":")[0] if server == "s.whatsapp.net" else ""


def shown_name(jid: str, full_name: str, business_name: str, push_name: str) -> str:
    """The best name there is: address book, business, what they call themselves, number (docs/whatsapp.md §10)."""
    return full_name.strip() or business_name.strip() or push_name.strip() or f"+{digits_of(jid)}"


def search_text(name: str, jid: str) -> str:
    """What a search looks in: the folded name, a space, the number's digits."""
    return f"{fold(name)} {digits_of(jid)}"
