"""The gift list: the endpoint's answer to what events carry of it; pure. Facts: protocol sheet section 2.5."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from producer import strangers
from producer.errors import FailedFetchGifts, Reason
from producer.events import records

MOST_GIFTS, MOST_URLS = 5_000, 20
"""673 gifts were reported in 2026, and pictures have two URLs; what a stranger adds beyond is left out."""
MOST_LETTERS = 1_000
"""Of a text, which is cut there, and of a URL, which is left out; the longest of 2023 and 2024 has 117."""
LONGEST_VERSION = 100
"""It is on every gift event."""


@dataclass(frozen=True, slots=True)
class GiftList:
    """All gifts of one answer."""

    version: str
    """TikTok's own hash of the list, or one of its gifts where it has none or a long one."""
    gifts: Mapping[int, records.ExtendedGift]
    """By gift id."""


def read_gift_list(answer: Mapping[str, object]) -> GiftList:
    """Read the answer of /gift/list/. Raises FailedFetchGifts where there is no gift in it.

    An entry without an id is left out; a property of an unexpected type is None.
    """
    data = strangers.at(answer, "data")
    if answer.get("status_code") != 0:
        code = strangers.integer(answer.get("status_code"))
        said = strangers.shown(strangers.text(data.get("message")) or "no message")
        status = "no status code" if code is None else f"status code {code}"
        raise FailedFetchGifts(f"gift list: {status} ({said})", reason=Reason.STATUS)
    pages = [page for page in _list(data.get("pages")) if isinstance(page, dict)]
    entries = [*_list(data.get("gifts")), *(entry for page in pages for entry in _list(page.get("gifts")))]
    gifts: dict[int, records.ExtendedGift] = {}
    for entry in entries:
        gift_id = strangers.integer(entry.get("id")) if isinstance(entry, dict) else None
        if gift_id is not None and (len(gifts) < MOST_GIFTS or gift_id in gifts):
            gifts[gift_id] = _gift(gift_id, strangers.at(entry))
    if not gifts:
        raise FailedFetchGifts("the gift list has no gifts", reason=Reason.MALFORMED)
    version = strangers.text(data.get("hash"), most=LONGEST_VERSION + 1)
    return GiftList(version if version and len(version) <= LONGEST_VERSION else _digest(gifts), gifts)


def _gift(gift_id: int, entry: Mapping[str, object]) -> records.ExtendedGift:
    return {
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


def _icon(picture: object) -> records.GiftIcon | None:
    if not isinstance(picture, dict):
        return None
    urls = [url for url in _list(picture.get("url_list")) if isinstance(url, str) and len(url) <= MOST_LETTERS]
    return {
        "avg_color": _typed(picture, "avg_color", str),
        "uri": _typed(picture, "uri", str),
        "is_animated": _typed(picture, "is_animated", bool),
        "url_list": urls[:MOST_URLS],
    }


def _typed(entry: Mapping[str, object], name: str, kind: type) -> Any:
    """A property of exactly that type (a bool is no int), no integer past 64 bits (Avro has none), a text cut."""
    value = entry.get(name)
    if kind is str:
        return strangers.text(value, most=MOST_LETTERS)
    if kind is int:
        return strangers.integer(value)
    return value if type(value) is kind else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _digest(gifts: Mapping[int, records.ExtendedGift]) -> str:
    return blake2b(json.dumps(sorted(gifts.items()), sort_keys=True).encode(), digest_size=8).hexdigest()
