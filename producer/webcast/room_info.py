"""What a look-up says of a room beside its id and its status; pure.

Facts: protocol sheet section 2.2 b and d, doors sheet section 3. A stranger says it: what is no text or no number is
left out, and costs nobody the look-up.
"""

from dataclasses import dataclass
from enum import StrEnum

from producer import strangers
from producer.errors import FailedFetchRoomInfo, InvalidSessionId, LiveEnded, Reason

EARLIEST, DAY = 1_420_070_400, 86_400
"""2015, before there was a LIVE; a clock may be a day ahead."""
MOST_NAME = 200
MOST_TITLE = 500
LIVE_STATUSES = frozenset({2, 3})
"""Live and paused: a paused room keeps its socket and comes back in it."""
RESTRICTED = frozenset({4003110, 10011, 20003})
"""Said of rooms for adults or for those who logged in, to distrusted addresses, and to sessions that are over."""


class KnownBy(StrEnum):
    """What told that a room is live."""

    API_LIVE = "api_live"
    PAGE = "page"
    ROOM_ID = "room_id"
    """It was asked for by its id."""


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """A live and whose it is, as a look-up by name said it; None where it did not."""

    unique_id: str | None = None
    """As TikTok writes it."""
    nickname: str | None = None
    title: str | None = None
    followers: int | None = None
    viewers: int | None = None
    visits: int | None = None
    likes: int | None = None


@dataclass(frozen=True, slots=True)
class RoomStats:
    """A live's totals since its start, but for `viewers`, which is of now."""

    title: str | None
    viewers: int | None
    total_viewers: int | None
    visits: int | None
    likes: int | None
    shares: int | None
    follows: int | None
    gifters: int | None


def read_room_info(user: dict[str, object], live_room: dict[str, object], stats: dict[str, object]) -> RoomInfo:
    """Read the three objects that api-live and the page have in the same form."""
    of_room = strangers.at(live_room, "liveRoomStats")
    return RoomInfo(
        unique_id=strangers.text(user.get("uniqueId"), most=MOST_NAME),
        nickname=strangers.text(user.get("nickname"), most=MOST_NAME),
        title=strangers.text(live_room.get("title"), most=MOST_TITLE),
        followers=_count(stats.get("followerCount")),
        viewers=_count(of_room.get("userCount")),
        visits=_count(of_room.get("enterCount")),
        likes=_count(of_room.get("likeCount")),
    )


def read_started_at(live_room: dict[str, object], *, now: float) -> int | None:
    """When a live began, in seconds since 1970 as `now`; None for what cannot be."""
    started_at = strangers.integer(live_room.get("startTime"))
    return started_at if started_at is not None and EARLIEST <= started_at <= now + DAY else None


def read_room_stats(answer: dict[str, object], room_id: int) -> RoomStats:
    """Read an answer of /room/info/ about a room that is heard.

    Raises InvalidSessionId where it is told only to those who logged in, LiveEnded where it is over, and
    FailedFetchRoomInfo.
    """
    code = strangers.integer(answer.get("status_code"))
    if code in RESTRICTED:
        raise InvalidSessionId("what is in the room is told to those who logged in", reason=Reason.LOGIN)
    data = strangers.at(answer, "data")
    if code != 0 or not data:
        raise FailedFetchRoomInfo("room/info did not answer", reason=Reason.STATUS if code else Reason.BLOCKED)
    named = strangers.identifier(data.get("id_str")) or strangers.identifier(data.get("id"))
    if named != room_id:
        raise FailedFetchRoomInfo("room/info answered about another room", reason=Reason.MALFORMED)
    if strangers.integer(data.get("status")) not in LIVE_STATUSES:
        raise LiveEnded("room/info says that the live is over")
    stats = strangers.at(data, "stats")
    likes = [likes for each in (stats, data) if (likes := _count(each.get("like_count"))) is not None]
    return RoomStats(
        title=strangers.text(data.get("title"), most=MOST_TITLE),
        viewers=_count(data.get("user_count")),
        total_viewers=_count(stats.get("total_user")),
        visits=_count(stats.get("enter_count")),
        likes=max(likes, default=None),
        shares=_count(stats.get("share_count")),
        follows=_count(stats.get("follow_count")),
        gifters=_count(stats.get("gift_uv_count")),
    )


def _count(value: object) -> int | None:
    return strangers.integer(value, least=0)
