"""What anybody may tell the worker that has a streamer: it is said to have gone live, look it up; pure.

A record of the status topic, whose key is `poke:` and the streamer, and whose value is JSON `{"at": ms}`; no value:
nothing is said. The key is no unique id, so an older worker passes it over as one that it cannot use.

Whoever may write to the topic is a stranger: what a record says is a value within bounds, or a ValueError.
"""

import json

from producer.assignments.claims import Streamer
from producer.assignments.doors import LATEST
from producer.assignments.table import streamer_of
from producer.strangers import integer, json_object

PREFIX = b"poke:"
MOST_BYTES = 1024
FRESH_SECONDS = 60.0
"""What was said longer ago, or is said for so much later, is passed over."""


def poke_key(streamer: Streamer) -> bytes:
    """The key of a streamer's record."""
    return PREFIX + streamer.encode()


def is_poke(key: bytes | None) -> bool:
    """Whether a record of the status topic is one of these."""
    return key is not None and key.startswith(PREFIX)


def encode_poke(at: int) -> bytes:
    """The value of a record that is written at this time, in ms since 1970."""
    return json.dumps({"at": at}, separators=(",", ":")).encode()


def decode_poke(key: bytes | None, value: bytes | None) -> tuple[Streamer, int | None]:
    """Read a record: of whom, and when it was written, if anything is said. Raises ValueError, saying what is wrong."""
    if key is None or not is_poke(key):
        raise ValueError(f"the key {(key or b'')[:64]!r} is no streamer's to be looked up")
    streamer = streamer_of(key[len(PREFIX) :])
    if value is None:
        return streamer, None
    at = integer(json_object(value, most_bytes=MOST_BYTES).get("at"), least=0, most=LATEST)
    if at is None:
        raise ValueError("not a word on a streamer: it does not say when it was written")
    return streamer, at


def is_fresh(at: int, now: int) -> bool:
    """Whether what was said then is to be heeded now, both in ms since 1970."""
    return abs(now - at) <= FRESH_SECONDS * 1000
