"""Messages as Webcast sends them, each with what it must become; pure.

What it must become is decided from intent, when it is made, by the protocol sheet's section 10.
"""

from dataclasses import dataclass
from random import Random

from producer.webcast import wire

USER_IDS = 6_800_000_000_000_000_000
"""Above 2^53, as real ones are: who reads them as floating point numbers notices here."""
STREAKABLE, SINGLE, OTHER_SINGLE = 1, 2, 4
"""Types of gifts; only the first can streak (protocol sheet section 2.5)."""
GIFTS = (
    (5655, "Rose", 1, STREAKABLE),
    (5269, "Heart", 5, STREAKABLE),
    (6064, "Crown", 99, SINGLE),
    (7934, "Whale", 299, SINGLE),
    (9072, "Comet", 500, OTHER_SINGLE),
)
WORDS = ("hello", "wow", "❤️❤️", "first time here", "سلام", "noted", "🎉", "can you sing", "héllo", "")
NAMES = (
    "Ada",
    "Bo",
    "Cai",
    "Dua",
    "Eko",
    "Fay",
    "Gia",
    "Hoa",
    "Ivo",
    "Juno",
    "Kofi",
    "Lia",
    "Miré",
    "نور",
    "Oki",
    "🌸 Pia",
)
UNKNOWN_KINDS: tuple[tuple[str, bytes], ...] = (
    ("WebcastSimulatorOnlyMessage", b"\x0a\x02\x28\x07\x12\x04\xde\xad\xbe\xef"),
    ("WebcastCompetitionMessage", b"\x0a\x1b\x0a\x19WebcastCompetitionMessage\x10\x04\x18\xac\x02"),
    ("HashtagMessage", b"\x0a\x10\x0a\x0eHashtagMessage\x12\x07welcome"),
)
"""Kinds that have no event; real ones among them, one without the prefix (protocol sheet section 8.3)."""
SCENE_MODERATOR, SCENE_SUBSCRIBER, SCENE_GIFTER, SCENE_FANS = 1, 4, 8, 10
CONTROLS = {1: "pause", 2: "unpause", 3: "live_end", 4: "live_end"}
"""The events of a control message, by its action."""
FOLLOWS, MUTUAL, FOLLOWS_BY_GIFTS = 1, 2, 3
"""A user's follow status."""
STREAK_IDS = 1_780_000_000_000
"""A streak's id is the time of its first tap in ms; here, a count from this one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, and the event that it must become."""

    message_id: int
    method: str
    payload: bytes
    event: str

    @property
    def diamonds(self) -> int | None:
        """What a gift's message adds to what was given; None where it does not say, or cannot be read."""
        try:
            return wire.GiftMessage.FromString(self.payload).fan_ticket_count or None
        except wire.DecodeError:
            return None

    def envelope(self, *, history: bool = False) -> bytes:
        """Serialise its envelope; history is what a client is sent that came later."""
        envelope = wire.Envelope(method=self.method, payload=self.payload, msg_id=self.message_id, is_history=history)
        return envelope.SerializeToString()


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes one message of a live."""

    room_id: int
    message_id: int
    number: int
    created_at: int
    """Epoch ms."""
    chance: Random
    streak: Random
    """The same for all gifts of a block, which are one streak and one single gift."""

    def make(self, kind: str, nth: int) -> Message:
        """Make the `nth` message (from 0) of this kind in its block."""
        match kind:
            case "like":
                return self._like()
            case "chat":
                return self._chat()
            case "member":
                return self._member(key="live_room_enter_toast")
            case "member_through_share":
                return self._member(key="pm_mt_join_message_other_viewer")
            case "member_without_text":
                return self._member(key=None)
            case "gift":
                return self._gift(nth)
            case "viewers":
                return self._viewers()
            case "pause":
                return self.control(1 + nth)
            case "follow":
                return self._social(self._sometimes("pm_main_follow_message_viewer_2"), action=1, event="follow")
            case "share":
                return self._social(self._sometimes("pm_mt_guidance_share"), action=3, event="share")
            case "several_shares":
                key = f"pm_mt_guidance_viewer_{self.chance.choice((5, 10))}_share"
                return self._social(key, action=3, event="unknown")
            case "question":
                return self._question()
            case _:
                method, payload = self.chance.choice(UNKNOWN_KINDS)
                return self._message(method, payload, "unknown")

    def control(self, action: int) -> Message:
        """Make a control message: 1 pause, 2 unpause, 3 ended by the host, 4 ended by the platform."""
        control = wire.ControlMessage(common=self._common("WebcastControlMessage"), action=action)
        event = CONTROLS.get(action, "unknown")
        return self._message("WebcastControlMessage", control.SerializeToString(), event)

    def _like(self) -> Message:
        count = self.chance.choice((1, 3, 15, 15, 15))
        like = wire.LikeMessage(
            common=self._common("WebcastLikeMessage", self._sometimes("pm_mt_msg_viewer"), "{0:user} liked the LIVE"),
            count=count,
            total=max(count, self.number * 8 - self.chance.randrange(40)),  # at times less than the one before
            user=self._user(),
        )
        return self._message("WebcastLikeMessage", like.SerializeToString(), "like")

    def _chat(self) -> Message:
        user = self._user()
        chat = wire.ChatMessage(
            common=self._common("WebcastChatMessage"),
            user=user,
            content=self.chance.choice(WORDS),
            user_identity=_identity(user),
        )
        return self._message("WebcastChatMessage", chat.SerializeToString(), "comment")

    def _member(self, key: str | None) -> Message:
        member = wire.MemberMessage(
            common=self._common("WebcastMemberMessage", key, "{0:user} joined"),
            user=self._user(),
            member_count=100 + self.number % 50,
            action=1,
        )
        return self._message("WebcastMemberMessage", member.SerializeToString(), "join")

    def _social(self, key: str | None, *, action: int, event: str) -> Message:
        social = wire.SocialMessage(
            common=self._common("WebcastSocialMessage", key, "{0:user} did it"),
            user=self._user(),
            action=action,
            share_type=1 if action == 3 else 0,
            share_target="-1" if action == 3 else str(USER_IDS),
            follow_count=5000 + self.number if action == 1 else 0,
        )
        return self._message("WebcastSocialMessage", social.SerializeToString(), event)

    def _viewers(self) -> Message:
        seq = wire.RoomUserSeqMessage(
            common=self._common("WebcastRoomUserSeqMessage"),
            total=90 + self.chance.randrange(40),
            total_user=5000 + self.number,  # not the viewers now, though a client may take it for them
        )
        seq.ranks.add(score=self.chance.randrange(500), user=self._user(), rank=1)
        return self._message("WebcastRoomUserSeqMessage", seq.SerializeToString(), "viewer_count_update")

    def _question(self) -> Message:
        question = wire.QuestionNewMessage(common=self._common("WebcastQuestionNewMessage"))
        question.data.question_id = self.message_id
        question.data.content = "when is the next live?"
        question.data.create_time = self.created_at // 1000
        question.data.user.CopyFrom(self._user())
        return self._message("WebcastQuestionNewMessage", question.SerializeToString(), "question")

    def _gift(self, nth: int) -> Message:
        """The first three gifts of a block are one streak (two taps and its closing message), the fourth a single one.

        A message of a streak has the running total; fan_ticket_count is what it adds, and the closing one has none.
        """
        sender = self._user(self.streak.randrange(1000))
        gift_id, name, diamonds, kind = self.streak.choice(GIFTS[:2] if nth < 3 else GIFTS[2:])
        first = self.streak.randrange(1, 4)
        total = first + self.streak.randrange(1, 9)
        count = (first, total, total, 1)[nth]
        added = (first, total - first, 0, 1)[nth]
        gift = wire.GiftMessage(
            common=self._common("WebcastGiftMessage", "webcast_aweme_gift_send_messageNew", "sent {0:gift}"),
            gift_id=gift_id,
            repeat_count=count,
            combo_count=count,
            group_count=1,
            user=sender,
            user_identity=_identity(sender),
        )
        # Gifts number in their own way, and the closing message of a streak says nothing of it.
        if nth == 2:
            gift.user.ClearField("follow_info")
        elif sender.follow_info.follow_status == FOLLOWS:
            gift.user.follow_info.follow_status = FOLLOWS_BY_GIFTS
        if nth != 2:
            gift.send_type = 1  # absent on the closing message, as is what it adds
        if added:
            gift.fan_ticket_count = added * diamonds
        if kind == STREAKABLE:
            gift.group_id = STREAK_IDS + self.number // 60
        if nth == 2:
            gift.repeat_end = 1
        gift.gift.id = gift_id
        gift.gift.name = name
        gift.gift.describe = f"Sent {name}"
        gift.gift.type = kind
        gift.gift.combo = kind == STREAKABLE
        gift.gift.diamond_count = diamonds
        gift.gift.image.url_list.extend([f"https://cdn.invalid/{gift_id}.webp", f"https://cdn.invalid/{gift_id}.png"])
        gift.monitor_info.send_gift_send_message_success_ms = self.created_at
        gift.monitor_info.to_user_id = USER_IDS
        return self._message("WebcastGiftMessage", gift.SerializeToString(), "gift")

    def _common(self, method: str, key: str | None = None, label: str = "") -> wire.Common:
        common = wire.Common(
            method=method,
            msg_id=self.message_id,
            room_id=self.room_id,
            create_time=self.created_at,
            is_show_msg=True,
        )
        if key is not None:
            common.display_text.key = key
            common.display_text.default_pattern = label
        return common

    def _user(self, index: int | None = None) -> wire.User:
        index = self.chance.randrange(1000) if index is None else index
        user = wire.User(
            id=USER_IDS + index * 7919,
            nickname=NAMES[index % len(NAMES)],
            display_id=f"viewer_{index}",
            sec_uid=f"MS4wLjABAAAA{index:06}",
        )
        user.avatar_thumb.url_list.extend(f"https://cdn.invalid/{index}~{size}.webp" for size in (72, 100, 720))
        user.follow_info.following_count, user.follow_info.follower_count = index % 90, index * 3
        if index % 5:
            user.follow_info.follow_status = index % 3  # of the others nothing is said
        if index % 10 == 0:
            badge = user.badge_list.add(display_type=2, scene_type=SCENE_MODERATOR)
            badge.text.key, badge.text.default_pattern = "pm_mt_moderator_im", "Moderator"
            again = user.badge_list.add(display_type=4, scene_type=SCENE_MODERATOR)  # a moderator shows twice
            again.combine.text.key, again.combine.text.default_pattern = "pm_mt_moderator_im", "Moderator"
            user.user_attr.is_admin = True
        if index % 7 == 0:
            user.badge_list.add(display_type=1, scene_type=SCENE_SUBSCRIBER)  # an image, so it has no text
        for scene, every in ((SCENE_GIFTER, 3), (SCENE_FANS, 4)):
            if index % every == 0:
                badge = user.badge_list.add(display_type=4, scene_type=scene)
                badge.privilege_log_extra.level = badge.combine.content_str = str(1 + index % 50)
        return user

    def _sometimes(self, key: str) -> str | None:
        """A display key, or, at times, none: what the message is then follows from its other fields."""
        return key if self.chance.random() < 0.8 else None

    def _message(self, method: str, payload: bytes, event: str) -> Message:
        return Message(self.message_id, method, payload, event)


def _identity(user: wire.User) -> dict[str, bool]:
    return {
        "is_follower_of_anchor": user.follow_info.follow_status in (FOLLOWS, MUTUAL),
        "is_mutual_following_with_anchor": user.follow_info.follow_status == MUTUAL,
        "is_moderator_of_anchor": user.user_attr.is_admin,
        "is_subscriber_of_anchor": any(badge.scene_type == SCENE_SUBSCRIBER for badge in user.badge_list),
    }
