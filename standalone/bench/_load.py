"""Asks a web process for the same few addresses, over kept connections, as fast as it answers; prints the times.

A process of its own, so that its work is not taken for the server's.
"""

import asyncio
import json
import sys
import time
from typing import Final

import uvloop

ANSWER_S: Final = 30.0


async def ask(host: str, port: int, cookie: str, paths: list[str], until: float, taken_ms: list[float]) -> None:
    """One connection: ask until the monotonic instant `until`, and note each answer's milliseconds."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        turn = 0
        while (begun := time.perf_counter()) < until:
            path = paths[turn % len(paths)]
            turn += 1
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\nHX-Request: true\r\n\r\n".encode()
            )
            async with asyncio.timeout(ANSWER_S):
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"{path} answered {head.split(maxsplit=2)[1].decode()}")
            taken_ms.append((time.perf_counter() - begun) * 1000)
    finally:
        writer.close()


async def load(host: str, port: int, cookie: str, paths: list[str], connections: int, seconds: float) -> list[float]:
    """The milliseconds of every answer in `seconds`, by `connections` that never wait between two."""
    taken_ms: list[float] = []
    until = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(ask(host, port, cookie, paths, until, taken_ms))
    return taken_ms


def main() -> None:
    """`python -m standalone.bench._load JSON`: the arguments of `load` by name."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(load(**json.loads(sys.argv[1])))))


if __name__ == "__main__":
    main()
