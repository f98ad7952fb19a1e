"""Changes of a released schema, each an edit of one that we publish, with the verdict that it deserves."""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from producer.events import schemas
from producer.events.schemas import JSON
from tools.compatibility import Rule

Edit = Callable[[JSON], None]


@dataclass(frozen=True)
class Change:
    """From a schema with `given` applied to the same schema with `edit` applied as well."""

    name: str
    event: str
    edit: Edit
    places: tuple[str, ...] = ()
    """Where it is refused, as Record.field; nowhere for a right change."""
    rules: tuple[Rule, ...] = ("promise",)
    """Which rules refuse it; resolution and default are Avro's own."""
    given: Edit = lambda schema: None
    dissent: Mapping[str, str] = field(default_factory=dict)
    """Judges that see Avro's own rules otherwise, and why; we follow the stricter reading."""

    def schemas(self) -> tuple[JSON, JSON]:
        """The released and the current schema."""
        released, current = (json.loads(schemas.events()[self.event].text) for _ in range(2))
        self.given(released)
        self.given(current)
        self.edit(current)
        return released, current


def records_within(node: Any) -> Iterator[JSON]:
    """Every record that is written out in a schema."""
    if isinstance(node, list):
        for each in node:
            yield from records_within(each)
    elif isinstance(node, dict):
        if node["type"] == "record":
            yield node
            yield from records_within([field["type"] for field in node["fields"]])
        elif node["type"] == "array":
            yield from records_within(node["items"])


def record(schema: JSON, name: str) -> JSON:
    return next(each for each in records_within(schema) if each["name"].endswith(f".{name}"))


def one(schema: JSON, place: str) -> JSON:
    name, _, wanted = place.partition(".")
    return next(each for each in record(schema, name)["fields"] if each["name"] == wanted)


def updated(place: str, **keys: Any) -> Edit:
    return lambda schema: one(schema, place).update(keys)


def without(place: str, key: str) -> Edit:
    return lambda schema: one(schema, place).__delitem__(key)


def removed(place: str) -> Edit:
    return lambda schema: record(schema, place.partition(".")[0])["fields"].remove(one(schema, place))


def added(name: str, at: int | None = None, **keys: Any) -> Edit:
    """Add the field `extra` to a record, at a position or at its end."""

    def edit(schema: JSON) -> None:
        fields = record(schema, name)["fields"]
        fields.insert(len(fields) if at is None else at, {"name": "extra", "doc": "New.", **deepcopy(keys)})

    return edit


def retyped(place: str, **keys: Any) -> Edit:
    """Change keys of a field's own type, or of the first branch but null."""

    def edit(schema: JSON) -> None:
        kind = one(schema, place)["type"]
        (kind[1] if isinstance(kind, list) else kind).update(keys)

    return edit


def _renamed_record(schema: JSON) -> None:
    record(schema, "User")["name"] = "tiktok.live.v1.Account"


def _another_namespace(schema: JSON) -> None:
    schema["name"] = "tiktok.other.v1.CommentEvent"


def _another_order(schema: JSON) -> None:
    record(schema, "Badge")["fields"].reverse()


def _other_docs(schema: JSON) -> None:
    for each in records_within(schema):
        each["doc"] = "Said better."
        for part in each["fields"]:
            part["doc"] = "Said better."


def _no_timestamp(schema: JSON) -> None:
    del one(schema, "Meta.received_at")["type"]["logicalType"]


ENUM = {"type": "enum", "name": "tiktok.live.v1.Quality", "symbols": ["GOOD", "BAD"]}
NEW_RECORD = {
    "type": "record",
    "name": "tiktok.live.v1.Extra",
    "fields": [{"name": "count", "type": "long", "doc": "Required within a record that is new itself."}],
}
LONG_MAP = {"type": "map", "values": "long"}
FOUR_BYTES = {"type": "fixed", "name": "tiktok.live.v1.Four", "size": 4}


def with_enum(**more: Any) -> Edit:
    return added("Meta", type=["null", ENUM | more], default=None)


ANY_BRANCH = dict.fromkeys(
    ("apache", "fastavro", "apicurio"),
    "since Avro 1.12 a default may be of any branch; readers of older versions take the first",
)

WRONG = (
    Change("a nullable field is removed", "comment", removed("CommentEvent.comment"), ("CommentEvent.comment",)),
    Change(
        "a required field is removed",
        "comment",
        removed("Meta.worker"),
        ("Meta.worker",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a nullable field is renamed",
        "gift",
        updated("GiftEvent.gift", name="present"),
        ("GiftEvent.gift", "GiftEvent.present"),
    ),
    Change(
        "a nullable field is renamed with an alias",
        "gift",
        updated("Gift.repeatCount", name="repeats", aliases=["repeatCount"]),
        ("Gift.repeatCount", "Gift.repeats"),
    ),
    Change(
        "a required field is renamed",
        "like",
        updated("Meta.streamer", name="host"),
        ("Meta.streamer", "Meta.host"),
        rules=("resolution", "promise"),
    ),
    Change(
        "a required field is renamed with an alias, which helps new readers only",
        "like",
        updated("Meta.streamer", name="host", aliases=["streamer"]),
        ("Meta.streamer", "Meta.host"),
        rules=("resolution", "promise"),
    ),
    Change(
        "a field has another type",
        "gift",
        updated("Gift.giftId", type=["null", "string"]),
        ("Gift.giftId",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a promotion that works one way",
        "like",
        updated("LikeEvent.likeCount", type=["null", "double"]),
        ("LikeEvent.likeCount",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a promotion that works the other way",
        "connect",
        updated("Meta.room_sequence", type="int"),
        ("Meta.room_sequence",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a promotion that works both ways",
        "comment",
        updated("CommentEvent.comment", type=["null", "bytes"]),
        ("CommentEvent.comment",),
        dissent={"fastavro": "it reads data, and bytes that are not UTF-8 are no text"},
    ),
    Change(
        "a union is narrowed",
        "comment",
        updated("CommentEvent.comment", type="string", default=""),
        ("CommentEvent.comment",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a union is widened",
        "comment",
        updated("CommentEvent.comment", type=["null", "string", "long"]),
        ("CommentEvent.comment",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a required field becomes nullable",
        "join",
        updated("User.is_friend", type=["null", "boolean"], default=None),
        ("User.is_friend",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a union has its branches in another order, and its default for the second",
        "comment",
        updated("CommentEvent.comment", type=["string", "null"]),
        ("CommentEvent.comment",),
        rules=("default", "promise"),
        dissent=ANY_BRANCH,
    ),
    Change(
        "a record within is renamed",
        "share",
        _renamed_record,
        ("ShareEvent.user",),
        rules=("resolution", "promise"),
    ),
    Change("the event's namespace is another", "comment", _another_namespace, ("CommentEvent",)),
    Change(
        "an enum loses a symbol",
        "gift",
        retyped("Meta.extra", symbols=["GOOD"]),
        ("Meta.extra",),
        rules=("resolution", "promise"),
        given=with_enum(),
    ),
    Change(
        "an enum without a default has a further symbol",
        "gift",
        retyped("Meta.extra", symbols=["GOOD", "BAD", "UGLY"]),
        ("Meta.extra",),
        rules=("resolution",),
        given=with_enum(),
    ),
    Change(
        "an enum has its symbols in another order",
        "gift",
        retyped("Meta.extra", symbols=["BAD", "GOOD"]),
        ("Meta.extra",),
        given=with_enum(),
    ),
    Change(
        "an array has other items",
        "follow",
        retyped("Avatar.urls", items="long"),
        ("Avatar.urls",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a map has other values",
        "follow",
        retyped("User.extra", values="string"),
        ("User.extra",),
        rules=("resolution", "promise"),
        given=added("User", type=["null", LONG_MAP], default=None),
    ),
    Change(
        "a fixed has another size",
        "follow",
        retyped("User.extra", size=8),
        ("User.extra",),
        rules=("resolution", "promise"),
        given=added("User", type=["null", FOUR_BYTES], default=None),
    ),
    Change(
        "a record within an array has another type in a field",
        "share",
        updated("Badge.type", type=["null", "boolean"]),
        ("Badge.type",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a new field has no default",
        "share",
        added("Badge", type="long"),
        ("Badge.extra",),
        rules=("resolution", "promise"),
    ),
    Change(
        "a new field is nullable and has no default",
        "share",
        added("Badge", type=["null", "long"]),
        ("Badge.extra",),
        rules=("resolution", "promise"),
    ),
    Change("a new field is not nullable", "share", added("Badge", type="long", default=0), ("Badge.extra",)),
    Change(
        "a new field has a default of another type",
        "share",
        added("Badge", type="long", default="0"),
        ("Badge.extra",),
        rules=("default", "promise"),
        dissent={"apache": "its checker does not look at defaults"},
    ),
    Change(
        "a new nullable field has a default for its second branch",
        "share",
        added("Badge", type=["null", "long"], default=0),
        ("Badge.extra",),
        rules=("default", "promise"),
        dissent=ANY_BRANCH,
    ),
    Change(
        "a new field stands among the released ones",
        "question",
        added("QuestionEvent", at=0, type=["null", "long"], default=None),
        ("QuestionEvent.extra",),
    ),
    Change(
        "a new field stands behind an event's meta",
        "question",
        added("QuestionEvent", type=["null", "long"], default=None),
        ("QuestionEvent.extra",),
    ),
    Change("fields have another order", "share", _another_order, ("Badge",)),
    Change("a default is another", "gift", updated("Gift.streakable", default=True), ("Gift.streakable",)),
    Change("a default that is null is gone", "gift", without("Gift.giftId", "default"), ("Gift.giftId",)),
    Change(
        "a new field is not nullable and has null as its default",
        "share",
        added("Badge", type="long", default=None),
        ("Badge.extra",),
        rules=("default",),
        dissent={"apache": "its checker does not look at defaults"},
    ),
    Change("a default is gone", "live_end", without("Meta.is_history", "default"), ("Meta.is_history",)),
    Change("a time is no time any more", "disconnect", _no_timestamp, ("Meta.received_at",)),
)

RIGHT = (
    Change("nothing", "gift", lambda schema: None),
    Change("a nullable field at a record's end", "share", added("Badge", type=["null", "long"], default=None)),
    Change(
        "a nullable field before an event's meta",
        "question",
        added("QuestionEvent", at=-1, type=["null", "string"], default=None),
    ),
    Change(
        "a nullable array",
        "unknown",
        added("Meta", type=["null", {"type": "array", "items": "string"}], default=None),
    ),
    Change("a nullable record that is new", "comment", added("User", type=["null", NEW_RECORD], default=None)),
    Change(
        "a nullable record that is known",
        "comment",
        added("User", type=["null", "tiktok.live.v1.Avatar"], default=None),
    ),
    Change("other docs", "gift_finalized", _other_docs),
    Change(
        "a further symbol of an enum with a default",
        "gift",
        retyped("Meta.extra", symbols=["GOOD", "BAD", "UGLY"]),
        given=with_enum(default="BAD"),
    ),
)
