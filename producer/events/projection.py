"""Wire messages to record values, compiled from the schemas.

Field `x` of a record is field `x` of its message, or of the message's `common`. `x_str` is the text of the number `x`.
Records nest as messages do, arrays are repeated fields, and users are made as everywhere. What is absent is None, and
so is a repeated field without entries where the array can be null.

The functions are written as Python and compiled, a record's fields one after the other: a call for each costs twice.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from producer.events import schemas
from producer.events.users import identified, top_viewer, user
from producer.webcast import wire

MOST_REPEATED = 1_000
"""Entries of one repeated field; captured messages have up to 27. What a stranger adds beyond costs no time."""

Projection = Callable[[Any], dict[str, Any]]

SCALARS = {
    "long": FieldDescriptor.TYPE_INT64,
    "string": FieldDescriptor.TYPE_STRING,
    "boolean": FieldDescriptor.TYPE_BOOL,
}
ZEROS = {"long": "0", "string": "''", "boolean": "False"}
BY_HAND: dict[str, Callable[[wire.User], Any]] = {"TopViewer": top_viewer, "User": user}
"""The records of a user."""
TWIN = "_str"
IDENTITY = "user_identity"


@cache
def compile_projection(message: Descriptor, record: str, *, besides: frozenset[str] = frozenset()) -> Projection:
    """Compile the function from a parsed message to a record's value, without the fields `besides`.

    Raises ValueError where the record asks for what the message does not have.
    """
    compiler = _Compiler()
    lines = ["return {"]
    for field in schemas.records()[record]["fields"]:
        name = field["name"]
        if name not in besides:
            lines.append(f"    {name!r}: {compiler.read(message, name, field['type'], f'{record}.{name}')},")
    bound = [f"{name} = {expression}" for name, expression in compiler.bound.items()]
    source = "\n    ".join(["def project(m):", *bound, *lines, "}"])
    # Our own text, from our files.
    exec(compile(source, f"<{message.name} to {record}>", "exec"), compiler.namespace)
    project: Projection = compiler.namespace["project"]
    return project


def later(message: type[Message], record: str, *, besides: Iterable[str] = ()) -> Projection:
    """The same, compiled at the first message: `make generate` imports us while message and record may still differ."""
    own = frozenset(besides)
    compiled: list[Projection] = []

    def project(parsed: Any) -> dict[str, Any]:
        if not compiled:
            compiled.append(compile_projection(cast(Descriptor, message.DESCRIPTOR), record, besides=own))
        return compiled[0](parsed)

    return project


class _Compiler:
    """Writes the expression of each field; `m` is the message, `m_has` whether it has a field."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"identified": identified}
        self.bound = {"m_has": "m.HasField"}
        """What is bound to names first: protobuf takes longer to find the method `HasField` than to answer it."""

    def read(self, message: Descriptor, name: str, avro: Any, where: str) -> str:
        own = self._own(message, name, avro, where, "m")
        if own is not None:
            return own
        common = message.fields_by_name.get("common")
        shared = self._own(common.message_type, name, avro, where, "common") if common else None
        if shared is None:
            raise ValueError(f"{where}: the wire message {message.name} has no field {name!r}")
        self.bound |= {"common": "m.common", "common_has": "common.HasField"}
        return shared

    def _own(self, message: Any, name: str, avro: Any, where: str, m: str) -> str | None:
        fields = message.fields_by_name
        if name in fields:
            return self._field(fields[name], avro, where, m)
        if name.endswith(TWIN) and name.removesuffix(TWIN) in fields:
            return self._twin(fields[name.removesuffix(TWIN)], avro, where, m)
        return None

    def _field(self, field: FieldDescriptor, avro: Any, where: str, m: str) -> str:
        name = field.name
        match avro:
            case {"type": "array", "items": items}:
                _expect(field.is_repeated, f"{where}: an array, but {field.full_name} is not repeated")
                if items in SCALARS:
                    _expect(field.type == SCALARS[items], f"{where}: {items} does not fit {field.full_name}")
                    return f"list({m}.{name}[:{MOST_REPEATED}])"
                make = self._record(field, items, where)
                # Most are empty: so much is cheap to see.
                return f"[{make}(each) for each in several[:{MOST_REPEATED}]] if (several := {m}.{name}) else []"
            case ["null", {"type": "array"} as array]:
                return f"({self._field(field, array, where, m)}) or None"
            case ["null", str(other)]:
                _expect(field.has_presence, f"{where}: {field.full_name} cannot be absent")
                if other in SCALARS:
                    _expect(field.type == SCALARS[other], f"{where}: {other} does not fit {field.full_name}")
                    # Only what is zero or empty need be asked whether it is there at all.
                    return f"{m}.{name} or ({ZEROS[other]} if {m}_has({name!r}) else None)"
                make = self._record(field, other, where)
                if name == "user" and field.containing_type and IDENTITY in field.containing_type.fields_by_name:
                    return f"identified({m})"
                return f"{make}({m}.{name}) if {m}_has({name!r}) else None"
        raise ValueError(f"{where}: cannot project onto {avro!r}")

    def _record(self, field: FieldDescriptor, record: str, where: str) -> str:
        """The name of the function to a record within this one."""
        message = field.message_type
        _expect(message is not None, f"{where}: {record} does not fit {field.full_name}")
        if record in BY_HAND:
            _expect(message is wire.User.DESCRIPTOR, f"{where}: {record} does not fit {field.full_name}")
            self.namespace[record] = BY_HAND[record]
        elif record not in self.namespace:
            self.namespace[record] = compile_projection(message, record)
        return record

    def _twin(self, field: FieldDescriptor, avro: Any, where: str, m: str) -> str:
        """The string twin of a number, or of several."""
        match avro:
            case {"type": "array", "items": "string"}:
                return f"list(map(str, {self._field(field, {'type': 'array', 'items': 'long'}, where, m)}))"
            case ["null", "string"]:
                number = self._field(field, ["null", "long"], where, m)
                return f"None if (number := {number}) is None else str(number)"
        raise ValueError(f"{where}: a twin is a string, not {avro!r}")


def _expect(true: bool, sentence: str) -> None:
    if not true:
        raise ValueError(sentence)
