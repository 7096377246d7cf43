"""Reads the store while the client writes it, in the same process, without touching its locks.

Python's SQLite and the one inside the Go library are two copies in one process. SQLite locks by fcntl, which knows
processes, not libraries: to our copy the client's locks do not exist, so it would take the client's journal for a
crash's, roll it back and delete it under the client's hands (seen: "disk I/O error: no such file or directory", a lost
Signal session). So nothing of ours opens the live file as a database: its bytes are copied, and the copy is opened.

The copy is whole when no journal lay beside the file before and after, and the change counter in the header did not
move: in rollback mode every transaction makes its journal before it writes a page, and bumps the counter before the
journal goes (SQLite file format, 1.3.7, and "Atomic commit in SQLite", sections 3 and 4).
"""

import os
import time
from pathlib import Path
from typing import Final

from enclave.session.driver import DriverRefused
from enclave.wire.envelope import Code

IMAGE_DEADLINE_S: Final = 8.0
_RETRY_S: Final = 0.002
_HEADER_BYTES: Final = 100
_ROLLBACK_VERSIONS: Final = b"\x01\x01"


class ImageUnstable(DriverRefused):
    """The client wrote without a pause, or not in rollback mode."""

    def __init__(self) -> None:
        """What was asked for took too long."""
        super().__init__(Code.TIMEOUT)


def live_image(path: Path, deadline_s: float = IMAGE_DEADLINE_S) -> bytes:
    """The whole database as it was at one instant between two transactions. Blocking; raises ImageUnstable."""
    journal = path.with_name(path.name + "-journal")
    deadline = time.monotonic() + deadline_s
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while time.monotonic() < deadline:
            before = os.pread(descriptor, _HEADER_BYTES, 0)
            if not journal.exists():
                image = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
                after = os.pread(descriptor, _HEADER_BYTES, 0)
                if not journal.exists() and before == image[:_HEADER_BYTES] == after:
                    if image[18:20] != _ROLLBACK_VERSIONS:
                        raise ImageUnstable
                    return image
            time.sleep(_RETRY_S)
    finally:
        os.close(descriptor)
    raise ImageUnstable
