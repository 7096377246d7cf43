"""Who may import whom, and where each third party lives."""

import ast
import sys
from collections.abc import Iterator, Mapping

import pytest

from tests.architecture.sources import PACKAGES, Source, sources

#: What each package may import of ours, besides itself; a name covers what is below it.
OURS: Mapping[str, tuple[str, ...]] = {
    "domain": (),
    "enclave": (),
    "simulator": (),
    "store": ("domain", "enclave.wire"),
    "supervisor": ("domain", "store", "enclave.wire"),
    "app": ("domain", "store", "enclave.wire"),
    "standalone": PACKAGES,
}
#: What each package may import of others, besides the standard library.
THEIRS: Mapping[str, tuple[str, ...]] = {
    "domain": ("msgspec", "dateutil", "phonenumbers"),
    "store": ("asyncpg", "redis", "msgspec"),
    "supervisor": ("structlog", "msgspec", "prometheus_client", "uvloop"),
    "app": (
        "litestar",
        "uvicorn",
        "jinja2",
        "markupsafe",
        "httpx",
        "structlog",
        "segno",
        "msgspec",
        "prometheus_client",
    ),
    "enclave": ("cryptography", "msgspec", "neonize"),
    # neonize.proto: for types only, the test below sees to that.
    "simulator": ("cryptography", "google.protobuf", "neonize.proto"),
    # asyncpg, redis: the benches look into the stores; uvloop: their load must not be slower than what it measures.
    # playwright: the screens.
    # prometheus_client: the reference page of all metrics.
    "standalone": ("httpx", "msgspec", "asyncpg", "redis", "uvloop", "playwright", "prometheus_client"),
}
#: The one place that may load the WhatsApp library with its Go part, and the one that reads its protobuf modules.
NEONIZE_HOME = "enclave/session/"


def _within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def breaches(source: Source) -> Iterator[str]:
    """Yield a line for each import that the tables do not allow."""
    for line, name in source.imports():
        top = name.split(".", 1)[0]
        if top in sys.stdlib_module_names or top == source.package or top == "__future__":
            continue
        allowed = OURS[source.package] if top in OURS else THEIRS[source.package]
        if not _within(name, allowed):
            yield f"{source.path}:{line} imports {name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_its_row_allows(package: str) -> None:
    assert [breach for source in sources(package) for breach in breaches(source)] == []


def test_only_the_session_process_loads_neonize() -> None:
    found = [
        f"{source.path}:{line}"
        for source in sources(*PACKAGES)
        for line, name in source.imports(for_types_too=False)
        if name.split(".", 1)[0] == "neonize" and not source.path.startswith(NEONIZE_HOME)
    ]
    assert found == []


def test_imports_are_absolute() -> None:
    found = [
        f"{source.path}:{node.lineno}"
        for source in sources(*PACKAGES, "tests")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert found == []


def test_the_layer_test_sees_a_breach() -> None:
    text = "import neonize\ndef f():\n    from app.pages import home\n"
    wrong = Source("domain/wrong.py", text, ast.parse(text))
    assert list(breaches(wrong)) == [
        "domain/wrong.py:1 imports neonize",
        "domain/wrong.py:3 imports app.pages.home",
    ]
