"""Named SQL: `store/sql/TABLE.sql` holds blocks that begin with `-- name: begin_send`, the method's name."""

import re
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "sql"
_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class Statements:
    """The statements of one file, by name. A missing name raises KeyError where the module is imported, not later."""

    def __init__(self, table: str, folder: Path = _FOLDER) -> None:
        """Reads `<folder>/<table>.sql`."""
        self.table = table
        pieces = _NAME.split((folder / f"{table}.sql").read_text())
        self.by_name: dict[str, str] = {
            name: text.strip() for name, text in zip(pieces[1::2], pieces[2::2], strict=True)
        }

    def __getitem__(self, name: str) -> str:
        """The statement's text."""
        return self.by_name[name]


def every_statement() -> dict[str, str]:
    """All statements as `table.name -> text`, for the test that PREPAREs each against the migrated schema."""
    found: dict[str, str] = {}
    for path in sorted(_FOLDER.glob("*.sql")):
        statements = Statements(path.stem)
        found |= {f"{path.stem}.{name}": text for name, text in statements.by_name.items()}
    return found
