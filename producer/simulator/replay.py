"""Recorded messages as a world of one room: served in their order to whoever listens.

Unchanged but for the room that they name: it is the one that they are served in.
"""

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from producer.simulator.messages import CONTROLS, Message
from producer.simulator.world import LIFE_IDS, ROOM_IDS, Live
from producer.webcast import wire

UNIQUE_ID = "sim_replay"
PAUSE_SECONDS = 1.0
"""How long the room is offline after a recorded message that ends its live."""

BY_METHOD = {
    "WebcastChatMessage": "comment",
    "WebcastGiftMessage": "gift",
    "WebcastLikeMessage": "like",
    "WebcastRoomUserSeqMessage": "viewer_count_update",
    "WebcastQuestionNewMessage": "question",
    "WebcastAccessControlMessage": "access_control",
    "WebcastAccessRecallMessage": "access_recall",
    "WebcastBarrageMessage": "barrage",
    "WebcastBoostCardMessage": "boost_card",
    "WebcastBottomMessage": "bottom",
    "WebcastCapsuleMessage": "capsule",
    "WebcastCaptionMessage": "caption",
    "WebcastEmoteChatMessage": "emote_chat",
    "WebcastEnvelopeMessage": "envelope",
    "WebcastGameRankNotifyMessage": "game_rank_notify",
    "WebcastGiftBroadcastMessage": "gift_broadcast",
    "WebcastGiftDynamicRestrictionMessage": "gift_dynamic_restriction",
    "WebcastGiftPanelUpdateMessage": "gift_panel_update",
    "WebcastGiftPromptMessage": "gift_prompt",
    "WebcastGoalUpdateMessage": "goal_update",
    "WebcastGuideMessage": "guide",
    "WebcastHourlyRankMessage": "hourly_rank",
    "WebcastHourlyRankRewardMessage": "hourly_rank_reward",
    "WebcastImDeleteMessage": "im_delete",
    "WebcastInRoomBannerMessage": "in_room_banner",
    "WebcastLinkLayerMessage": "link_layer",
    "WebcastLinkMessage": "link",
    "WebcastLinkMicArmies": "link_mic_armies",
    "WebcastLinkMicBattle": "link_mic_battle",
    "WebcastLinkMicBattleItemCard": "link_mic_battle_item_card",
    "WebcastLinkMicBattlePunishFinish": "link_mic_battle_punish_finish",
    "WebcastLinkMicFanTicketMethod": "link_mic_fan_ticket",
    "WebcastLinkMicLayoutStateMessage": "link_mic_layout_state",
    "WebcastLinkMicMethod": "link_mic",
    "WebcastLinkStateMessage": "link_state",
    "WebcastLinkmicBattleTaskMessage": "linkmic_battle_task",
    "WebcastLiveGameIntroMessage": "live_game_intro",
    "WebcastLiveIntroMessage": "live_intro",
    "WebcastMarqueeAnnouncementMessage": "marquee_announcement",
    "WebcastMsgDetectMessage": "msg_detect",
    "WebcastNoticeMessage": "notice",
    "WebcastOecLiveCreatorMessage": "oec_live_creator",
    "WebcastOecLiveManagerMessage": "oec_live_manager",
    "WebcastOecLiveShoppingMessage": "oec_live_shopping",
    "WebcastPartnershipDropsUpdateMessage": "partnership_drops_update",
    "WebcastPartnershipGameOfflineMessage": "partnership_game_offline",
    "WebcastPartnershipPunishMessage": "partnership_punish",
    "WebcastPerceptionMessage": "perception",
    "WebcastPollMessage": "poll",
    "WebcastRankTextMessage": "rank_text",
    "WebcastRankUpdateMessage": "rank_update",
    "WebcastRoomMessage": "room",
    "WebcastRoomNotifyMessage": "room_notify",
    "WebcastRoomPinMessage": "room_pin",
    "WebcastRoomVerifyMessage": "room_verify",
    "WebcastSpeakerMessage": "speaker",
    "WebcastSubNotifyMessage": "sub_notify",
    "WebcastSubPinEventMessage": "sub_pin",
    "WebcastSystemMessage": "system",
    "WebcastToastMessage": "toast",
    "WebcastUnauthorizedMemberMessage": "unauthorized_member",
    "WebcastUpdateShareRevenueNoticeMessage": "update_share_revenue_notice",
    "WebcastViewerPicksUpdateMessage": "viewer_picks_update",
}
"""Kinds of which each message is one event."""


class Replay:
    """One room that sends a file's messages: JSON lines with `method` and `b64`, gzipped or not."""

    def __init__(self, file: Path, *, rate: float) -> None:
        """Raises OSError or ValueError where the file cannot be read."""
        self.unique_ids: Sequence[str] = (UNIQUE_ID,)
        self._rate = rate
        self._recorded = _read(file)

    def lives(self, _: str) -> Iterator[Live]:
        """A live up to each message that ends one, and a last live that goes on in silence."""
        start = 0
        ends = [place + 1 for place, (method, payload) in enumerate(self._recorded) if _ends(method, payload)]
        for number, end in enumerate([*ends, len(self._recorded)], 1):
            room_id = ROOM_IDS + number * LIFE_IDS
            yield Live(
                room_id=room_id,
                after_seconds=0.0 if number == 1 else PAUSE_SECONDS,
                rate=self._rate,
                total=end - start,
                ending=None,
                message=_Part(self._recorded[start:end], room_id).message,
                waits=True,
            )
            start = end


class _Part:
    def __init__(self, recorded: Sequence[tuple[str, bytes]], room_id: int) -> None:
        self._recorded = recorded
        self._room_id = room_id

    def message(self, number: int, _: int) -> Message:
        method, payload = self._recorded[number]
        payload = moved(payload, self._room_id)
        return Message(self._room_id + 1 + number, method, payload, event_of(method, payload))


def moved(payload: bytes, room_id: int) -> bytes:
    """A message as another room's; unchanged where it names no room."""
    try:
        message = wire.AnyMessage.FromString(payload)
    except wire.DecodeError:
        return payload
    if message.common.room_id in (0, room_id):
        return payload
    message.common.room_id = room_id
    return message.SerializeToString()


def event_of(method: str, payload: bytes) -> str:
    """The event that a message must become (protocol sheet section 10)."""
    if not method.startswith("Webcast"):
        method = f"Webcast{method}"  # TikTok leaves it away now and then (protocol sheet section 8.3)
    if method in BY_METHOD:
        return BY_METHOD[method]
    if method == "WebcastControlMessage":
        return _control(payload)
    try:
        return _by_content(method, payload)
    except wire.DecodeError:
        return "unknown"


def _by_content(method: str, payload: bytes) -> str:
    if method == "WebcastMemberMessage":
        member = wire.MemberMessage.FromString(payload)
        key = member.common.display_text.key
        joined = key in ("live_room_enter_toast", "pm_mt_join_message_other_viewer") if key else member.action == 1
        return "join" if joined else "unknown"
    if method == "WebcastSocialMessage":
        social = wire.SocialMessage.FromString(payload)
        return _social(social.common.display_text.key, social.action)
    return "unknown"


def _social(key: str, action: int) -> str:
    if not key:
        return {1: "follow", 3: "share"}.get(action, "unknown")
    if "follow" in key:
        return "follow"
    several = key.endswith(("_5_share", "_10_share"))
    return "share" if "share" in key and not several else "unknown"


def _control(payload: bytes) -> str:
    try:
        return CONTROLS.get(wire.ControlMessage.FromString(payload).action, "unknown")
    except wire.DecodeError:
        return "unknown"


def _ends(method: str, payload: bytes) -> bool:
    return method == "WebcastControlMessage" and _control(payload) == "live_end"


def _read(file: Path) -> list[tuple[str, bytes]]:
    data = file.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    recorded = []
    for number, line in enumerate(data.decode().splitlines(), 1):
        try:
            entry = json.loads(line)
            recorded.append((str(entry["method"]), base64.b64decode(entry["b64"], validate=True)))
        except (ValueError, KeyError, TypeError) as cause:
            raise ValueError(f"{file}: line {number} is not a recorded message: {cause!r}") from cause
    return recorded
