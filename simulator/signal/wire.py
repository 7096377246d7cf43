"""The few protobuf forms that Signal messages need: varints and byte strings, unknown fields skipped.

Source: protobuf encoding reference; docs/whatsapp.md §20. Written by hand because the client's wheel
carries no Signal schema.
"""

from simulator.signal.errors import Malformed

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_BYTES_MAX = 10

Fields = dict[int, int | bytes]


def encode(fields: Fields) -> bytes:
    """Serialize `{field number: int or bytes}` in the given order."""
    out = bytearray()
    for number, value in fields.items():
        if isinstance(value, int):
            out += _varint(number << 3 | _VARINT) + _varint(value)
        else:
            out += _varint(number << 3 | _BYTES) + _varint(len(value)) + value
    return bytes(out)


def decode(data: bytes) -> Fields:
    """Parse a message; of a repeated field the last value stays. Raises Malformed."""
    fields: Fields = {}
    position = 0
    while position < len(data):
        tag, position = _read_varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            fields[number], position = _read_varint(data, position)
            continue
        if kind == _BYTES:
            length, position = _read_varint(data, position)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise Malformed("unknown protobuf wire type")
        if length > len(data) - position:
            raise Malformed("a protobuf field is cut off")
        fields[number] = data[position : position + length]
        position += length
    return fields


def number(fields: Fields, field: int, default: int | None = None) -> int:
    """The unsigned number in `field`. Raises Malformed if it is absent (without a default) or no number."""
    value = fields.get(field, default)
    if not isinstance(value, int):
        raise Malformed(f"field {field} is not a number")
    return value


def blob(fields: Fields, field: int) -> bytes:
    """The bytes in `field`. Raises Malformed if it is absent or not bytes."""
    value = fields.get(field)
    if not isinstance(value, bytes):
        raise Malformed(f"field {field} is not a byte string")
    return value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index in range(_VARINT_BYTES_MAX):
        if position >= len(data):
            raise Malformed("a varint is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position
    raise Malformed("a varint is too long")
