"""Which pictures there are, and how their files are called."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from standalone.home import REPOSITORY

Theme = Literal["light", "dark"]

FOLDER: Final = REPOSITORY / "docs" / "screens"
THEMES: Final[tuple[Theme, ...]] = ("light", "dark")
SIZES: Final = ((390, 844), (1280, 800))
"""A phone and a small laptop, in CSS pixels; a page that is longer makes its picture longer."""

PICTURES: Final[Mapping[str, str]] = {
    "landing": "The first page of somebody new.",
    "sign-in": "Sign in by e-mail.",
    "sign-in-code": "The six digits are in the mail.",
    "sign-in-wrong-code": "Six other digits.",
    "mailbox": "The mails of a demo.",
    "today-empty": "Signed in, no phone linked yet.",
    "today-linked": "Linked, nothing scheduled yet.",
    "compose-empty": "Nothing written yet.",
    "compose-filled": "Written, with what they see and when it leaves.",
    "compose-error": "A time that is gone.",
    "compose-recovery": "The recovery code, shown once.",
}
"""Name and what is to be seen, in the order in which a person comes by."""


def files_of(name: str) -> Iterator[tuple[str, int, int, Theme]]:
    """Yield the files of a picture: the file's name, width and least height in CSS pixels, theme."""
    for width, height in SIZES:
        for theme in THEMES:
            yield f"{name}-{width}-{theme}.png", width, height, theme


def every_file() -> list[str]:
    """Return the names of all files that the folder holds."""
    return [file for name in PICTURES for file, *_ in files_of(name)]


def file_path(file: str) -> Path:
    """Return where a file lies."""
    return FOLDER / file
