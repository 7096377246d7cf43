"""Sizes, names, docstrings, and what must never be written into the repository."""

import ast
import re
from collections.abc import Iterator

import pytest

from standalone.home import REPOSITORY
from tests.architecture.sources import PACKAGES, Source, sources, text_of, tracked_files

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_CHARACTERS_MAX = 120
BANNED_NAMES = frozenset(
    ["utils", "util", "helpers", "helper", "manager", "common", "misc", "base", "core", "service", "services", "shared"]
)
#: Folders of machines that people work on, and hosts of package indexes: they belong to a machine, not to the product.
#: Written in pieces, so that this file does not hold them.
MACHINE_SPECIFIC = re.compile(
    r"(?<![\w.$}/-])/(?:"
    + "|".join(["wor" + "k", "home/" + r"\w+", "Users/" + r"\w+", "roo" + "t"])
    + r")(?:/|\b)(?![-\w]*\.)"
    r"|\b(?:pypi\." + r"org|files\.pythonhosted\." + r"org|registry\.npmjs\." + r"org|proxy\.golang\." + r"org)"
)
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
DOCUMENTED = ("domain", "store", "supervisor", "app", "enclave", "simulator", "standalone")
#: Written by others, kept as they came.
VENDORED = ("static/vendor/", "LICENSE")
WAITING_HOME = "tests/waiting.py"


def test_files_are_short() -> None:
    counts = {source.path: source.text.count("\n") for source in sources(*PACKAGES, "tests")}
    assert {path: lines for path, lines in counts.items() if lines > FILE_LINES_MAX} == {}


def test_functions_are_short() -> None:
    long = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources(*PACKAGES)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [source.path for source in sources(*PACKAGES, "tests")]
    assert [path for path in named if BANNED_NAMES & set(re.split(r"[/.]", path))] == []


def test_nothing_is_marked_as_unfinished() -> None:
    found = [
        f"{source.path}: {match.group()}"
        for source in sources(*PACKAGES, "tests")
        if (match := UNFINISHED.search(source.text))
    ]
    assert found == []


def test_no_machine_path_and_no_index_host_is_written_down() -> None:
    found = []
    for name in tracked_files():
        text = text_of(name)
        if text is not None and not name.startswith(VENDORED):
            found += [f"{name}: {match.group()}" for match in MACHINE_SPECIFIC.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("see /" + "work/notes", True),
        ("cd /" + "root", True),
        ("https://" + "pypi." + "org/simple", True),
        ("/roots", False),
        ("paths like app/work/x", False),
        ("/workers", False),
    ],
)
def test_the_path_test_sees_what_it_should(text: str, wrong: bool) -> None:
    assert bool(MACHINE_SPECIFIC.search(text)) == wrong


def _undocumented(source: Source) -> Iterator[str]:
    if ast.get_docstring(source.tree) is None:
        yield source.path
    named = [
        node for node in source.tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    for node in named:
        if not node.name.startswith("_") and ast.get_docstring(node) is None:
            yield f"{source.path}:{node.lineno} {node.name}"


@pytest.mark.parametrize("package", DOCUMENTED)
def test_modules_and_their_public_functions_and_classes_say_what_they_do(package: str) -> None:
    assert [missing for source in sources(package) for missing in _undocumented(source)] == []


def test_tests_do_not_sleep() -> None:
    found = [
        f"{source.path}:{node.lineno}"
        for source in sources("tests")
        for node in ast.walk(source.tree)
        if source.path != WAITING_HOME
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"asyncio", "time"}
        and not (
            node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        )  # only lets others run
    ]
    assert found == []


def test_no_error_is_swallowed_whole() -> None:
    found = []
    for source in sources(*PACKAGES):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Try) and not _ends_the_process(node.finalbody):
                wide = [handler for handler in node.handlers if _catches_all(handler) and not _raises(handler)]
                found += [f"{source.path}:{handler.lineno}" for handler in wide]
    assert found == []


def _ends_the_process(statements: list[ast.stmt]) -> bool:
    return any(isinstance(n, ast.Attribute) and n.attr == "_exit" for s in statements for n in ast.walk(s))


def _raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(inner, ast.Raise) for inner in ast.walk(handler))


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}) for kind in kinds
    )


def test_the_paths_that_the_architecture_page_names_exist() -> None:
    page = (REPOSITORY / "docs" / "architecture.md").read_text()
    index = page[page.index("## Where is") :]
    named = re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.\w+)`", "\n".join(re.findall(r"^\|.*\|$", index, re.M)))
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def test_every_installed_package_is_in_the_notice() -> None:
    lock = (REPOSITORY / "requirements" / "run.txt").read_text()
    installed = set(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", lock, re.M))
    notice = (REPOSITORY / "NOTICE").read_text()
    assert sorted(name for name in installed if f"\n  {name} " not in notice) == []


def test_the_lock_pins_every_file_by_hash() -> None:
    for name in ("run.txt", "test.txt"):
        pins = re.split(r"^(?=[\w.-]+(?:\[[\w,]+\])?==)", (REPOSITORY / "requirements" / name).read_text(), flags=re.M)
        assert [pin.split()[0] for pin in pins if pin.strip() and "--hash=sha256:" not in pin] == []
