"""producer.events.avro: byte-equal to fastavro for whatever fits, and NotEncodable for whatever does not."""

import io
import json
import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producer.errors import NotEncodable
from producer.events import schemas
from producer.events.avro import FEW, compile_writer, long_bytes
from tests.events.decoding import decode, published

EVENTS = sorted(schemas.events())
STEADY = settings(
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    max_examples=max(40, int(os.environ.get("FUZZ_EXAMPLES", "0")) // 200),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no finding
)

Path = tuple[str | int, ...]

LONGS = st.one_of(
    st.sampled_from([0, -1, 1, 63, 64, -64, -65, 8191, 8192, -8193, 2**53 + 1, 2**63 - 1, -(2**63)]),
    st.integers(-(2**63), 2**63 - 1),
)
PRIMITIVES = {
    "string": st.one_of(st.sampled_from(["", "🌹", "👩‍👩‍👧", "a\x00b", "\ufeff", "é" * 64]), st.text(max_size=20)),
    "long": LONGS,
    "boolean": st.booleans(),
    "bytes": st.binary(max_size=20),
}


@cache
def writer(event: str) -> Callable[[Any], bytes]:
    return compile_writer(schemas.events()[event].parsed)


@cache
def schema(event: str) -> Any:
    return json.loads(schemas.events()[event].text)


@cache
def values(event: str) -> st.SearchStrategy[Any]:
    """Values that conform to an event's schema."""
    return _values(schema(event), {})


def _values(node: Any, records: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    if isinstance(node, list):
        return st.one_of(st.none(), *(_values(each, records) for each in node if each != "null"))
    if not isinstance(node, dict):
        return records[node] if node in records else PRIMITIVES[node]
    if node["type"] == "record":
        fields = {each["name"]: _values(each["type"], records) for each in node["fields"]}
        records[node["name"]] = st.fixed_dictionaries(fields)
        return records[node["name"]]
    if node["type"] == "array":
        return st.lists(_values(node["items"], records), max_size=3)
    return _values(node["type"], records)


@pytest.mark.parametrize("event", EVENTS)
def test_bytes_are_those_of_fastavro_and_are_read_back_equal(event: str) -> None:
    @STEADY
    @given(values(event))
    def check(value: Any) -> None:
        reference = io.BytesIO()
        fastavro.schemaless_writer(reference, published(event), value, strict=True)

        written = writer(event)(value)

        assert reference.getvalue() == written
        assert value == decode(event, written)

    check()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "00"),
        (-1, "01"),
        (1, "02"),
        (-64, "7f"),
        (64, "80 01"),
        (-65, "81 01"),
        (8191, "fe 7f"),
        (8192, "80 80 01"),
        (2**63 - 1, "fe ff ff ff ff ff ff ff ff 01"),
        (-(2**63), "ff ff ff ff ff ff ff ff ff 01"),
    ],
)
def test_longs_are_zigzag_varints_as_the_avro_specification_has_them(value: int, expected: str) -> None:
    written = long_bytes(value)

    assert bytes.fromhex(expected) == written


@pytest.mark.parametrize("power", range(63))
def test_longs_about_each_power_of_two_are_read_back_equal(power: int) -> None:
    around = [sign * (2**power + step) for sign in (1, -1) for step in (-1, 0, 1)]

    written = [long_bytes(value) for value in around]

    assert around == [fastavro.schemaless_reader(io.BytesIO(each), "long", None) for each in written]


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**64, 10**100])
def test_longs_past_64_bits_are_refused(value: int) -> None:
    with pytest.raises(NotEncodable):
        long_bytes(value)


# ------------------------------------------------------------------------------------------- what does not conform

WRONG: dict[str, list[Any]] = {
    "string": [b"x", 1, 1.5, True, ["x"], {"x": 1}, "\ud800", "a\udfffb", bytearray(b"x")],
    "long": [True, False, 1.0, float("nan"), "1", b"1", [1], {"x": 1}, 2**63, -(2**63) - 1, 1j],
    "boolean": [0, 1, 1.0, "true", b"\x01", [], {}],
    "bytes": ["x", 1, 1.5, True, [1], bytearray(b"x"), memoryview(b"x"), {}],
    "array": [(), ("x",), "x", b"x", {}, {"x": 1}, 1, True, set(), frozenset({"x"}), iter(())],
    "record": [[], [1, 2], (), "x", "ab", b"x", 1, 1.5, True, {}, {"x": 1}, {1: 2, 3: 4}, set(), object(), dict],
}


def places(node: Any, value: Any, path: Path, records: dict[str, Any]) -> Iterator[tuple[Path, str, bool]]:
    """Where in a value what is expected: path, type by its name in WRONG, whether null is welcome."""
    nullable = isinstance(node, list)
    kind = node[1] if nullable else node
    kind = records.get(kind, kind) if isinstance(kind, str) else kind
    while isinstance(kind, dict) and kind["type"] in PRIMITIVES:
        kind = kind["type"]
    yield path, kind["type"] if isinstance(kind, dict) else kind, nullable
    if isinstance(kind, dict) and kind["type"] == "record":
        records[kind["name"]] = kind
        for each in kind["fields"]:
            if value is not None:
                yield from places(each["type"], value[each["name"]], (*path, each["name"]), records)
            else:
                _register(each["type"], records)
    if isinstance(kind, dict) and kind["type"] == "array":
        _register(kind["items"], records)
        for at, item in enumerate(value or ()):
            yield from places(kind["items"], item, (*path, at), records)


def _register(node: Any, records: dict[str, Any]) -> None:
    """Learn the records that are written out within a part of the schema that the value leaves empty."""
    if isinstance(node, list):
        for each in node:
            _register(each, records)
    elif isinstance(node, dict):
        if node["type"] == "record":
            records[node["name"]] = node
            for each in node["fields"]:
                _register(each["type"], records)
        elif node["type"] == "array":
            _register(node["items"], records)


def at_path(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def replaced(value: Any, path: Path, part: Any) -> Any:
    if not path:
        return part
    whole = deepcopy(value)
    at_path(whole, path[:-1])[path[-1]] = part
    return whole


def everywhere(event: str) -> tuple[Any, list[tuple[Path, str, bool]]]:
    """A value of an event with nothing left empty, and every place in it."""
    full = _full(schema(event), {})
    return full, list(places(schema(event), full, (), {}))


def _full(node: Any, records: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return _full(node[1], records)
    if isinstance(node, dict) and node["type"] == "record":
        records[node["name"]] = node
        return {each["name"]: _full(each["type"], records) for each in node["fields"]}
    if isinstance(node, dict) and node["type"] == "array":
        return [_full(node["items"], records)]
    if isinstance(node, dict):
        return _full(node["type"], records)
    if node in records:
        return _full(records[node], records)
    return {"string": "text", "long": 7, "boolean": True, "bytes": b"\x00\xff"}[node]


@pytest.mark.parametrize("event", EVENTS)
def test_a_value_of_a_wrong_type_anywhere_is_refused(event: str) -> None:
    full, where = everywhere(event)
    wrong = [(path, part) for path, kind, null in where for part in [*WRONG[kind], *([] if null else [None])]]

    accepted = []
    for path, part in wrong:
        try:
            writer(event)(replaced(full, path, part))
        except NotEncodable:
            continue
        accepted.append((path, part))

    assert writer(event)(full) != b""
    assert accepted == []


@pytest.mark.parametrize("event", EVENTS)
def test_an_unknown_missing_or_misspelt_field_anywhere_is_refused(event: str) -> None:
    full, where = everywhere(event)
    records = [path for path, kind, _ in where if kind == "record"]

    accepted = []
    for path in records:
        part = at_path(full, path)
        for name in part:
            without = {key: each for key, each in part.items() if key != name}
            for edited in (without, {**without, name.upper() + "_": part[name]}, {**part, name + "_": None}):
                try:
                    writer(event)(replaced(full, path, edited))
                except NotEncodable:
                    continue
                accepted.append((path, name, edited))

    assert accepted == []


@pytest.mark.parametrize("event", EVENTS)
def test_whatever_is_put_anywhere_is_either_written_as_fastavro_would_or_refused(event: str) -> None:
    anything = st.one_of(*PRIMITIVES.values(), *(st.sampled_from(parts) for parts in WRONG.values()), st.none())

    @STEADY
    @given(st.data())
    def check(data: st.DataObject) -> None:
        value = data.draw(values(event))
        path, _, _ = data.draw(st.sampled_from(list(places(schema(event), value, (), {}))))
        spoilt = replaced(value, path, data.draw(anything))

        try:
            written = writer(event)(spoilt)
        except NotEncodable:
            return

        reference = io.BytesIO()
        fastavro.schemaless_writer(reference, published(event), spoilt, strict=True)
        assert reference.getvalue() == written

    check()


@pytest.mark.parametrize("value", [None, [], {}, "comment", 1, True, object()])
def test_what_is_no_record_at_all_is_refused_and_the_record_is_named(value: object) -> None:
    with pytest.raises(NotEncodable, match="CommentEvent"):
        writer("comment")(value)


@pytest.mark.parametrize(
    ("record", "field", "part", "sentence"),
    [
        ("gift", "giftId", True, r"Gift\.giftId: expected int, got bool"),
        ("gift", "streaking", 1, r"Gift\.streaking: expected bool, got int"),
        ("user", "nickname", b"Ann", r"User\.nickname: expected str, got bytes"),
        ("user", "extraAttributes", {}, r"ExtraAttributes: fields are"),
    ],
)
def test_the_refusal_names_the_field_and_both_types(record: str, field: str, part: object, sentence: str) -> None:
    full, _ = everywhere("gift")
    full[record][field] = part

    with pytest.raises(NotEncodable, match=sentence):
        writer("gift")(full)


# ------------------------------------------------------------------------------------- schemas that we do not have


def record_of(kind: Any) -> Any:
    return {"type": "record", "name": "x.R", "fields": [{"name": "f", "type": kind}]}


@pytest.mark.parametrize(
    "kind",
    [
        "double",
        ["string", "null"],
        ["long", "string"],
        {"type": "map", "values": "long"},
        {"type": "enum", "name": "E", "symbols": ["A"]},
    ],
)
def test_a_schema_with_what_the_writer_does_not_know_is_refused_when_it_is_compiled(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"write_R\.f"):
        compile_writer(record_of(kind))


def test_arrays_of_arrays_and_nullable_items_are_written_as_by_fastavro() -> None:
    kind = {"type": "array", "items": {"type": "array", "items": ["null", "string"]}}
    value = {"f": [[], ["a", None], [None]]}
    reference = io.BytesIO()
    fastavro.schemaless_writer(reference, fastavro.parse_schema(record_of(kind)), value)

    written = compile_writer(record_of(kind))(value)

    assert reference.getvalue() == written


@pytest.mark.parametrize("kind", ["long", "string", "bytes"])
@pytest.mark.parametrize("size", [0, FEW - 1, FEW, 1 << 14])
def test_about_the_end_of_the_table_numbers_and_lengths_are_written_as_by_fastavro(kind: str, size: int) -> None:
    plain = {"long": size, "string": "a" * size, "bytes": b"a" * size}[kind]
    types = {"plain": kind, "some": ["null", kind], "several": {"type": "array", "items": ["null", kind]}}
    fields = [{"name": name, "type": each} for name, each in types.items()]
    schema = {"type": "record", "name": "x.R", "fields": fields}
    value = {"plain": plain, "some": plain, "several": [plain, None]}
    reference = io.BytesIO()
    fastavro.schemaless_writer(reference, fastavro.parse_schema(schema), value)

    written = compile_writer(schema)(value)

    assert reference.getvalue() == written
