"""The documented types (TikTokLive 0.8.9), written out by hand, against schemas/records/ and producer.errors.

Expected values are the documentation's own words. Where the code and this list differ, the code is wrong.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from producer import errors
from producer.errors import Recovery
from tests.published import OWN, PARTS, UNDOCUMENTED

Records = dict[str, dict[str, Any]]

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas" / "records"


@dataclass(frozen=True)
class Documented:
    """One documented class: its fields in the order of its constructor, and its properties."""

    fields: Mapping[str, str]
    name: str | None = None
    """An event's documented name."""
    properties: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Properties that are documented as a field by another name: of that the field's doc tells, and it is one field."""
    """Type by property; `alias of x.y` where the documentation calls a property an alias."""


EVENTS = {
    "CommentEvent": Documented(
        name="comment",
        fields={"user": "Optional[User]", "comment": "Optional[str]", "name": "str"},
    ),
    "ConnectEvent": Documented(name="connect", fields={"name": "str"}),
    "DisconnectEvent": Documented(name="disconnect", fields={"name": "str"}),
    "FollowEvent": Documented(
        name="follow",
        fields={
            "user": "Optional[User]",
            "displayType": "Optional[str]",
            "label": "Optional[str]",
            "name": "str",
        },
    ),
    "GiftEvent": Documented(
        name="gift",
        fields={"user": "Optional[User]", "gift": "Optional[Gift]", "name": "str"},
    ),
    "JoinEvent": Documented(
        name="join",
        fields={
            "user": "Optional[User]",
            "displayType": "Optional[str]",
            "label": "Optional[str]",
            "name": "str",
        },
    ),
    "LikeEvent": Documented(
        name="like",
        fields={
            "user": "Optional[User]",
            "likeCount": "Optional[int]",
            "totalLikeCount": "Optional[int]",
            "displayType": "Optional[str]",
            "label": "Optional[str]",
            "name": "str",
        },
    ),
    "LiveEndEvent": Documented(name="live_end", fields={"name": "str"}),
    "QuestionEvent": Documented(
        name="question",
        fields={"questionText": "Optional[str]", "user": "Optional[User]", "name": "str"},
    ),
    "ShareEvent": Documented(  # its header is lost in the document; its base, text and user are there
        name="share",
        fields={
            "user": "Optional[User]",
            "displayType": "Optional[str]",
            "label": "Optional[str]",
            "name": "str",
        },
    ),
    "UnknownEvent": Documented(name="unknown", fields={"name": "str"}),
    "ViewerCountUpdateEvent": Documented(
        name="viewer_count_update",
        fields={"viewerCount": "Optional[int]", "name": "str"},
    ),
}

OBJECTS = {
    "Avatar": Documented(
        fields={"urls": "List[str]"},
        properties={"avatar_url": "Optional[str]"},  # documented without a type: the last of urls, which may be empty
    ),
    "Badge": Documented(fields={"type": "Optional[str]", "name": "Optional[str]"}),
    "BadgeContainer": Documented(fields={"badges": "List[Badge]"}),
    "ExtendedGift": Documented(
        fields={
            "id": "Optional[int]",
            "name": "Optional[str]",
            "type": "Optional[int]",
            "diamond_count": "Optional[int]",
            "describe": "Optional[str]",
            "duration": "Optional[int]",
            "event_name": "Optional[str]",
            "icon": "Optional[GiftIcon]",
            "image": "Optional[GiftIcon]",
            "notify": "Optional[bool]",
            "is_broadcast_gift": "Optional[bool]",
            "is_displayed_on_panel": "Optional[bool]",
            "is_effect_befview": "Optional[bool]",
            "is_random_gift": "Optional[bool]",
            "is_gray": "Optional[bool]",
        },
    ),
    "ExtraAttributes": Documented(fields={"followRole": "Optional[int]"}),
    "Gift": Documented(
        fields={
            "giftId": "Optional[int]",
            "repeatCount": "Optional[int]",
            "repeatEnd": "Optional[int]",
            "giftDetails": "Optional[GiftDetails]",
            "giftExtra": "Optional[GiftExtra]",
            "extended_gift": "Optional[ExtendedGift]",
        },
        properties={
            "gift_type": "alias of giftDetails.giftType",
            "streakable": "bool",
            "streaking": "bool",
        },
        aliases={"repeat_count": "repeatCount", "repeat_end": "repeatEnd"},
    ),
    "GiftDetailImage": Documented(fields={"giftPictureUrl": "Optional[str]"}),
    "GiftDetails": Documented(
        fields={
            "giftImage": "Optional[GiftDetailImage]",
            "describe": "Optional[str]",
            "giftType": "Optional[int]",
            "diamondCount": "Optional[int]",
            "giftName": "Optional[str]",
        },
    ),
    "GiftExtra": Documented(fields={"timestamp": "Optional[int]", "receiverUserId": "Optional[int]"}),
    "GiftIcon": Documented(
        fields={
            "avg_color": "Optional[str]",
            "uri": "Optional[str]",
            "is_animated": "Optional[bool]",
            "url_list": "Optional[List[str]]",
        },
    ),
    "User": Documented(
        fields={
            "userId": "Optional[int]",
            "uniqueId": "Optional[str]",
            "nickname": "Optional[str]",
            "profilePicture": "Optional[Avatar]",
            "extraAttributes": "ExtraAttributes",
            "badge": "BadgeContainer",
        },
        properties={"is_following": "bool", "is_friend": "bool", "is_moderator": "bool"},
    ),
}

OURS = (*OWN.values(), *dict(UNDOCUMENTED.values()).values(), *PARTS)
"""Records beyond the documentation."""

TWINS = {
    "ExtendedGift": [("id", "id_str")],
    "Gift": [("giftId", "gift_id_str"), ("group_id", "group_id_str")],
    "GiftExtra": [("receiverUserId", "receiver_user_id_str")],
    "User": [("userId", "user_id_str")],
}
"""Ids of documented records and their string twins, which are ours."""

FURTHER = {
    "Gift": (
        *("gift_list_version", "fan_ticket_count", "group_count", "combo_count", "group_id", "send_type", "color_id"),
        "order_id",
    ),
    "GiftDetails": ("duration", "combo"),
    "User": (
        *("sec_uid", "following_count", "follower_count", "gifter_level", "fan_club_name", "fan_club_level"),
        *("is_subscriber", "badge_list"),
    ),
}
"""What else of ours is in a documented object."""

RECORDS = {**EVENTS, **OBJECTS}

# Documented "= <factory>" or "= BadgeContainer(badges=[])": who makes the object need not give these.
DEFAULTED: dict[str, tuple[Any, ...]] = {
    "User.extraAttributes": ({"followRole": None}, {"followRole": 0}),  # what the factory makes is not documented
    "User.badge": ({"badges": []},),
    "BadgeContainer.badges": ([],),
}

# Name, documented base, and what one is to do about it: after the documented meaning and the sheet's section 6.
ERRORS = [
    ("AlreadyConnected", "RuntimeError", Recovery.DROP),
    ("AlreadyConnecting", "RuntimeError", Recovery.DROP),
    ("ChatMessageRepeat", "ChatMessageSendFailure", Recovery.DROP),
    ("ChatMessageSendFailure", "RuntimeError", Recovery.DROP),
    ("FailedConnection", "RuntimeError", Recovery.RETRY),
    ("FailedFetchGifts", "FailedHTTPRequest", Recovery.DROP),
    ("FailedFetchRoomInfo", "FailedHTTPRequest", Recovery.RETRY),
    ("FailedHTTPRequest", "RuntimeError", Recovery.RETRY),
    ("FailedRoomPolling", "FailedHTTPRequest", Recovery.RETRY),
    ("InvalidSessionId", "RuntimeError", Recovery.LATER),
    ("LiveNotFound", "RuntimeError", Recovery.WAIT),
]

PRIMITIVES = {"int": "long", "str": "string", "bool": "boolean"}


def avro_type(documented: str) -> Any:
    """The Avro type that a documented Python type is published as."""
    outer, _, inner = documented.removesuffix("]").partition("[")
    if outer == "Optional":
        return ["null", avro_type(inner)]
    if outer == "List":
        return {"type": "array", "items": avro_type(inner)}
    return PRIMITIVES.get(documented, documented)


def disagreements(records: Records) -> list[str]:
    """Each way in which the schemas differ from the documentation, as a sentence that begins with the place."""
    found = [f"{name}: missing" for name in RECORDS if name not in records]
    found += [f"{name}: not documented" for name in records if name not in RECORDS and name not in OURS]
    for name, schema in records.items():
        found += _without_text(name, schema)
        if name in RECORDS:
            found += _differences(name, RECORDS[name], records)
    return found


def _without_text(name: str, schema: dict[str, Any]) -> list[str]:
    places = {name: schema, **{f"{name}.{each['name']}": each for each in schema["fields"]}}
    return [f"{place}: has no doc" for place, node in places.items() if not node.get("doc", "").strip()]


def _differences(name: str, documented: Documented, records: Records) -> list[str]:
    fields = {each["name"]: each for each in records[name]["fields"]}
    order = [each["name"] for each in records[name]["fields"]]
    ends = len(documented.fields)
    found = []
    if order[:ends] != list(documented.fields):
        found.append(f"{name}: begins with {order[:ends]}")
    if sorted(order[ends : ends + len(documented.properties)]) != sorted(documented.properties):
        found.append(f"{name}: has no properties {sorted(documented.properties)} after its fields")
    for each, python_type in {**documented.fields, **documented.properties}.items():
        if each not in fields:
            found.append(f"{name}.{each}: missing")
            continue
        expected = _type_of(name, python_type)
        if fields[each]["type"] != expected:
            found.append(f"{name}.{each}: is {fields[each]['type']}, not {expected}")
        if isinstance(expected, list) and fields[each].get("default", "none") is not None:
            found.append(f"{name}.{each}: its default is not null")
        defaults = DEFAULTED.get(f"{name}.{each}")
        if defaults and fields[each].get("default") not in defaults:
            found.append(f"{name}.{each}: its default is none of {defaults}")
    for alias, each in documented.aliases.items():
        if f"The documented {alias} is an alias of it" not in fields.get(each, {}).get("doc", ""):
            found.append(f"{name}.{alias}: {each} does not say that it is an alias")
    if documented.name is not None:
        if fields.get("name", {}).get("default") != documented.name:
            found.append(f"{name}.name: its default is not {documented.name}")
        if order[-1] != "meta" or fields["meta"]["type"] != ["null", "Meta"]:
            found.append(f"{name}.meta: is not the last field, a nullable Meta")
    for ours in order[ends + len(documented.properties) :]:
        if "default" not in fields[ours]:
            found.append(f"{name}.{ours}: is ours and has no default")
    return found


def _type_of(name: str, documented: str) -> Any:
    if not documented.startswith("alias of "):
        return avro_type(documented)
    target = RECORDS[name]
    *path, last = documented.removeprefix("alias of ").split(".")
    for step in path:
        target = RECORDS[target.fields[step].removeprefix("Optional[").removesuffix("]")]
    return avro_type(target.fields[last])


def published() -> Records:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.avsc")}


def test_the_documentation_has_twelve_events_eleven_objects_and_eleven_errors() -> None:
    counts = (len(EVENTS), len(OBJECTS), len(ERRORS))

    assert counts == (12, 11, 11)


def test_schemas_say_what_the_documentation_says() -> None:
    records = published()

    found = disagreements(records)

    assert found == []


def test_each_file_is_named_after_its_record_and_all_share_one_namespace() -> None:
    records = published()

    names = {stem: (schema["type"], schema["name"], schema["namespace"]) for stem, schema in records.items()}

    assert names == {stem: ("record", stem, "tiktok.live.v1") for stem in [*RECORDS, *OURS]}


def test_documented_ids_have_string_twins_and_what_else_is_ours_in_a_documented_object_is_listed() -> None:
    records = published()

    beyond = {
        name: [each["name"] for each in records[name]["fields"]][len(documented.fields) + len(documented.properties) :]
        for name, documented in OBJECTS.items()
    }

    assert {name: set(fields) for name, fields in beyond.items() if fields} == {
        name: {*FURTHER.get(name, ()), *(twin for _, twin in TWINS.get(name, ()))} for name in TWINS | FURTHER
    }
    fields = {name: {each["name"]: each for each in records[name]["fields"]} for name in TWINS}
    for name, twins in TWINS.items():
        for number, twin in twins:
            assert fields[name][twin]["type"] == ["null", "string"]
            assert f"`{number}`" in fields[name][twin]["doc"]


def test_each_id_of_a_record_of_ours_is_followed_by_its_string_twin() -> None:
    records = published()
    long, longs = ["null", "long"], {"type": "array", "items": "long"}
    twins = {str(long): ["null", "string"], str(longs): {"type": "array", "items": "string"}}

    alone = []
    for name in OURS:
        fields = [*records[name]["fields"], {}]
        for at, each in enumerate(fields[:-1]):
            numeric = each["type"] in (long, longs)
            if numeric and (each["name"] == "id" or each["name"].endswith(("_id", "_ids"))):
                after = fields[at + 1]
                if (after.get("name"), after.get("type")) != (f"{each['name']}_str", twins[str(each["type"])]):
                    alone.append(f"{name}.{each['name']}")

    assert alone == []


def test_each_field_of_a_record_of_ours_may_be_absent() -> None:
    records = published()
    own = {*OWN.values(), "Meta"}

    required = [
        f"{name}.{each['name']}"
        for name in OURS
        if name not in own
        for each in records[name]["fields"]
        if each["name"] != "name" or not name.endswith("Event")
        if (each["type"], each.get("default", "none"))
        not in [(["null", each["type"][-1] if isinstance(each["type"], list) else ""], None), (each["type"], [])]
    ]

    assert required == []


Edit = Callable[[list[dict[str, Any]], int], None]


def _rename(fields: list[dict[str, Any]], at: int) -> None:
    fields[at]["name"] += "_"


def _remove(fields: list[dict[str, Any]], at: int) -> None:
    del fields[at]


def _flip_null(fields: list[dict[str, Any]], at: int) -> None:
    kind = fields[at]["type"]
    fields[at]["type"] = kind[1] if isinstance(kind, list) else ["null", kind]


def _retype(fields: list[dict[str, Any]], at: int) -> None:
    fields[at]["type"] = ["null", "double"] if isinstance(fields[at]["type"], list) else "double"


def _undocument(fields: list[dict[str, Any]], at: int) -> None:
    fields[at]["doc"] = " "


def _to_the_end(fields: list[dict[str, Any]], at: int) -> None:
    fields.append(fields.pop(at))


@pytest.mark.parametrize("edit", [_rename, _remove, _flip_null, _retype, _undocument])
@pytest.mark.parametrize("name", RECORDS)
def test_an_edit_of_any_documented_field_is_noticed(name: str, edit: Edit) -> None:
    records = published()
    places = [*RECORDS[name].fields, *RECORDS[name].properties]

    unnoticed = []
    for place in places:
        edited = deepcopy(records)
        fields = edited[name]["fields"]
        edit(fields, [each["name"] for each in fields].index(place))
        if not any(f"{name}.{place}:" in sentence for sentence in disagreements(edited)):
            unnoticed.append(place)

    assert unnoticed == []


def test_an_alias_of_which_nothing_is_told_is_noticed() -> None:
    records = published()
    for each in records["Gift"]["fields"]:
        each["doc"] = each["doc"].partition(" The documented")[0]

    found = disagreements(records)

    assert found == [
        "Gift.repeat_count: repeatCount does not say that it is an alias",
        "Gift.repeat_end: repeatEnd does not say that it is an alias",
    ]


def test_no_two_fields_of_a_record_are_one_name_to_those_who_make_classes() -> None:
    """repeat_count and repeatCount are one in Java's and Go's generated classes, which then do not compile."""
    one = {
        name: Counter(each["name"].replace("_", "").lower() for each in schema["fields"])
        for name, schema in published().items()
    }

    assert {name: names for name, names in one.items() if names.total() != len(names)} == {}


@pytest.mark.parametrize("name", RECORDS)
def test_a_documented_class_that_is_renamed_or_removed_is_noticed(name: str) -> None:
    renamed, without = published(), published()
    renamed[f"{name}_"] = renamed.pop(name)
    del without[name]

    found = [disagreements(records) for records in (renamed, without)]

    assert found == [[f"{name}: missing", f"{name}_: not documented"], [f"{name}: missing"]]


@pytest.mark.parametrize("name", RECORDS)
def test_a_nullable_field_without_null_as_its_default_is_noticed(name: str) -> None:
    records = published()
    nullable = [each for each, kind in RECORDS[name].fields.items() if kind.startswith("Optional")]

    unnoticed = []
    for place in nullable:
        edited = deepcopy(records)
        next(each for each in edited[name]["fields"] if each["name"] == place).pop("default")
        if f"{name}.{place}: its default is not null" not in disagreements(edited):
            unnoticed.append(place)

    assert unnoticed == []


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_by_another_name_or_with_something_behind_its_meta_is_noticed(name: str) -> None:
    renamed, extended, without = published(), published(), published()
    next(each for each in renamed[name]["fields"] if each["name"] == "name")["default"] = "other"
    extended[name]["fields"].append({"name": "x", "type": ["null", "long"], "default": None, "doc": "Ours."})
    del without[name]["fields"][-1]

    found = [disagreements(records) for records in (renamed, extended, without)]

    assert found[0] == [f"{name}.name: its default is not {EVENTS[name].name}"]
    assert found[1] == [f"{name}.meta: is not the last field, a nullable Meta"]
    assert f"{name}.meta: is not the last field, a nullable Meta" in found[2]


def test_a_missing_record_a_strange_record_and_a_record_without_text_are_noticed() -> None:
    records = published()
    records["Stranger"] = {"type": "record", "name": "Stranger", "doc": "Ours.", "fields": []}
    records["Badge"]["doc"] = ""
    del records["Avatar"]

    found = disagreements(records)

    assert found == ["Avatar: missing", "Stranger: not documented", "Badge: has no doc"]


def test_fields_of_ours_between_the_documented_ones_or_without_a_default_are_noticed() -> None:
    between, required = published(), published()
    between["Badge"]["fields"].insert(0, {"name": "x", "type": ["null", "long"], "default": None, "doc": "Ours."})
    required["Badge"]["fields"].append({"name": "x", "type": "long", "doc": "Ours."})

    found = [disagreements(records) for records in (between, required)]

    assert found == [["Badge: begins with ['x', 'type']"], ["Badge.x: is ours and has no default"]]


def test_documented_fields_in_another_order_are_noticed() -> None:
    records = published()
    _to_the_end(records["Badge"]["fields"], 0)

    found = disagreements(records)

    assert found == ["Badge: begins with ['name', 'type']"]


@pytest.mark.parametrize(("name", "base", "recovery"), ERRORS)
def test_each_documented_error_has_its_name_base_label_and_recovery(name: str, base: str, recovery: Recovery) -> None:
    error = getattr(errors, name)
    parent = RuntimeError if base == "RuntimeError" else getattr(errors, base)

    assert issubclass(error, parent)
    assert (error.__name__, error.label, error.recovery) == (name, name, recovery)
    assert error.__doc__ is not None


def test_no_documented_error_is_a_kind_of_another_than_its_documented_base() -> None:
    classes = {name: getattr(errors, name) for name, _, _ in ERRORS}

    kinships = {
        (child, parent)
        for child, error in classes.items()
        for parent, other in classes.items()
        if error is not other and issubclass(error, other)
    }

    assert kinships == {(name, base) for name, base, _ in ERRORS if base != "RuntimeError"}


def test_the_list_of_documented_errors_is_complete() -> None:
    names = [error.__name__ for error in errors.DOCUMENTED]

    assert sorted(names) == [name for name, _, _ in ERRORS]


@pytest.mark.parametrize("name", [name for name, _, _ in ERRORS])
def test_a_documented_error_raised_without_words_says_what_it_means(name: str) -> None:
    error = getattr(errors, name)()

    sentence = str(error)

    assert sentence == getattr(errors, name).__doc__.partition("\n")[0]
    assert sentence.endswith(".")
