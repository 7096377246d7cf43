"""The pages of `docs/reference/`, made from the code: `python -m standalone.reference` writes them, a test compares."""

import ast
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from prometheus_client import Metric

from app.metrics import Metrics as WebMetrics
from domain.account import LINK_TABLE, RUN_DEADLINE_S, RUN_IGNORED, RUN_TABLE, Link, Run
from domain.machine import E, F, S, mermaid
from domain.message import MESSAGE_END_STATES, MESSAGE_TABLE, SCHEDULE_TABLE, MessageState, ScheduleState
from standalone.home import REPOSITORY
from standalone.settings import VARIABLES
from supervisor.gauges import GAUGES
from supervisor.log import EVENTS
from supervisor.metrics import Metrics as SupervisorMetrics

FOLDER: Final = REPOSITORY / "docs" / "reference"
PROCESS: Final = "process_"
_MADE: Final = "Made from the code by `python -m standalone.reference`; a test holds it to it.\n"


def states() -> str:
    """The four machines: diagram and table of each."""
    deadlines = [f"`{run}` {seconds:g} s" for run, seconds in RUN_DEADLINE_S.items() if seconds is not None]
    ignored = sorted(f"{state} {event}" for state, event in RUN_IGNORED)
    parts = [
        "# States\n",
        _MADE,
        "The tables are `domain/account.py` and `domain/message.py`; nothing about states is decided anywhere else.\n",
        _machine("Message", MESSAGE_TABLE, MessageState.SCHEDULED, MESSAGE_END_STATES),
        _machine("Schedule", SCHEDULE_TABLE, ScheduleState.ACTIVE, (ScheduleState.FINISHED, ScheduleState.CANCELLED)),
        _machine("Account: link", LINK_TABLE, Link.UNLINKED, ()),
        _machine("Account: run", RUN_TABLE, Run.COLD, ()),
        f"A state that lasts longer than its deadline is `overdue`: {', '.join(deadlines)}.\n",
        "Ignored, because it is late news or a second wish for the same thing:\n",
        "\n".join(f"* {pair}" for pair in ignored),
    ]
    return "\n".join(parts) + "\n"


def keys() -> str:
    """Every Redis key with its docstring, in the module's order."""
    tree = ast.parse((REPOSITORY / "store" / "keys.py").read_text())
    rows = ["| key | what |", "|---|---|"]
    before: ast.stmt | None = None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            shape = node.body[-1]
            assert isinstance(shape, ast.Return)
            assert shape.value is not None
            rows.append(_row(_shape(shape.value), ast.get_docstring(node) or ""))
        elif _is_text(node) and isinstance(before, ast.AnnAssign) and before.value is not None:
            assert isinstance(node, ast.Expr)
            assert isinstance(node.value, ast.Constant)
            if isinstance(before.value, ast.Constant):
                rows.append(_row(str(before.value.value), str(node.value.value)))
        before = node
    head = (
        "All of it may vanish at any time: PostgreSQL has what matters. `<…>` stands for an id; what is in braces "
        "decides the slot of a cluster.\n"
    )
    return "\n".join(["# Redis keys\n", _MADE, head, *rows]) + "\n"


def settings() -> str:
    """Every variable and who reads it."""
    rows = ["| variable | meaning | read by |", "|---|---|---|"]
    rows += [f"| `{row.name}` | {row.meaning} | {', '.join(sorted(row.readers))} |" for row in VARIABLES]
    head = "An unknown `AUTOSENDR_*` variable refuses to start. docs/operations.md says how they are used.\n"
    return "\n".join(["# Settings\n", _MADE, head, *rows]) + "\n"


def log_events() -> str:
    """Every event of the supervisor's log and the fields it may carry."""
    rows = ["| event | fields |", "|---|---|"]
    rows += [f"| `{event}` | {', '.join(f'`{field}`' for field in fields)} |" for event, fields in EVENTS.items()]
    head = "One JSON object a line, with `level` and `timestamp`. A field that is not in the table is dropped.\n"
    return "\n".join(["# Log events of the supervisor\n", _MADE, head, *rows]) + "\n"


def metrics() -> str:
    """Every metric of both programs: its name as it is scraped, its kind, what it means."""
    parts = [
        "# Metrics\n",
        _MADE,
        "A histogram `NAME` is scraped as `NAME_bucket`, `NAME_sum` and `NAME_count`. Labels come from fixed sets. On "
        "Linux there are those of the process too: `process_resident_memory_bytes`, `process_open_fds` and others.\n",
    ]
    for title, families in (("Supervisor", supervisor_metrics()), ("Web", web_metrics())):
        parts += [f"## {title}\n", "| metric | kind | what |", "|---|---|---|"]
        for family in families:
            if not family.name.startswith(PROCESS):  # not on every system
                parts.append(f"| `{scraped_name(family)}` | {family.type} | {family.documentation} |")
        parts.append("")
    return "\n".join(parts)


def supervisor_metrics() -> list[Metric]:
    """Of a supervisor: what it counts, and what it is doing."""
    return [*SupervisorMetrics().registry.collect(), *GAUGES]


def web_metrics() -> list[Metric]:
    """Of a web process."""
    return list(WebMetrics().registry.collect())


def scraped_name(family: Metric) -> str:
    """The name of a family, with the ending that a counter gets."""
    return f"{family.name}_total" if family.type == "counter" else family.name


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "states.md": states,
    "keys.md": keys,
    "settings.md": settings,
    "log-events.md": log_events,
    "metrics.md": metrics,
}


def _machine(
    title: str,
    table: Mapping[tuple[S, E], tuple[S, tuple[F, ...]]],
    start: S,
    ends: tuple[S, ...],
) -> str:
    rows = [
        f"| {before} | {event} | {after} | {', '.join(effects)} |"
        for (before, event), (after, effects) in table.items()
    ]
    diagram = mermaid(table, start, ends)
    return "\n".join(
        [
            f"## {title}\n",
            f"```mermaid\n{diagram}\n```\n",
            "| state | event | next state | effects |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _shape(value: ast.expr) -> str:
    """A key as people read it: the f-string with its fields in angle brackets."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    assert isinstance(value, ast.JoinedStr)
    pieces = []
    for piece in value.values:
        if isinstance(piece, ast.Constant):
            pieces.append(str(piece.value))
        elif isinstance(piece, ast.FormattedValue):
            pieces.append(f"<{ast.unparse(piece.value)}>")
    return "".join(pieces)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _row(key: str, text: str) -> str:
    return f"| `{key}` | {' '.join(text.split())} |"


def main() -> int:
    """Writes all pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        Path(FOLDER, name).write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
