"""Where the enclave's requests may go: WhatsApp in a live run, the simulator's front in a demo, never both. Pure."""

import ipaddress
from dataclasses import dataclass
from typing import Final

TLS_PORT: Final = 443
_NAME_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


@dataclass(frozen=True, slots=True)
class Live:
    """The real WhatsApp: public addresses only, so that a live run can never reach a simulator on this machine."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The simulator's CONNECT front on this machine, and nothing else. Raises ValueError off loopback."""

    host: str
    port: int

    def __post_init__(self) -> None:
        """Refuse a front that is not a loopback address."""
        if not ipaddress.ip_address(self.host).is_loopback or not 0 < self.port < 65536:
            raise ValueError("the simulator must listen on a loopback address")


@dataclass(frozen=True, slots=True)
class Dial:
    """Resolve the name, dial what is public."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Ask the front to connect to the name."""

    front: Demo
    host: str
    port: int


Mode = Live | Demo


def demo_of(simulator: str) -> Demo:
    """The mode of `AUTOSENDR_SIMULATOR` ("127.0.0.1:PORT"). Raises ValueError."""
    host, _, port = simulator.rpartition(":")
    return Demo(host.strip("[]"), int(port))


def decide(host: str, port: int, mode: Mode) -> Dial | Chain | None:
    """Where a request of the enclave goes; None: nowhere."""
    whatsapp = host == "web.whatsapp.com" or (host.endswith(".whatsapp.net") and host[0] not in ".-")
    if port != TLS_PORT or not whatsapp or not _NAME_LETTERS.issuperset(host) or ".." in host:
        return None
    return Dial(host, port) if isinstance(mode, Live) else Chain(mode, host, port)


def public(address: str) -> bool:
    """Whether a live run may dial `address`."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_global and not parsed.is_multicast
