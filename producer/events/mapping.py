"""Webcast message to documented event, or a refusal.

Facts: protocol sheet section 10. Absent numbers and texts become None, never zero or empty, as documented.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import Message

from producer.errors import MessageRefused, Reason
from producer.events import records
from producer.events.event import Event, Origin, Payloads, message_meta
from producer.events.gifts import GiftList
from producer.events.streaks import Source, Tap
from producer.webcast import wire

MODERATOR_BADGE = "moderator"
MODERATOR_SCENE = 1
STREAKABLE = 1
MOST_BADGES, MOST_URLS = 100, 20
"""Far more than anybody has; what a stranger adds beyond costs no time."""
ENDED = frozenset({3, 4})

JOIN_KEYS = frozenset({"live_room_enter_toast", "pm_mt_join_message_other_viewer"})
JOINED, FOLLOWED, SHARED = 1, 1, 3
SEVERAL_SHARES = ("_viewer_5_share", "_viewer_10_share")
"""Messages about other people's shares; the documentation makes no share event of them."""


def to_event(
    message: wire.Envelope, origin: Origin, *, received_at: int, room_sequence: int, gift_list: GiftList | None = None
) -> Event:
    """Map one message to one event; `received_at` is in ms since 1970. Raises MessageRefused.

    A message of a kind that is not documented becomes `unknown`, with its bytes.
    """
    mapper = _MAPPERS.get(message.method)
    parse = mapper.parse if mapper else wire.AnyMessage.FromString
    common = wire.Common()
    parsed: Any = None
    try:
        parsed = parse(message.payload)
        common = parsed.common
    except wire.DecodeError as cause:
        if mapper:
            raise MessageRefused(f"{message.method} is not valid protobuf", reason=Reason.MALFORMED) from cause
    meta = message_meta(message, common, origin, received_at, room_sequence)
    event = mapper.map(parsed, meta) if mapper else None
    if event is None:
        return _unknown(message, meta)
    if origin.payloads is Payloads.ALL:
        meta["payload"] = message.payload
    return _with_gift_list(event, gift_list) if event.tap is not None else event


def _unknown(message: wire.Envelope, meta: records.Meta) -> Event:
    value: records.UnknownEvent = {
        "name": "unknown",
        "method": message.method,
        "payload": message.payload,
        "meta": meta,
    }
    return Event("unknown", value)


def _comment(chat: wire.ChatMessage, meta: records.Meta) -> Event:
    value: records.CommentEvent = {
        "user": _user(chat, moderator=chat.user_identity.is_moderator_of_anchor),
        "comment": chat.content if chat.HasField("content") else None,
        "name": "comment",
        "meta": meta,
    }
    return Event("comment", value)


def _like(like: wire.LikeMessage, meta: records.Meta) -> Event:
    value: records.LikeEvent = {
        "user": _user(like),
        "likeCount": like.count if like.HasField("count") else None,
        "totalLikeCount": like.total if like.HasField("total") else None,
        "displayType": _display_type(like.common),
        "label": _label(like.common),
        "name": "like",
        "meta": meta,
    }
    return Event("like", value)


def _member(member: wire.MemberMessage, meta: records.Meta) -> Event | None:
    key = _display_type(member.common)
    if not (key in JOIN_KEYS if key else member.action == JOINED):
        return None
    value: records.JoinEvent = {
        "user": _user(member),
        "displayType": key,
        "label": _label(member.common),
        "name": "join",
        "meta": meta,
    }
    return Event("join", value)


def _social(social: wire.SocialMessage, meta: records.Meta) -> Event | None:
    key = _display_type(social.common)
    label = _label(social.common)
    if "follow" in key if key else social.action == FOLLOWED:
        follow: records.FollowEvent = {
            "user": _user(social),
            "displayType": key,
            "label": label,
            "name": "follow",
            "meta": meta,
        }
        return Event("follow", follow)
    if "share" in key and not key.endswith(SEVERAL_SHARES) if key else social.action == SHARED:
        share: records.ShareEvent = {
            "user": _user(social),
            "displayType": key,
            "label": label,
            "name": "share",
            "meta": meta,
        }
        return Event("share", share)
    return None


def _viewers(seq: wire.RoomUserSeqMessage, meta: records.Meta) -> Event:
    value: records.ViewerCountUpdateEvent = {
        "viewerCount": seq.total if seq.HasField("total") else None,
        "name": "viewer_count_update",
        "meta": meta,
    }
    return Event("viewer_count_update", value)


def _question(question: wire.QuestionNewMessage, meta: records.Meta) -> Event:
    data = question.data
    value: records.QuestionEvent = {
        "questionText": data.content if data.HasField("content") else None,
        "user": _user(data),
        "name": "question",
        "meta": meta,
    }
    return Event("question", value)


def _control(control: wire.ControlMessage, meta: records.Meta) -> Event | None:
    if control.action not in ENDED:
        return None
    value: records.LiveEndEvent = {"name": "live_end", "reason": "control_message", "meta": meta}
    return Event("live_end", value)


def _gift(message: wire.GiftMessage, meta: records.Meta) -> Event:
    repeat_count = message.repeat_count if message.HasField("repeat_count") else None
    repeat_end = message.repeat_end if message.HasField("repeat_end") else None
    details = _gift_details(message.gift) if message.HasField("gift") else None
    gift_type = details["giftType"] if details else None
    gift: records.Gift = {
        "giftId": message.gift_id if message.HasField("gift_id") else None,
        "repeatCount": repeat_count,
        "repeatEnd": repeat_end,
        "giftDetails": details,
        "giftExtra": _gift_extra(message.monitor_info) if message.HasField("monitor_info") else None,
        "extended_gift": None,
        "gift_type": gift_type,
        "repeat_count": repeat_count,
        "repeat_end": repeat_end,
        "streakable": gift_type == STREAKABLE,
        "streaking": gift_type == STREAKABLE and repeat_end != 1,
        "gift_list_version": None,
    }
    value: records.GiftEvent = {
        "user": _user(message, moderator=message.user_identity.is_moderator_of_anchor),
        "gift": gift,
        "name": "gift",
        "meta": meta,
    }
    tap = Tap(
        message_id=int(meta["message_id"] or 0),
        user_id=message.user.id,
        gift_id=message.gift_id,
        group_id=message.group_id,
        streakable=gift["streakable"],
        repeat_count=message.repeat_count,
        repeat_end=message.repeat_end == 1,
        added_diamonds=message.fan_ticket_count if message.HasField("fan_ticket_count") else None,
        diamond_count=details["diamondCount"] if details else None,
        details=value,
    )
    meta["streak_id"] = tap.streak
    return Event("gift", value, tap)


def _with_gift_list(event: Event, gift_list: GiftList | None) -> Event:
    """Say of a gift what the list says of it; its price counts where the message has none."""
    gift: records.Gift = event.value["gift"]
    if gift_list is None or event.tap is None:
        return event
    gift["gift_list_version"] = gift_list.version
    listed = gift["extended_gift"] = gift_list.gifts.get(event.tap.gift_id)
    if listed is None or listed["diamond_count"] is None or event.tap.diamond_count is not None:
        return event
    return replace(event, tap=replace(event.tap, diamond_count=listed["diamond_count"], price_source=Source.GIFT_LIST))


def _gift_details(gift: wire.Gift) -> records.GiftDetails:
    image: records.GiftDetailImage | None = None
    if gift.HasField("image"):
        # The last of the URLs, as the documented schema (one string, the last on the wire wins) would read it.
        image = {"giftPictureUrl": gift.image.url_list[-1] if gift.image.url_list else None}
    return {
        "giftImage": image,
        "describe": gift.describe if gift.HasField("describe") else None,
        "giftType": gift.type if gift.HasField("type") else None,
        "diamondCount": gift.diamond_count if gift.HasField("diamond_count") else None,
        "giftName": gift.name if gift.HasField("name") else None,
    }


def _gift_extra(info: wire.GiftMonitorInfo) -> records.GiftExtra:
    sent_at = "send_gift_send_message_success_ms"
    return {
        "timestamp": info.send_gift_send_message_success_ms if info.HasField(sent_at) else None,
        "receiverUserId": info.to_user_id if info.HasField("to_user_id") else None,
    }


def _user(message: Any, *, moderator: bool = False) -> records.User | None:
    """Map the `user` of a message; `moderator` is what the message says of the user beside it."""
    if not message.HasField("user"):
        return None
    user: wire.User = message.user
    badge_list = user.badge_list[:MOST_BADGES]
    texts = [badge.text for badge in badge_list if badge.HasField("text")]
    badges: list[records.Badge] = [
        {
            "type": text.key if text.HasField("key") else None,
            "name": text.default_pattern if text.HasField("default_pattern") else None,
        }
        for text in texts
    ]
    follow_role = user.follow_info.follow_status
    return {
        "userId": user.id if user.HasField("id") else None,
        "uniqueId": user.display_id if user.HasField("display_id") else None,
        "nickname": user.nickname if user.HasField("nickname") else None,
        "profilePicture": _avatar(user.avatar_thumb.url_list[-MOST_URLS:]) if user.HasField("avatar_thumb") else None,
        "extraAttributes": {"followRole": follow_role},
        "badge": {"badges": badges},
        "is_following": follow_role >= 1,
        "is_friend": follow_role >= 2,
        "is_moderator": moderator
        or user.user_attr.is_admin
        or any(MODERATOR_BADGE in text.key for text in texts)
        or any(badge.scene_type == MODERATOR_SCENE for badge in badge_list),
    }


def _avatar(urls: list[str]) -> records.Avatar:
    return {"urls": urls, "avatar_url": urls[-1] if urls else None}


def _display_type(common: wire.Common) -> str | None:
    return common.display_text.key if common.display_text.HasField("key") else None


def _label(common: wire.Common) -> str | None:
    return common.display_text.default_pattern if common.display_text.HasField("default_pattern") else None


@dataclass(frozen=True, slots=True)
class _Mapper:
    parse: Callable[[bytes], Message]
    map: Callable[[Any, records.Meta], Event | None]
    """None where a message of this kind is not one of the documented events."""


_MAPPERS = {
    "WebcastChatMessage": _Mapper(wire.ChatMessage.FromString, _comment),
    "WebcastControlMessage": _Mapper(wire.ControlMessage.FromString, _control),
    "WebcastGiftMessage": _Mapper(wire.GiftMessage.FromString, _gift),
    "WebcastLikeMessage": _Mapper(wire.LikeMessage.FromString, _like),
    "WebcastMemberMessage": _Mapper(wire.MemberMessage.FromString, _member),
    "WebcastQuestionNewMessage": _Mapper(wire.QuestionNewMessage.FromString, _question),
    "WebcastRoomUserSeqMessage": _Mapper(wire.RoomUserSeqMessage.FromString, _viewers),
    "WebcastSocialMessage": _Mapper(wire.SocialMessage.FromString, _social),
}

METHODS = frozenset(_MAPPERS)
"""The kinds of message that documented events come from."""
