"""What an event is, and the metadata that each one ends with."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple, TypedDict

from producer.events import records
from producer.events.pseudonyms import Pseudonyms
from producer.events.streaks import Tap
from producer.webcast import wire

SECONDS_UNTIL = 10**11
"""A few kinds of message carry seconds, and what is below this is that: as ms it would be of 1973."""
EARLIEST_MS = 1_420_070_400_000
"""2015, before there was a LIVE."""
AHEAD_MS = 24 * 3_600_000
"""So far ahead of the worker's clock a time is believed."""


class Payloads(StrEnum):
    """Which events carry their message's bytes in `meta.payload`. An `unknown` event has them anyway."""

    NONE = "none"
    UNDOCUMENTED = "undocumented"
    """Those of kinds that the documentation does not name, whose field tables are incomplete."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Origin:
    """What all events of one connection have in common."""

    streamer: str
    room_id: int
    worker: str
    payloads: Payloads = Payloads.UNDOCUMENTED
    streamer_id: str | None = None
    """Whose room it is: a name changes, this does not. None where no look-up said it."""
    connection: str | None = None
    """None where it is over."""
    started_at: int | None = None
    """When the live began, in ms since 1970; None where no look-up said it."""
    viewers: Pseudonyms | None = None
    """Under which names viewers leave; None: under their own."""


class Giving(TypedDict):
    """Who gave what, as the first message that was seen of a streak has it."""

    user: records.User | None
    receiver_id: str | None
    receiver_unique_id: str | None
    receiver_nickname: str | None
    gift_id: str | None
    gift_name: str | None
    gift_picture_url: str | None
    gift_list_version: str | None


class Event(NamedTuple):
    """One documented event: its name and the value of its record."""

    name: str
    value: Any
    """The TypedDict of `producer.events.records` that belongs to the name."""
    tap: Tap | None = None
    """Of a gift: what it says of its streak, with a Giving as its details."""
    is_time_odd: bool = False
    """Whether its message tells a time that nobody can believe."""


def message_meta(
    message: wire.Envelope,
    common: wire.Common,
    origin: Origin,
    received_at: int,
    room_sequence: int,
    *,
    text_repaired: bool,
) -> records.Meta:
    """Make the metadata of an event that a message carries."""
    room_id, number = str(origin.room_id), message.msg_id or common.msg_id
    message_id = str(number) if number else None
    # Without any id its content identifies a message, so that a replay of it is still recognised.
    identity = message_id or f"blake2b-{_digest(message)}"
    return {
        "event_id": f"{room_id}:{identity}",
        "streamer": origin.streamer,
        "room_id": room_id,
        "message_id": message_id,
        "method": message.method,
        "created_at": _believed(common.create_time, received_at),
        "received_at": received_at,
        "room_sequence": room_sequence,
        "is_history": message.is_history,
        "worker": origin.worker,
        "streak_id": None,
        "payload": None,
        "text_repaired": text_repaired,
        "streamer_id": origin.streamer_id,
        "connection": origin.connection,
    }


def _digest(message: wire.Envelope) -> str:
    return blake2b(message.method.encode() + b"\0" + message.payload, digest_size=8).hexdigest()


def own_meta(name: str, origin: Origin, at: int, *, unique: bool) -> records.Meta:
    """Metadata of an event that no message carries; a connection's are told apart by worker and time."""
    suffix = f":{origin.worker}:{at}" if unique else ""
    return {
        "event_id": f"{origin.room_id}:{name}{suffix}",
        "streamer": origin.streamer,
        "room_id": str(origin.room_id),
        "message_id": None,
        "method": None,
        "created_at": None,
        "received_at": at,
        "room_sequence": 0,
        "is_history": False,
        "worker": origin.worker,
        "streak_id": None,
        "payload": None,
        "text_repaired": None,
        "streamer_id": origin.streamer_id,
        "connection": origin.connection,
    }


def _believed(time: int, received_at: int) -> int | None:
    """A time in ms; None for zero, as for what is far ahead, long ago, or of another unit."""
    if time < SECONDS_UNTIL:
        time *= 1000
    return time if EARLIEST_MS <= time <= received_at + AHEAD_MS else None
