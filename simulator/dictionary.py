"""The token dictionary of WABinary, read at run time from the installed client's library (docs/whatsapp.md §16).

The client's tables are arrays of Go string headers (a relocated pointer and a length). They are found by their known
first entries, so no address is written down and no copy of the dictionary exists here.
"""

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from simulator.protobufs import neonize_folder

SINGLE_COUNT = 236  # index 0 is the empty string
DOUBLE_COUNT = 256
DOUBLE_TABLES = 4
RUN = SINGLE_COUNT - 1 + DOUBLE_TABLES * DOUBLE_COUNT
FIRST_SINGLE = "xmlstreamstart"
FIRST_DOUBLES = ("read-self", "reject", "64", "1724")
TOKEN_BYTES_MAX = 200

_RELATIVE = {62: 8, 183: 1027}  # ELF machine (x86-64, aarch64) to its R_*_RELATIVE
_NOBITS = 8
_RELA = 4
_HEADER = struct.Struct("<QQ")
_RELA_ENTRY = struct.Struct("<QQq")
_SECTION = struct.Struct("<IIQQQQIIQQ")


class DictionaryError(RuntimeError):
    """The library does not hold the tables as expected, or is not an ELF file of a known machine."""


@dataclass(frozen=True)
class Dictionary:
    """``single[1:236]`` and ``double[0:4][0:256]`` to decode; ``codes`` gives the encoded bytes of each token."""

    single: tuple[str, ...]
    double: tuple[tuple[str, ...], ...]
    codes: dict[str, bytes]


class _Elf:
    """The parts of a 64-bit ELF file that lead from a relocated pointer to its bytes."""

    def __init__(self, data: bytes) -> None:
        if data[:5] != b"\x7fELF\x02":
            raise DictionaryError("the client's library is not a 64-bit ELF file")
        self.data = data
        (machine,) = struct.unpack_from("<H", data, 18)
        if machine not in _RELATIVE:
            raise DictionaryError(f"unknown ELF machine {machine}")
        (start,) = struct.unpack_from("<Q", data, 40)
        size, count, _ = struct.unpack_from("<HHH", data, 58)
        self.sections: list[tuple[int, int, int]] = []
        self.relocations: dict[int, int] = {}
        for number in range(count):
            _, kind, _, address, offset, length, *_ = _SECTION.unpack_from(data, start + number * size)
            if kind == _RELA:
                self._read_relocations(data[offset : offset + length], _RELATIVE[machine])
            if kind != _NOBITS and address:
                self.sections.append((address, length, offset))

    def _read_relocations(self, table: bytes, relative: int) -> None:
        usable = len(table) - len(table) % _RELA_ENTRY.size
        for offset, info, addend in _RELA_ENTRY.iter_unpack(table[:usable]):
            if info & 0xFFFFFFFF == relative:
                self.relocations[offset] = addend

    def read(self, address: int, length: int) -> bytes | None:
        for start, size, offset in self.sections:
            if start <= address and address + length <= start + size:
                return self.data[offset + address - start : offset + address - start + length]
        return None

    def text(self, header: int) -> str | None:
        """The Go string whose header lies at ``header``; None if there is none."""
        pointer = self.relocations.get(header)
        raw = self.read(header, _HEADER.size)
        if pointer is None or raw is None:
            return None
        length = _HEADER.unpack(raw)[1]
        if not 0 < length <= TOKEN_BYTES_MAX:
            return None
        value = self.read(pointer, length)
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            return None


def _run(elf: _Elf) -> list[str]:
    """The contiguous strings from the first single token on: exactly as many as the five tables hold."""
    for header in elf.relocations:
        if elf.text(header) != FIRST_SINGLE:
            continue
        run: list[str] = []
        while len(run) < RUN and (value := elf.text(header + len(run) * _HEADER.size)) is not None:
            run.append(value)
        if len(run) == RUN:
            return run
    raise DictionaryError("the token tables were not found in the client's library")


@cache
def read(library: Path) -> Dictionary:
    """Read the dictionary of a ``neonize-*.so``; DictionaryError if its tables are not as expected."""
    run = _run(_Elf(library.read_bytes()))
    single = ("", *run[: SINGLE_COUNT - 1])
    starts = range(SINGLE_COUNT - 1, RUN, DOUBLE_COUNT)
    double = tuple(tuple(run[start : start + DOUBLE_COUNT]) for start in starts)
    if tuple(table[0] for table in double) != FIRST_DOUBLES:
        raise DictionaryError("the double-token tables do not start as expected")
    codes = {
        token: bytes([SINGLE_COUNT + table, index]) for table in range(4) for index, token in enumerate(double[table])
    }
    codes |= {token: bytes([index]) for index, token in enumerate(single) if index}
    return Dictionary(single, double, codes)


@cache
def installed() -> Dictionary:
    """The dictionary of the installed client; DictionaryError where there is no Linux library."""
    libraries = sorted(neonize_folder().glob("neonize-*.so"))
    if len(libraries) != 1:
        raise DictionaryError(f"expected one client library, found {len(libraries)}")
    return read(libraries[0])
