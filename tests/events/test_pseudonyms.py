"""producer.events.pseudonyms: who is named in a message of any kind leaves under another name, the same everywhere."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from producer.events import schemas
from producer.events.event import Event, Origin, Payloads
from producer.events.mapping import to_event
from producer.events.pseudonyms import Pseudonyms
from producer.webcast.wire import Envelope
from tests.events.decoding import encode_and_decode
from tests.events.planting import ALL, Planter
from tests.events.wire_writer import Fields, write

KEY = "correct horse battery staple"
PLAIN = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0", payloads=Payloads.ALL)
VEILED = replace(PLAIN, viewers=Pseudonyms(KEY))
ACTIONS = {"WebcastMemberMessage": (1,), "WebcastSocialMessage": (1, 3)}
"""By which a message is an event."""
MADE_BY_US = {
    ("GiftFinalizedEvent", "corrects"),
    ("GiftFinalizedEvent", "receiver_id"),
    ("GiftFinalizedEvent", "receiver_nickname"),
    ("GiftFinalizedEvent", "receiver_unique_id"),
    ("GiftFinalizedEvent", "streak_id"),
    ("Meta", "event_id"),
    ("Meta", "streak_id"),
    ("UnknownEvent", "payload"),
}
"""Marked fields that no message of a known kind fills: totals, and the bytes of what nobody knows."""

Field = tuple[str, str]


def mapped(method: str, payload: bytes, origin: Origin) -> Event:
    envelope = Envelope(method=method, payload=payload, msg_id=11)
    return to_event(envelope, origin, received_at=1_700_000_000_000, room_sequence=3)


def planted(method: str) -> Iterator[tuple[bytes, Planter]]:
    """Messages of a kind that name somebody in every field that can."""
    for action in ACTIONS.get(method, (None,)):
        planter = Planter()
        message: Any = ALL[method]()
        planter.fill(message)
        if action is not None:
            message.action = action
        yield message.SerializeToString(), planter


def leaves(value: Any, avro: Any, way: tuple[Field, ...] = ()) -> Iterator[tuple[tuple[Field, ...], str]]:
    """Each text and number of a record, with the fields that lead to it."""
    if value is None:
        return
    if isinstance(avro, list):
        yield from leaves(value, avro[1], way)
    elif isinstance(avro, dict) and avro["type"] == "array":
        for each in value:
            yield from leaves(each, avro["items"], way)
    elif isinstance(avro, str) and avro in schemas.records():
        for field in schemas.records()[avro]["fields"]:
            yield from leaves(value[field["name"]], field["type"], (*way, (avro, field["name"])))
    else:
        yield way, value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def marked() -> set[Field]:
    return {
        (name, field["name"])
        for name, record in schemas.records().items()
        for field in record["fields"]
        if field.get("confluent:tags") == ["PII"]
    }


def record_of(event: Event) -> str:
    return schemas.events()[event.name].record


def test_fields_that_name_or_picture_somebody_are_marked_in_the_schemas_and_no_others_are() -> None:
    tags = marked()
    seen: set[Field] = set()
    unmarked: set[Field] = set()

    for method in ALL:
        for payload, planter in planted(method):
            event = mapped(method, payload, PLAIN)
            for way, text in leaves(event.value, record_of(event)):
                if any(value in text for value in planter.planted):
                    if tags.isdisjoint(way):
                        unmarked.add(way[-1])
                    seen.update(way)

    assert unmarked == set()
    assert tags - seen - MADE_BY_US == set()


def test_the_marks_are_in_what_is_registered() -> None:
    fields = json.loads(schemas.events()["comment"].text)["fields"]
    user = next(field for field in fields if field["name"] == "user")["type"][1]

    tags = {field["name"]: field.get("confluent:tags") for field in user["fields"]}

    assert (tags["nickname"], tags["is_moderator"]) == (["PII"], None)


@pytest.mark.parametrize("method", sorted(ALL))
def test_nobody_who_is_named_in_a_message_is_named_in_its_record(method: str) -> None:
    for payload, planter in planted(method):
        event = mapped(method, payload, VEILED)

        arrived = encode_and_decode(event)

        hits = [(way, text) for way, text in leaves(arrived, record_of(event)) for p in planter.planted if p in text]
        assert hits == []
        assert event.name == mapped(method, payload, PLAIN).name


def test_what_nobody_knows_leaves_as_something_that_stands_for_it() -> None:
    payload = write({1: {2: 11}, 2: {3: "Ann", 38: "ann"}})

    event = mapped("WebcastOfTomorrow", payload, VEILED)

    assert event.value["payload"] == hmac.new(KEY.encode(), b":" + payload, hashlib.sha256).digest()
    assert event.value["meta"]["message_id"] == "11"


ANN: Fields = {1: 6_800_000_000_000_000_001, 3: "Ann", 9: {1: ["https://p/1"]}, 38: "ann", 46: "MS4w", 22: {2: 50}}


def user_of(method: str, place: int, viewers: Pseudonyms) -> dict[str, Any]:
    user: dict[str, Any] = mapped(method, write({place: ANN}), replace(PLAIN, viewers=viewers)).value["user"]
    return user


def test_a_viewer_is_the_same_in_all_messages_under_one_key_and_another_under_another() -> None:
    comment, gift = user_of("WebcastChatMessage", 2, Pseudonyms(KEY)), user_of("WebcastGiftMessage", 7, Pseudonyms(KEY))
    other = user_of("WebcastChatMessage", 2, Pseudonyms(KEY + "!"))

    assert comment == gift
    who = ("userId", "user_id_str", "uniqueId", "nickname", "sec_uid")
    assert [comment[field] == other[field] for field in who] == [False] * 5
    assert comment["user_id_str"] == str(comment["userId"])
    assert 0 < comment["userId"] < 2**63
    assert (comment["profilePicture"], comment["follower_count"]) == (None, 50)


def test_a_pseudonym_is_an_hmac_of_the_id_or_the_name() -> None:
    subject = Pseudonyms(KEY)

    number = hmac.new(KEY.encode(), b"6800000000000000001", hashlib.sha256).digest()
    name = hmac.new(KEY.encode(), b".ann", hashlib.sha256).hexdigest()

    assert subject.number(6_800_000_000_000_000_001) == int.from_bytes(number[:8], "big") // 2
    assert subject.text("ann") == f"p{name[:24]}"


def test_an_id_that_is_written_as_a_text_is_the_pseudonym_of_the_number() -> None:
    payload = write({2: {1: "e", 4: "Ann", 8: "6800000000000000001"}})

    envelope = mapped("WebcastEnvelopeMessage", payload, VEILED).value["envelope_info"]

    assert envelope["send_user_id"] == user_of("WebcastChatMessage", 2, Pseudonyms(KEY))["user_id_str"]
    assert envelope["send_user_name"] == user_of("WebcastChatMessage", 2, Pseudonyms(KEY))["nickname"]


def test_a_streak_is_named_by_pseudonyms_too() -> None:
    gift: Fields = {2: 5655, 5: 1, 7: ANN, 8: {1: 6_800_000_000_000_000_002}, 11: 9, 15: {11: 1}}

    event = mapped("WebcastGiftMessage", write(gift), VEILED)

    key = Pseudonyms(KEY)
    giver, receiver = key.number(6_800_000_000_000_000_001), key.number(6_800_000_000_000_000_002)
    assert event.tap is not None
    assert event.value["meta"]["streak_id"] == event.tap.streak == f"{giver}:5655:9:{receiver}"
    assert event.tap.details["receiver_id"] == str(receiver)


@pytest.mark.parametrize(("text", "stays"), [("57", True), ("999999", True), ("1000000", False), ("ann", False)])
def test_a_small_number_in_the_slot_of_a_text_stays(text: str, stays: bool) -> None:
    payload = write({1: {8: {4: [{1: 1, 11: text}]}}, 2: " "})

    [piece] = mapped("WebcastRoomMessage", payload, VEILED).value["display_text"]["pieces"]

    assert (piece["string_value"] == text) is stays


def test_a_link_loses_its_query() -> None:
    event = mapped("WebcastCapsuleMessage", write({5: "sslocal://page?user=6800000000000000001"}), VEILED)

    assert event.value["schema"] == "sslocal://page"


def test_what_a_message_leaves_open_stays_open() -> None:
    event = mapped("WebcastChatMessage", write({2: {1: 0, 3: ""}, 3: "hi"}), VEILED)

    user = event.value["user"]
    assert (user["userId"], user["nickname"], user["uniqueId"], event.value["comment"]) == (0, "", None, "hi")


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(VEILED)
