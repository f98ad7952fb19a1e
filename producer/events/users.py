"""A wire user as the documented record, and a badge, wherever one occurs."""

import re
from collections.abc import Sequence
from typing import Any

from producer.events import records
from producer.webcast import wire

MUTUAL = 2
"""The follow status of one whom the streamer follows too; 1, and in gifts 3, is that of one who only follows."""
MODERATOR_BADGE = "moderator"
MODERATOR_SCENE, GIFTER_SCENE, FANS_SCENE = 1, 8, 10
SUBSCRIBER_SCENES = frozenset({4, 7})
LEVEL = re.compile("[0-9]{1,9}")
MOST_BADGES, MOST_URLS = 100, 20
"""Far more than anybody has; what a stranger adds beyond costs no time."""


def user_of(message: Any) -> records.User | None:
    """Map the `user` of a message."""
    return user(message.user) if message.HasField("user") else None


def identified(message: Any) -> records.User | None:
    """Map the `user` of a message of a kind that says of them beside it how they stand to the streamer.

    Of whom a message says that, the follow status is not believed: gifts number it in another way, and leave it out
    of the message that closes a streak.
    """
    if not message.HasField("user"):
        return None
    return user(message.user, message.user_identity if message.HasField("user_identity") else None)


def user(person: wire.User, identity: Any = None) -> records.User:
    """Map a user; absent numbers and texts become None. `identity` is the user's UserIdentity, where there is one."""
    badge_list = person.badge_list[:MOST_BADGES]
    scenes = [badge.scene_type for badge in badge_list]
    texts = [badge.text for badge in badge_list if badge.HasField("text")]
    badges: list[records.Badge] = [
        {
            "type": text.key if text.HasField("key") else None,
            "name": text.default_pattern if text.HasField("default_pattern") else None,
        }
        for text in texts
    ]
    follow_info, club = person.follow_info, person.fans_club.data
    follow_role = follow_info.follow_status
    has_id = person.HasField("id")
    has_avatar = person.HasField("avatar_thumb")
    is_moderator = is_subscriber = False
    if identity is None:
        is_following, is_friend = follow_role >= 1, follow_role == MUTUAL
    else:
        is_friend = identity.is_mutual_following_with_anchor
        is_following = is_friend or identity.is_follower_of_anchor
        is_moderator, is_subscriber = identity.is_moderator_of_anchor, identity.is_subscriber_of_anchor
    fan_club_level = _level(badge_list, scenes, FANS_SCENE)
    if fan_club_level is None and club.HasField("level"):
        fan_club_level = club.level
    return {
        "userId": person.id if has_id else None,
        "uniqueId": person.display_id if person.HasField("display_id") else None,
        "nickname": person.nickname if person.HasField("nickname") else None,
        "profilePicture": _avatar(person.avatar_thumb.url_list[-MOST_URLS:]) if has_avatar else None,
        "extraAttributes": {"followRole": follow_role},
        "badge": {"badges": badges},
        "is_following": is_following,
        "is_friend": is_friend,
        "is_moderator": is_moderator
        or person.user_attr.is_admin
        or any(MODERATOR_BADGE in text.key for text in texts)
        or MODERATOR_SCENE in scenes,
        "user_id_str": str(person.id) if has_id else None,
        "sec_uid": person.sec_uid if person.HasField("sec_uid") else None,
        "following_count": follow_info.following_count if follow_info.HasField("following_count") else None,
        "follower_count": follow_info.follower_count if follow_info.HasField("follower_count") else None,
        "gifter_level": _level(badge_list, scenes, GIFTER_SCENE),
        "fan_club_name": club.club_name if club.HasField("club_name") else None,
        "fan_club_level": fan_club_level,
        "is_subscriber": is_subscriber or not SUBSCRIBER_SCENES.isdisjoint(scenes),
        "badge_list": [badge(each) for each in badge_list] or None,
    }


def badge(given: wire.BadgeStruct) -> records.BadgeStruct:
    """Map a badge, of whatever form."""
    level, string = given.privilege_log_extra, given.string_badge
    combine: records.CombineBadge | None = None
    if given.HasField("combine"):
        shown = given.combine
        combine = {
            "text": _text(shown.text) if shown.HasField("text") else None,
            "content_str": shown.content_str if shown.HasField("content_str") else None,
        }
    return {
        "display_type": given.display_type if given.HasField("display_type") else None,
        "scene_type": given.scene_type if given.HasField("scene_type") else None,
        "text": _text(given.text) if given.HasField("text") else None,
        "privilege_log_extra": {"level": level.level if level.HasField("level") else None}
        if given.HasField("privilege_log_extra")
        else None,
        "string_badge": {"content_str": string.content_str if string.HasField("content_str") else None}
        if given.HasField("string_badge")
        else None,
        "combine": combine,
    }


def _text(text: wire.BadgeText | wire.PatternRef) -> Any:
    """A record of a key and a pattern, which BadgeText and PatternRef both are."""
    return {
        "key": text.key if text.HasField("key") else None,
        "default_pattern": text.default_pattern if text.HasField("default_pattern") else None,
    }


def _level(badges: Sequence[wire.BadgeStruct], scenes: list[int], scene: int) -> int | None:
    """The level that the first badge of a scene shows; None where there is no such badge, or what it shows is none."""
    if scene not in scenes:
        return None
    level = badges[scenes.index(scene)].privilege_log_extra.level
    return int(level) if LEVEL.fullmatch(level) else None


def _avatar(urls: list[str]) -> records.Avatar:
    return {"urls": urls, "avatar_url": urls[-1] if urls else None}
