"""The kinds of message that the documentation does not name, each with an event of its own."""

from typing import Any

from google.protobuf.message import Message

from producer.events import pins, records, schemas
from producer.events.documented import Mapper
from producer.events.event import Event
from producer.events.projection import compile_projection
from producer.webcast import wire

RECORDS: dict[str, tuple[type[Message], str]] = {
    "WebcastAccessRecallMessage": (wire.kinds.AccessRecallMessage, "AccessRecallEvent"),
    "WebcastBarrageMessage": (wire.kinds.BarrageMessage, "BarrageEvent"),
    "WebcastBottomMessage": (wire.kinds.BottomMessage, "BottomEvent"),
    "WebcastCapsuleMessage": (wire.kinds.CapsuleMessage, "CapsuleEvent"),
    "WebcastCaptionMessage": (wire.kinds.CaptionMessage, "CaptionEvent"),
    "WebcastEmoteChatMessage": (wire.kinds.EmoteChatMessage, "EmoteChatEvent"),
    "WebcastEnvelopeMessage": (wire.kinds.EnvelopeMessage, "EnvelopeEvent"),
    "WebcastGiftBroadcastMessage": (wire.kinds.GiftBroadcastMessage, "GiftBroadcastEvent"),
    "WebcastGoalUpdateMessage": (wire.kinds.GoalUpdateMessage, "GoalUpdateEvent"),
    "WebcastHourlyRankMessage": (wire.kinds.HourlyRankMessage, "HourlyRankEvent"),
    "WebcastImDeleteMessage": (wire.kinds.ImDeleteMessage, "ImDeleteEvent"),
    "WebcastInRoomBannerMessage": (wire.kinds.InRoomBannerMessage, "InRoomBannerEvent"),
    "WebcastLinkLayerMessage": (wire.kinds.LinkLayerMessage, "LinkLayerEvent"),
    "WebcastLinkMessage": (wire.kinds.LinkMessage, "LinkEvent"),
    "WebcastLinkMicArmies": (wire.kinds.LinkMicArmies, "LinkMicArmiesEvent"),
    "WebcastLinkMicBattle": (wire.kinds.LinkMicBattle, "LinkMicBattleEvent"),
    "WebcastLinkMicBattleItemCard": (wire.kinds.LinkMicBattleItemCard, "LinkMicBattleItemCardEvent"),
    "WebcastLinkMicBattlePunishFinish": (wire.kinds.LinkMicBattlePunishFinish, "LinkMicBattlePunishFinishEvent"),
    "WebcastLinkMicFanTicketMethod": (wire.kinds.LinkMicFanTicketMethod, "LinkMicFanTicketEvent"),
    "WebcastLinkMicMethod": (wire.kinds.LinkMicMethod, "LinkMicEvent"),
    "WebcastLinkmicBattleTaskMessage": (wire.kinds.LinkmicBattleTaskMessage, "LinkmicBattleTaskEvent"),
    "WebcastLiveIntroMessage": (wire.kinds.LiveIntroMessage, "LiveIntroEvent"),
    "WebcastMarqueeAnnouncementMessage": (wire.kinds.MarqueeAnnouncementMessage, "MarqueeAnnouncementEvent"),
    "WebcastMsgDetectMessage": (wire.kinds.MsgDetectMessage, "MsgDetectEvent"),
    "WebcastOecLiveShoppingMessage": (wire.kinds.OecLiveShoppingMessage, "OecLiveShoppingEvent"),
    "WebcastPartnershipDropsUpdateMessage": (wire.kinds.PartnershipDropsUpdateMessage, "PartnershipDropsUpdateEvent"),
    "WebcastPerceptionMessage": (wire.kinds.PerceptionMessage, "PerceptionEvent"),
    "WebcastPollMessage": (wire.kinds.PollMessage, "PollEvent"),
    "WebcastRankTextMessage": (wire.kinds.RankTextMessage, "RankTextEvent"),
    "WebcastRankUpdateMessage": (wire.kinds.RankUpdateMessage, "RankUpdateEvent"),
    "WebcastRoomMessage": (wire.kinds.RoomMessage, "RoomEvent"),
    "WebcastRoomNotifyMessage": (wire.kinds.RoomNotifyMessage, "RoomNotifyEvent"),
    "WebcastRoomPinMessage": (wire.kinds.RoomPinMessage, "RoomPinEvent"),
    "WebcastRoomVerifyMessage": (wire.kinds.RoomVerifyMessage, "RoomVerifyEvent"),
    "WebcastSubNotifyMessage": (wire.kinds.SubNotifyMessage, "SubNotifyEvent"),
    "WebcastSubPinEventMessage": (wire.kinds.SubPinEventMessage, "SubPinEvent"),
    "WebcastSystemMessage": (wire.kinds.SystemMessage, "SystemEvent"),
    "WebcastUnauthorizedMemberMessage": (wire.kinds.UnauthorizedMemberMessage, "UnauthorizedMemberEvent"),
}
"""Message and record by method."""

OURS = frozenset({"name", "meta"})
"""The fields of an event's record that are not of its message."""


def _mapper(message: type[Message], record: str) -> Mapper:
    name = schemas.event_name(record)

    def event(parsed: Any, meta: records.Meta) -> Event:
        # Compiled at the first message: `make generate` imports this while message and record may still differ.
        project = compile_projection(message.DESCRIPTOR, record, besides=OURS)
        return Event(name, {**project(parsed), "name": name, "meta": meta})

    return Mapper(wire.reader(message), event)


MAPPERS = {method: _mapper(message, record) for method, (message, record) in RECORDS.items()}
MAPPERS["WebcastRoomPinMessage"] = Mapper(wire.reader(wire.kinds.RoomPinMessage), pins.room_pin)
"""The one kind that is more than its fields: it has a message of another kind in it."""
