"""A stranger's bytes to a message, unless there is too much in it: that is counted before it costs memory; pure.

Two bytes can say "one more, and it is empty". protobuf makes an object of some hundred bytes of them, and it has made
all of them before anybody can ask how many there are.
"""

from collections.abc import Callable
from typing import TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from producer.webcast.wire.mending import mend, texts
from producer.webcast.wire.varints import FIXED32, FIXED64, GROUP, GROUP_END, LENGTH, VARINT, TooManyFields, varint

MOST_FIELDS = 5_000
"""Of one message, with those of the messages in it. The largest captured one (43 KB) has 605."""
LEAST_BYTES = 2
"""Of a field: a tag, and a value or a length."""

Shape = dict[int, "Shape"]
"""What is looked into of a message: its fields that are messages, by their tags, each with its own shape."""

M = TypeVar("M", bound=Message)


def reader(kind: type[M], *, most_fields: int = MOST_FIELDS) -> Callable[[bytes], tuple[M, bool]]:
    """Make the function that reads messages of a kind, and says whether some of its text was not UTF-8 and had to go.

    It raises DecodeError for bytes that are no such message, or TooManyFields. Fields are counted only where more bytes
    than that could each begin an entry of a repeated field. Real messages have far fewer, and to know it takes one look
    at each byte, at the speed of C. What is UTF-8 and what is not the parser knows: only what it refused is mended.
    """
    descriptor, parse = cast(Descriptor, kind.DESCRIPTOR), kind.FromString
    begins, shape, where = _begins(descriptor, set()), _shape(descriptor, {}), texts(descriptor)

    def read(data: bytes) -> tuple[M, bool]:
        if len(data) > LEAST_BYTES * most_fields and len(data) - len(data.translate(None, begins)) > most_fields:
            _count(data, shape, most_fields)
        try:
            return parse(data), False
        except DecodeError:
            mended = mend(data, where, most_fields=most_fields)
            if mended is data:
                raise
            return parse(mended), True

    return read


def _begins(kind: Descriptor, seen: set[str]) -> bytes:
    """Every byte with which an entry can begin, here and in the messages of this one: the first of its tag.

    A tag is written seven bits a byte, the lowest first. The eighth says that more follow, and may say so of a short
    tag too: somebody can fill it up with zeros.
    """
    if kind.full_name in seen:
        return b""
    seen.add(kind.full_name)
    found = b""
    for field in kind.fields:
        if field.is_repeated:
            tag = field.number << 3 | LENGTH
            found += bytes((tag & 0x7F | 0x80, min(tag, tag & 0x7F | 0x80)))
        if field.message_type is not None:
            found += _begins(field.message_type, seen)
    return found


def _shape(kind: Descriptor, known: dict[str, Shape]) -> Shape:
    if kind.full_name not in known:
        shape = known[kind.full_name] = {}
        for field in kind.fields:
            if field.message_type is not None:
                shape[field.number << 3 | LENGTH] = _shape(field.message_type, known)
    return known[kind.full_name]


def _count(data: bytes, shape: Shape, most: int) -> None:
    """Go from field to field. Raises TooManyFields past so many, and DecodeError where it cannot follow.

    The latter whatever the parser would make of it: what was not counted is not parsed.
    """
    place, end, counted = 0, len(data), 0
    around: list[tuple[int, Shape]] = []
    try:
        while True:
            while place >= end:
                if place > end:
                    raise DecodeError("a field is longer than what it is in")
                if not around:
                    return
                end, shape = around.pop()
            counted += 1
            if counted > most:
                raise TooManyFields(f"more than {most} fields")
            tag = data[place]
            place += 1
            if tag > 0x7F:
                tag, place = varint(data, place - 1)
            wire_type = tag & 7
            if wire_type == LENGTH:
                length = data[place]
                place += 1
                if length > 0x7F:
                    length, place = varint(data, place - 1)
                if tag in shape:
                    around.append((end, shape))
                    end, shape = place + length, shape[tag]
                else:
                    place += length
            elif wire_type == VARINT:
                _, place = varint(data, place)
            elif wire_type == FIXED64:
                place += 8
            elif wire_type == FIXED32:
                place += 4
            elif wire_type == GROUP:  # none of our messages has one, so there is nothing to look into
                around.append((end, shape))
                shape = {}
            elif wire_type == GROUP_END and around:
                end, shape = around.pop()
            else:
                raise DecodeError("a field of no wire type")
    except IndexError as cause:
        raise DecodeError("a field is cut") from cause
