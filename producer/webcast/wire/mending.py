"""A message whose texts are not all UTF-8, made one whose texts are; pure.

protobuf refuses the whole of a proto3 message for one such text, and with it what it is worth. TikTok cuts texts by
bytes, inside a letter, and JavaScript's surrogates come through. What cannot be read becomes U+FFFD.
"""

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError

from producer.webcast.wire.varints import (
    FIXED32,
    FIXED64,
    GROUP,
    GROUP_END,
    LENGTH,
    VARINT,
    TooManyFields,
    varint,
    written,
)

DEEPEST = 100
"""Messages within messages; protobuf follows no more either."""

Texts = dict[int, "Texts | None"]
"""Where a message has texts: its fields by tag, a message with where that has any, and None for a text."""


def texts(kind: Descriptor) -> Texts:
    """Find where a kind of message has texts."""
    known: dict[str, Texts] = {}

    def find(kind: Descriptor) -> Texts:
        if kind.full_name not in known:
            found = known[kind.full_name] = {}
            for field in kind.fields:
                tag = field.number << 3 | LENGTH
                if field.message_type is not None:
                    found[tag] = find(field.message_type)
                elif field.type == FieldDescriptor.TYPE_STRING:
                    found[tag] = None
        return known[kind.full_name]

    return find(kind)


def mend(data: bytes, where: Texts, *, most_fields: int) -> bytes:
    """Write a message anew with every text in UTF-8; one that has no other is given back as it is.

    Raises DecodeError for what is no message, TooManyFields for one with more of them than that.
    """
    return _Mender(most_fields).mended(data, where, 0)


class _Mender:
    def __init__(self, most_fields: int) -> None:
        self._left = most_fields

    def mended(self, data: bytes, where: Texts, depth: int) -> bytes:
        if depth > DEEPEST:
            raise DecodeError("messages within messages, without an end")
        parts: list[bytes] = []
        kept = place = groups = 0
        try:
            while place < len(data):
                self._left -= 1
                if self._left < 0:
                    raise TooManyFields("a text that is not UTF-8 among too many fields")
                tag, behind = varint(data, place)
                wire_type = tag & 7
                if wire_type == LENGTH:
                    length, start = varint(data, behind)
                    place = start + length
                    if tag in where and not groups:
                        part, inner = data[start:place], where[tag]
                        whole = _text(part) if inner is None else self.mended(part, inner, depth + 1)
                        if whole is not part:
                            parts += (data[kept:behind], written(len(whole)), whole)
                            kept = place
                elif wire_type == VARINT:
                    _, place = varint(data, behind)
                elif wire_type in (FIXED32, FIXED64):
                    place = behind + (4 if wire_type == FIXED32 else 8)
                elif wire_type == GROUP:  # none of our messages has one
                    groups, place = groups + 1, behind
                elif wire_type == GROUP_END and groups:
                    groups, place = groups - 1, behind
                else:
                    raise DecodeError("a field of no wire type")
        except IndexError as cause:
            raise DecodeError("a field is cut") from cause
        if place > len(data) or groups:
            raise DecodeError("a field is longer than what it is in")
        return b"".join([*parts, data[kept:]]) if parts else data


def _text(data: bytes) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data
