"""What workers tell each other of the doors to rooms: a record of the status topic for each door; pure.

Its key is `door:` and the door's name, with `@` and the egress where these are listed. It is no unique id, so an older
worker passes it over as one that it cannot use. Its value is JSON of `DoorSaid`; no value: nothing is said of it.

Whoever may write to the topic is a stranger: what a record says is a value within bounds, or a ValueError.
"""

import json
import re
from dataclasses import asdict, dataclass

from producer.strangers import integer, json_object, text

KEY = re.compile(rb"door:([a-z][a-z0-9_]{0,31}(?:@[!-~]{1,64})?)")
MAX_VALUE_BYTES = 4 * 1024
LATEST = 253_402_300_799_000
"""The end of the year 9999, which is the last one that a time can be shown of."""


@dataclass(frozen=True, slots=True)
class DoorSaid:
    """How a door stands at one worker. Times are milliseconds since 1970, by that worker's clock."""

    worker: str
    at: int
    """When it was said."""
    reason: str | None = None
    """Why it is shut; None where it is open."""
    detail: str = ""
    """What was answered there: a stranger's text."""
    since: int | None = None
    """When it was shut."""
    again_at: int | None = None
    """Before when nobody is to try it."""


def door_key(door: str) -> bytes:
    """The key of a door's record."""
    return f"door:{door}".encode()


def is_door(key: bytes | None) -> bool:
    """Whether a record of the status topic is of a door, and not of a streamer."""
    return key is not None and key.startswith(b"door:")


def encode_door(said: DoorSaid) -> bytes:
    """The value of a door's record."""
    return json.dumps(asdict(said), separators=(",", ":")).encode()


def decode_door(key: bytes | None, value: bytes | None) -> tuple[str, DoorSaid | None]:
    """Read a door's record: its name, and what is said, if anything. Raises ValueError, saying what is wrong."""
    named = KEY.fullmatch(key or b"")
    if named is None:
        raise ValueError(f"the key {(key or b'')[:64]!r} is no door's")
    door = named[1].decode()
    if value is None:
        return door, None
    said = json_object(value, most_bytes=MAX_VALUE_BYTES)
    worker, reason, detail = text(said.get("worker")), text(said.get("reason"), most=64), text(said.get("detail", ""))
    at, since, again_at = (integer(said.get(name), least=0, most=LATEST) for name in ("at", "since", "again_at"))
    if worker is None or at is None or detail is None:
        raise ValueError("not a door's: it lacks what each has")
    for name, found in (("reason", reason), ("since", since), ("again_at", again_at)):
        if found is None and said.get(name) is not None:
            raise ValueError(f"not a door's: {name} is none")
    return door, DoorSaid(worker, at, reason, detail[:200], since, again_at)
