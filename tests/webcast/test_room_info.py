"""producer.webcast.room_info: what look-ups say of a room, in the forms of the protocol sheet (section 2.2 b and d)."""

from typing import Any

import pytest

from producer.errors import FailedFetchRoomInfo, InvalidSessionId, LiveEnded, ProducerError, Reason
from producer.webcast.room_info import RoomInfo, RoomStats, read_room_info, read_room_stats, read_started_at

ROOM = 7_300_000_000_000_000_001
USER: dict[str, Any] = {"id": "68", "uniqueId": "Ann.New", "secUid": "MS4", "nickname": "Ann 🌹", "roomId": str(ROOM)}
LIVE_ROOM: dict[str, Any] = {
    "title": "Hallo",
    "startTime": 1_790_000_000,
    "status": 2,
    "liveRoomStats": {"userCount": 12, "enterCount": 345, "likeCount": 6_789},
}
STATS: dict[str, Any] = {"followingCount": 1, "followerCount": 5_000_000_000}
DATA: dict[str, Any] = {
    "id": ROOM,
    "id_str": str(ROOM),
    "status": 2,
    "title": "Hallo",
    "user_count": 12,
    "like_count": 6_789,
    "owner": {"id_str": "68", "display_id": "ann"},
    "stats": {
        "total_user": 345,
        "enter_count": 400,
        "like_count": 0,
        "share_count": 7,
        "follow_count": 8,
        "gift_uv_count": 9,
    },
}


def answer(**other: Any) -> dict[str, Any]:
    return {"data": {**DATA, **other}, "extra": {"now": 0}, "status_code": 0}


def test_what_a_look_up_by_name_says_of_a_live() -> None:
    assert read_room_info(USER, LIVE_ROOM, STATS) == RoomInfo(
        unique_id="Ann.New",
        nickname="Ann 🌹",
        title="Hallo",
        followers=5_000_000_000,
        viewers=12,
        visits=345,
        likes=6_789,
    )
    assert read_started_at(LIVE_ROOM, now=1_790_000_001) == 1_790_000_000


def test_what_it_does_not_say_or_cannot_mean_is_left_out() -> None:
    odd: dict[str, Any] = {"uniqueId": 7, "nickname": ["x"]}
    stats: dict[str, Any] = {"liveRoomStats": {"userCount": "12", "enterCount": -1, "likeCount": 2**63}, "title": None}

    assert read_room_info(odd, stats, {"followerCount": 1.5}) == RoomInfo()
    assert read_room_info({}, {"liveRoomStats": []}, {}) == RoomInfo()
    assert read_room_info({"nickname": "x" * 9_999}, {"title": "y" * 9_999}, {}) == RoomInfo(
        nickname="x" * 200, title="y" * 500
    )


def test_a_lives_totals() -> None:
    assert read_room_stats(answer(), ROOM) == RoomStats(
        title="Hallo", viewers=12, total_viewers=345, visits=400, likes=6_789, shares=7, follows=8, gifters=9
    )


def test_totals_that_are_not_told_are_left_out() -> None:
    bare = {"status_code": 0, "data": {"id_str": str(ROOM), "status": 3, "stats": {"share_count": "7"}}}

    assert read_room_stats(bare, ROOM) == RoomStats(None, None, None, None, None, None, None, None)


@pytest.mark.parametrize(
    ("said", "error", "reason"),
    [
        (answer(id_str="7", id=7), FailedFetchRoomInfo, Reason.MALFORMED),
        (answer(id_str=None, id=None), FailedFetchRoomInfo, Reason.MALFORMED),
        (answer(status=4), LiveEnded, None),
        ({"data": {"prompts": ""}, "extra": {"now": 1}, "status_code": 4003110}, InvalidSessionId, Reason.LOGIN),
        ({"data": {"prompts": "Request params error"}, "status_code": 10011}, InvalidSessionId, Reason.LOGIN),
        ({"data": {}, "status_code": 0}, FailedFetchRoomInfo, Reason.BLOCKED),
        ({}, FailedFetchRoomInfo, Reason.BLOCKED),
        ({"data": DATA, "status_code": 7}, FailedFetchRoomInfo, Reason.STATUS),
        ({"data": DATA, "status_code": "0"}, FailedFetchRoomInfo, Reason.BLOCKED),
    ],
)
def test_an_answer_without_totals_says_why(
    said: dict[str, Any], error: type[ProducerError], reason: Reason | None
) -> None:
    with pytest.raises(error) as failure:
        read_room_stats(said, ROOM)

    assert failure.type is error
    assert reason is None or failure.value.reason is reason
