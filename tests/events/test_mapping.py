"""producer.events.mapping: literal messages, written byte by byte, and the documented events they mean."""

import struct
from dataclasses import replace
from typing import Any

import pytest

from producer.errors import MessageRefused, Reason, Recovery
from producer.events import records
from producer.events.event import Event, Origin, Payloads
from producer.events.life import connected, disconnected, live_ended
from producer.events.mapping import METHODS, to_event
from producer.webcast.wire import Envelope
from tests.events.decoding import encode_and_decode
from tests.events.wire_writer import Field, Fields, write
from tests.published import UNDOCUMENTED

ORIGIN = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
RECEIVED_AT = 1_700_000_000_000
USER_FIELD = {
    "WebcastChatMessage": 2,
    "WebcastGiftMessage": 7,
    "WebcastLikeMessage": 5,
    "WebcastMemberMessage": 2,
    "WebcastSocialMessage": 2,
}

FURTHER = frozenset(
    {
        *("member_count", "enter_type", "action", "client_enter_source", "client_enter_type"),
        *("share_type", "share_target", "follow_count", "share_count"),
    }
)
"""What joins, follows and shares have beside what is documented."""
NO_MESSAGE: dict[str, object] = {"action": None, "tips": None}
ROOM: records.RoomInfo = {
    "unique_id": "Someone",
    "nickname": None,
    "title": "Hallo",
    "followers": 7,
    "viewers": None,
    "visits": None,
    "likes": 0,
}


def mapped(method: str, fields: Fields | bytes, *, msg_id: int = 11, is_history: bool = False) -> Event:
    payload = fields if isinstance(fields, bytes) else write(fields)
    envelope = Envelope(method=method, payload=payload, msg_id=msg_id, is_history=is_history)
    return to_event(envelope, ORIGIN, received_at=RECEIVED_AT, room_sequence=3)


def shown(key: str, pattern: str = "{0:user} did") -> Fields:
    """A message's common part with a display text."""
    return {2: 11, 8: {1: key, 2: pattern}}


def user_of(fields: Fields) -> Any:
    return mapped("WebcastChatMessage", {2: fields}).value["user"]


def gift_of(fields: Fields) -> Any:
    return mapped("WebcastGiftMessage", fields).value["gift"]


# ----------------------------------------------------------------------------------------------------- whole events


def test_comment_with_everything_set() -> None:
    sender: Fields = {
        1: 6800000000000000001,
        3: "Ann 🌹",
        9: {1: ["https://p/100.webp", "https://p/1080.webp"]},
        22: {1: 40, 2: 50, 3: 2},
        24: {1: {1: "Ann's club", 2: 7}},
        38: "ann",
        46: "MS4wLjABAAAA",
        64: [
            {1: 2, 3: 2, 12: {5: "0"}, 21: {2: "pm_mt_live_ng_im", 3: "New gifter"}},
            {1: 4, 3: 8, 12: {5: "24"}, 23: {3: {1: "pm_mt_level", 2: "Level"}, 4: "24"}},
            {1: 3, 22: {2: "VIP"}},
        ],
    }

    event = mapped(
        "WebcastChatMessage",
        {
            1: {2: 11, 4: 1_699_999_999_123},
            2: sender,
            3: "Hallo 👋",
            12: {38: "bo"},
            13: [{1: 3, 2: {1: "6900", 4: "uuid"}}],
            14: "de",
            18: {2: 1, 3: 1},
            28: [{38: "bo"}, {38: "cai"}],
        },
    )

    assert event == Event(
        "comment",
        {
            "user": {
                "userId": 6800000000000000001,
                "uniqueId": "ann",
                "nickname": "Ann 🌹",
                "profilePicture": {
                    "urls": ["https://p/100.webp", "https://p/1080.webp"],
                    "avatar_url": "https://p/1080.webp",
                },
                "extraAttributes": {"followRole": 2},
                "badge": {"badges": [{"type": "pm_mt_live_ng_im", "name": "New gifter"}]},
                "is_following": True,
                "is_friend": True,
                "is_moderator": False,
                "user_id_str": "6800000000000000001",
                "sec_uid": "MS4wLjABAAAA",
                "following_count": 40,
                "follower_count": 50,
                "gifter_level": 24,
                "fan_club_name": "Ann's club",
                "fan_club_level": 7,
                "is_subscriber": True,
                "badge_list": [
                    {
                        "display_type": 2,
                        "scene_type": 2,
                        "level": 0,
                        "key": "pm_mt_live_ng_im",
                        "name": "New gifter",
                        "text": None,
                    },
                    {
                        "display_type": 4,
                        "scene_type": 8,
                        "level": 24,
                        "key": "pm_mt_level",
                        "name": "Level",
                        "text": "24",
                    },
                    {
                        "display_type": 3,
                        "scene_type": None,
                        "level": None,
                        "key": None,
                        "name": None,
                        "text": "VIP",
                    },
                ],
            },
            "comment": "Hallo 👋",
            "at_user": user_of({38: "bo"}),
            "emotes": [
                {
                    "index": 3,
                    "emote": {
                        "emote_id": "6900",
                        "image": None,
                        "audit_status": None,
                        "uuid": "uuid",
                        "emote_type": None,
                        "content_source": None,
                    },
                }
            ],
            "content_language": "de",
            "user_identity": {
                "is_gift_giver_of_anchor": None,
                "is_subscriber_of_anchor": True,
                "is_mutual_following_with_anchor": True,
                "is_follower_of_anchor": None,
                "is_moderator_of_anchor": None,
                "is_anchor": None,
            },
            "mention_users": [user_of({38: "bo"}), user_of({38: "cai"})],
            "name": "comment",
            "meta": {
                "event_id": "7000000000000000001:11",
                "streamer": "someone",
                "room_id": "7000000000000000001",
                "message_id": "11",
                "method": "WebcastChatMessage",
                "created_at": 1_699_999_999_123,
                "received_at": 1_700_000_000_000,
                "room_sequence": 3,
                "is_history": False,
                "worker": "worker-0",
                "streak_id": None,
                "payload": None,
                "text_repaired": False,
                "streamer_id": None,
                "connection": None,
            },
        },
    )
    assert encode_and_decode(event) == event.value


def test_gift_with_everything_set() -> None:
    event = mapped(
        "WebcastGiftMessage",
        {
            2: 5655,
            3: 7,
            4: 2,
            5: 8,
            6: 9,
            7: {1: 1, 38: "giver"},
            8: {1: 2, 38: "receiver"},
            9: 1,
            11: 1_699_999_000_000,
            15: {
                1: {1: ["https://p/first", "https://p/last"]},
                2: "Sent Rose",
                4: 1_000,
                5: 5656,
                10: 1,
                11: 1,
                12: 21,
                16: "Rose",
            },
            17: 4,
            23: {5: 30, 6: 31, 7: 32, 8: 33, 9: 34},
            24: -1,
            28: "order-1",
            32: {1: 1},
        },
    )

    assert event.name == "gift"
    assert event.value["user"]["uniqueId"] == "giver"
    assert event.value["to_user"]["uniqueId"] == "receiver"
    assert event.value["gift"] == {
        "giftId": 5655,
        "repeatCount": 8,
        "repeatEnd": 1,
        "giftDetails": {
            "giftImage": {"giftPictureUrl": "https://p/last"},
            "describe": "Sent Rose",
            "giftType": 1,
            "diamondCount": 21,
            "giftName": "Rose",
            "duration": 1_000,
            "combo": True,
        },
        "giftExtra": {"timestamp": 31, "receiverUserId": 33, "receiver_user_id_str": "33"},
        "extended_gift": None,
        "gift_type": 1,
        "streakable": True,
        "streaking": False,
        "gift_list_version": None,
        "gift_id_str": "5655",
        "fan_ticket_count": 7,
        "group_count": 2,
        "combo_count": 9,
        "group_id": 1_699_999_000_000,
        "group_id_str": "1699999000000",
        "send_type": 4,
        "color_id": -1,
        "order_id": "order-1",
    }
    assert event.value["user_identity"]["is_gift_giver_of_anchor"] is True
    assert encode_and_decode(event) == event.value


def test_like_has_the_batch_and_the_total_of_the_room() -> None:
    event = mapped("WebcastLikeMessage", {1: shown("pm_mt_msg_viewer"), 2: 15, 3: 3_000_000_000, 5: {38: "ann"}})

    assert event.name == "like"
    assert (event.value["likeCount"], event.value["totalLikeCount"]) == (15, 3_000_000_000)
    assert (event.value["displayType"], event.value["label"]) == ("pm_mt_msg_viewer", "{0:user} did")
    assert event.value["user"]["uniqueId"] == "ann"


def test_viewer_count_is_of_now_and_not_of_all_so_far() -> None:
    event = mapped(
        "WebcastRoomUserSeqMessage",
        {2: [{1: 5, 2: {1: 7, 3: "Ann", 38: "ann", 46: "MS4w"}, 3: 1}], 3: 120, 7: 4_000, 8: 9},
    )

    assert (event.name, event.value["viewerCount"]) == ("viewer_count_update", 120)
    assert (event.value["total_user"], event.value["anonymous"]) == (4_000, 9)
    assert event.value["ranks"] == [
        {
            "score": 5,
            "user": {
                "userId": 7,
                "user_id_str": "7",
                "uniqueId": "ann",
                "nickname": "Ann",
            },
            "rank": 1,
        }
    ]
    assert encode_and_decode(event) == event.value


def test_question_is_read_from_inside_its_data() -> None:
    event = mapped("WebcastQuestionNewMessage", {2: {1: 5, 2: "Why?", 4: 1_699_999_999, 5: {38: "asker"}}})

    assert event.name == "question"
    assert (event.value["questionText"], event.value["user"]["uniqueId"]) == ("Why?", "asker")
    assert (event.value["question_id"], event.value["question_id_str"]) == (5, "5")
    assert event.value["create_time"] == 1_699_999_999


def test_a_join_says_where_the_user_came_from_and_a_share_where_it_went() -> None:
    join = mapped(
        "WebcastMemberMessage", {3: 120, 9: 6, 10: 1, 19: "homepage_hot-live_cell", 20: "click", 2: {38: "ann"}}
    )
    share = mapped("WebcastSocialMessage", {3: 1, 4: 3, 5: "-1", 8: 9})
    follow = mapped("WebcastSocialMessage", {4: 1, 5: "6800000000000000002", 6: 4_000})

    assert [join.value[field] for field in ("member_count", "enter_type", "action")] == [120, 6, 1]
    assert join.value["client_enter_source"] == "homepage_hot-live_cell"
    assert join.value["client_enter_type"] == "click"
    of_social = ("share_type", "action", "share_target", "follow_count", "share_count")
    assert [share.value[field] for field in of_social] == [1, 3, "-1", None, 9]
    assert [follow.value[field] for field in of_social] == [None, 1, "6800000000000000002", 4_000, None]
    for event in (join, share, follow):
        assert encode_and_decode(event) == event.value


# ------------------------------------------------------------------------------------------------ the message itself


BYTES = b"\x1a\x02\x05\x06"
"""Field 3, length-delimited: two packed numbers to one kind, two control characters to another."""


@pytest.mark.parametrize(
    ("payloads", "of_a_chat", "of_a_room_message"),
    [
        (Payloads.NONE, None, None),
        (Payloads.UNDOCUMENTED, None, BYTES),
        (Payloads.ALL, BYTES, BYTES),
    ],
)
def test_events_carry_their_messages_bytes_as_the_setting_says(
    payloads: Payloads, of_a_chat: bytes | None, of_a_room_message: bytes | None
) -> None:
    origin = replace(ORIGIN, payloads=payloads)

    def payload(method: str) -> Any:
        message = Envelope(method=method, payload=BYTES, msg_id=1)
        event = to_event(message, origin, received_at=1, room_sequence=1)
        assert encode_and_decode(event) == event.value
        return event.value["meta"]["payload"], event.value.get("payload")

    assert payload("WebcastChatMessage") == (of_a_chat, None)
    assert payload("WebcastImDeleteMessage") == (of_a_room_message, None)
    assert payload("WebcastOfTomorrow") == (None, BYTES)


# ------------------------------------------------------------------------------------------------- what is not there


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (
            "WebcastChatMessage",
            {
                "name": "comment",
                "user": None,
                "comment": None,
                "at_user": None,
                "emotes": None,
                "content_language": None,
                "user_identity": None,
                "mention_users": None,
            },
        ),
        ("WebcastGiftMessage", {"name": "gift", "user": None, "to_user": None, "user_identity": None}),
        (
            "WebcastLikeMessage",
            {
                "name": "like",
                "user": None,
                "likeCount": None,
                "totalLikeCount": None,
                "displayType": None,
                "label": None,
            },
        ),
        ("WebcastRoomUserSeqMessage", {"name": "viewer_count_update", "viewerCount": None, "ranks": None}),
        ("WebcastQuestionNewMessage", {"name": "question", "questionText": None, "user": None}),
    ],
)
def test_absent_fields_are_none_not_zero_or_empty(method: str, expected: dict[str, object]) -> None:
    event = mapped(method, {1: {2: 11}})

    found = {key: event.value[key] for key in expected}

    assert expected == found
    assert encode_and_decode(event) == event.value


def test_absent_gift_fields_are_none_not_zero() -> None:
    gift = gift_of({1: {2: 11}})

    assert gift == {
        "giftId": None,
        "repeatCount": None,
        "repeatEnd": None,
        "giftDetails": None,
        "giftExtra": None,
        "extended_gift": None,
        "gift_type": None,
        "streakable": False,
        "streaking": False,
        "gift_list_version": None,
        "gift_id_str": None,
        "fan_ticket_count": None,
        "group_count": None,
        "combo_count": None,
        "group_id": None,
        "group_id_str": None,
        "send_type": None,
        "color_id": None,
        "order_id": None,
    }


def test_absent_fields_within_gift_details_and_gift_extra_are_none() -> None:
    gift = gift_of({15: {5: 5655}, 23: {1: 9}})

    assert gift["giftDetails"] == {
        "giftImage": None,
        "describe": None,
        "giftType": None,
        "diamondCount": None,
        "giftName": None,
        "duration": None,
        "combo": None,
    }
    assert gift["giftExtra"] == {"timestamp": None, "receiverUserId": None, "receiver_user_id_str": None}


def test_a_gift_picture_without_urls_has_none() -> None:
    gift = gift_of({15: {1: {2: "webcast/rose"}}})

    assert gift["giftDetails"]["giftImage"] == {"giftPictureUrl": None}


def test_absent_repeat_end_is_none_not_zero() -> None:
    gift = gift_of({5: 1, 15: {11: 1}})

    assert gift["repeatEnd"] is None


def test_zeros_and_empty_texts_that_are_there_stay() -> None:
    gift = gift_of({2: 0, 5: 0, 9: 0, 15: {2: "", 11: 0, 12: 0, 16: ""}, 23: {6: 0, 8: 0}})
    chat = mapped("WebcastChatMessage", {2: {1: 0, 3: "", 38: ""}, 3: ""})

    assert (gift["giftId"], gift["repeatCount"], gift["repeatEnd"]) == (0, 0, 0)
    assert gift["giftDetails"] == {
        "giftImage": None,
        "describe": "",
        "giftType": 0,
        "diamondCount": 0,
        "giftName": "",
        "duration": None,
        "combo": None,
    }
    assert gift["giftExtra"] == {"timestamp": 0, "receiverUserId": 0, "receiver_user_id_str": "0"}
    assert (gift["gift_id_str"], chat.value["user"]["user_id_str"]) == ("0", "0")
    assert chat.value["comment"] == ""
    assert (chat.value["user"]["userId"], chat.value["user"]["nickname"], chat.value["user"]["uniqueId"]) == (0, "", "")


def test_an_empty_user_is_a_user_who_told_nothing() -> None:
    user = user_of({})

    assert user == {
        "userId": None,
        "uniqueId": None,
        "nickname": None,
        "profilePicture": None,
        "extraAttributes": {"followRole": 0},
        "badge": {"badges": []},
        "is_following": False,
        "is_friend": False,
        "is_moderator": False,
        "user_id_str": None,
        "sec_uid": None,
        "following_count": None,
        "follower_count": None,
        "gifter_level": None,
        "fan_club_name": None,
        "fan_club_level": None,
        "is_subscriber": False,
        "badge_list": None,
    }


# -------------------------------------------------------------------------------------------------------------- users


def test_an_avatar_with_no_urls_has_an_empty_list_and_no_url() -> None:
    user = user_of({9: {2: "webcast/ann"}})

    assert user["profilePicture"] == {"urls": [], "avatar_url": None}


@pytest.mark.parametrize(
    ("follow_status", "following", "friend"), [(0, False, False), (1, True, False), (2, True, True), (3, True, False)]
)
def test_follow_role_tells_followers_and_friends(follow_status: int, following: bool, friend: bool) -> None:
    user = user_of({22: {1: 99, 2: 98, 3: follow_status}})

    assert user["extraAttributes"] == {"followRole": follow_status}
    assert (user["is_following"], user["is_friend"]) == (following, friend)


@pytest.mark.parametrize(("method", "place"), [("WebcastChatMessage", 18), ("WebcastGiftMessage", 32)])
@pytest.mark.parametrize(
    ("follow_status", "identity", "following", "friend"),
    [
        (3, {4: 1}, True, False),
        (2, {}, False, False),
        (None, {4: 1}, True, False),
        (None, {3: 1, 4: 1}, True, True),
        (1, {3: 1}, True, True),
    ],
)
def test_what_a_message_says_of_its_user_decides_over_the_follow_status(
    method: str, place: int, follow_status: int | None, identity: Fields, following: bool, friend: bool
) -> None:
    relation: Fields = {} if follow_status is None else {22: {3: follow_status}}

    user = mapped(method, {USER_FIELD[method]: {1: 7, **relation}, place: identity}).value["user"]

    assert user["extraAttributes"] == {"followRole": follow_status or 0}
    assert (user["is_following"], user["is_friend"]) == (following, friend)


@pytest.mark.parametrize(
    "fields",
    [
        {64: [{21: {2: "pm_mt_live_ng_im"}}, {21: {2: "pm_mt_moderator_im"}}]},
        {64: [{3: 8}, {1: 4, 3: 1, 23: {1: 1}}]},
        {32: {2: 1}},
    ],
    ids=["badge text", "badge scene 1", "user_attr.is_admin"],
)
@pytest.mark.parametrize("method", USER_FIELD)
def test_a_users_own_fields_tell_a_moderator_in_any_message(method: str, fields: Fields) -> None:
    shared_or_joined: Fields = {4: 3, 10: 1}

    event = mapped(method, {**shared_or_joined, USER_FIELD[method]: fields})

    assert event.value["user"]["is_moderator"] is True


@pytest.mark.parametrize(("method", "user", "identity"), [("WebcastChatMessage", 2, 18), ("WebcastGiftMessage", 7, 32)])
def test_the_senders_identity_beside_the_user_tells_a_moderator(method: str, user: int, identity: int) -> None:
    event = mapped(method, {user: {38: "ann"}, identity: {5: 1}})

    assert event.value["user"]["is_moderator"] is True


@pytest.mark.parametrize(("method", "user", "identity"), [("WebcastChatMessage", 2, 18), ("WebcastGiftMessage", 7, 32)])
def test_every_other_identity_badge_and_attribute_tells_no_moderator(method: str, user: int, identity: int) -> None:
    sender: Fields = {
        32: {1: 1, 3: 1, 6: 1},
        64: [{1: 1, 2: 1, 3: scene, 21: {2: "pm_mt_sub", 3: "Moderator"}} for scene in (0, 2, 3, 4, 7, 8, 10, 12)],
    }

    event = mapped(method, {user: sender, identity: {1: 1, 2: 1, 3: 1, 4: 1, 6: 1}})

    assert event.value["user"]["is_moderator"] is False


def test_badges_of_all_containers_are_listed_in_order_and_picture_badges_are_not() -> None:
    user = user_of({64: [{21: {2: "a"}}, {20: {2: {1: "https://p/x"}}}, {21: {3: "B"}}, {22: {2: "s"}}, {21: {}}]})

    assert user["badge"] == {
        "badges": [{"type": "a", "name": None}, {"type": None, "name": "B"}, {"type": None, "name": None}]
    }


@pytest.mark.parametrize(
    ("badges", "gifter", "fan"),
    [
        ([{3: 8, 12: {5: "24"}}, {3: 10, 12: {5: "7"}}], 24, 7),
        ([{3: 10, 12: {5: "7"}}, {3: 10, 12: {5: "9"}}], None, 7),
        ([{3: 8, 12: {5: ""}}, {3: 10}], None, 3),
        ([{3: 8, 12: {5: "Ⅲ"}}, {3: 10, 12: {5: "-1"}}], None, 3),
        ([{3: 8, 12: {5: "9" * 10}}, {3: 10, 12: {5: "0"}}], None, 0),
        ([{3: 4, 12: {5: "5"}}], None, 3),
    ],
)
def test_levels_are_those_of_the_first_badge_of_their_scene_and_then_of_the_fan_club(
    badges: list[Field], gifter: int | None, fan: int | None
) -> None:
    user = user_of({24: {1: {2: 3}}, 64: badges})

    assert (user["gifter_level"], user["fan_club_level"]) == (gifter, fan)


@pytest.mark.parametrize(
    ("sender", "identity", "subscribes"),
    [
        ({}, {}, False),
        ({64: [{3: 4}]}, {}, True),
        ({64: [{3: 7}]}, {}, True),
        ({64: [{3: 8}, {3: 10}]}, {}, False),
        ({}, {2: 1}, True),
        ({64: [{3: 4}]}, {2: 0}, True),
    ],
)
def test_a_subscriber_is_known_by_a_badge_or_by_what_the_message_says_beside(
    sender: Fields, identity: Fields, subscribes: bool
) -> None:
    event = mapped("WebcastChatMessage", {2: sender, 18: identity})

    assert event.value["user"]["is_subscriber"] is subscribes


@pytest.mark.parametrize("large", [2**53 + 1, 7_300_000_000_000_000_001, 2**63 - 1])
def test_ids_above_2_to_the_53_keep_every_digit(large: int) -> None:
    gift = mapped("WebcastGiftMessage", {2: large, 7: {1: large}, 23: {6: 1, 8: large}}, msg_id=large)

    arrived = encode_and_decode(gift)

    assert arrived["user"]["userId"] == large
    assert arrived["gift"]["giftId"] == large
    assert arrived["gift"]["giftExtra"]["receiverUserId"] == large
    assert arrived["user"]["user_id_str"] == str(large)
    assert arrived["gift"]["gift_id_str"] == str(large)
    assert arrived["gift"]["giftExtra"]["receiver_user_id_str"] == str(large)
    assert arrived["meta"]["message_id"] == str(large)


def test_counts_above_32_bits_are_not_cut() -> None:
    like = mapped("WebcastLikeMessage", {3: 2**40})
    seq = mapped("WebcastRoomUserSeqMessage", {3: 2**41})

    assert (like.value["totalLikeCount"], seq.value["viewerCount"]) == (2**40, 2**41)


# ------------------------------------------------------------------------------------------------------ gift streaks


@pytest.mark.parametrize(
    ("gift_type", "repeat_end", "streakable", "streaking"),
    [
        (1, None, True, True),
        (1, 0, True, True),
        (1, 1, True, False),
        (2, None, False, False),
        (4, 1, False, False),
        (None, None, False, False),
    ],
)
def test_streaking_is_true_while_a_streakable_gifts_streak_goes_on(
    gift_type: int | None, repeat_end: int | None, streakable: bool, streaking: bool
) -> None:
    fields: dict[int, Field] = {5: 3, 15: {} if gift_type is None else {11: gift_type}}
    if repeat_end is not None:
        fields[9] = repeat_end

    gift = gift_of(fields)

    assert (gift["streakable"], gift["streaking"]) == (streakable, streaking)


# ------------------------------------------------------------------------------------------- join, follow and share


@pytest.mark.parametrize(
    "fields",
    [
        {1: shown("live_room_enter_toast"), 2: {38: "ann"}},
        {1: shown("live_room_enter_toast"), 2: {38: "ann"}, 10: 9},
        {1: shown("pm_mt_join_message_other_viewer"), 2: {38: "ann"}},
        {1: {2: 11}, 2: {38: "ann"}, 10: 1},
        {2: {38: "ann"}, 10: 1},
        {1: {8: {2: "{0:user} joined"}}, 2: {38: "ann"}, 10: 1},
    ],
    ids=["key", "key before action", "key after a share", "action", "no common", "pattern without key"],
)
def test_a_member_message_is_a_join_by_its_key_or_without_one_by_its_action(fields: Fields) -> None:
    event = mapped("WebcastMemberMessage", fields)

    assert (event.name, event.value["name"], event.value["user"]["uniqueId"]) == ("join", "join", "ann")


@pytest.mark.parametrize(
    "fields",
    [{1: shown("pm_mt_other")}, {1: shown("pm_mt_other"), 10: 1}, {10: 3}, {10: 0}, {}],
    ids=["other key", "other key before action", "subscribed", "zero", "neither"],
)
def test_any_other_member_message_is_unknown_with_its_bytes(fields: Fields) -> None:
    event = mapped("WebcastMemberMessage", fields)

    assert event.name == "unknown"
    assert (event.value["method"], event.value["payload"]) == ("WebcastMemberMessage", write(fields))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("follow", {1: shown("pm_main_follow_message_viewer_2")}),
        ("follow", {1: shown("pm_main_follow_message_viewer_2"), 4: 3}),
        ("follow", {4: 1}),
        ("share", {1: shown("pm_mt_guidance_share")}),
        ("share", {1: shown("pm_mt_guidance_share"), 4: 1}),
        ("share", {4: 3}),
        ("unknown", {1: shown("pm_mt_guidance_viewer_5_share"), 4: 3}),
        ("unknown", {1: shown("pm_mt_guidance_viewer_10_share"), 4: 3}),
        ("unknown", {1: shown("pm_mt_other"), 4: 1}),
        ("unknown", {1: shown("pm_mt_other"), 4: 3}),
        ("unknown", {3: 1, 4: 2}),
        ("unknown", {3: 3}),
        ("unknown", {}),
    ],
)
def test_a_social_message_is_a_follow_or_a_share_by_its_key_or_without_one_by_its_action(
    name: str, fields: Fields
) -> None:
    event = mapped("WebcastSocialMessage", fields)

    assert (event.name, event.value["name"]) == (name, name)


@pytest.mark.parametrize(
    ("method", "key", "name"),
    [
        ("WebcastMemberMessage", "live_room_enter_toast", "join"),
        ("WebcastSocialMessage", "pm_main_follow_message_viewer_2", "follow"),
        ("WebcastSocialMessage", "pm_mt_guidance_share", "share"),
    ],
)
def test_display_type_is_the_key_and_label_is_the_pattern(method: str, key: str, name: str) -> None:
    event = mapped(method, {1: shown(key, "{0:user} was here"), 2: {38: "ann"}})

    assert event.value == {
        "user": user_of({38: "ann"}),
        "displayType": key,
        "label": "{0:user} was here",
        "name": name,
        **{field: value for field, value in event.value.items() if field in FURTHER},
        "meta": event.value["meta"],
    }
    assert encode_and_decode(event) == event.value


# ----------------------------------------------------------------------------------------------------------- control


@pytest.mark.parametrize(
    ("action", "name"),
    [(0, "unknown"), (1, "pause"), (2, "unpause"), (3, "live_end"), (4, "live_end"), (5, "unknown")],
)
def test_control_pauses_with_1_goes_on_with_2_and_ends_the_live_with_3_and_4(action: int, name: str) -> None:
    event = mapped("WebcastControlMessage", {2: action, 3: "bye", 4: {8: "app_pause"}})

    assert event.name == name
    expected: dict[str, dict[str, object]] = {
        "unknown": {"method": "WebcastControlMessage", "payload": write({2: action, 3: "bye", 4: {8: "app_pause"}})},
        "pause": {"tips": "bye", "source": "app_pause"},
        "unpause": {"tips": "bye", "source": "app_pause"},
        "live_end": {"reason": "control_message", "action": action, "tips": "bye", "started_at": None},
    }
    assert event.value == {**expected[name], "name": name, "meta": event.value["meta"]}
    assert encode_and_decode(event) == event.value


@pytest.mark.parametrize("action", [1, 2, 3])
def test_a_control_message_that_says_nothing_more_has_nothing_more(action: int) -> None:
    event = mapped("WebcastControlMessage", {2: action})

    assert [event.value.get(field) for field in ("tips", "source")] == [None, None]


# -------------------------------------------------------------------------------------------- broken and other kinds


@pytest.mark.parametrize("method", [*sorted(USER_FIELD), "WebcastQuestionNewMessage", "WebcastRoomUserSeqMessage"])
def test_a_cut_payload_of_a_documented_kind_is_refused_whole(method: str) -> None:
    payload = write({1: shown("live_room_enter_toast"), 2: {38: "ann"}})[:-1]

    with pytest.raises(MessageRefused) as refused:
        mapped(method, payload)

    assert (refused.value.reason, refused.value.recovery) == (Reason.MALFORMED, Recovery.DROP)
    assert method in str(refused.value)


@pytest.mark.parametrize("method", sorted(METHODS - UNDOCUMENTED.keys()))
@pytest.mark.parametrize(
    "payload",
    [
        b"\x0a",
        b"\x0a\x05abc",
        b"\x08\xff",
        b"\x10" + b"\xff" * 10,
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x07",
        b"\x03\x01",
        b"\x00\x00",
        b"\x0a\x80\x80\x80\x80\x08",
    ],
    ids=[
        "no length",
        "cut text",
        "cut varint",
        "long varint",
        "endless tag",
        "wire type 7",
        "open group",
        "field 0",
        "length of 2 GiB",
    ],
)
def test_bytes_that_are_no_message_are_refused_for_every_documented_kind(method: str, payload: bytes) -> None:
    with pytest.raises(MessageRefused) as refused:
        mapped(method, payload)

    assert refused.value.reason is Reason.MALFORMED


def test_endless_nesting_is_refused() -> None:
    payload = write({64: {21: "x"}})
    for _ in range(2_000):
        payload = write({8: payload})

    with pytest.raises(MessageRefused):
        mapped("WebcastChatMessage", b"\x0b" * 5_000 + b"\x0c" * 5_000)

    assert mapped("WebcastNobodyKnows", payload).value["payload"] == payload


@pytest.mark.parametrize("payload", [b"", b"\x0a", b"\xff\x00\xfe", write({1: {2: 12, 4: 13}, 2: "x"})[:-1]])
def test_a_cut_payload_of_another_kind_is_unknown_with_its_bytes(payload: bytes) -> None:
    event = mapped("WebcastNobodyKnows", payload)

    assert event.name == "unknown"
    assert event.value == {
        "name": "unknown",
        "method": "WebcastNobodyKnows",
        "payload": payload,
        "meta": event.value["meta"],
    }
    assert encode_and_decode(event) == event.value


@pytest.mark.parametrize(
    "method", ["WebcastCompetitionMessage", "CompetitionMessage", "", "webcastchatmessage", "Ünbekannt🌹"]
)
def test_other_kinds_are_unknown_with_method_time_and_id(method: str) -> None:
    payload = write({1: {2: 12, 4: 1_699_999_999_123}, 2: b"\x00\xff"})

    event = mapped(method, payload, msg_id=0)

    assert (event.name, event.value["method"], event.value["payload"]) == ("unknown", method, payload)
    assert (event.value["meta"]["message_id"], event.value["meta"]["created_at"]) == ("12", 1_699_999_999_123)
    assert event.value["meta"]["method"] == method


def test_fields_in_any_order_and_of_no_known_number_do_not_matter() -> None:
    in_order = write({1: {2: 12}, 2: {1: 5, 3: "Ann", 38: "ann"}, 3: "hi"})
    out_of_order = write({3: "hi", 2: {38: "ann", 9999: b"\xff", 3: "Ann", 1: 5}, 77: {1: 1}, 1: {2: 12}})
    fixed = struct.pack("<BQ", 5 << 3 | 1, 7) + struct.pack("<BI", 6 << 3 | 5, 7)

    events = [mapped("WebcastChatMessage", payload) for payload in (in_order, out_of_order, fixed + in_order)]

    assert events[0] == events[1] == events[2]


# -------------------------------------------------------------------------------------------------------------- meta


def test_the_envelopes_message_id_comes_before_the_messages_own() -> None:
    event = mapped("WebcastChatMessage", {1: {2: 12}}, msg_id=13)

    assert (event.value["meta"]["message_id"], event.value["meta"]["event_id"]) == ("13", "7000000000000000001:13")


def test_without_an_id_on_the_envelope_the_messages_own_is_taken() -> None:
    event = mapped("WebcastChatMessage", {1: {2: 12}}, msg_id=0)

    assert (event.value["meta"]["message_id"], event.value["meta"]["event_id"]) == ("12", "7000000000000000001:12")


@pytest.mark.parametrize(
    ("method", "digest"), [("WebcastChatMessage", "b02f3625b4ab9189"), ("WebcastLinkMicBattle", "7bc40bea835a87fe")]
)
def test_without_any_id_the_same_bytes_have_the_same_event_id_and_others_another(method: str, digest: str) -> None:
    first = mapped(method, {3: "hi"}, msg_id=0).value["meta"]
    again = mapped(method, {3: "hi"}, msg_id=0).value["meta"]
    other = mapped(method, {3: "ho"}, msg_id=0).value["meta"]

    assert (first["message_id"], first["event_id"]) == (None, again["event_id"])
    assert first["event_id"] != other["event_id"]
    # As b2sum --length 64 says of the method, a zero byte and the payload.
    assert first["event_id"] == f"7000000000000000001:blake2b-{digest}"


@pytest.mark.parametrize(
    ("time", "created_at"),
    [
        (1_699_999_999_123, 1_699_999_999_123),
        (1_699_999_999, 1_699_999_999_000),
        (1_420_070_400, 1_420_070_400_000),
        (1_420_070_399, None),
        (1_420_070_400_000, 1_420_070_400_000),
        (1_420_070_399_999, None),
        (1_700_086_400_000, 1_700_086_400_000),  # a day after it was received
        (1_700_086_400_001, None),
        (1_700_086_401, None),
        (4_102_444_800_000, None),
        (1, None),
        (99_999_999_999, None),
        (100_000_000_000, None),
        (0, None),
        (None, None),
        (-1, None),
        (1_699_999_999_123_456, None),
        (2**63 - 1, None),
        (-(2**63), None),
    ],
    ids=[
        "ms",
        "seconds",
        "first second",
        "before it",
        "first ms",
        "before that",
        "a day ahead",
        "more than that",
        "more in seconds",
        "2100",
        "1970",
        "most seconds",
        "1973",
        "zero",
        "absent",
        "negative",
        "microseconds",
        "largest",
        "smallest",
    ],
)
def test_created_at_is_in_ms_or_none_where_the_message_tells_no_believable_time(
    time: int | None, created_at: int | None
) -> None:
    common: Fields = {} if time is None else {4: time}

    events = [mapped(method, {1: common}) for method in ("WebcastChatMessage", "WebcastGoalUpdateMessage")]

    assert [event.value["meta"]["created_at"] for event in events] == [created_at, created_at]
    assert [event.is_time_odd for event in events] == [bool(time) and created_at is None] * 2


def test_history_is_marked() -> None:
    history = mapped("WebcastChatMessage", {}, is_history=True)
    live = mapped("WebcastChatMessage", {}, is_history=False)

    assert (history.value["meta"]["is_history"], live.value["meta"]["is_history"]) == (True, False)


# -------------------------------------------------------------------------------------------------- events of our own


def test_a_connections_events_are_told_apart_by_worker_and_time() -> None:
    events = [connected(ORIGIN, None, at=1_700_000_000_001), disconnected(ORIGIN, "silence", at=1_700_000_000_002)]

    ids = [event.value["meta"]["event_id"] for event in events]

    assert ids == [
        "7000000000000000001:connect:worker-0:1700000000001",
        "7000000000000000001:disconnect:worker-0:1700000000002",
    ]


def test_a_live_ends_once_whichever_worker_saw_it() -> None:
    elsewhere = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-1")

    seen = [live_ended(ORIGIN, "room_status", at=1), live_ended(elsewhere, "room_status", at=2)]

    assert {event.value["meta"]["event_id"] for event in seen} == {"7000000000000000001:live_end"}


@pytest.mark.parametrize(
    ("event", "ours"),
    [
        (
            connected(replace(ORIGIN, started_at=7_000), ROOM, at=1_700_000_000_001),
            {"name": "connect", "started_at": 7_000, "room": ROOM},
        ),
        (disconnected(ORIGIN, "silence", at=1_700_000_000_001), {"name": "disconnect", "reason": "silence"}),
        (
            live_ended(ORIGIN, "room_status", at=1_700_000_000_001),
            {"name": "live_end", "reason": "room_status", "started_at": None, **NO_MESSAGE},
        ),
    ],
    ids=["connect", "disconnect", "live_end"],
)
def test_events_that_no_message_carries_name_no_message_and_arrive(event: Event, ours: dict[str, object]) -> None:
    arrived = encode_and_decode(event)

    assert arrived == {
        **ours,
        "meta": {
            "event_id": event.value["meta"]["event_id"],
            "streamer": "someone",
            "room_id": "7000000000000000001",
            "message_id": None,
            "method": None,
            "created_at": None,
            "received_at": 1_700_000_000_001,
            "room_sequence": 0,
            "is_history": False,
            "worker": "worker-0",
            "streak_id": None,
            "payload": None,
            "text_repaired": None,
            "streamer_id": None,
            "connection": None,
        },
    }
    assert event.name == ours["name"]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_for_a_lost_connection_can_be_published(reason: Reason) -> None:
    event = disconnected(ORIGIN, str(reason), at=1)

    arrived = encode_and_decode(event)

    assert arrived["reason"] == reason.value


def test_the_documented_kinds_are_eight() -> None:
    kinds = sorted(METHODS - UNDOCUMENTED.keys())

    assert kinds == [
        "WebcastChatMessage",
        "WebcastControlMessage",
        "WebcastGiftMessage",
        "WebcastLikeMessage",
        "WebcastMemberMessage",
        "WebcastQuestionNewMessage",
        "WebcastRoomUserSeqMessage",
        "WebcastSocialMessage",
    ]


def test_what_a_stranger_heaps_up_is_bounded() -> None:
    badges: list[Field] = [{21: {2: f"badge {number}"}} for number in range(150)]
    urls: list[Field] = [f"https://p/{number}" for number in range(50)]

    user = mapped("WebcastChatMessage", {2: {9: {1: urls}, 64: badges}}).value["user"]

    assert len(user["badge"]["badges"]) == 100
    assert user["profilePicture"]["urls"] == urls[30:]
    assert user["profilePicture"]["avatar_url"] == "https://p/49"


def test_text_that_nobody_reads_need_not_be_utf_8() -> None:
    event = mapped("WebcastChatMessage", {1: {7: b"\xff"}, 2: {38: "ann", 46: b"\xfe\xff"}, 3: "hi"})

    assert (event.name, event.value["user"]["uniqueId"]) == ("comment", "ann")
