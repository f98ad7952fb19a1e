"""Events that no message carries: of a connection's life, of a live's end, of gifts that are counted for good, and of
the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from producer.events import records
from producer.events.event import Event, Giving, Origin, own_meta
from producer.events.streaks import Given, Interval


@dataclass(frozen=True, slots=True)
class Found:
    """How a live was found."""

    known_by: str
    renamed_to: str | None
    room: records.RoomInfo | None


def live_started(origin: Origin, found: Found, *, at: int) -> Event:
    """Make the event of a live that was found; `at` is in ms since 1970, as below."""
    value: records.LiveStartEvent = {
        "name": "live_start",
        "known_by": found.known_by,
        "started_at": origin.started_at,
        "renamed_to": found.renamed_to,
        "room": found.room,
        "meta": own_meta("live_start", origin, at, unique=False),
    }
    return Event("live_start", value)


def connected(origin: Origin, room: records.RoomInfo | None, *, at: int) -> Event:
    """Make the event of an opened connection."""
    value: records.ConnectEvent = {
        "name": "connect",
        "meta": own_meta("connect", origin, at, unique=True),
        "started_at": origin.started_at,
        "room": room,
    }
    return Event("connect", value)


def room_stats(origin: Origin, totals: Mapping[str, Any], *, at: int) -> Event:
    """Make the event of a live's totals: the fields that RoomStatsEvent has between its name and `meta`."""
    value = {"name": "room_stats", **totals, "meta": own_meta("room_stats", origin, at, unique=True)}
    return Event("room_stats", value)


def disconnected(origin: Origin, reason: str, *, at: int) -> Event:
    """Make the event of a connection that ended."""
    meta = own_meta("disconnect", origin, at, unique=True)
    value: records.DisconnectEvent = {"name": "disconnect", "reason": reason, "meta": meta}
    return Event("disconnect", value)


def live_ended(origin: Origin, reason: str, *, at: int) -> Event:
    """Make the event of a live that was found ended without a message that says so."""
    meta = own_meta("live_end", origin, at, unique=False)
    value: records.LiveEndEvent = {
        "name": "live_end",
        "reason": reason,
        "meta": meta,
        "action": None,
        "tips": None,
        "started_at": origin.started_at,
    }
    return Event("live_end", value)


def streamer(unique_id: str, user_id: int | None, labels: Sequence[tuple[str, str]], *, worker: str, at: int) -> Event:
    """Make the event of what the list says of a streamer."""
    meta = own_meta("streamer", Origin(unique_id, 0, worker), at, unique=True)
    meta["event_id"] = f"{unique_id}:streamer:{worker}:{at}"
    value: records.StreamerEvent = {
        "name": "streamer",
        "unique_id": unique_id,
        "user_id": None if user_id is None else str(user_id),
        "labels": [{"name": name, "value": said} for name, said in labels],
        "meta": meta,
    }
    return Event("streamer", value)


def gift_finalized(given: Given, origin: Origin, *, at: int) -> Event:
    """Make the event of gifts that are counted for good."""
    giving: Giving = given.details
    meta = own_meta("gift_finalized", origin, at, unique=False)
    stem = f"{meta['event_id']}:{given.streak}:"
    meta["event_id"] = stem + _span(given.interval)
    meta["streak_id"] = given.streak
    value: records.GiftFinalizedEvent = {
        "user": giving["user"],
        "gift_id": giving["gift_id"],
        "gift_name": giving["gift_name"],
        "streak_id": given.streak,
        "count": given.count,
        "total": given.total,
        "diamonds": given.diamonds,
        "diamonds_source": given.source.value,
        "gift_list_version": giving["gift_list_version"],
        "ended_by": given.ended_by.value,
        "corrects": stem + _span(given.corrects) if given.corrects else None,
        "last_message_id": str(given.last_message_id) if given.last_message_id else None,
        "name": "gift_finalized",
        "receiver_id": giving["receiver_id"],
        "receiver_unique_id": giving["receiver_unique_id"],
        "receiver_nickname": giving["receiver_nickname"],
        "price": given.price,
        "gift_picture_url": giving["gift_picture_url"],
        "first_message_at": given.first_sent_at,
        "last_message_at": given.last_sent_at,
        "meta": meta,
    }
    return Event("gift_finalized", value)


def _span(interval: Interval) -> str:
    return f"{interval[0]}-{interval[1]}"
