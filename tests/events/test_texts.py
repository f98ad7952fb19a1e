"""Text that is not UTF-8, wherever a kind of message has text: it costs what cannot be read of it and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from producer.events.event import Event, Origin
from producer.events.kinds import RECORDS
from producer.events.mapping import METHODS, to_event
from producer.webcast import wire
from tests.events.decoding import encode_and_decode
from tests.events.twins import with_bytes
from tests.published import MESSAGES

KINDS = MESSAGES | {method: kind for method, (kind, _) in RECORDS.items()} | {"WebcastOfTomorrow": wire.AnyMessage}
TWINS = with_bytes(KINDS.values())
ORIGIN = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
CUT, SURROGATE = b"Ann \xf0\x9f\x8c", b"\xed\xa0\xbdx"
"""A rose without its last byte, and half of one as JavaScript has it."""


def paths(kind: Descriptor, above: tuple[str, ...] = ()) -> Iterator[tuple[FieldDescriptor, ...]]:
    """Where a kind of message has text: the fields down to it, none within another of its own kind."""
    for field in kind.fields:
        if field.message_type is not None:
            if field.message_type.full_name not in above:
                for rest in paths(field.message_type, (*above, kind.full_name)):
                    yield (field, *rest)
        elif field.type == FieldDescriptor.TYPE_STRING:
            yield (field,)


def with_text(kind: type[Message], path: tuple[FieldDescriptor, ...], text: bytes) -> bytes:
    """A message with a text in one place, and beside it what makes a join, a share and a gift that counts."""
    twin: Any = TWINS[kind]()
    for name, number in {"action": 1, "gift_id": 5655, "repeat_count": 3, "fan_ticket_count": 3}.items():
        if name in twin.DESCRIPTOR.fields_by_name:
            setattr(twin, name, number)
    place = twin
    for field in path[:-1]:
        inner = getattr(place, field.name)
        place = inner.add() if field.is_repeated else inner
    if path[-1].is_repeated:
        getattr(place, path[-1].name).append(text)
    else:
        setattr(place, path[-1].name, text)
    return bytes(twin.SerializeToString())


def event_of(method: str, payload: bytes) -> Event:
    message = wire.Envelope(method=method, payload=payload, msg_id=1)
    event = to_event(message, ORIGIN, received_at=1, room_sequence=1)
    assert encode_and_decode(event) == event.value
    return event


def without(event: Event, text: str) -> str:
    """All that an event says, and what it adds to a streak, with `text` left out and what is made of all its bytes."""
    value = event.value | {"meta": event.value["meta"] | {"payload": None}, "payload": None}
    said = repr((value, event.tap)).replace(repr(text)[1:-1], "TEXT")
    return re.sub(r"'text_repaired': \w+|blake2b-\w+", "", said)


@pytest.mark.parametrize("method", KINDS)
@pytest.mark.parametrize(("text", "read"), [(CUT, "Ann \ufffd"), (SURROGATE, "\ufffd\ufffd\ufffdx")])
def test_it_is_published_as_it_would_be_with_other_text(method: str, text: bytes, read: str) -> None:
    kind = KINDS[method]
    descriptor: Any = kind.DESCRIPTOR
    found = list(paths(descriptor))

    for path in found:
        name = ".".join(field.name for field in path)
        broken = event_of(method, with_text(kind, path, text))
        sound = event_of(method, with_text(kind, path, b"SOUND"))
        assert (name, without(broken, read)) == (name, without(sound, "SOUND"))
        assert (name, broken.value["meta"]["text_repaired"]) == (name, True)
        assert (name, sound.value["meta"]["text_repaired"]) == (name, False)

    assert found


def test_every_kind_of_message_is_among_them() -> None:
    assert KINDS.keys() - {"WebcastOfTomorrow"} == METHODS


def test_a_method_that_is_not_utf8_is_said_too() -> None:
    event = event_of("WebcastOfTo\ufffd", b"")

    assert (event.name, event.value["meta"]["text_repaired"]) == ("unknown", True)
