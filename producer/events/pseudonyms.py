"""Viewers by pseudonym: what names a person in a message becomes an HMAC under a key of the operator's; pure.

The .proto files mark such fields (personal.proto). A message is changed before anything is made of it, so that ids of
events and streaks have pseudonyms in them too. The same person is the same pseudonym in every message, as a number and
as a text, as long as the key is the same. Pictures go, and so do the queries of links.
"""

import hmac
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from producer.webcast.wire import personal_pb2 as marks

NUMBER = re.compile(r"-?[0-9]{1,19}")
COUNT = re.compile(r"[0-9]{0,6}")
"""A number in a slot of a text that is no id."""
TEXT_BYTES = 12
"""Of an HMAC, in a text: 24 hexadecimal digits."""

Change = Callable[[Any], None]


class Pseudonyms:
    """What becomes of whoever is named, under one key."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._changes: dict[str, Change | None] = {}

    def __repr__(self) -> str:
        return "Pseudonyms()"

    def number(self, number: int) -> int:
        """The pseudonym of an id: another number, of 63 bits. Zero is nobody's."""
        if number == 0:
            return 0
        return int.from_bytes(self._hmac(b"%d" % number)[:8]) >> 1 or 1

    def text(self, text: str) -> str:
        """The pseudonym of a name, or of an id that is written as a text."""
        if not text:
            return text
        if NUMBER.fullmatch(text):
            return str(self.number(int(text)))
        return f"p{self._hmac(b'.' + text.encode('utf-8', 'surrogatepass'))[:TEXT_BYTES].hex()}"

    def seal(self, data: bytes) -> bytes:
        """What stands for bytes that may name somebody: 32 others, the same for the same."""
        return self._hmac(b":" + data)

    def apply(self, message: Message) -> None:
        """Change a parsed message in its place."""
        change = self._change(message.DESCRIPTOR)
        if change is not None:
            change(message)

    def _hmac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")

    def _change(self, kind: Any) -> Change | None:
        """How a kind of message is changed; None where there is nothing to change in it."""
        if kind.full_name not in self._changes:
            if not _names_somebody(kind, set()):
                self._changes[kind.full_name] = None
            else:
                steps: list[Change] = []

                def change(message: Any) -> None:
                    for step in steps:
                        step(message)

                self._changes[kind.full_name] = change  # before its fields: a message can be within itself
                steps += [step for field in kind.fields if (step := self._step(field)) is not None]
        return self._changes[kind.full_name]

    def _step(self, field: FieldDescriptor) -> Change | None:
        name, mark = field.name, _mark(field)
        if mark == marks.PICTURE:
            return lambda message: message.ClearField(name)
        if mark == marks.NOTHING:
            return self._within(field)
        new = self._values[mark, field.type]
        if field.is_repeated:

            def each(message: Any) -> None:
                values = getattr(message, name)
                values[:] = [new(value) for value in values]

            return each

        def one(message: Any) -> None:
            if value := getattr(message, name):
                setattr(message, name, new(value))

        return one

    def _within(self, field: FieldDescriptor) -> Change | None:
        name = field.name
        change = self._change(field.message_type) if field.message_type is not None else None
        if change is None:
            return None
        if field.is_repeated:

            def each(message: Any) -> None:
                for part in getattr(message, name):
                    change(part)

            return each

        def one(message: Any) -> None:
            if message.HasField(name):
                change(getattr(message, name))

        return one

    @cached_property
    def _values(self) -> dict[tuple[int, int], Callable[[Any], Any]]:
        text = FieldDescriptor.TYPE_STRING
        return {
            (marks.PERSON, FieldDescriptor.TYPE_INT64): self.number,
            (marks.PERSON, text): self.text,
            (marks.SLOT, text): lambda value: value if COUNT.fullmatch(value) else self.text(value),
            (marks.LINK, text): lambda value: value.partition("?")[0],
        }


def _mark(field: FieldDescriptor) -> int:
    extension: Any = marks.personal  # its stub says less than it is
    return int(field.GetOptions().Extensions[extension])


def _names_somebody(kind: Any, seen: set[str]) -> bool:
    if kind.full_name in seen:
        return False
    seen.add(kind.full_name)
    return any(
        _mark(field) != marks.NOTHING or (field.message_type is not None and _names_somebody(field.message_type, seen))
        for field in kind.fields
    )
