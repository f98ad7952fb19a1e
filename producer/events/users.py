"""A wire user as the documented record, wherever one occurs."""

from typing import Any

from producer.events import records
from producer.webcast import wire

MODERATOR_BADGE = "moderator"
MODERATOR_SCENE = 1
MOST_BADGES, MOST_URLS = 100, 20
"""Far more than anybody has; what a stranger adds beyond costs no time."""


def user_of(message: Any, *, moderator: bool = False) -> records.User | None:
    """Map the `user` of a message; `moderator` is what the message says of the user beside it."""
    return user(message.user, moderator=moderator) if message.HasField("user") else None


def user(person: wire.User, *, moderator: bool = False) -> records.User:
    """Map a user; absent numbers and texts become None."""
    badge_list = person.badge_list[:MOST_BADGES]
    texts = [badge.text for badge in badge_list if badge.HasField("text")]
    badges: list[records.Badge] = [
        {
            "type": text.key if text.HasField("key") else None,
            "name": text.default_pattern if text.HasField("default_pattern") else None,
        }
        for text in texts
    ]
    follow_role = person.follow_info.follow_status
    has_id = person.HasField("id")
    has_avatar = person.HasField("avatar_thumb")
    return {
        "userId": person.id if has_id else None,
        "uniqueId": person.display_id if person.HasField("display_id") else None,
        "nickname": person.nickname if person.HasField("nickname") else None,
        "profilePicture": _avatar(person.avatar_thumb.url_list[-MOST_URLS:]) if has_avatar else None,
        "extraAttributes": {"followRole": follow_role},
        "badge": {"badges": badges},
        "is_following": follow_role >= 1,
        "is_friend": follow_role >= 2,
        "is_moderator": moderator
        or person.user_attr.is_admin
        or any(MODERATOR_BADGE in text.key for text in texts)
        or any(badge.scene_type == MODERATOR_SCENE for badge in badge_list),
        "user_id_str": str(person.id) if has_id else None,
    }


def _avatar(urls: list[str]) -> records.Avatar:
    return {"urls": urls, "avatar_url": urls[-1] if urls else None}
