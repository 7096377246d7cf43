"""The command `python -m app`: one web process, configured by AUTOSENDR_* variables."""

import asyncio
import os
import resource
import sys
from typing import Final

from uvicorn.loops.uvloop import uvloop_loop_factory

from app.server import serve
from app.settings import BadSettings, read_settings
from domain.refusal import Unavailable

DESCRIPTORS: Final = 20_000
"""Open files we ask for: every open page holds one. The usual soft limit, 1,024, would stop the site at that many."""


def main() -> int:
    """Serves until told to end. 2: the settings are wrong; 1: there is no database."""
    try:
        settings = read_settings(os.environ)
    except BadSettings as error:
        print(f"web: {error}", file=sys.stderr)
        return 2
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, DESCRIPTORS)), hard))
    try:
        with asyncio.Runner(loop_factory=uvloop_loop_factory()) as runner:
            runner.run(serve(settings))
    except Unavailable as error:
        print(f"web: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
