"""The kinds of message that the documentation does not name, each with an event of its own."""

from typing import Any

from google.protobuf.message import Message

from producer.events import pins, records, schemas
from producer.events.documented import Mapper
from producer.events.event import Event
from producer.events.projection import later
from producer.webcast import wire

RECORDS: dict[str, tuple[type[Message], str]] = {
    "WebcastAccessControlMessage": (wire.kinds.AccessControlMessage, "AccessControlEvent"),
    "WebcastAccessRecallMessage": (wire.kinds.AccessRecallMessage, "AccessRecallEvent"),
    "WebcastBarrageMessage": (wire.kinds.BarrageMessage, "BarrageEvent"),
    "WebcastBoostCardMessage": (wire.kinds.BoostCardMessage, "BoostCardEvent"),
    "WebcastBottomMessage": (wire.kinds.BottomMessage, "BottomEvent"),
    "WebcastCapsuleMessage": (wire.kinds.CapsuleMessage, "CapsuleEvent"),
    "WebcastCaptionMessage": (wire.kinds.CaptionMessage, "CaptionEvent"),
    "WebcastEmoteChatMessage": (wire.kinds.EmoteChatMessage, "EmoteChatEvent"),
    "WebcastEnvelopeMessage": (wire.kinds.EnvelopeMessage, "EnvelopeEvent"),
    "WebcastGameRankNotifyMessage": (wire.kinds.GameRankNotifyMessage, "GameRankNotifyEvent"),
    "WebcastGiftBroadcastMessage": (wire.kinds.GiftBroadcastMessage, "GiftBroadcastEvent"),
    "WebcastGiftDynamicRestrictionMessage": (wire.kinds.GiftDynamicRestrictionMessage, "GiftDynamicRestrictionEvent"),
    "WebcastGiftPanelUpdateMessage": (wire.kinds.GiftPanelUpdateMessage, "GiftPanelUpdateEvent"),
    "WebcastGiftPromptMessage": (wire.kinds.GiftPromptMessage, "GiftPromptEvent"),
    "WebcastGoalUpdateMessage": (wire.kinds.GoalUpdateMessage, "GoalUpdateEvent"),
    "WebcastGuideMessage": (wire.kinds.GuideMessage, "GuideEvent"),
    "WebcastHourlyRankMessage": (wire.kinds.HourlyRankMessage, "HourlyRankEvent"),
    "WebcastHourlyRankRewardMessage": (wire.kinds.HourlyRankRewardMessage, "HourlyRankRewardEvent"),
    "WebcastImDeleteMessage": (wire.kinds.ImDeleteMessage, "ImDeleteEvent"),
    "WebcastInRoomBannerMessage": (wire.kinds.InRoomBannerMessage, "InRoomBannerEvent"),
    "WebcastLinkLayerMessage": (wire.kinds.LinkLayerMessage, "LinkLayerEvent"),
    "WebcastLinkMessage": (wire.kinds.LinkMessage, "LinkEvent"),
    "WebcastLinkMicArmies": (wire.kinds.LinkMicArmies, "LinkMicArmiesEvent"),
    "WebcastLinkMicBattle": (wire.kinds.LinkMicBattle, "LinkMicBattleEvent"),
    "WebcastLinkMicBattleItemCard": (wire.kinds.LinkMicBattleItemCard, "LinkMicBattleItemCardEvent"),
    "WebcastLinkMicBattlePunishFinish": (wire.kinds.LinkMicBattlePunishFinish, "LinkMicBattlePunishFinishEvent"),
    "WebcastLinkMicFanTicketMethod": (wire.kinds.LinkMicFanTicketMethod, "LinkMicFanTicketEvent"),
    "WebcastLinkMicLayoutStateMessage": (wire.kinds.LinkMicLayoutStateMessage, "LinkMicLayoutStateEvent"),
    "WebcastLinkMicMethod": (wire.kinds.LinkMicMethod, "LinkMicEvent"),
    "WebcastLinkStateMessage": (wire.kinds.LinkStateMessage, "LinkStateEvent"),
    "WebcastLinkmicBattleTaskMessage": (wire.kinds.LinkmicBattleTaskMessage, "LinkmicBattleTaskEvent"),
    "WebcastLiveGameIntroMessage": (wire.kinds.LiveGameIntroMessage, "LiveGameIntroEvent"),
    "WebcastLiveIntroMessage": (wire.kinds.LiveIntroMessage, "LiveIntroEvent"),
    "WebcastMarqueeAnnouncementMessage": (wire.kinds.MarqueeAnnouncementMessage, "MarqueeAnnouncementEvent"),
    "WebcastMsgDetectMessage": (wire.kinds.MsgDetectMessage, "MsgDetectEvent"),
    "WebcastNoticeMessage": (wire.kinds.NoticeMessage, "NoticeEvent"),
    "WebcastOecLiveCreatorMessage": (wire.kinds.OecLiveCreatorMessage, "OecLiveCreatorEvent"),
    "WebcastOecLiveManagerMessage": (wire.kinds.OecLiveManagerMessage, "OecLiveManagerEvent"),
    "WebcastOecLiveShoppingMessage": (wire.kinds.OecLiveShoppingMessage, "OecLiveShoppingEvent"),
    "WebcastPartnershipDropsUpdateMessage": (wire.kinds.PartnershipDropsUpdateMessage, "PartnershipDropsUpdateEvent"),
    "WebcastPartnershipGameOfflineMessage": (wire.kinds.PartnershipGameOfflineMessage, "PartnershipGameOfflineEvent"),
    "WebcastPartnershipPunishMessage": (wire.kinds.PartnershipPunishMessage, "PartnershipPunishEvent"),
    "WebcastPerceptionMessage": (wire.kinds.PerceptionMessage, "PerceptionEvent"),
    "WebcastPollMessage": (wire.kinds.PollMessage, "PollEvent"),
    "WebcastRankTextMessage": (wire.kinds.RankTextMessage, "RankTextEvent"),
    "WebcastRankUpdateMessage": (wire.kinds.RankUpdateMessage, "RankUpdateEvent"),
    "WebcastRoomMessage": (wire.kinds.RoomMessage, "RoomEvent"),
    "WebcastRoomNotifyMessage": (wire.kinds.RoomNotifyMessage, "RoomNotifyEvent"),
    "WebcastRoomPinMessage": (wire.kinds.RoomPinMessage, "RoomPinEvent"),
    "WebcastRoomVerifyMessage": (wire.kinds.RoomVerifyMessage, "RoomVerifyEvent"),
    "WebcastSpeakerMessage": (wire.kinds.SpeakerMessage, "SpeakerEvent"),
    "WebcastSubNotifyMessage": (wire.kinds.SubNotifyMessage, "SubNotifyEvent"),
    "WebcastSubPinEventMessage": (wire.kinds.SubPinEventMessage, "SubPinEvent"),
    "WebcastSystemMessage": (wire.kinds.SystemMessage, "SystemEvent"),
    "WebcastToastMessage": (wire.kinds.ToastMessage, "ToastEvent"),
    "WebcastUnauthorizedMemberMessage": (wire.kinds.UnauthorizedMemberMessage, "UnauthorizedMemberEvent"),
    "WebcastUpdateShareRevenueNoticeMessage": (
        wire.kinds.UpdateShareRevenueNoticeMessage,
        "UpdateShareRevenueNoticeEvent",
    ),
    "WebcastViewerPicksUpdateMessage": (wire.kinds.ViewerPicksUpdateMessage, "ViewerPicksUpdateEvent"),
}
"""Message and record by method."""

LITTLE_KNOWN = frozenset(
    {
        "WebcastAccessControlMessage",
        "WebcastBoostCardMessage",
        "WebcastGameRankNotifyMessage",
        "WebcastGiftDynamicRestrictionMessage",
        "WebcastGiftPanelUpdateMessage",
        "WebcastGiftPromptMessage",
        "WebcastGuideMessage",
        "WebcastHourlyRankRewardMessage",
        "WebcastLinkMicLayoutStateMessage",
        "WebcastLinkStateMessage",
        "WebcastLiveGameIntroMessage",
        "WebcastNoticeMessage",
        "WebcastOecLiveCreatorMessage",
        "WebcastOecLiveManagerMessage",
        "WebcastPartnershipGameOfflineMessage",
        "WebcastPartnershipPunishMessage",
        "WebcastSpeakerMessage",
        "WebcastToastMessage",
        "WebcastUpdateShareRevenueNoticeMessage",
        "WebcastViewerPicksUpdateMessage",
    }
)
"""Those of whose fields little or nothing is known: what the record does not say is in their bytes."""

OURS = frozenset({"name", "meta"})
"""The fields of an event's record that are not of its message."""


def _mapper(message: type[Message], record: str) -> Mapper:
    name = schemas.event_name(record)

    project = later(message, record, besides=OURS)

    def event(parsed: Any, meta: records.Meta) -> Event:
        value = project(parsed)
        value["name"], value["meta"] = name, meta
        return Event(name, value)

    return Mapper(wire.reader(message), event)


MAPPERS = {method: _mapper(message, record) for method, (message, record) in RECORDS.items()}
MAPPERS["WebcastRoomPinMessage"] = Mapper(wire.reader(wire.kinds.RoomPinMessage), pins.room_pin)
"""The one kind that is more than its fields: it has a message of another kind in it."""
