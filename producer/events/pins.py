"""A pinned message: the event that it was, with the event id that it was published with."""

from typing import Any, Literal

from producer.events import documented, records
from producer.events.event import Event, Origin, message_meta
from producer.events.projection import later
from producer.webcast import wire

Pinned = Literal["comment", "follow", "share", "gift", "join", "like"]
PINNED: tuple[Pinned, ...] = ("comment", "follow", "share", "gift", "join", "like")
"""The fields of the record that hold a pinned event, each named after it."""

MESSAGES = {
    "chat_message": "WebcastChatMessage",
    "social_message": "WebcastSocialMessage",
    "gift_message": "WebcastGiftMessage",
    "member_message": "WebcastMemberMessage",
    "like_message": "WebcastLikeMessage",
}
"""The kind of each field of the message that holds a pinned message; one of them is set."""

OURS = frozenset({*PINNED, "name", "meta"})
"""The fields of the record that are not of the message."""

_rest = later(wire.kinds.RoomPinMessage, "RoomPinEvent", besides=OURS)


def room_pin(pin: wire.kinds.RoomPinMessage, meta: records.Meta) -> Event:
    """Map a pin. A gift in it was counted when it was given: it is no tap of a streak here."""
    pinned: dict[str, Any] = dict.fromkeys(PINNED)
    for field, method in MESSAGES.items():
        if pin.HasField(field):
            message = getattr(pin, field)
            event = documented.MAPPERS[method].map(message, _meta(message, method, meta))
            if event is not None:
                pinned[event.name] = event.value
    return Event("room_pin", {**pinned, **_rest(pin), "name": "room_pin", "meta": meta})


def _meta(message: Any, method: str, pin: records.Meta) -> records.Meta:
    origin = Origin(
        streamer=pin["streamer"],
        room_id=int(pin["room_id"]),
        worker=pin["worker"],
        streamer_id=pin["streamer_id"],
        connection=pin["connection"],
    )
    envelope = wire.Envelope(method=method, payload=message.SerializeToString(), is_history=pin["is_history"])
    at, place, repaired = pin["received_at"], pin["room_sequence"], pin["text_repaired"]
    return message_meta(envelope, message.common, origin, at, place, text_repaired=bool(repaired))
