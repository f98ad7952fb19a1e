"""producer.events.mapping against real messages, read a second time by field number (protocol sheet, section 10)."""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from producer.events.event import Event, Origin, Payloads
from producer.events.mapping import to_event
from producer.webcast.wire import Envelope
from tests.events.decoding import encode_and_decode
from tests.events.shapes import expected, top_viewer, user
from tests.events.wire_reader import Raw
from tests.published import NOT_CAPTURED, UNDOCUMENTED

Value = dict[str, Any]

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures"

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="../shared/captures is absent: no real messages here")

ORIGIN = Origin(streamer="someone", room_id=7267603020139989890, worker="worker-0", payloads=Payloads.NONE)
RECEIVED_AT = 1_703_000_000_000


class Message(NamedTuple):
    method: str
    digest: str
    payload: bytes


def captured(file: str = "messages.jsonl.gz") -> list[Message]:
    lines = gzip.decompress((CAPTURES / file).read_bytes()).splitlines()
    return [
        Message(line["method"], line["sha256"], base64.b64decode(line["b64"]))
        for line in (json.loads(each) for each in lines)
    ]


def event_of(message: Message, *, room_sequence: int = 1) -> Event:
    envelope = Envelope(method=message.method, payload=message.payload)
    return to_event(envelope, ORIGIN, received_at=RECEIVED_AT, room_sequence=room_sequence)


# ------------------------------------------------------- the expectation: field numbers of the sheet, nothing of ours


def comment(message: Raw) -> tuple[str, Value]:
    identity = message.message(18)
    return "comment", {
        "user": user(message.message(2), identity),
        "comment": message.text(3),
        "name": "comment",
        "at_user": user(message.message(12)),
        "emotes": [expected("EmoteWithIndex", each) for each in message.messages(13)] or None,
        "content_language": message.text(14),
        "user_identity": expected("UserIdentity", identity) if identity else None,
        "mention_users": [user(each) for each in message.messages(28)] or None,
    }


def gift(message: Raw) -> tuple[str, Value]:
    struct, monitor = message.message(15), message.message(23)
    kind = struct.number(11) if struct else None
    streakable = kind == 1
    value = {
        "giftId": message.number(2),
        "repeatCount": message.number(5),
        "repeatEnd": message.number(9),
        "giftDetails": gift_details(struct) if struct else None,
        "giftExtra": gift_extra(monitor) if monitor else None,
        "extended_gift": None,
        "gift_type": kind,
        "streakable": streakable,
        "streaking": streakable and message.number(9) != 1,
        "gift_list_version": None,
        "gift_id_str": text_of(message.number(2)),
        "fan_ticket_count": message.number(3),
        "group_count": message.number(4),
        "combo_count": message.number(6),
        "group_id": message.number(11),
        "group_id_str": text_of(message.number(11)),
        "send_type": message.number(17),
        "color_id": message.number(24),
        "order_id": message.text(28),
    }
    identity = message.message(32)
    return "gift", {
        "user": user(message.message(7), identity),
        "gift": value,
        "name": "gift",
        "to_user": None,
        "user_identity": expected("UserIdentity", identity) if identity else None,
    }


def gift_details(struct: Raw) -> Value:
    image = struct.message(1)
    return {
        "giftImage": {"giftPictureUrl": image.text(1)} if image else None,
        "describe": struct.text(2),
        "giftType": struct.number(11),
        "diamondCount": struct.number(12),
        "giftName": struct.text(16),
        "duration": struct.number(4),
        "combo": flag(struct.number(10)),
    }


def gift_extra(monitor: Raw) -> Value:
    receiver = monitor.number(8)
    return {"timestamp": monitor.number(6), "receiverUserId": receiver, "receiver_user_id_str": text_of(receiver)}


def text_of(number: int | None) -> str | None:
    return None if number is None else str(number)


def flag(number: int | None) -> bool | None:
    return None if number is None else number != 0


def like(message: Raw) -> tuple[str, Value]:
    value = {"user": user(message.message(5)), "likeCount": message.number(2), "totalLikeCount": message.number(3)}
    return "like", {**value, **shown(message), "name": "like"}


def join(message: Raw) -> tuple[str, Value]:
    if message.number(10) != 1:
        return "unknown", {}
    return "join", {
        "user": user(message.message(2)),
        **shown(message),
        "name": "join",
        "member_count": message.number(3),
        "enter_type": message.number(9),
        "action": message.number(10),
        "client_enter_source": message.text(19),
        "client_enter_type": message.text(20),
    }


def social(message: Raw) -> tuple[str, Value]:
    key = str(shown(message)["displayType"])
    if key in ("pm_mt_guidance_viewer_5_share", "pm_mt_guidance_viewer_10_share"):
        return "unknown", {}
    name = {1: "follow", 3: "share"}[message.number(4) or 0]
    return name, {
        "user": user(message.message(2)),
        **shown(message),
        "name": name,
        "share_type": message.number(3),
        "action": message.number(4),
        "share_target": message.text(5),
        "follow_count": message.number(6),
        "share_count": message.number(8),
    }


def viewers(message: Raw) -> tuple[str, Value]:
    return "viewer_count_update", {
        "viewerCount": message.number(3),
        "name": "viewer_count_update",
        "ranks": [
            {"score": each.number(1), "user": top_viewer(each.message(2)), "rank": each.number(3)}
            for each in message.messages(2)
        ]
        or None,
        "total_user": message.number(7),
        "anonymous": message.number(8),
    }


def question(message: Raw) -> tuple[str, Value]:
    asked = message.message(2) or Raw({})
    return "question", {
        "questionText": asked.text(2),
        "user": user(asked.message(5)),
        "name": "question",
        "question_id": asked.number(1),
        "question_id_str": text_of(asked.number(1)),
        "create_time": asked.number(4),
    }


def control(message: Raw) -> tuple[str, Value]:
    action, tips = message.number(2), message.text(3)
    if action in (3, 4):
        said = {"name": "live_end", "reason": "control_message", "action": action, "tips": tips}
        return "live_end", {**said, "started_at": None}
    name = {1: "pause", 2: "unpause"}[action or 0]
    return name, {"tips": tips, "source": (message.message(4) or Raw({})).text(8), "name": name}


def room_pin(message: Raw) -> tuple[str, Value]:
    value: Value = dict.fromkeys(("comment", "follow", "share", "gift", "join", "like"))
    for number, method in PINNED.items():
        for pinned in message.messages(number):
            name, was = DOCUMENTED[method][0](pinned)
            value[name] = {**was, "meta": meta(method, pinned, room_sequence=0)}
    return "room_pin", {**value, **expected("RoomPinEvent", message), "name": "room_pin"}


def shown(message: Raw) -> Value:
    text = (message.message(1) or Raw({})).message(8) or Raw({})
    return {"displayType": text.text(1), "label": text.text(2)}


def meta(method: str, message: Raw, *, room_sequence: int) -> Value:
    common = message.message(1) or Raw({})
    message_id, time = common.number(2), common.number(4)
    seconds = time is not None and time < 10_000_000_000
    return {
        "event_id": f"7267603020139989890:{message_id}",
        "streamer": "someone",
        "room_id": "7267603020139989890",
        "message_id": str(message_id),
        "method": method,
        "created_at": time * 1000 if seconds and time else time,
        "received_at": 1_703_000_000_000,
        "room_sequence": room_sequence,
        "is_history": False,
        "worker": "worker-0",
        "streak_id": streak(message, str(message_id)) if method == "WebcastGiftMessage" else None,
        "payload": None,
        "text_repaired": False,
        "streamer_id": None,
        "connection": None,
    }


def streak(gift: Raw, message_id: str) -> str:
    sender, struct, monitor = (gift.message(place) or Raw({}) for place in (7, 15, 23))
    name = f"{sender.number(1)}:{gift.number(2)}:{gift.number(11)}:{monitor.number(8)}"
    return name if struct.number(11) == 1 else message_id


# -------------------------------------------------------------------------------------------------------- the tests

DOCUMENTED: dict[str, tuple[Callable[[Raw], tuple[str, Value]], dict[str, int]]] = {
    "WebcastChatMessage": (comment, {"comment": 112}),
    "WebcastControlMessage": (control, {"live_end": 1, "pause": 3, "unpause": 2}),
    "WebcastGiftMessage": (gift, {"gift": 99}),
    "WebcastLikeMessage": (like, {"like": 105}),
    "WebcastMemberMessage": (join, {"join": 100}),
    "WebcastQuestionNewMessage": (question, {"question": 3}),
    "WebcastRoomUserSeqMessage": (viewers, {"viewer_count_update": 117}),
    "WebcastSocialMessage": (social, {"follow": 45, "share": 30, "unknown": 3}),
}


PINNED = {
    2: "WebcastChatMessage",
    3: "WebcastSocialMessage",
    4: "WebcastGiftMessage",
    5: "WebcastMemberMessage",
    6: "WebcastLikeMessage",
}


def expected_event(message: Message, *, room_sequence: int) -> tuple[str, Value]:
    raw = Raw.of(message.payload)
    if message.method in DOCUMENTED:
        name, value = DOCUMENTED[message.method][0](raw)
    elif message.method == "WebcastRoomPinMessage":
        name, value = room_pin(raw)
    else:
        name, record = UNDOCUMENTED[message.method]
        value = {**expected(record, raw), "name": name}
    if name == "unknown":
        value = {"name": "unknown", "method": message.method, "payload": message.payload}
    return name, {**value, "meta": meta(message.method, raw, room_sequence=room_sequence)}


@pytest.mark.parametrize("method", DOCUMENTED)
def test_each_captured_message_of_a_documented_kind_is_what_its_fields_say(method: str) -> None:
    messages = [message for message in captured() if message.method == method]

    names: Counter[str] = Counter()
    for at, message in enumerate(messages):
        name, value = expected_event(message, room_sequence=at)
        event = event_of(message, room_sequence=at)
        names[name] += 1
        assert (message.digest, name, value) == (message.digest, event.name, event.value)

    assert DOCUMENTED[method][1] == names


@pytest.mark.parametrize("method", DOCUMENTED)
def test_each_captured_message_of_a_documented_kind_arrives_at_a_consumer_as_its_fields_say(method: str) -> None:
    messages = [message for message in captured() if message.method == method]

    for at, message in enumerate(messages):
        _, value = expected_event(message, room_sequence=at)
        arrived = encode_and_decode(event_of(message, room_sequence=at))
        assert (message.digest, value) == (message.digest, arrived)


OTHERS = sorted(UNDOCUMENTED.keys() - NOT_CAPTURED)


@pytest.mark.parametrize("method", OTHERS)
def test_each_captured_message_of_another_kind_arrives_on_its_own_event_as_its_fields_say(method: str) -> None:
    messages = [message for message in captured() if message.method == method]

    for message in messages:
        name, value = expected_event(message, room_sequence=0)
        event = event_of(message, room_sequence=0)
        assert (message.digest, name, value) == (message.digest, event.name, event.value)
        assert (message.digest, value) == (message.digest, encode_and_decode(event))

    assert messages


def test_the_captured_messages_are_of_these_kinds_and_all_are_mapped() -> None:
    messages = captured()

    unknown = [event for event in map(event_of, messages) if event.name == "unknown"]

    assert len(messages) == 1269
    assert {message.method for message in messages} == {*DOCUMENTED, *OTHERS}
    assert len({*DOCUMENTED, *OTHERS}) == 43
    assert len([message for message in messages if message.method in OTHERS]) == 649
    # Other people's shares: of a kind that is documented, and yet none of the documented events.
    assert len(unknown) == 3


@pytest.mark.parametrize("method", OTHERS)
def test_captured_messages_fill_the_fields_of_their_event(method: str) -> None:
    """A number that is wrong in the program and in the shapes alike would leave its field empty."""
    values = [event_of(message).value for message in captured() if message.method == method]

    filled = {field for value in values for field, content in value.items() if content not in (None, [])}

    assert filled - {"name", "meta"}


def test_captured_gifts_are_named_typed_and_priced_as_in_the_captured_gift_lists() -> None:
    listed = {}
    for path in (CAPTURES / "gift-lists").glob("*.json"):
        data = json.loads(path.read_text("utf-8"))["data"]
        for each in [*data["gifts"], *(gift for page in data["pages"] for gift in page["gifts"])]:
            listed[each["id"]] = (each["name"], each["type"], each["diamond_count"])

    found = 0
    for message in captured():
        if message.method != "WebcastGiftMessage":
            continue
        sent = event_of(message).value["gift"]
        details = sent["giftDetails"]
        if sent["giftId"] in listed:
            found += 1
            assert listed[sent["giftId"]] == (details["giftName"], details["giftType"], details["diamondCount"])

    assert found == 89


def test_captured_streaks_are_streaking_until_their_last_message() -> None:
    streaks: dict[tuple[int | None, int | None], list[tuple[int, bool]]] = {}
    for message in captured():
        raw = Raw.of(message.payload)
        if message.method == "WebcastGiftMessage" and raw.number(11):
            sender = (raw.message(7) or Raw({})).number(1)
            sent = event_of(message).value["gift"]
            at = sent["giftExtra"]["timestamp"]
            streaks.setdefault((sender, raw.number(11)), []).append((at, sent["streaking"]))

    several = [[streaking for _, streaking in sorted(streak)] for streak in streaks.values() if len(streak) > 1]
    closed = [streak for streak in several if not all(streak)]

    assert closed == [[True] * (len(streak) - 1) + [False] for streak in closed]
    assert len(closed) > 0


IDENTITY = {"WebcastChatMessage": 18, "WebcastGiftMessage": 32}
"""The field by which a message says how its user stands to the streamer."""


def test_users_are_followers_and_friends_as_their_captured_messages_say() -> None:
    told: Counter[tuple[str, bool, bool]] = Counter()
    for message in [*captured(), *captured("batch-2026-08.jsonl.gz")]:
        raw = Raw.of(message.payload)
        identity = raw.message(IDENTITY[message.method]) if message.method in IDENTITY else None
        if identity is not None:
            user = event_of(message).value["user"]
            follows, friend = bool(identity.number(4)), bool(identity.number(3))
            assert (message.digest, user["is_following"], user["is_friend"]) == (message.digest, follows, friend)
            told[message.method, follows, friend] += 1

    assert told == {
        ("WebcastChatMessage", False, False): 31,
        ("WebcastChatMessage", True, False): 81,
        ("WebcastChatMessage", True, True): 6,
        ("WebcastGiftMessage", False, False): 17,
        ("WebcastGiftMessage", True, False): 68,
        ("WebcastGiftMessage", True, True): 14,
    }


def test_what_a_giver_is_to_the_streamer_does_not_change_within_a_captured_streak() -> None:
    streaks: dict[tuple[int | None, int | None], list[tuple[bool, bool]]] = {}
    for message in captured():
        if message.method == "WebcastGiftMessage":
            raw = Raw.of(message.payload)
            user = event_of(message).value["user"]
            key = (raw.message(7) or Raw({})).number(1), raw.number(11)
            streaks.setdefault(key, []).append((user["is_following"], user["is_friend"]))

    assert [streak for streak in streaks.values() if len(set(streak)) > 1] == []
    assert len([streak for streak in streaks.values() if len(streak) > 1]) == 20
