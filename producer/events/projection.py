"""Wire messages to record values, compiled from the schemas.

Field `x` of a record is field `x` of its message, or of the message's `common`. `x_str` is the text of the number `x`.
Records nest as messages do, arrays are repeated fields, and User is made as everywhere. What is absent is None, and so
is a repeated field without entries where the array can be null.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from producer.events import schemas
from producer.events.users import badge, identified, user
from producer.webcast import wire

MOST_REPEATED = 1_000
"""Entries of one repeated field; captured messages have up to 27. What a stranger adds beyond costs no time."""

Read = Callable[[Any], Any]
Projection = Callable[[Any], dict[str, Any]]

SCALARS = {
    "long": FieldDescriptor.TYPE_INT64,
    "string": FieldDescriptor.TYPE_STRING,
    "boolean": FieldDescriptor.TYPE_BOOL,
}
MADE: dict[str, tuple[type[Message], Callable[[Any], Any]]] = {
    "User": (wire.User, user),
    "BadgeStruct": (wire.BadgeStruct, badge),
}
"""Records that are made by hand, and what of."""
TWIN = "_str"
IDENTITY = "user_identity"


@cache
def compile_projection(message: Descriptor, record: str, *, besides: frozenset[str] = frozenset()) -> Projection:
    """Compile the function from a parsed message to a record's value, without the fields `besides`.

    Raises ValueError where the record asks for what the message does not have.
    """
    schema = schemas.records()[record]
    reads: dict[str, Read] = {}
    for field in schema["fields"]:
        name = field["name"]
        if name not in besides:
            reads[name] = _read(message, name, field["type"], f"{record}.{name}")
    pairs = tuple(reads.items())

    def project(parsed: Any) -> dict[str, Any]:
        return {name: read(parsed) for name, read in pairs}

    return project


def _read(message: Descriptor, name: str, avro: Any, where: str) -> Read:
    own = _own(message, name, avro, where)
    if own is not None:
        return own
    common = message.fields_by_name.get("common")
    shared = _own(common.message_type, name, avro, where) if common and common.message_type else None
    if shared is None:
        raise ValueError(f"{where}: the wire message {message.name} has no field {name!r}")
    return lambda parsed: shared(parsed.common)


def _own(message: Descriptor, name: str, avro: Any, where: str) -> Read | None:
    fields = message.fields_by_name
    if name in fields:
        return _field(fields[name], avro, where)
    if name.endswith(TWIN) and name.removesuffix(TWIN) in fields:
        return _twin(fields[name.removesuffix(TWIN)], avro, where)
    return None


def _field(field: FieldDescriptor, avro: Any, where: str) -> Read:
    name = field.name
    match avro:
        case {"type": "array", "items": items}:
            _expect(field.is_repeated, f"{where}: an array, but {field.full_name} is not repeated")
            if items in SCALARS:
                _expect(field.type == SCALARS[items], f"{where}: {items} does not fit {field.full_name}")
                return lambda parsed: list(getattr(parsed, name)[:MOST_REPEATED])
            make = _record(field, items, where)
            return lambda parsed: [make(each) for each in getattr(parsed, name)[:MOST_REPEATED]]
        case ["null", {"type": "array"} as array]:
            entries = _field(field, array, where)
            return lambda parsed: entries(parsed) or None
        case ["null", str(other)]:
            _expect(field.has_presence, f"{where}: {field.full_name} cannot be absent")
            if other in SCALARS:
                _expect(field.type == SCALARS[other], f"{where}: {other} does not fit {field.full_name}")
                return lambda parsed: getattr(parsed, name) if parsed.HasField(name) else None
            make = _record(field, other, where)
            if name == "user" and field.containing_type and IDENTITY in field.containing_type.fields_by_name:
                return identified
            return lambda parsed: make(getattr(parsed, name)) if parsed.HasField(name) else None
    raise ValueError(f"{where}: cannot project onto {avro!r}")


def _record(field: FieldDescriptor, record: str, where: str) -> Callable[[Any], Any]:
    _expect(field.message_type is not None, f"{where}: {record} does not fit {field.full_name}")
    if record in MADE:
        message, make = MADE[record]
        _expect(field.message_type is message.DESCRIPTOR, f"{where}: {record} does not fit {field.full_name}")
        return make
    return compile_projection(field.message_type, record)


def _twin(field: FieldDescriptor, avro: Any, where: str) -> Read:
    """The string twin of a number, or of several."""
    match avro:
        case {"type": "array", "items": "string"}:
            numbers = _field(field, {"type": "array", "items": "long"}, where)
            return lambda parsed: [str(number) for number in numbers(parsed)]
        case ["null", "string"]:
            number = _field(field, ["null", "long"], where)
            return lambda parsed: None if (value := number(parsed)) is None else str(value)
    raise ValueError(f"{where}: a twin is a string, not {avro!r}")


def _expect(true: bool, sentence: str) -> None:
    if not true:
        raise ValueError(sentence)
