"""The gift list: the endpoint's answer to what events carry of it; pure. Facts: protocol sheet section 2.5."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from producer.errors import FailedFetchGifts, Reason
from producer.events import records

MOST_GIFTS, MOST_URLS = 20_000, 20
"""673 gifts were reported in 2026, and pictures have two URLs; what a stranger adds beyond is left out."""


@dataclass(frozen=True, slots=True)
class GiftList:
    """All gifts of one answer."""

    version: str
    """TikTok's own hash of the list, or one of its gifts where it has none."""
    gifts: Mapping[int, records.ExtendedGift]
    """By gift id."""


def read_gift_list(answer: Mapping[str, object]) -> GiftList:
    """Read the answer of /gift/list/. Raises FailedFetchGifts where there is no gift in it.

    An entry without an id is left out; a property of an unexpected type is None.
    """
    if answer.get("status_code") != 0:
        raise FailedFetchGifts(f"gift list: status {answer.get('status_code')!r}", reason=Reason.STATUS)
    data = answer.get("data")
    data = data if isinstance(data, dict) else {}
    pages = [page for page in _list(data.get("pages")) if isinstance(page, dict)]
    entries = [*_list(data.get("gifts")), *(entry for page in pages for entry in _list(page.get("gifts")))]
    gifts = {gift["id"]: gift for gift in map(_gift, entries[:MOST_GIFTS]) if gift is not None}
    if not gifts:
        raise FailedFetchGifts("the gift list has no gifts", reason=Reason.MALFORMED)
    version = data.get("hash")
    return GiftList(version if isinstance(version, str) and version else _digest(gifts), gifts)


def _gift(entry: object) -> Any:
    if not isinstance(entry, dict) or (gift_id := _typed(entry, "id", int)) is None:
        return None
    gift: records.ExtendedGift = {
        "id": gift_id,
        "name": _typed(entry, "name", str),
        "type": _typed(entry, "type", int),
        "diamond_count": _typed(entry, "diamond_count", int),
        "describe": _typed(entry, "describe", str),
        "duration": _typed(entry, "duration", int),
        "event_name": _typed(entry, "event_name", str),
        "icon": _icon(entry.get("icon")),
        "image": _icon(entry.get("image")),
        "notify": _typed(entry, "notify", bool),
        "is_broadcast_gift": _typed(entry, "is_broadcast_gift", bool),
        "is_displayed_on_panel": _typed(entry, "is_displayed_on_panel", bool),
        "is_effect_befview": _typed(entry, "is_effect_befview", bool),
        "is_random_gift": _typed(entry, "is_random_gift", bool),
        "is_gray": _typed(entry, "is_gray", bool),
        "id_str": str(gift_id),
    }
    return gift


def _icon(picture: object) -> records.GiftIcon | None:
    if not isinstance(picture, dict):
        return None
    urls = [url for url in _list(picture.get("url_list")) if isinstance(url, str)]
    return {
        "avg_color": _typed(picture, "avg_color", str),
        "uri": _typed(picture, "uri", str),
        "is_animated": _typed(picture, "is_animated", bool),
        "url_list": urls[:MOST_URLS],
    }


def _typed(entry: Mapping[str, object], name: str, kind: type) -> Any:
    """A property of exactly that type (a bool is no int), and no integer past 64 bits: Avro has no longer ones."""
    value = entry.get(name)
    if isinstance(value, int) and value.bit_length() > 63:
        return None
    return value if type(value) is kind else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _digest(gifts: Mapping[int, records.ExtendedGift]) -> str:
    return blake2b(json.dumps(sorted(gifts.items()), sort_keys=True).encode(), digest_size=8).hexdigest()
