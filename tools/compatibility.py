"""Whether a schema may follow a released one: Avro's schema resolution both ways, and what we promise beyond it.

Pure. Schemas are self-contained, as registered: names are full, and a record is written out where it is first used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from producer.events.schemas import JSON

Rule = Literal["resolution", "default", "promise"]

WITHDRAWN = frozenset({"Gift.repeat_count", "Gift.repeat_end"})
"""Released fields that are gone, against our promise: each said what repeatCount or repeatEnd says, and two such names
are one to the classes that Java and Go generate, so that those did not compile. Avro aliases they cannot be: Avro's
Java library renames by them what was written, and then finds the released field of that name twice."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a schema may not follow a released one."""

    rule: Rule
    """resolution: readers of one schema cannot read records of the other. default: it is no value of its field's type,
    which Avro demands of it. promise: Avro allows it, we do not."""
    place: str
    """Record and field, such as User.badge; the record alone where it is no field's matter."""
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


def refusals(released: JSON, current: JSON) -> list[Refusal]:
    """Compare an event's current schema with a released one of the same major; nothing is found where it may follow."""
    old, new = _named(released), _named(current)
    return [
        *_Resolution(new, old, "readers of the new schema").gaps(current, released, _short(current)),
        *_Resolution(old, new, "readers of the released schema").gaps(released, current, _short(released)),
        *_misfits(new),
        *_Promise(old, new).breaches(released, current, _short(released)),
    ]


def release_refusals(released: Mapping[str, JSON], current: Mapping[str, JSON]) -> list[Refusal]:
    """Compare a release's schemas, by event name, with the current ones, as far as their majors are still published."""
    majors = {_major(schema) for schema in current.values()}
    found: list[Refusal] = []
    for event, schema in released.items():
        if _major(schema) not in majors:
            continue
        if event not in current or _major(current[event]) != _major(schema):
            found.append(Refusal("promise", _short(schema), f"the event {event} was removed or renamed"))
        else:
            found += refusals(schema, current[event])
    return list(dict.fromkeys(found))  # a record that many events share is refused once


class _Resolution:
    """The specification's Schema Resolution: what of one schema's records readers of another could not read."""

    PROMOTIONS: Mapping[str, frozenset[str]] = {
        "int": frozenset({"long", "float", "double"}),
        "long": frozenset({"float", "double"}),
        "float": frozenset({"double"}),
        "string": frozenset({"bytes"}),
        "bytes": frozenset({"string"}),
    }

    def __init__(self, reads: Mapping[str, JSON], writes: Mapping[str, JSON], who: str) -> None:
        self._reads, self._writes, self._who = reads, writes, who
        self._compared: set[tuple[str, str]] = set()

    def gaps(self, reader: Any, writer: Any, place: str) -> Iterator[Refusal]:
        reader = self._reads.get(reader, reader) if isinstance(reader, str) else reader
        writer = self._writes.get(writer, writer) if isinstance(writer, str) else writer
        if isinstance(writer, list):
            for branch in writer:
                yield from self.gaps(reader, branch, place)
        elif isinstance(reader, list):
            branches = [self._reads.get(branch, branch) if isinstance(branch, str) else branch for branch in reader]
            alike = [branch for branch in branches if _alike(branch, writer)]
            promoted = [branch for branch in branches if self._promotes(branch, writer)]
            if alike or promoted:
                yield from self.gaps([*alike, *promoted][0], writer, place)
            else:
                yield self._gap(place, f"have no branch for {_says(writer)}")
        elif _alike(reader, writer):
            yield from self._within(reader, writer, place)
        elif not self._promotes(reader, writer):
            yield self._gap(place, f"expect {_says(reader)} and would get {_says(writer)}")

    def _promotes(self, reader: Any, writer: Any) -> bool:
        return _kind(reader) in self.PROMOTIONS.get(_kind(writer), ())

    def _within(self, reader: Any, writer: Any, place: str) -> Iterator[Refusal]:
        match _kind(reader):
            case "record":
                yield from self._fields(reader, writer)
            case "array":
                yield from self.gaps(reader["items"], writer["items"], place)
            case "map":
                yield from self.gaps(reader["values"], writer["values"], place)
            case "enum" if "default" not in reader:
                for symbol in writer["symbols"]:
                    if symbol not in reader["symbols"]:
                        yield self._gap(place, f"do not know the symbol {symbol}")
            case "fixed" if reader["size"] != writer["size"]:
                yield self._gap(place, f"expect {reader['size']} bytes and would get {writer['size']}")

    def _fields(self, reader: JSON, writer: JSON) -> Iterator[Refusal]:
        pair = (reader["name"], writer["name"])
        if pair in self._compared:
            return
        self._compared.add(pair)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            place = f"{_short(reader)}.{field['name']}"
            known = [name for name in (field["name"], *field.get("aliases", ())) if name in written]
            if known:
                yield from self.gaps(field["type"], written[known[0]]["type"], place)
            elif "default" not in field:
                yield self._gap(place, "would not get it and have no default for it")

    def _gap(self, place: str, why: str) -> Refusal:
        return Refusal("resolution", place, f"{self._who} {why}")


class _Promise:
    """What stands stays as it is but for its docs; what comes is nullable, null by default, behind what stands."""

    def __init__(self, old: Mapping[str, JSON], new: Mapping[str, JSON]) -> None:
        self._old, self._new = old, new
        self._compared: set[str] = set()

    def breaches(self, old: Any, new: Any, place: str) -> Iterator[Refusal]:
        old = self._old.get(old, old) if isinstance(old, str) else old
        new = self._new.get(new, new) if isinstance(new, str) else new
        if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for before, after in zip(old, new, strict=True):
                yield from self.breaches(before, after, place)
        elif isinstance(old, list) or _identity(old) != _identity(new):
            yield _breach(place, f"was {_says(old)} and is {_says(new)}")
        elif isinstance(old, dict):
            yield from self._within(old, new, place)

    def _within(self, old: JSON, new: JSON, place: str) -> Iterator[Refusal]:
        match _kind(old):
            case "record" if old["name"] not in self._compared:
                self._compared.add(old["name"])
                yield from self._standing(old, new)
                yield from _additions(old, new)
            case "array":
                yield from self.breaches(old["items"], new["items"], place)
            case "map":
                yield from self.breaches(old["values"], new["values"], place)
            case "enum":
                if new["symbols"][: len(old["symbols"])] != old["symbols"] or old.get("default") != new.get("default"):
                    yield _breach(place, "its symbols and their default stay as they are; new symbols come last")

    def _standing(self, old: JSON, new: JSON) -> Iterator[Refusal]:
        now = {field["name"]: field for field in new["fields"]}
        stand = [field["name"] for field in old["fields"] if field["name"] in now]
        if stand != [name for name in now if name in stand]:
            yield _breach(_short(old), f"its fields stood in another order: {', '.join(stand)}")
        for field in old["fields"]:
            place = f"{_short(old)}.{field['name']}"
            after = now.get(field["name"])
            if after is None:
                if place not in WITHDRAWN:
                    yield _breach(place, "was removed or renamed")
                continue
            if field.get("default", "none") != after.get("default", "none"):
                yield _breach(place, f"its default was {field.get('default')!r} and is {after.get('default')!r}")
            yield from self.breaches(field["type"], after["type"], place)


def _additions(old: JSON, new: JSON) -> Iterator[Refusal]:
    stand = {field["name"] for field in old["fields"]}
    # An event's meta is its last field for good.
    closing = {field["name"] for field in old["fields"][-1:]} & {"meta"}
    for at, field in enumerate(new["fields"]):
        if field["name"] in stand:
            continue
        place = f"{_short(new)}.{field['name']}"
        # Null fits nullable types alone, and whether a default fits is looked at elsewhere.
        if field.get("default", "none") is not None:
            yield _breach(place, "is new, so it must be nullable, with null first and as its default")
        if {each["name"] for each in new["fields"][at + 1 :]} & stand != closing:
            yield _breach(
                place, "is new, so it must stand behind the released fields; an event's meta alone stays last"
            )


def _breach(place: str, why: str) -> Refusal:
    return Refusal("promise", place, why)


def _misfits(named: Mapping[str, JSON]) -> Iterator[Refusal]:
    """Defaults that are no values of their fields' types."""
    for record in named.values():
        for field in record.get("fields", ()):
            if "default" in field and not _fits(field["default"], field["type"], named):
                why = f"its default {field['default']!r} is no {_says(field['type'])}"
                yield Refusal("default", f"{_short(record)}.{field['name']}", why)


def _fits(value: Any, schema: Any, named: Mapping[str, JSON]) -> bool:
    if isinstance(schema, list):
        return _fits(value, schema[0], named)  # the first branch's, as every version of the specification takes it
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    match _kind(schema):
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "int" | "long" as kind:
            bits = 31 if kind == "int" else 63
            return isinstance(value, int) and not isinstance(value, bool) and -(1 << bits) <= value < 1 << bits
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string" | "bytes" | "fixed":
            return isinstance(value, str)
        case "enum":
            return value in schema["symbols"]
        case "array":
            return isinstance(value, list) and all(_fits(item, schema["items"], named) for item in value)
        case "map":
            return isinstance(value, dict) and all(_fits(item, schema["values"], named) for item in value.values())
    return isinstance(value, dict) and all(
        _fits(value[field["name"]], field["type"], named) if field["name"] in value else "default" in field
        for field in schema["fields"]
    )


def _alike(one: Any, other: Any) -> bool:
    """Of one kind and, where a kind has names, of one name: Avro compares these without their namespaces."""
    if _kind(one) != _kind(other):
        return False
    return _kind(one) not in ("record", "enum", "fixed") or _short(one) == _short(other)


def _kind(schema: Any) -> str:
    if isinstance(schema, list):
        return "union"
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _identity(schema: Any) -> tuple[object, ...]:
    """What of a type may not change, beside what it is made of."""
    more = schema if isinstance(schema, dict) else {}
    return (_kind(schema), *(more.get(key) for key in ("name", "logicalType", "size", "precision", "scale")))


def _says(schema: Any) -> str:
    match schema:
        case list():
            return " or ".join(map(_says, schema))
        case {"name": name}:
            return f"{_kind(schema)} {name}"
        case {"items": items}:
            return f"array of {_says(items)}"
        case {"logicalType": logical}:
            return f"{_kind(schema)} ({logical})"
    return _kind(schema)


def _short(schema: JSON) -> str:
    return str(schema["name"]).rpartition(".")[2]


def _major(schema: JSON) -> str:
    return str(schema["name"]).split(".")[-2]


def _named(schema: Any) -> dict[str, JSON]:
    """Every record, enum and fixed that is written out in a schema, by full name."""
    if isinstance(schema, list):
        return {name: each for branch in schema for name, each in _named(branch).items()}
    if not isinstance(schema, dict):
        return {}
    parts = [field["type"] for field in schema.get("fields", ())]
    parts += [schema[key] for key in ("items", "values") if key in schema]
    return ({schema["name"]: schema} if "name" in schema else {}) | _named(parts)
