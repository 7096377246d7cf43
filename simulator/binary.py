"""WABinary: nodes to bytes and back, dictionary version 3 (docs/whatsapp.md §16). Pure; strict on the way in."""

import zlib

from simulator.dictionary import DOUBLE_TABLES, SINGLE_COUNT, Dictionary, installed
from simulator.node import INTEROP, LID, MESSENGER, PN, Content, Jid, Malformed, Node, Value

FRAME_BYTES_MAX = 1 << 24
INFLATED_BYTES_MAX = 1 << 25
DEPTH_MAX = 32
PACKED_MAX = 127

_LIST_EMPTY, _INTEROP_JID, _FB_JID, _AD_JID, _LIST_8, _LIST_16 = 0, 245, 246, 247, 248, 249
_JID_PAIR, _HEX, _BINARY_8, _BINARY_20, _BINARY_32, _NIBBLE = 250, 251, 252, 253, 254, 255
_DOUBLE_FIRST = SINGLE_COUNT
_COMPRESSED = 2
_DOMAINS = {PN: 0, LID: 1, "hosted": 128, "hosted.lid": 129}
_SERVERS = {domain: server for server, domain in _DOMAINS.items()}
_ALPHABETS = {_NIBBLE: "0123456789-.", _HEX: "0123456789ABCDEF"}
_PADDING = 15


class _Reader:
    def __init__(self, data: bytes, words: Dictionary) -> None:
        self.data = data
        self.at = 0
        self.words = words

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise Malformed("the stanza ends too early")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def list_size(self, tag: int) -> int:
        if tag == _LIST_EMPTY:
            return 0
        if tag in (_LIST_8, _LIST_16):
            return self.number(1 if tag == _LIST_8 else 2)
        raise Malformed(f"{tag} does not start a list")

    def binary(self, tag: int) -> bytes:
        if tag == _BINARY_8:
            return self.take(self.number(1))
        if tag == _BINARY_20:
            return self.take(self.number(3) & 0xFFFFF)
        return self.take(self.number(4))

    def packed(self, tag: int) -> str:
        start = self.number(1)
        alphabet = _ALPHABETS[tag]
        digits = [half for byte in self.take(start & 0x7F) for half in (byte >> 4, byte & 15)]
        if start & 0x80 and (not digits or digits.pop() != _PADDING):
            raise Malformed("an odd packed text must end in padding")
        try:
            return "".join(alphabet[digit] for digit in digits)
        except IndexError:
            raise Malformed("a packed text has a digit outside its alphabet") from None

    def token(self, tag: int) -> str | None:
        if _LIST_EMPTY < tag < SINGLE_COUNT:
            return self.words.single[tag]
        if _DOUBLE_FIRST <= tag < _DOUBLE_FIRST + DOUBLE_TABLES:
            return self.words.double[tag - _DOUBLE_FIRST][self.number(1)]
        return None

    def text(self, tag: int) -> str:
        """A token, packed or raw text, or the empty one."""
        if tag == _LIST_EMPTY:
            return ""
        if (word := self.token(tag)) is not None:
            return word
        if tag in _ALPHABETS:
            return self.packed(tag)
        if tag in (_BINARY_8, _BINARY_20, _BINARY_32):
            try:
                return self.binary(tag).decode()
            except UnicodeDecodeError:
                raise Malformed("a text is not UTF-8") from None
        raise Malformed(f"{tag} does not start a text")

    def value(self) -> Value:
        tag = self.number(1)
        if tag == _JID_PAIR:
            user = self.text(self.number(1))
            return Jid(user, self.text(self.number(1)))
        if tag == _AD_JID:
            domain, device = self.number(1), self.number(1)
            if domain not in _SERVERS:
                raise Malformed(f"unknown address domain {domain}")
            return Jid(self.text(self.number(1)), _SERVERS[domain], device)
        if tag == _FB_JID:
            user, device = self.text(self.number(1)), self.number(2)
            return Jid(user, self._expect(MESSENGER), device)
        if tag == _INTEROP_JID:
            user, device, integrator = self.text(self.number(1)), self.number(2), self.number(2)
            return Jid(user, self._expect(INTEROP), device, integrator)
        return self.text(tag)

    def _expect(self, server: str) -> str:
        if self.text(self.number(1)) != server:
            raise Malformed(f"this form of address belongs to {server}")
        return server

    def content(self, depth: int) -> Content:
        tag = self.number(1)
        if tag == _LIST_EMPTY:
            return None
        if tag in (_LIST_8, _LIST_16):
            return tuple(self.node(depth + 1) for _ in range(self.list_size(tag))) or None
        if tag in (_BINARY_8, _BINARY_20, _BINARY_32):
            return self.binary(tag)
        return self.text(tag).encode()

    def node(self, depth: int = 0) -> Node:
        if depth > DEPTH_MAX:
            raise Malformed("the stanza is nested too deeply")
        size = self.list_size(self.number(1))
        tag = self.text(self.number(1)) if size else ""
        if not tag:
            raise Malformed("a node has no tag")
        attrs: dict[str, Value] = {}
        for _ in range((size - 1) // 2):
            name = self.text(self.number(1))
            if not name or name in attrs:
                raise Malformed("an attribute has no name, or occurs twice")
            attrs[name] = self.value()
        return Node(tag, attrs, self.content(depth) if size % 2 == 0 else None)


def decode(frame: bytes, words: Dictionary | None = None) -> Node:
    """The node of a decrypted frame (flags byte first). Malformed unless it is exactly one well-formed node."""
    if not frame:
        raise Malformed("the frame is empty")
    body = frame[1:]
    if frame[0] & _COMPRESSED:
        inflater = zlib.decompressobj()
        try:
            body = inflater.decompress(body, INFLATED_BYTES_MAX)
        except zlib.error:
            raise Malformed("the frame does not inflate") from None
        if not inflater.eof or inflater.unused_data:
            raise Malformed("the frame inflates to too much, or has bytes left over")
    elif frame[0]:
        raise Malformed("the frame has unknown flags")
    reader = _Reader(body, words or installed())
    root = reader.node()
    if reader.at != len(body):
        raise Malformed("the stanza has bytes left over")
    return root


def _sized(data: bytes) -> bytes:
    size = len(data)
    if size < 1 << 8:
        return bytes([_BINARY_8, size]) + data
    if size < 1 << 20:
        return bytes([_BINARY_20]) + size.to_bytes(3) + data
    return bytes([_BINARY_32]) + size.to_bytes(4) + data


def _pack(text: str, tag: int) -> bytes | None:
    alphabet = _ALPHABETS[tag]
    digits = [alphabet.find(letter) for letter in text]
    if -1 in digits:
        return None
    odd = len(digits) % 2
    if odd:
        digits.append(_PADDING)
    halves = iter(digits)
    return bytes(
        [
            tag,
            len(digits) // 2 | (0x80 if odd else 0),
            *(high << 4 | low for high, low in zip(halves, halves, strict=True)),
        ]
    )


def _text(text: str, words: Dictionary) -> bytes:
    if not text:
        return bytes([_LIST_EMPTY])
    if text in words.codes:
        return words.codes[text]
    if len(text) <= PACKED_MAX:
        for tag in (_NIBBLE, _HEX):
            if (packed := _pack(text, tag)) is not None:
                return packed
    return _sized(text.encode())


def _value(value: Value, words: Dictionary) -> bytes:
    if isinstance(value, str):
        return _text(value, words)
    user, server = _text(value.user, words), _text(value.server, words)
    if value.server == MESSENGER:
        return bytes([_FB_JID]) + user + value.device.to_bytes(2) + server
    if value.server == INTEROP:
        return bytes([_INTEROP_JID]) + user + value.device.to_bytes(2) + value.integrator.to_bytes(2) + server
    if value.device:
        return bytes([_AD_JID, _DOMAINS[value.server], value.device]) + user
    return bytes([_JID_PAIR]) + user + server


def _list(size: int) -> bytes:
    return bytes([_LIST_8, size]) if size < 1 << 8 else bytes([_LIST_16]) + size.to_bytes(2)


def _node(node: Node, words: Dictionary) -> bytes:
    content = node.content if node.content != () else None
    parts = [_list(1 + 2 * len(node.attrs) + (content is not None)), _text(node.tag, words)]
    for name, value in node.attrs.items():
        parts += [_text(name, words), _value(value, words)]
    if isinstance(content, bytes):
        parts.append(_sized(content))
    elif content is not None:
        parts.append(_list(len(content)))
        parts += [_node(child, words) for child in content]
    return b"".join(parts)


def encode(node: Node, words: Dictionary | None = None) -> bytes:
    """The frame of a node, uncompressed, flags byte first. ValueError or KeyError for a node that has no wire form."""
    return b"\x00" + _node(node, words or installed())
