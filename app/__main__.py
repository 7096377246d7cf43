"""The command `python -m app`: one web process, configured by AUTOSENDR_* variables."""

import asyncio
import os
import sys

from uvicorn.loops.uvloop import uvloop_loop_factory

from app.server import serve
from app.settings import BadSettings, read_settings
from domain.refusal import Unavailable


def main() -> int:
    """Serves until told to end. 2: the settings are wrong; 1: there is no database."""
    try:
        settings = read_settings(os.environ)
    except BadSettings as error:
        print(f"web: {error}", file=sys.stderr)
        return 2
    try:
        with asyncio.Runner(loop_factory=uvloop_loop_factory()) as runner:
            runner.run(serve(settings))
    except Unavailable as error:
        print(f"web: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
