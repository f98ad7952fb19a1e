"""producer.events.projection: messages written by hand in, record values out, and schemas that do not fit refused."""

import re
from typing import Any

import pytest

from producer.events import schemas
from producer.events.projection import MOST_REPEATED, compile_projection
from producer.webcast.wire import kinds
from tests.events.wire_writer import Fields, write

OURS = frozenset({"name", "meta"})
ABOVE_2_53 = 9_007_199_254_740_993


def projected(message: Any, record: str, fields: Fields) -> dict[str, Any]:
    project = compile_projection(message.DESCRIPTOR, record, besides=OURS)
    return project(message.FromString(write(fields)))


def test_numbers_texts_and_flags_are_copied_and_what_is_absent_is_none() -> None:
    value = projected(kinds.RoomVerifyMessage, "RoomVerifyEvent", {2: 4, 3: "check 🌹", 5: 1})

    assert value == {"action": 4, "content": "check 🌹", "notice_type": None, "close_room": True}


def test_zero_false_and_the_empty_text_are_told_from_absence() -> None:
    value = projected(kinds.RoomVerifyMessage, "RoomVerifyEvent", {2: 0, 3: "", 4: 0, 5: 0})

    assert value == {"action": 0, "content": "", "notice_type": 0, "close_room": False}


def test_an_id_above_2_to_the_53_has_a_twin_that_no_reader_rounds() -> None:
    value = projected(kinds.RankTextMessage, "RankTextEvent", {7: ABOVE_2_53})

    assert (value["cur_user_id"], value["cur_user_id_str"]) == (9007199254740993, "9007199254740993")
    assert float(value["cur_user_id"]) != int(value["cur_user_id_str"])


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (-1, "-1"), (2**63 - 1, "9223372036854775807"), (2**63, "-9223372036854775808")]
)
def test_the_twin_is_the_number_as_the_number_is_read(number: int, text: str) -> None:
    value = projected(kinds.RankTextMessage, "RankTextEvent", {7: number})

    assert (str(value["cur_user_id"]), value["cur_user_id_str"]) == (text, text)


def test_an_absent_id_has_no_twin() -> None:
    value = projected(kinds.RankTextMessage, "RankTextEvent", {})

    assert (value["cur_user_id"], value["cur_user_id_str"]) == (None, None)


def test_several_ids_have_twins_one_by_one_packed_or_not() -> None:
    packed = projected(kinds.ImDeleteMessage, "ImDeleteEvent", {2: b"\x05\xac\x02", 3: [ABOVE_2_53, 7]})

    assert packed == {
        "delete_msg_ids": [5, 300],
        "delete_msg_ids_str": ["5", "300"],
        "delete_user_ids": [9007199254740993, 7],
        "delete_user_ids_str": ["9007199254740993", "7"],
    }


def test_records_nest_and_arrays_keep_their_order() -> None:
    poll: Fields = {3: 9, 6: {2: [{1: 2, 2: "yes", 4: [{1: 5, 2: "Ann"}]}, {2: "no", 3: 1}]}}

    value = projected(kinds.PollMessage, "PollEvent", poll)

    assert value["update_votes_content"] == {
        "options": [
            {
                "votes": 2,
                "display_content": "yes",
                "option_idx": None,
                "voters": [{"user_id": 5, "user_id_str": "5", "nickname": "Ann", "avatar": None}],
            },
            {"votes": None, "display_content": "no", "option_idx": 1, "voters": []},
        ],
        "operator": None,
    }
    assert (value["poll_id"], value["poll_id_str"], value["start_content"]) == (9, "9", None)


def test_a_map_is_an_array_of_its_entries() -> None:
    value = projected(kinds.LinkMicArmies, "LinkMicArmiesEvent", {3: [{1: 5, 2: {2: 70}}, {1: 6}, {2: {2: 80}}]})

    assert value["armies"] == [
        {"host_id": 5, "host_id_str": "5", "armies": {"user_armies": [], "hostscore": 70}},
        {"host_id": 6, "host_id_str": "6", "armies": None},
        {"host_id": None, "host_id_str": None, "armies": {"user_armies": [], "hostscore": 80}},
    ]


def test_a_user_is_the_documented_one() -> None:
    person: Fields = {1: ABOVE_2_53, 3: "Ann", 9: {1: ["https://p/1", "https://p/2"]}, 22: {3: 2}, 38: "ann"}

    value = projected(kinds.LiveIntroMessage, "LiveIntroEvent", {5: person})

    assert value["user"] == {
        "userId": 9007199254740993,
        "uniqueId": "ann",
        "nickname": "Ann",
        "profilePicture": {"urls": ["https://p/1", "https://p/2"], "avatar_url": "https://p/2"},
        "extraAttributes": {"followRole": 2},
        "badge": {"badges": []},
        "is_following": True,
        "is_friend": True,
        "is_moderator": False,
        "user_id_str": "9007199254740993",
        "sec_uid": None,
        "following_count": None,
        "follower_count": None,
        "gifter_level": None,
        "fan_club_name": None,
        "fan_club_level": None,
        "is_subscriber": False,
        "badge_list": None,
    }


def test_the_text_that_is_shown_comes_from_what_all_messages_share() -> None:
    text: Fields = {
        1: "pm_mt_x",
        2: "{0:user} got {1:gift}, {2:string} of {3:image}",
        4: [{1: 11, 21: {1: {1: 5}}}, {1: 12, 22: {1: 5655, 2: {1: "live_gift_5655", 2: "Rose"}}}, {1: 1, 11: "x3"}],
    }

    value = projected(kinds.RoomMessage, "RoomEvent", {1: {2: 1, 8: text}, 2: " "})

    assert value["content"] == " "
    shown = value["display_text"]
    assert (shown["key"], shown["default_pattern"]) == ("pm_mt_x", "{0:user} got {1:gift}, {2:string} of {3:image}")
    assert [piece["type"] for piece in shown["pieces"]] == [11, 12, 1]
    assert shown["pieces"][0]["user_value"]["user"]["user_id_str"] == "5"
    assert shown["pieces"][1]["gift_value"] == {
        "gift_id": 5655,
        "gift_id_str": "5655",
        "name": {"key": "live_gift_5655", "default_pattern": "Rose"},
    }
    assert shown["pieces"][2] == {
        "type": 1,
        "string_value": "x3",
        "user_value": None,
        "gift_value": None,
        "image_value": None,
    }


def test_a_message_without_a_text_to_show_has_none() -> None:
    bare = projected(kinds.RoomMessage, "RoomEvent", {})
    without = projected(kinds.RoomMessage, "RoomEvent", {1: {2: 1}})

    assert (bare["display_text"], without["display_text"]) == (None, None)


def test_entries_beyond_the_bound_are_left_out() -> None:
    many = MOST_REPEATED + 5
    ids = projected(kinds.ImDeleteMessage, "ImDeleteEvent", {2: list(range(many))})
    emotes = projected(kinds.EmoteChatMessage, "EmoteChatEvent", {3: [{1: "e"}] * many})
    urls = projected(kinds.CapsuleMessage, "CapsuleEvent", {2: {1: ["https://p"] * many}})

    assert len(ids["delete_msg_ids"]) == len(ids["delete_msg_ids_str"]) == 1000
    assert len(emotes["emote_list"]) == 1000
    assert len(urls["icon"]["url_list"]) == 1000


# ------------------------------------------------------------------------------------------- schemas that do not fit


def record(name: str, **types: Any) -> dict[str, Any]:
    fields = [{"name": field, "type": avro, "default": None, "doc": "x"} for field, avro in types.items()]
    return {"type": "record", "name": name, "namespace": "tiktok.live.v1", "doc": "x", "fields": fields}


TEXTS = {"type": "array", "items": "string"}


@pytest.mark.parametrize(
    ("field", "avro", "sentence"),
    [
        ("nothing", ["null", "long"], "Odd.nothing: the wire message RoomMessage has no field 'nothing'"),
        ("nothing_str", ["null", "string"], "Odd.nothing_str: the wire message RoomMessage has no field 'nothing_str'"),
        ("content", ["null", "long"], "Odd.content: long does not fit tiktok.webcast.RoomMessage.content"),
        ("is_welcome", ["null", "string"], "Odd.is_welcome: string does not fit tiktok.webcast.RoomMessage.is_welcome"),
        ("content", ["null", "Image"], "Odd.content: Image does not fit tiktok.webcast.RoomMessage.content"),
        ("icon", ["null", "User"], "Odd.icon: User does not fit tiktok.webcast.RoomMessage.icon"),
        ("icon", ["null", "RankUpdate"], "RankUpdate.rank_type: the wire message ImageModel has no field 'rank_type'"),
        ("content", TEXTS, "Odd.content: an array, but tiktok.webcast.RoomMessage.content is not repeated"),
        ("content", "string", "Odd.content: cannot project onto 'string'"),
        ("source_str", "string", "Odd.source_str: a twin is a string, not 'string'"),
        ("content_str", ["null", "string"], "Odd.content_str: long does not fit tiktok.webcast.RoomMessage.content"),
    ],
)
def test_a_schema_that_asks_for_what_the_message_lacks_is_refused(
    monkeypatch: pytest.MonkeyPatch, field: str, avro: Any, sentence: str
) -> None:
    changed = schemas.records() | {"Odd": record("Odd", **{field: avro})}
    monkeypatch.setattr(schemas, "records", lambda: changed)

    with pytest.raises(ValueError, match=re.escape(sentence)):
        compile_projection(kinds.RoomMessage.DESCRIPTOR, "Odd")


def test_a_field_that_cannot_be_absent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = schemas.records() | {"Odd": record("Odd", create_time=["null", "long"])}
    monkeypatch.setattr(schemas, "records", lambda: changed)

    with pytest.raises(ValueError, match=r"Odd.create_time: tiktok.webcast.KindCommon.create_time cannot be absent"):
        compile_projection(kinds.RoomMessage.DESCRIPTOR, "Odd")
