"""A wire user as the documented record, wherever one occurs."""

import re
from typing import Any

from producer.events import records
from producer.webcast import wire

MUTUAL = 2
"""The follow status of one whom the streamer follows too; 1, and in gifts 3, is that of one who only follows."""
MODERATOR_BADGE = "moderator"
MODERATOR_SCENE, SUBSCRIBER_SCENE, NEW_SUBSCRIBER_SCENE, GIFTER_SCENE, FANS_SCENE = 1, 4, 7, 8, 10
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
    has, follow_info = person.HasField, person.follow_info
    number, follow_role = person.id or (0 if has("id") else None), follow_info.follow_status
    follows = follow_info.HasField
    is_moderator, is_subscriber = has("user_attr") and person.user_attr.is_admin, False
    if identity is None:
        is_following, is_friend = follow_role >= 1, follow_role == MUTUAL
    else:
        is_friend = identity.is_mutual_following_with_anchor
        is_following = is_friend or identity.is_follower_of_anchor
        is_moderator, is_subscriber = is_moderator or identity.is_moderator_of_anchor, identity.is_subscriber_of_anchor
    texts: list[records.Badge] = []
    badge_list: list[records.UserBadge] | None = None
    scenes: dict[int | None, int | None] = {}
    if badges := person.badge_list:
        badge_list = [_badge(each, texts) for each in badges[:MOST_BADGES]]
        scenes = {each["scene_type"]: each["level"] for each in reversed(badge_list)}
        is_moderator |= MODERATOR_SCENE in scenes or any(MODERATOR_BADGE in (text["type"] or "") for text in texts)
        is_subscriber |= SUBSCRIBER_SCENE in scenes or NEW_SUBSCRIBER_SCENE in scenes
    fan_club_name, fan_club_level = None, scenes.get(FANS_SCENE)
    if has("fans_club"):
        club = person.fans_club.data
        fan_club_name = club.club_name or ("" if club.HasField("club_name") else None)
        if fan_club_level is None:
            fan_club_level = club.level or (0 if club.HasField("level") else None)
    return {
        "userId": number,
        "uniqueId": person.display_id or ("" if has("display_id") else None),
        "nickname": person.nickname or ("" if has("nickname") else None),
        "profilePicture": _avatar(person.avatar_thumb.url_list[-MOST_URLS:]) if has("avatar_thumb") else None,
        "extraAttributes": {"followRole": follow_role},
        "badge": {"badges": texts},
        "is_following": is_following,
        "is_friend": is_friend,
        "is_moderator": is_moderator,
        "user_id_str": None if number is None else str(number),
        "sec_uid": person.sec_uid or ("" if has("sec_uid") else None),
        "following_count": follow_info.following_count or (0 if follows("following_count") else None),
        "follower_count": follow_info.follower_count or (0 if follows("follower_count") else None),
        "gifter_level": scenes.get(GIFTER_SCENE),
        "fan_club_name": fan_club_name,
        "fan_club_level": fan_club_level,
        "is_subscriber": is_subscriber,
        "badge_list": badge_list,
    }


def top_viewer(person: wire.User) -> records.TopViewer:
    """Map a user as far as those at the top of a room are told of, a dozen in each of its messages."""
    has = person.HasField
    number = person.id or (0 if has("id") else None)
    return {
        "userId": number,
        "user_id_str": None if number is None else str(number),
        "uniqueId": person.display_id or ("" if has("display_id") else None),
        "nickname": person.nickname or ("" if has("nickname") else None),
    }


def _badge(given: wire.BadgeStruct, texts: list[records.Badge]) -> records.UserBadge:
    """Map a badge, of whatever form; that of one that shows a text alone joins `texts` too."""
    has = given.HasField
    key = name = string = level = None
    if has("text"):
        text = given.text
        key = text.key or ("" if text.HasField("key") else None)
        name = text.default_pattern or ("" if text.HasField("default_pattern") else None)
        texts.append({"type": key, "name": name})
    elif has("combine"):
        combine = given.combine
        string = combine.content_str or ("" if combine.HasField("content_str") else None)
        if combine.HasField("text"):
            shown = combine.text
            key = shown.key or ("" if shown.HasField("key") else None)
            name = shown.default_pattern or ("" if shown.HasField("default_pattern") else None)
    elif has("string_badge"):
        plain = given.string_badge
        string = plain.content_str or ("" if plain.HasField("content_str") else None)
    if has("privilege_log_extra"):
        digits = given.privilege_log_extra.level
        if LEVEL.fullmatch(digits):
            level = int(digits)
    return {
        "display_type": given.display_type or (0 if has("display_type") else None),
        "scene_type": given.scene_type or (0 if has("scene_type") else None),
        "level": level,
        "key": key,
        "name": name,
        "text": string,
    }


def _avatar(urls: list[str]) -> records.Avatar:
    return {"urls": urls, "avatar_url": urls[-1] if urls else None}
