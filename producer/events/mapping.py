"""Webcast message to event, or a refusal: finds the kind, and keeps what is of none."""

from dataclasses import replace
from typing import Any

from producer.errors import Fault, MessageRefused
from producer.events import documented, kinds, records
from producer.events.event import Event, Origin, Payloads, message_meta
from producer.events.gifts import GiftList
from producer.events.streaks import Source
from producer.webcast import wire

UNKNOWN = "unknown"
PREFIX = "Webcast"
REPLACEMENT = "\ufffd"
"""What a text has in the place of what was not UTF-8."""
PAYLOAD_BYTES = 512 * 1024
"""A longer message is refused. The largest captured one has 42,761."""

_any_message = wire.reader(wire.AnyMessage)
_NOTHING = wire.AnyMessage()
_MAPPERS = documented.MAPPERS | kinds.MAPPERS

_ALL, _UNDOCUMENTED = Payloads.ALL, Payloads.UNDOCUMENTED  # Python takes its time to find a member of an enumeration

METHODS = frozenset(_MAPPERS)
"""The kinds of message that have events of their own."""


def to_event(
    message: wire.Envelope, origin: Origin, *, received_at: int, room_sequence: int, gift_list: GiftList | None = None
) -> Event:
    """Map one message to one event; `received_at` is in ms since 1970. Raises MessageRefused.

    A message of a kind that nobody knows, or that is none of the documented events, becomes `unknown`, with its bytes.
    """
    method, payload = message.method, message.payload
    if len(payload) > PAYLOAD_BYTES:
        raise MessageRefused(
            f"{method} has {len(payload)} bytes; at most {PAYLOAD_BYTES} are read", fault=Fault.TOO_LARGE
        )
    kind = kind_of(method)
    mapper = _MAPPERS[kind] if kind else None
    parse = mapper.parse if mapper else _any_message
    parsed: Any = _NOTHING
    is_mended = False
    try:
        parsed, is_mended = parse(payload)
        if origin.viewers is not None:
            origin.viewers.apply(parsed)
    except wire.TooManyFields as cause:
        raise MessageRefused(f"{method}: {cause}", fault=Fault.TOO_MANY) from cause
    except wire.DecodeError as cause:
        if mapper:
            raise MessageRefused(f"{method} is not valid protobuf") from cause
    common, text_repaired = parsed.common, is_mended or REPLACEMENT in method
    meta = message_meta(message, common, origin, received_at, room_sequence, text_repaired=text_repaired)
    event = (mapper.map(parsed, meta) if mapper else None) or _unknown(message, origin, meta)
    if common.create_time and meta["created_at"] is None:
        event = event._replace(is_time_odd=True)
    if event.name == UNKNOWN:
        return event
    if event.name == documented.LIVE_END:
        event.value["started_at"] = origin.started_at
    if _carried(kind, origin.payloads):
        meta["payload"] = _leaving(payload, origin)
    return _with_gift_list(event, gift_list) if event.tap is not None else event


def kind_of(method: str) -> str | None:
    """The known kind that a method names; None for any other. TikTok leaves the prefix away now and then."""
    if method in _MAPPERS:
        return method
    prefixed = PREFIX + method
    return prefixed if prefixed in _MAPPERS else None


def _carried(kind: str | None, payloads: Payloads) -> bool:
    if payloads is _ALL or kind in kinds.LITTLE_KNOWN:
        return True
    return payloads is _UNDOCUMENTED and kind in kinds.MAPPERS


def _leaving(payload: bytes, origin: Origin) -> bytes:
    """A message's bytes as they may leave the process."""
    return payload if origin.viewers is None else origin.viewers.seal(payload)


def _unknown(message: wire.Envelope, origin: Origin, meta: records.Meta) -> Event:
    value: records.UnknownEvent = {
        "name": UNKNOWN,
        "method": message.method,
        "payload": _leaving(message.payload, origin),
        "meta": meta,
    }
    return Event(UNKNOWN, value)


def _with_gift_list(event: Event, gift_list: GiftList | None) -> Event:
    """Say of a gift what the list says of it; its type, name, price and picture count where the message has none."""
    gift: records.Gift = event.value["gift"]
    tap = event.tap
    if gift_list is None or tap is None:
        return event
    gift["gift_list_version"] = tap.details["gift_list_version"] = gift_list.version
    listed = gift["extended_gift"] = gift_list.gifts.get(tap.gift_id)
    if listed is None:
        return event
    if tap.details["gift_name"] is None:
        tap.details["gift_name"] = listed["name"]
    if tap.details["gift_picture_url"] is None and (picture := listed["image"]) is not None and picture["url_list"]:
        tap.details["gift_picture_url"] = picture["url_list"][-1]
    if tap.diamond_count is None and listed["diamond_count"] is not None:
        tap = replace(tap, diamond_count=listed["diamond_count"], price_source=Source.GIFT_LIST)
    if gift["gift_type"] is None and listed["type"] is not None:
        gift["gift_type"] = listed["type"]
        if tap.streakable is None:
            tap = replace(tap, streakable=listed["type"] == documented.STREAKABLE)
            gift["streakable"] = tap.streakable is True
            gift["streaking"] = gift["streakable"] and gift["repeatEnd"] != 1
            event.value["meta"]["streak_id"] = tap.streak
    return event._replace(tap=tap)
