"""golden/: what its README promises to consumers, and our compiled writers against bytes that fastavro wrote."""

import base64
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producer.events import schemas
from producer.events.avro import compile_writer
from producer.events.encoding import Encoder
from producer.events.event import Event
from tests.contract.changes import records_within
from tools.golden import Fill, example

GOLDEN = Path(__file__).resolve().parent.parent.parent / "golden"
FILES = {path.stem: json.loads(path.read_text("ascii")) for path in sorted(GOLDEN.glob("*.json"))}
EACH = pytest.mark.parametrize("event", sorted(FILES))


def examples(event: str) -> dict[str, tuple[Any, bytes]]:
    """An event's examples by name: the value as our writers take it, and the bytes."""
    schema = schemas.events()[event].parsed
    records = {record["name"]: record for record in records_within(schema)}
    return {
        example["name"]: (with_bytes(example["value"], schema, records), base64.b64decode(example["body"]))
        for example in FILES[event]["examples"]
    }


def with_bytes(value: Any, schema: Any, records: dict[str, Any]) -> Any:
    """A value out of JSON, with bytes where its schema has them."""
    kind = schema[1] if isinstance(schema, list) else schema
    kind = records.get(kind, kind) if isinstance(kind, str) else kind
    match value:
        case dict():
            kinds = {field["name"]: field["type"] for field in kind["fields"]}
            return {name: with_bytes(each, kinds[name], records) for name, each in value.items()}
        case list():
            return [with_bytes(each, kind["items"], records) for each in value]
        case str() if kind == "bytes":
            return base64.b64decode(value)
    return value


def leaves(node: Any) -> Iterator[Any]:
    if isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from leaves(each)
        if not node:
            yield node
    else:
        yield node


def optional(schema: Any, value: Any, path: str, records: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every nullable that is no record, and every array, with its path; a record that is null raises."""
    nullable = isinstance(schema, list)
    kind = schema[1] if nullable else schema
    kind = records.get(kind, kind) if isinstance(kind, str) else kind
    if isinstance(kind, dict) and kind["type"] == "record":
        for field in kind["fields"]:
            yield from optional(field["type"], value[field["name"]], f"{path}.{field['name']}", records)
    elif nullable or (isinstance(kind, dict) and kind["type"] == "array"):
        yield path, value


@EACH
def test_our_writer_makes_the_bytes_that_fastavro_made(event: str) -> None:
    write = compile_writer(schemas.events()[event].parsed)

    written = {name: write(value) for name, (value, _) in examples(event).items()}

    assert written == {name: body for name, (_, body) in examples(event).items()}


@pytest.fixture(scope="module")
def encoders() -> list[Encoder]:
    """Without a registry, and with one; either compiles all schemas."""
    every = schemas.events()
    return [Encoder(every, topic_prefix="t", schema_ids=ids) for ids in (None, dict.fromkeys(every, 258))]


@EACH
def test_a_record_on_the_topic_is_prefix_and_body(event: str, encoders: list[Encoder]) -> None:
    value, body = examples(event)["full"]

    values = [encoder.encode(Event(event, value), key="k").value for encoder in encoders]

    assert values == [base64.b64decode(FILES[event]["single_object_prefix"]) + body, b"\x00\x00\x00\x01\x02" + body]


@EACH
def test_the_schema_is_the_one_that_is_registered(event: str) -> None:
    assert FILES[event]["schema"] == schemas.events()[event].text
    assert FILES[event]["record"] == schemas.events()[event].parsed["name"]


@EACH
def test_a_full_example_leaves_nothing_out_and_an_empty_one_has_only_what_must_be(event: str) -> None:
    full, _ = examples(event)["full"]
    empty, _ = examples(event)["empty"]
    nullable = {field["name"] for field in schemas.events()[event].parsed["fields"] if isinstance(field["type"], list)}

    assert [leaf for leaf in leaves(full) if leaf in (None, "", [], {}, b"")] == []
    assert {name for name, value in empty.items() if value is None} == nullable
    assert full["name"] == empty["name"] == event


@EACH
def test_a_sparse_example_has_every_record_and_nothing_else_that_need_not_be(event: str) -> None:
    sparse, _ = examples(event)["sparse"]
    schema = schemas.events()[event].parsed
    records = {record["name"]: record for record in records_within(schema)}

    found = dict(optional(schema, sparse, event, records))

    assert {path: value for path, value in found.items() if value not in (None, [])} == {}
    assert f"{event}.meta.message_id" in found


@EACH
def test_no_id_is_one_that_a_double_holds(event: str) -> None:
    full, _ = examples(event)["full"]

    ids = [int(leaf) for leaf in leaves(full) if str(leaf).isdecimal() and int(leaf) > 2**53]

    assert int(full["meta"]["room_id"]) in ids
    assert [each for each in ids if int(float(each)) == each] == []


def test_a_gifts_user_has_a_long_id_and_texts_that_utf_16_and_normalisation_would_change() -> None:
    gift, _ = examples("gift")["full"]
    user = gift["user"]

    assert user["userId"] > 2**53
    assert unicodedata.normalize("NFC", user["nickname"]) != user["nickname"]
    assert any(ord(character) > 0xFFFF for character in user["nickname"])
    assert len(user["profilePicture"]["urls"]) == 2


def test_bytes_begin_with_what_no_text_holds() -> None:
    unknown, _ = examples("unknown")["full"]

    assert unknown["payload"].startswith(b"\x00\xff")


def test_an_id_is_the_same_as_a_long_and_as_the_text_that_is_its_twin() -> None:
    fields = [{"name": "userId", "type": "long"}, {"name": "user_id_str", "type": ["null", "string"]}]

    value = example({"type": "record", "name": "x.R", "fields": fields}, Fill.FULL)

    assert value["user_id_str"] == str(value["userId"])
