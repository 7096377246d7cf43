"""The ends of the internet sockets that a process holds, from the kernel's tables (proc(5), /proc/net/tcp)."""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

LISTENS = "0A"  # TCP_LISTEN, <net/tcp_states.h>
TABLES = ("tcp", "tcp6", "udp", "udp6")


def own_ends(pid: int) -> list[str]:
    """`local remote` of each."""
    return [f"{local[0]}:{local[1]} {remote[0]}:{remote[1]}" for local, remote, _ in _sockets(pid)]


def foreign_ends(pid: int) -> list[str]:
    """Those that are not between this machine and itself: connected elsewhere, or open to others."""
    found = []
    for local, remote, state in _sockets(pid):
        ends = [local[0]] if state == LISTENS or remote[1] == 0 else [local[0], remote[0]]
        if not all(_loopback(end) for end in ends):
            found.append(f"{local} {remote}")
    return found


def _loopback(address: IPv4Address | IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


End = tuple[IPv4Address | IPv6Address, int]


def _sockets(pid: int) -> Iterator[tuple[End, End, str]]:
    held = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    for table in TABLES:
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in held:
                yield _end(fields[1]), _end(fields[2]), fields[3]


def _end(text: str) -> End:
    """The kernel prints the address as words in the machine's own byte order."""
    address, _, port = text.partition(":")
    raw = bytes.fromhex(address)
    words = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    packed = b"".join(socket.htonl(int.from_bytes(word)).to_bytes(4) for word in words)
    return ip_address(packed), int(port, 16)
