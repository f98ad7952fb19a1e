"""A wire user as the documented record, wherever one occurs."""

from typing import Any

from producer.events import records
from producer.webcast import wire

MUTUAL = 2
"""The follow status of one whom the streamer follows too; 1, and in gifts 3, is that of one who only follows."""
MODERATOR_BADGE = "moderator"
MODERATOR_SCENE = 1
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
    if identity is None:
        is_following, is_friend, is_moderator = follow_role >= 1, follow_role == MUTUAL, False
    else:
        is_friend = identity.is_mutual_following_with_anchor
        is_following = is_friend or identity.is_follower_of_anchor
        is_moderator = identity.is_moderator_of_anchor
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
        or any(badge.scene_type == MODERATOR_SCENE for badge in badge_list),
        "user_id_str": str(person.id) if has_id else None,
    }


def _avatar(urls: list[str]) -> records.Avatar:
    return {"urls": urls, "avatar_url": urls[-1] if urls else None}
