"""One typed record per schema. Generated from schemas/ by `make generate`; do not edit."""

from typing import TypedDict


class Avatar(TypedDict):
    """The URLs of a user's avatar."""

    urls: list[str]
    avatar_url: str | None


class Badge(TypedDict):
    """A badge of a user, such as moderator."""

    type: str | None
    name: str | None


class BadgeContainer(TypedDict):
    """A user's badges."""

    badges: list[Badge]


class ExtraAttributes(TypedDict):
    """Further attributes of a user."""

    followRole: int | None


class User(TypedDict):
    """A TikTok user."""

    userId: int | None
    uniqueId: str | None
    nickname: str | None
    profilePicture: Avatar | None
    extraAttributes: ExtraAttributes
    badge: BadgeContainer
    is_following: bool
    is_friend: bool
    is_moderator: bool


class Meta(TypedDict):
    """Where and when an event came from."""

    event_id: str
    streamer: str
    room_id: str
    message_id: str | None
    method: str | None
    created_at: int | None
    received_at: int
    room_sequence: int
    is_history: bool
    worker: str
    streak_id: str | None
    payload: bytes | None


class CommentEvent(TypedDict):
    """Someone commented on the live."""

    user: User | None
    comment: str | None
    name: str
    meta: Meta | None


class ConnectEvent(TypedDict):
    """The producer connected to the live; published once a connection."""

    name: str
    meta: Meta | None


class DisconnectEvent(TypedDict):
    """The producer's connection to the live ended; published once a connection, unless the process was killed."""

    name: str
    reason: str | None
    meta: Meta | None


class GiftIcon(TypedDict):
    """A picture of a gift in the gift list."""

    avg_color: str | None
    uri: str | None
    is_animated: bool | None
    url_list: list[str] | None


class ExtendedGift(TypedDict):
    """A gift as the gift list describes it."""

    id: int | None
    name: str | None
    type: int | None
    diamond_count: int | None
    describe: str | None
    duration: int | None
    event_name: str | None
    icon: GiftIcon | None
    image: GiftIcon | None
    notify: bool | None
    is_broadcast_gift: bool | None
    is_displayed_on_panel: bool | None
    is_effect_befview: bool | None
    is_random_gift: bool | None
    is_gray: bool | None


class FollowEvent(TypedDict):
    """A user followed the streamer."""

    user: User | None
    displayType: str | None
    label: str | None
    name: str
    meta: Meta | None


class GiftDetailImage(TypedDict):
    """The picture of a gift."""

    giftPictureUrl: str | None


class GiftDetails(TypedDict):
    """What a gift is and costs."""

    giftImage: GiftDetailImage | None
    describe: str | None
    giftType: int | None
    diamondCount: int | None
    giftName: str | None


class GiftExtra(TypedDict):
    """Who received a gift and when."""

    timestamp: int | None
    receiverUserId: int | None


class Gift(TypedDict):
    """A gift within a gift event."""

    giftId: int | None
    repeatCount: int | None
    repeatEnd: int | None
    giftDetails: GiftDetails | None
    giftExtra: GiftExtra | None
    extended_gift: ExtendedGift | None
    gift_type: int | None
    repeat_count: int | None
    repeat_end: int | None
    streakable: bool
    streaking: bool
    gift_list_version: str | None


class GiftEvent(TypedDict):
    """A gift message was received; a streak sends many of them, each with a running total."""

    user: User | None
    gift: Gift | None
    name: str
    meta: Meta | None


class GiftFinalizedEvent(TypedDict):
    """What was really given: a total for each streak once it is over, and each gift without streaks."""

    user: User | None
    gift_id: str | None
    gift_name: str | None
    streak_id: str
    count: int
    total: int
    diamonds: int | None
    diamonds_source: str
    gift_list_version: str | None
    ended_by: str
    corrects: str | None
    last_message_id: str | None
    name: str
    meta: Meta | None


class JoinEvent(TypedDict):
    """A user joined the live."""

    user: User | None
    displayType: str | None
    label: str | None
    name: str
    meta: Meta | None


class LikeEvent(TypedDict):
    """A user liked the live."""

    user: User | None
    likeCount: int | None
    totalLikeCount: int | None
    displayType: str | None
    label: str | None
    name: str
    meta: Meta | None


class LiveEndEvent(TypedDict):
    """The live ended; published once a live by the session that saw it end."""

    name: str
    reason: str | None
    meta: Meta | None


class QuestionEvent(TypedDict):
    """Someone asked a question (Q&A)."""

    questionText: str | None
    user: User | None
    name: str
    meta: Meta | None


class ShareEvent(TypedDict):
    """A user shared the live."""

    user: User | None
    displayType: str | None
    label: str | None
    name: str
    meta: Meta | None


class UnknownEvent(TypedDict):
    """A message that is none of the documented events; nothing of it is lost."""

    name: str
    method: str | None
    payload: bytes | None
    meta: Meta | None


class ViewerCountUpdateEvent(TypedDict):
    """The number of viewers changed."""

    viewerCount: int | None
    name: str
    meta: Meta | None
