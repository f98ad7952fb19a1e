"""The kinds that the documentation does not name, through the one door: each on its own event, field by field."""

from typing import Any

import pytest

from producer.errors import MessageRefused, Reason
from producer.events import kinds, schemas
from producer.events.event import Origin
from producer.events.mapping import METHODS, kind_of, to_event
from producer.webcast.wire import Envelope
from tests.events.decoding import encode_and_decode
from tests.events.shapes import SHAPES, expected, full
from tests.events.wire_reader import Raw
from tests.events.wire_writer import Fields, write
from tests.published import EVENTS, UNDOCUMENTED

ORIGIN = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
DOCUMENTED_METHODS = 8
PLAIN = sorted(UNDOCUMENTED.keys() - {"WebcastRoomPinMessage"})
PERSON: Fields = {1: 6800000000000000001, 3: "Ann", 38: "ann"}


def mapped(method: str, fields: Fields, *, msg_id: int = 0, is_history: bool = False) -> Any:
    envelope = Envelope(method=method, payload=write(fields), msg_id=msg_id, is_history=is_history)
    return to_event(envelope, ORIGIN, received_at=1_700_000_000_000, room_sequence=3)


def test_each_kind_is_known_and_has_its_event_and_record() -> None:
    events = {schema.event: schema.record for schema in schemas.events().values()}

    assert UNDOCUMENTED.keys() <= METHODS
    assert len(METHODS) == len(UNDOCUMENTED) + DOCUMENTED_METHODS
    assert {method: (mapped(method, {}).name, events[mapped(method, {}).name]) for method in UNDOCUMENTED} == (
        UNDOCUMENTED
    )


@pytest.mark.parametrize("method", PLAIN)
def test_each_field_of_a_kind_is_where_the_sheet_has_it(method: str) -> None:
    event, record = UNDOCUMENTED[method]
    fields: Fields = {1: {2: 11, 4: 1_699_999_999_123}, **full(record)}
    if "display_text" in SHAPES[record]:
        fields = {**fields, 1: {2: 11, 4: 1_699_999_999_123, 8: full("Text")}}

    found = mapped(method, fields)

    value = expected(record, Raw.of(write(fields)))
    assert None not in value.values()
    assert [] not in value.values()
    assert found.value["meta"]["created_at"] == 1_699_999_999_123
    assert found.value == {**value, "name": event, "meta": found.value["meta"]}
    assert found.value == encode_and_decode(found)


def test_each_record_has_a_shape_of_just_its_fields() -> None:
    published = {
        name: [field["name"] for field in schemas.records()[name]["fields"] if field["name"] not in ("name", "meta")]
        if name in EVENTS.values()
        else [field["name"] for field in schemas.records()[name]["fields"]]
        for name in SHAPES
    }
    pinned = ["comment", "follow", "share", "gift", "join", "like"]
    shapes = {name: list(fields) for name, fields in SHAPES.items()}
    shapes["RoomPinEvent"] = [*pinned, *shapes["RoomPinEvent"]]

    assert shapes == published


@pytest.mark.parametrize("method", sorted(UNDOCUMENTED))
@pytest.mark.parametrize("payload", [b"\x0a", b"\xff\x00\xfe", b"\x0a\x05\x10"])
def test_a_message_of_a_known_kind_that_cannot_be_read_is_refused_whole(method: str, payload: bytes) -> None:
    with pytest.raises(MessageRefused, match=f"{method} is not valid protobuf") as refused:
        to_event(Envelope(method=method, payload=payload), ORIGIN, received_at=1, room_sequence=1)

    assert refused.value.reason is Reason.MALFORMED


# ------------------------------------------------------------------------------------------- names without the prefix


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("WebcastLinkMicMethod", "WebcastLinkMicMethod"),
        ("LinkMicMethod", "WebcastLinkMicMethod"),
        ("RoomVerifyMessage", "WebcastRoomVerifyMessage"),
        ("SystemMessage", "WebcastSystemMessage"),
        ("RoomMessage", "WebcastRoomMessage"),
        ("ChatMessage", "WebcastChatMessage"),
        ("WebcastWebcastRoomMessage", None),
        ("WebcastCompetitionMessage", None),
        ("Webcast", None),
        ("", None),
    ],
)
def test_a_kind_is_known_with_and_without_its_prefix(method: str, kind: str | None) -> None:
    assert kind_of(method) == kind


def test_the_name_on_the_wire_is_kept() -> None:
    event = mapped("SystemMessage", {1: {1: "SystemMessage"}, 2: "welcome"})

    assert (event.name, event.value["message"]) == ("system", "welcome")
    assert event.value["meta"]["method"] == "SystemMessage"


def test_a_kind_that_nobody_knows_is_unknown_with_its_method_and_bytes() -> None:
    event = mapped("WebcastCompetitionMessage", {1: {2: 12}, 2: "x"})

    assert event.name == "unknown"
    assert event.value["method"] == "WebcastCompetitionMessage"
    assert event.value["payload"] == b"\x0a\x02\x10\x0c\x12\x01x"
    assert event.value["meta"]["message_id"] == "12"


# ---------------------------------------------------------------------------------------------------- pinned messages


PINNED_GIFT: Fields = {
    1: {2: 41, 4: 1_699_999_000_000},
    2: 5655,
    5: 8,
    7: PERSON,
    9: 1,
    15: {11: 1, 12: 1, 16: "Rose"},
}


def test_a_pinned_comment_is_the_comment_event_with_the_event_id_that_it_was_published_with() -> None:
    chat: Fields = {1: {2: 40, 4: 1_699_999_000_000}, 2: PERSON, 3: "hello"}
    published = mapped("WebcastChatMessage", chat, msg_id=40)

    pin = mapped("WebcastRoomPinMessage", {1: {2: 50}, 2: chat, 30: "WebcastChatMessage", 35: 2**53 + 1})

    comment = pin.value["comment"]
    assert (pin.name, comment["comment"], comment["user"]["uniqueId"]) == ("room_pin", "hello", "ann")
    assert comment == published.value
    assert comment["meta"]["event_id"] == "7000000000000000001:40"
    assert pin.value["meta"]["event_id"] == "7000000000000000001:50"
    assert (pin.value["method"], pin.value["pin_msg_id_str"]) == ("WebcastChatMessage", "9007199254740993")
    assert pin.value == encode_and_decode(pin)


def test_a_pinned_gift_is_not_given_again() -> None:
    pin = mapped("WebcastRoomPinMessage", {4: PINNED_GIFT})

    assert pin.value["gift"]["gift"]["giftDetails"]["giftName"] == "Rose"
    assert pin.tap is None


@pytest.mark.parametrize(
    ("number", "fields", "event"),
    [
        (2, {3: "hello"}, "comment"),
        (3, {4: 1}, "follow"),
        (3, {4: 3}, "share"),
        (4, PINNED_GIFT, "gift"),
        (5, {10: 1}, "join"),
        (6, {2: 15}, "like"),
    ],
)
def test_a_pinned_message_is_in_the_field_of_its_event_alone(number: int, fields: Fields, event: str) -> None:
    pin = mapped("WebcastRoomPinMessage", {number: {1: {2: 40}, **fields}})

    pinned = {field for field in ("comment", "follow", "share", "gift", "join", "like") if pin.value[field]}
    assert pinned == {event}
    assert pin.value[event]["name"] == event
    assert pin.value == encode_and_decode(pin)


def test_a_pinned_message_that_is_no_documented_event_is_in_no_field() -> None:
    pin = mapped("WebcastRoomPinMessage", {3: {4: 2}, 31: 1_700_000_000_000, 32: PERSON, 33: 1, 34: 60})

    assert pin.value == {
        "comment": None,
        "follow": None,
        "share": None,
        "gift": None,
        "join": None,
        "like": None,
        "method": None,
        "pin_time": 1_700_000_000_000,
        "operator": {**pin.value["operator"], "userId": 6800000000000000001, "nickname": "Ann"},
        "action": 1,
        "display_duration": 60,
        "pin_msg_id": None,
        "pin_msg_id_str": None,
        "name": "room_pin",
        "meta": pin.value["meta"],
    }


def test_what_was_pinned_in_history_is_history() -> None:
    pin = mapped("WebcastRoomPinMessage", {2: {3: "hello"}}, is_history=True)

    assert pin.value["comment"]["meta"]["is_history"] is True


def test_pinned_messages_without_an_id_are_told_apart_by_their_content() -> None:
    first = mapped("WebcastRoomPinMessage", {2: {3: "hello"}})
    second = mapped("WebcastRoomPinMessage", {2: {3: "goodbye"}})

    ids = [pin.value["comment"]["meta"]["event_id"] for pin in (first, second)]
    assert len(set(ids)) == 2
    assert ids[0] == mapped("WebcastChatMessage", {3: "hello"}).value["meta"]["event_id"]


def test_the_table_of_kinds_names_each_method_after_its_message() -> None:
    for method, (message, _) in kinds.RECORDS.items():
        assert message.DESCRIPTOR.name == method.removeprefix("Webcast")
