"""Finds a Chromium and starts it the way it runs everywhere: as root or not, headless, quiet, offline."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from playwright.async_api import Browser, Playwright

SYSTEM_CHROMIUM = Path("/usr/bin/chromium")
NAMES = ("chromium", "chromium-browser", "google-chrome", "headless_shell")
LAUNCH_MS = 60_000
ARGUMENTS = (
    "--no-sandbox",  # root has no other way, and every page here is ours
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class NoBrowser(Exception):
    """There is no Chromium on this machine."""


def find_chromium(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the browser: $CHROMIUM, else the system's, else the first on PATH. Raises NoBrowser."""
    if named := environ.get("CHROMIUM"):
        if not os.access(named, os.X_OK):
            raise NoBrowser(f"CHROMIUM names {named}, which is no program")
        return Path(named)
    if os.access(SYSTEM_CHROMIUM, os.X_OK):
        return SYSTEM_CHROMIUM
    for name in NAMES:
        if found := shutil.which(name, path=environ.get("PATH")):
            return Path(found)
    raise NoBrowser("no Chromium: install your system's chromium, or set CHROMIUM to one")


async def launch(playwright: Playwright, program: Path) -> Browser:
    """Start the browser `program`, at most 60 s."""
    return await playwright.chromium.launch(
        executable_path=program, chromium_sandbox=False, args=list(ARGUMENTS), timeout=LAUNCH_MS
    )
