"""Looks for a text in files, in servers and in the memory of processes, in every coding that it could lie there in."""

import base64
import errno
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from redis import Redis

from standalone.children import SERVER_ENVIRONMENT
from standalone.postgres import Postgres
from standalone.valkey import Valkey

DUMP_S = 60.0
PIECE_BYTES = 16 * 1024 * 1024
PAGE_BYTES = 4096
GROUP = 3  # bytes that base64 turns into four letters


def codings(text: str) -> tuple[bytes, ...]:
    """`text` as UTF-8 and UTF-16, and what dumps make of UTF-8: hexadecimal digits, base64 at each of its offsets."""
    plain = text.encode()
    found = [plain, text.encode("utf-16-le"), text.encode("utf-16-be"), plain.hex().encode()]
    for offset in range(GROUP):
        whole = plain[offset : offset + (len(plain) - offset) // GROUP * GROUP]
        found += [base64.b64encode(whole), base64.urlsafe_b64encode(whole)]
    return tuple(dict.fromkeys([*found, found[3].upper()]))


def hits(data: bytes, needles: Iterable[bytes]) -> int:
    """How often any of `needles` is in `data`."""
    return sum(data.count(needle) for needle in needles)


def file_hits(paths: Iterable[Path], needles: tuple[bytes, ...]) -> dict[str, int]:
    """The files that have any of `needles`, and how often."""
    found = {str(path): hits(_read(path), needles) for path in paths}
    return {path: count for path, count in found.items() if count}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a server's temporary file
        return b""


def memory_hits(pid: int, needles: tuple[bytes, ...]) -> int:
    """How often any of `needles` is in the readable memory of a process. Raises PermissionError."""
    overlap = max(map(len, needles)) - 1
    count = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in _ranges(pid):
            before = b""
            for at in range(start, end, PIECE_BYTES):
                piece = _piece(memory.fileno(), at, min(PIECE_BYTES, end - at))
                count += hits(before + piece, needles) - hits(before, needles)
                before = (before + piece)[-overlap:]
    return count


def _piece(memory: int, at: int, size: int) -> bytes:
    """The bytes at `at`; fewer where a page cannot be read, which is then read past page by page."""
    read = _pages(memory, at, size)
    if len(read) == size or size <= PAGE_BYTES:
        return read
    return b"".join(_pages(memory, page, PAGE_BYTES) for page in range(at, at + size, PAGE_BYTES))


def _pages(memory: int, at: int, size: int) -> bytes:
    try:
        return os.pread(memory, size, at)
    except OSError as error:
        if error.errno == errno.EIO:  # no memory behind the mapping, or it went meanwhile
            return b""
        raise


def _ranges(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, mode, *rest = line.split()
        if mode.startswith("r") and rest[-1] not in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
            start, end = (int(part, 16) for part in span.split("-"))
            yield start, end


def database_dump(postgres: Postgres) -> bytes:
    """Every database of the server, as `pg_dumpall` writes it."""
    command = [postgres.binaries.program("pg_dumpall"), "-d", postgres.url, "-w"]
    done = subprocess.run(command, env=SERVER_ENVIRONMENT, capture_output=True, timeout=DUMP_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def redis_dump(valkey: Valkey) -> bytes:
    """Every key with all that it holds, read by its kind: a DUMP would be compressed."""
    lines: list[bytes] = []
    with Redis.from_url(valkey.url) as redis:
        for key in redis.scan_iter(count=1000):
            kind = bytes(redis.type(key)).decode()
            lines += [key, repr(_READ[kind](redis, key)).encode()]
    return b"\n".join(lines)


_READ = {
    "string": lambda redis, key: redis.get(key),
    "hash": lambda redis, key: redis.hgetall(key),
    "set": lambda redis, key: redis.smembers(key),
    "zset": lambda redis, key: redis.zrange(key, 0, -1, withscores=True),
    "list": lambda redis, key: redis.lrange(key, 0, -1),
    "stream": lambda redis, key: redis.xrange(key),
    "none": lambda redis, key: b"",
}
