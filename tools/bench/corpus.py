"""What busy rooms send, out of a seed: the same frames for the same numbers, on every machine.

The mix of kinds, the messages of a frame and their sizes are those of a large room: 6.7 messages a frame in the mean,
2.8 kB a message, 6 to 8 kB a gift or a count of viewers, a quarter of that gzipped. Most of it is pictures' URLs.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from producer.simulator.messages import GIFTS, NAMES, USER_IDS, WORDS
from producer.webcast import wire
from producer.webcast.wire.varints import written

MIX = (("like", 45), ("chat", 20), ("member", 19), ("gift", 7), ("viewers", 4), ("social", 3), ("other", 2))
"""How often each kind comes, in a hundred."""
MORE_MESSAGES = 6.2
"""Of a frame, beside its first, in the mean; 30 at the most in all."""
USERS = 2_000
PICTURES = (9, 10, 11)
"""The fields of a user's picture in three sizes, of which records have the first."""
USER_FIELD = {"like": 5, "chat": 2, "member": 2, "gift": 7, "social": 2}
CREATED_AT = 1_790_000_000_000
GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """One WebSocket message, which asks to be acknowledged."""

    log_id: int
    data: bytes
    messages: int


@dataclass(frozen=True, slots=True)
class Message:
    """One Webcast message."""

    number: int
    method: str
    payload: bytes


def frames(seed: int, room_id: int, count: int) -> Iterator[Frame]:
    """The first so many frames of a room."""
    chance = Random(f"{seed}:{room_id}:frames")
    messages = stream(seed, room_id)
    for number in range(1, count + 1):
        several = [next(messages) for _ in range(min(30, 1 + int(chance.expovariate(1 / MORE_MESSAGES))))]
        log_id = room_id % 1_000_000 * 1_000_000 + number
        batch = wire.FetchResult(
            messages=[
                wire.Envelope(method=each.method, payload=each.payload, msg_id=each.number).SerializeToString()
                for each in several
            ],
            cursor=f"{CREATED_AT}_{log_id}_1_1_0_0",
            fetch_type=1,
            internal_ext=f"fetch_time:{CREATED_AT}|start_time:0|ack_ids:,,|flag:0|seq:{number}|next_cursor:{log_id}".encode(),
            need_ack=True,
        )
        frame = wire.PushFrame(
            seq_id=number,
            log_id=log_id,
            service=8888,
            method=8,
            headers=[wire.PushHeader(key="compress_type", value="gzip")],
            payload_encoding="pb",
            payload_type="msg",
            payload=gzip.compress(batch.SerializeToString(), GZIP_LEVEL, mtime=0),
        )
        yield Frame(log_id, frame.SerializeToString(), len(several))


def stream(seed: int, room_id: int) -> Iterator[Message]:
    """The messages of a room, without end; their numbers rise."""
    chance = Random(f"{seed}:{room_id}:messages")
    users = _users(seed)
    kinds, weights = zip(*MIX, strict=True)
    number = room_id
    while True:
        number += chance.randrange(1, 50_000)
        [kind] = chance.choices(kinds, weights)
        yield _message(kind, number, room_id, chance, users)


def _message(kind: str, number: int, room_id: int, chance: Random, users: list[bytes]) -> Message:
    user = users[int(len(users) * chance.random() ** 2)]  # a few say most
    # A user's bytes stand behind the rest, which is as good an order as any.
    about = _field(USER_FIELD[kind], user) if kind in USER_FIELD else b""
    key: str | None = None
    match kind:
        case "like":
            method, key = "WebcastLikeMessage", "pm_mt_msg_viewer"
            said: wire.LikeMessage | wire.ChatMessage | wire.MemberMessage | wire.SocialMessage | wire.GiftMessage
            said = wire.LikeMessage(count=chance.choice((1, 3, 15, 15)), total=number % 1_000_000)
        case "chat":
            method = "WebcastChatMessage"
            said = wire.ChatMessage(content=" ".join(chance.choices(WORDS, k=4)), content_language="en")
            said.user_identity.is_follower_of_anchor = chance.random() < 0.5
        case "member":
            method, key = "WebcastMemberMessage", "live_room_enter_toast"
            said = wire.MemberMessage(member_count=number % 900, action=1, enter_type=1)
        case "social":
            method, key = "WebcastSocialMessage", "pm_main_follow_message_viewer_2"
            said = wire.SocialMessage(action=1, share_target=str(USER_IDS), follow_count=number % 90_000)
        case "gift":
            method, key = "WebcastGiftMessage", "webcast_aweme_gift_send_messageNew"
            said = _gift(number, chance)
            about += _field(8, users[0])
        case "viewers":
            seq = wire.RoomUserSeqMessage(common=_common("WebcastRoomUserSeqMessage", number, room_id, None))
            seq.total, seq.total_user = number % 900, number % 90_000
            ranks = b"".join(
                _field(
                    2, wire.Contributor(score=9 - rank, rank=rank).SerializeToString() + _field(2, chance.choice(users))
                )
                for rank in (1, 2, 3)
            )
            return Message(number, "WebcastRoomUserSeqMessage", seq.SerializeToString() + ranks)
        case _:
            method = "WebcastBenchMessage"
            nothing = wire.AnyMessage(common=_common(method, number, room_id, key))
            return Message(number, method, nothing.SerializeToString() + _field(2, chance.randbytes(200)))
    said.common.CopyFrom(_common(method, number, room_id, key))
    return Message(number, method, said.SerializeToString() + about)


def _gift(number: int, chance: Random) -> wire.GiftMessage:
    gift_id, name, diamonds, kind = chance.choice(GIFTS)
    gift = wire.GiftMessage(
        gift_id=gift_id, repeat_count=1, combo_count=1, group_count=1, send_type=1, fan_ticket_count=diamonds
    )
    gift.repeat_end = 1  # each is a streak of its own, so that one total is published for each
    gift.group_id = number
    gift.gift.id, gift.gift.name, gift.gift.describe = gift_id, name, f"Sent {name}"
    gift.gift.type, gift.gift.diamond_count, gift.gift.combo = kind, diamonds, kind == 1
    gift.gift.image.url_list.extend(_pictures(gift_id, chance))
    gift.monitor_info.send_gift_send_message_success_ms = CREATED_AT
    return gift


def _common(method: str, number: int, room_id: int, key: str | None) -> wire.Common:
    common = wire.Common(method=method, msg_id=number, room_id=room_id, create_time=CREATED_AT, is_show_msg=True)
    if key is not None:
        common.display_text.key, common.display_text.default_pattern = key, "{0:user} did what is told here"
    return common


@cache
def _users(seed: int) -> list[bytes]:
    chance = Random(f"{seed}:users")
    return [_user(number, chance) for number in range(USERS)]


def _user(number: int, chance: Random) -> bytes:
    user = wire.User(
        id=USER_IDS + number * 7_919,
        nickname=f"{chance.choice(NAMES)} {number}",
        display_id=f"viewer_{number}",
        sec_uid=f"MS4wLjABAAAA{chance.randbytes(24).hex()}",
    )
    user.follow_info.following_count, user.follow_info.follower_count = number % 900, number * 3
    user.follow_info.follow_status = number % 3
    for scene, level in ((8, 1 + number % 50), (10, number % 30)):
        if chance.random() < 0.4:
            badge = user.badge_list.add(display_type=4, scene_type=scene)
            badge.privilege_log_extra.level = badge.combine.content_str = str(level)
            badge.combine.text.key = "pm_mt_badge"
    pictures = b""
    for size in PICTURES:
        pictures += _field(size, b"".join(_field(1, url.encode()) for url in _pictures(number, chance)))
    return user.SerializeToString() + pictures


def _pictures(number: int, chance: Random) -> list[str]:
    name = chance.randbytes(16).hex()
    return [
        f"https://p{16 + place}-sign.bench.invalid/avt-{number % 90:04}/{name}~tplv-cropcenter:100:100.{form}"
        f"?dr=9638&refresh_token={chance.randbytes(16).hex()}&x-expires=1790172000"
        f"&x-signature={chance.randbytes(14).hex()}%3D&t=4d5b0474&ps=13740610&shp=a5d48078&shcp=fdd36af4&idc=my"
        for place, form in enumerate(("webp", "jpeg", "webp"))
    ]


def _field(number: int, data: bytes) -> bytes:
    """A field that is bytes, a text or a message."""
    return written(number << 3 | 2) + written(len(data)) + data
