"""producer.delivery.schema_diff: literals in, words out."""

from typing import Any

import pytest

from producer.delivery.schema_diff import differences

USER = {"type": "record", "name": "User", "fields": [{"name": "id", "type": "long"}]}


def record(*fields: Any, name: str = "x.v1.Event", doc: str = "") -> dict[str, Any]:
    return {"type": "record", "name": name, "doc": doc, "fields": list(fields)}


def field(name: str = "a", kind: Any = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        (record(field()), record(field()), []),
        (record(field(doc="before")), record(field(doc="after"), doc="more"), []),
        (record(field()), record(field(), field("b", default="")), ["b: added"]),
        (record(field()), record(field(), field("b")), ["b: added without a default"]),
        (record(field(), field("b")), record(field()), ["b: removed"]),
        (record(field()), record(field(kind="long")), ["a: type long (was string)"]),
        (
            record(field(kind=["null", "string"])),
            record(field(kind=["null", "string", "long"])),
            ["a: type [null, string, long] (was [null, string])"],
        ),
        (record(field(kind=["null", "string"])), record(field()), ["a: type string (was [null, string])"]),
        (record(field(kind=["null", "string"])), record(field(kind=["null", "long"])), ["a: type long (was string)"]),
        (record(field(default="")), record(field(default="x")), ['a: default "x" (was "")']),
        (record(field(default=None)), record(field()), ["a: default absent (was null)"]),
        (record(field(), field("b")), record(field("b"), field()), ["the record: its fields are in another order"]),
        (record(field()), record(field(), name="x.v1.Other"), ["the record: named x.v1.Other (was x.v1.Event)"]),
        (
            record(field(kind={"type": "array", "items": "string"})),
            record(field(kind={"type": "array", "items": "long"})),
            ["a[]: type long (was string)"],
        ),
        (
            record(field(kind="long")),
            record(field(kind={"type": "long", "logicalType": "timestamp-millis"})),
            ["a: type long (timestamp-millis) (was long)"],
        ),
        (
            record(field("one", USER), field("two", ["null", "User"])),
            record(field("one", {**USER, "fields": [field("id", "string")]}), field("two", ["null", "x.v1.User"])),
            ["one.id: type string (was long)"],
        ),
        (record(field("user", USER)), record(field("user", "string")), ["user: type string (was User)"]),
        ("string", record(field()), ["the schema: type Event (was string)"]),
    ],
)
def test_differences_are_told_by_field(theirs: Any, ours: Any, said: list[str]) -> None:
    assert differences(theirs, ours) == said


def test_a_record_within_itself_is_compared_once() -> None:
    def tree(kind: str) -> dict[str, Any]:
        return record(field("value", kind), field("next", ["null", "Node"]), name="Node")

    assert differences(tree("long"), tree("string")) == ["value: type string (was long)"]


def deep(levels: int) -> object:
    schema: object = "string"
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    "theirs",
    [
        {"type": "record", "name": "a", "fields": [7]},
        {"type": "record", "name": ["a"], "fields": []},
        {"type": "record", "fields": []},
        {"type": "record", "name": "CommentEvent", "fields": [{"type": "string"}]},
        {"type": "record", "name": "CommentEvent", "fields": [{"name": ["a"], "type": "string"}]},
        deep(5_000),
    ],
    ids=["field", "name", "no name", "field without a name", "name of a field", "deep"],
)
def test_what_is_no_schema_is_said_to_be_none(theirs: object) -> None:
    with pytest.raises(ValueError, match="it is no schema"):
        differences(theirs, {"type": "record", "name": "CommentEvent", "fields": [{"name": "a", "type": "string"}]})


def test_of_many_differences_the_first_are_told() -> None:
    fields = [{"name": f"f{number}", "type": "string"} for number in range(70)]

    found = differences(
        {"type": "record", "name": "r", "fields": fields}, {"type": "record", "name": "r", "fields": []}
    )

    assert len(found) == 51
    assert found[-1] == "and 20 further differences"
