"""The kinds of message that documented events come from.

Facts: protocol sheet section 10. Absent numbers and texts become None, never zero or empty, as documented.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from producer.events import records
from producer.events.event import Event, Giving
from producer.events.projection import later
from producer.events.streaks import Tap
from producer.events.users import identified, user, user_of
from producer.webcast import wire

STREAKABLE = 1
ENDED = frozenset({3, 4})
LIVE_END = "live_end"
PAUSES = {1: "pause", 2: "unpause"}

JOIN_KEYS = frozenset({"live_room_enter_toast", "pm_mt_join_message_other_viewer"})
JOINED, FOLLOWED, SHARED = 1, 1, 3
SEVERAL_SHARES = ("_viewer_5_share", "_viewer_10_share")
"""Messages about other people's shares; the documentation makes no share event of them."""


@dataclass(frozen=True, slots=True)
class Mapper:
    """What becomes of one kind of message."""

    parse: Callable[[bytes], tuple[Message, bool]]
    """It, and whether some of its text was not UTF-8."""
    map: Callable[[Any, records.Meta], Event | None]
    """None where a message of this kind is not one of the documented events."""


# The fields that records have beyond what is documented, by their messages' own names.
_more_of_comment = later(wire.ChatMessage, "CommentEvent", besides=("user", "comment", "name", "meta"))
_more_of_gift = later(
    wire.GiftMessage,
    "Gift",
    besides=(
        *("giftId", "repeatCount", "repeatEnd", "giftDetails", "giftExtra", "extended_gift"),
        *("gift_type", "streakable", "streaking", "gift_list_version", "gift_id_str"),
    ),
)
_more_of_giving = later(wire.GiftMessage, "GiftEvent", besides=("user", "gift", "name", "to_user", "meta"))
_more_of_join = later(wire.MemberMessage, "JoinEvent", besides=("user", "displayType", "label", "name", "meta"))
_more_of_social = later(wire.SocialMessage, "ShareEvent", besides=("user", "displayType", "label", "name", "meta"))
_more_of_viewers = later(wire.RoomUserSeqMessage, "ViewerCountUpdateEvent", besides=("viewerCount", "name", "meta"))
_more_of_question = later(wire.Question, "QuestionEvent", besides=("questionText", "user", "name", "meta"))


def _comment(chat: wire.ChatMessage, meta: records.Meta) -> Event:
    value: dict[str, Any] = {
        "user": identified(chat),
        "comment": chat.content if chat.HasField("content") else None,
        "name": "comment",
        "meta": meta,
        **_more_of_comment(chat),
    }
    return Event("comment", value)


def _like(like: wire.LikeMessage, meta: records.Meta) -> Event:
    has, (key, label) = like.HasField, _shown(like.common)
    value: records.LikeEvent = {
        "user": user_of(like),
        "likeCount": like.count if has("count") else None,
        "totalLikeCount": like.total if has("total") else None,
        "displayType": key,
        "label": label,
        "name": "like",
        "meta": meta,
    }
    return Event("like", value)


def _member(member: wire.MemberMessage, meta: records.Meta) -> Event | None:
    key, label = _shown(member.common)
    if not (key in JOIN_KEYS if key else member.action == JOINED):
        return None
    value: dict[str, Any] = {
        "user": user_of(member),
        "displayType": key,
        "label": label,
        "name": "join",
        "meta": meta,
        **_more_of_join(member),
    }
    return Event("join", value)


def _social(social: wire.SocialMessage, meta: records.Meta) -> Event | None:
    key, label = _shown(social.common)
    if "follow" in key if key else social.action == FOLLOWED:
        follow: dict[str, Any] = {
            "user": user_of(social),
            "displayType": key,
            "label": label,
            "name": "follow",
            "meta": meta,
            **_more_of_social(social),
        }
        return Event("follow", follow)
    if "share" in key and not key.endswith(SEVERAL_SHARES) if key else social.action == SHARED:
        share: dict[str, Any] = {
            "user": user_of(social),
            "displayType": key,
            "label": label,
            "name": "share",
            "meta": meta,
            **_more_of_social(social),
        }
        return Event("share", share)
    return None


def _viewers(seq: wire.RoomUserSeqMessage, meta: records.Meta) -> Event:
    value: dict[str, Any] = {
        "viewerCount": seq.total if seq.HasField("total") else None,
        "name": "viewer_count_update",
        "meta": meta,
        **_more_of_viewers(seq),
    }
    return Event("viewer_count_update", value)


def _question(question: wire.QuestionNewMessage, meta: records.Meta) -> Event:
    data = question.data
    value: dict[str, Any] = {
        "questionText": data.content if data.HasField("content") else None,
        "user": user_of(data),
        "name": "question",
        "meta": meta,
        **_more_of_question(data),
    }
    return Event("question", value)


def _control(control: wire.ControlMessage, meta: records.Meta) -> Event | None:
    tips = control.tips if control.HasField("tips") else None
    if control.action in ENDED:
        end: records.LiveEndEvent = {
            "name": LIVE_END,
            "reason": "control_message",
            "meta": meta,
            "action": control.action,
            "tips": tips,
            "started_at": None,
        }
        return Event(LIVE_END, end)
    if control.action not in PAUSES:
        return None
    source = control.extra.source if control.extra.HasField("source") else None
    name = PAUSES[control.action]
    pause: records.PauseEvent | records.UnpauseEvent = {"tips": tips, "source": source, "name": name, "meta": meta}
    return Event(name, pause)


def _gift(message: wire.GiftMessage, meta: records.Meta) -> Event:
    has = message.HasField
    gift_id = message.gift_id if has("gift_id") else None
    repeat_count = message.repeat_count if has("repeat_count") else None
    repeat_end = message.repeat_end if has("repeat_end") else None
    details = _gift_details(message.gift) if has("gift") else None
    gift_type = details["giftType"] if details else None
    picture = details["giftImage"] if details else None
    streakable = _streakable(message, gift_type)
    gift: dict[str, Any] = {
        "giftId": gift_id,
        "repeatCount": repeat_count,
        "repeatEnd": repeat_end,
        "giftDetails": details,
        "giftExtra": _gift_extra(message.monitor_info) if has("monitor_info") else None,
        "extended_gift": None,
        "gift_type": gift_type,
        "streakable": streakable is True,
        "streaking": streakable is True and repeat_end != 1,
        "gift_list_version": None,
        "gift_id_str": None if gift_id is None else str(gift_id),
        **_more_of_gift(message),
    }
    to_user = user(message.to_user) if has("to_user") else None
    value: dict[str, Any] = {
        "user": identified(message),
        "gift": gift,
        "name": "gift",
        "to_user": to_user,
        "meta": meta,
        **_more_of_giving(message),
    }
    receiver_id = message.to_user.id or message.monitor_info.to_user_id
    giving: Giving = {
        "user": value["user"],
        "receiver_id": str(receiver_id) if receiver_id else None,
        "receiver_unique_id": to_user["uniqueId"] if to_user else None,
        "receiver_nickname": to_user["nickname"] if to_user else None,
        "gift_id": gift["gift_id_str"],
        "gift_name": details["giftName"] if details else None,
        "gift_picture_url": picture["giftPictureUrl"] if picture else None,
        "gift_list_version": None,
    }
    tap = Tap(
        message_id=int(meta["message_id"] or 0),
        user_id=message.user.id,
        gift_id=gift_id or 0,
        group_id=message.group_id,
        receiver_id=receiver_id,
        streakable=streakable,
        repeat_count=repeat_count or 0,
        repeat_end=repeat_end == 1,
        added_diamonds=gift["fan_ticket_count"],
        diamond_count=details["diamondCount"] if details else None,
        sent_at=meta["received_at"] if meta["created_at"] is None else meta["created_at"],
        details=giving,
    )
    meta["streak_id"] = tap.streak
    return Event("gift", value, tap)


def _streakable(message: wire.GiftMessage, gift_type: int | None) -> bool | None:
    """Whether a gift can be sent in streaks; None where its message does not say."""
    if gift_type is not None:
        return gift_type == STREAKABLE
    return True if message.group_id or message.repeat_end == 1 else None


def _gift_details(gift: wire.Gift) -> records.GiftDetails:
    has = gift.HasField
    image: records.GiftDetailImage | None = None
    if has("image"):
        # The last of the URLs, as the documented schema (one string, the last on the wire wins) would read it.
        urls = gift.image.url_list
        image = {"giftPictureUrl": urls[-1] if urls else None}
    return {
        "giftImage": image,
        "describe": gift.describe if has("describe") else None,
        "giftType": gift.type if has("type") else None,
        "diamondCount": gift.diamond_count if has("diamond_count") else None,
        "giftName": gift.name if has("name") else None,
        "duration": gift.duration if has("duration") else None,
        "combo": gift.combo if has("combo") else None,
    }


def _gift_extra(info: wire.GiftMonitorInfo) -> records.GiftExtra:
    has = info.HasField
    receiver = info.to_user_id if has("to_user_id") else None
    return {
        "timestamp": info.send_gift_send_message_success_ms if has("send_gift_send_message_success_ms") else None,
        "receiverUserId": receiver,
        "receiver_user_id_str": None if receiver is None else str(receiver),
    }


def _shown(common: wire.Common) -> tuple[str | None, str | None]:
    """The text that viewers are shown: its key, or display type, and its label."""
    text = common.display_text
    has = text.HasField
    return text.key if has("key") else None, text.default_pattern if has("default_pattern") else None


MAPPERS: dict[str, Mapper] = {
    "WebcastChatMessage": Mapper(wire.reader(wire.ChatMessage), _comment),
    "WebcastControlMessage": Mapper(wire.reader(wire.ControlMessage), _control),
    "WebcastGiftMessage": Mapper(wire.reader(wire.GiftMessage), _gift),
    "WebcastLikeMessage": Mapper(wire.reader(wire.LikeMessage), _like),
    "WebcastMemberMessage": Mapper(wire.reader(wire.MemberMessage), _member),
    "WebcastQuestionNewMessage": Mapper(wire.reader(wire.QuestionNewMessage), _question),
    "WebcastRoomUserSeqMessage": Mapper(wire.reader(wire.RoomUserSeqMessage), _viewers),
    "WebcastSocialMessage": Mapper(wire.reader(wire.SocialMessage), _social),
}
