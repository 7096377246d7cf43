"""What a comment cites can be opened: a section of our page about WhatsApp, a heading of another page, or an RFC."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TREES = ("app", "domain", "enclave", "simulator", "standalone", "static", "store", "supervisor", "templates", "tests")
ENDINGS = {".py", ".sql", ".lua", ".js", ".html", ".css"}
FROZEN = ROOT / "store" / "migrations"
"""Applied migrations are checked by their checksum: even their comments stay."""
FACTS = "docs/whatsapp.md"
NEAR = 160
"""How far before a § its document may be named, in characters."""

PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
SOURCES = sorted(
    path for tree in TREES for path in (ROOT / tree).rglob("*") if path.suffix in ENDINGS and FROZEN not in path.parents
)
SECTIONS = set(re.findall(r"^## (\d+)\. ", PAGES[FACTS], re.M))


def flaws(text: str) -> list[str]:
    """The citations of `text` that lead nowhere."""
    flat = re.sub(r"\s+(?:#|--|//|\*)?\s*", " ", text)
    found = []
    for cited in re.finditer(r"§ ?(\d[\d.]*\d|\d)?", flat):
        near = flat[max(0, cited.start() - NEAR) : cited.start()]
        named = re.findall(rf"{re.escape(FACTS)}|RFC \d+", near)
        if not named or (named[-1] == FACTS and cited[1] not in SECTIONS):
            found.append(near[-40:] + cited[0])
    for page in re.finditer(r"\b(docs/[\w-]+\.md)(?:, \"([^\"]+)\")?", flat):
        if page[1] not in PAGES or (page[2] and f"\n## {page[2]}\n" not in PAGES[page[1]]):
            found.append(page[0])
    return found


@pytest.mark.parametrize("path", [path for path in SOURCES if path != Path(__file__)], ids=lambda path: path.name)
def test_what_a_comment_cites_is_there(path: Path) -> None:
    assert flaws(path.read_text()) == []


def test_sections_are_numbered_without_a_gap() -> None:
    assert [int(number) for number in re.findall(r"^## (\d+)\. ", PAGES[FACTS], re.M)] == list(
        range(1, len(SECTIONS) + 1)
    )


@pytest.mark.parametrize(
    "text",
    ["(docs/whatsapp.md §99)", "(facts §3)", "docs/whatsapp.md §1.2", "docs/none.md", 'docs/architecture.md, "None"'],
)
def test_a_citation_of_nothing_is_found(text: str) -> None:
    assert flaws(text) != []


@pytest.mark.parametrize("text", ["docs/whatsapp.md §4, §17", "# docs/whatsapp.md\n    # §4", "RFC 8032 §5.1.4"])
def test_a_good_citation_is_none(text: str) -> None:
    assert flaws(text) == []
