"""The shape of every bench's command: `--json`, its own arguments, lines for people, one object as the last line."""

import argparse
import json
from collections.abc import Callable
from typing import Any

Figures = dict[str, Any]


def run(
    name: str,
    says: str | None,
    measure: Callable[[argparse.Namespace], Figures],
    lines: Callable[[Figures], list[str]],
    arguments: Callable[[argparse.ArgumentParser], object] | None = None,
) -> None:
    """Read the arguments, measure, print. `lines`: the figures in words, left out with `--json`."""
    parser = argparse.ArgumentParser(prog=f"./autosendr bench {name}", description=says)
    parser.add_argument("--json", action="store_true", help="only the object")
    if arguments is not None:
        arguments(parser)
    options = parser.parse_args()
    figures = measure(options)
    if not options.json:
        print("\n".join(lines(figures)))
    print(json.dumps(figures), flush=True)
