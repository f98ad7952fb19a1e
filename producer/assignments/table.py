"""The shared list as a compacted topic, and the topic of who streams whom: their records, and the table; pure.

Assignment record: key is the normalised unique id (UTF-8); value is JSON `{"enabled": bool, "priority": int,
"weight": number, "doors": [text], "room_id": text, "session": text, "user_id": text, "labels": {text: text}}`, each
optional, unknown keys ignored, and the last five also where they cannot be meant; no value: removed. The partition is
the streamer's slot, by Kafka's default partitioner (murmur2), so that every Java client, and kcat with
`-X partitioner=murmur2_random`, agrees. schemas/list.schema.json says it to programs.

Status record: key as above; value is JSON of `Status`; no value: nobody streams it. Beside them that topic has a record
for each door (`doors`), what workers share (`share_records`), and who is to be looked up at once (`pokes`).

Whoever may write to the topics is a stranger: what a record says is a value within bounds, or a ValueError.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from aiokafka.partitioner import murmur2

from producer.assignments.assignor import Load
from producer.assignments.claims import (
    Streamer,
    Wanted,
    is_doors,
    is_labels,
    is_session,
    is_weight,
    normalise,
    sorted_labels,
)
from producer.assignments.interface import LastLive, Said
from producer.errors import StartRefused
from producer.strangers import at, identifier, integer, json_object, text

SLOTS = 128
"""The fixed number of slots: well above any number of workers, so that shares come out even."""
MAX_KEY_BYTES = 64
MAX_VALUE_BYTES = 16 * 1024
MOST_STARTS = 100
"""Of a streamer that a status tells of."""
MOST_MINUTES = 2**32
"""Since 1970, where any moment may be: far beyond what a date has."""

CONNECTED = "connected"
OFFLINE = "offline"
UNASSIGNED = "unassigned"
"""States that the sharing itself understands; the others are only passed on."""


def slot_of(streamer: Streamer, slots: int) -> int:
    """The slot of a streamer among so many."""
    return int(murmur2(streamer.encode()) & 0x7FFFFFFF) % slots


def refuse_other_slots(topic: str, *, found: int, expected: int) -> None:
    """Raise StartRefused where the list's topic has not the slots that this worker counts with."""
    if found != expected:
        raise StartRefused(
            f"{topic} has {found} partitions and must have PRODUCER_ASSIGNMENT_SLOTS={expected}: the number of slots "
            "is fixed, since workers that count differently would share the list differently; make the topic anew "
            "(`producer assign export`, delete it, `producer topics apply`, `producer assign apply`)"
        )


def encode_row(wanted: Wanted) -> tuple[bytes, bytes]:
    """Key and value of an assignment record; what is behind the weight is in it only where it is said."""
    value: dict[str, object] = {"enabled": wanted.enabled, "priority": wanted.priority, "weight": wanted.weight}
    if wanted.doors:
        value["doors"] = wanted.doors
    if wanted.room_id is not None:
        value["room_id"] = str(wanted.room_id)  # JavaScript rounds 64-bit integers
    if wanted.session is not None:
        value["session"] = wanted.session
    if wanted.user_id is not None:
        value["user_id"] = str(wanted.user_id)
    if wanted.labels:
        value["labels"] = dict(wanted.labels)
    return wanted.streamer.encode(), json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def decode_row(key: bytes | None, value: bytes | None) -> tuple[Streamer, Wanted | None]:
    """Read an assignment record; None is a removal. Raises ValueError, saying what is wrong."""
    streamer = streamer_of(key)
    if value is None:
        return streamer, None
    options = json_object(value, most_bytes=MAX_VALUE_BYTES)
    enabled, weight = options.get("enabled", True), options.get("weight", 1.0)
    priority = integer(options.get("priority", 0))
    if not isinstance(enabled, bool):
        raise ValueError("enabled must be true or false")
    if priority is None:
        raise ValueError("priority must be a whole number of at most 63 bits")
    if not is_weight(weight):
        raise ValueError("weight must be a number above 0")
    doors, session, labels = options.get("doors"), options.get("session"), options.get("labels")
    more: dict[str, Any] = {
        "doors": tuple(doors) if isinstance(doors, list) and is_doors(doors) else None,
        "room_id": identifier(options.get("room_id")),
        "session": session if is_session(session) else None,
        "user_id": identifier(options.get("user_id")),
        "labels": sorted_labels(labels) if isinstance(labels, dict) and is_labels(labels) else None,
    }
    unusable = tuple(name for name, found in more.items() if found is None and options.get(name) is not None)
    more["doors"], more["labels"] = more["doors"] or (), more["labels"] or ()
    return streamer, Wanted(streamer, enabled, priority, float(weight), **more, unusable=unusable)


@dataclass(frozen=True, slots=True)
class Status:
    """Who streams a streamer, and how it goes."""

    worker: str
    generation: int
    """The group's generation under which it was said: of two workers, the newer one is right."""
    state: str
    since: int
    """When the state began: milliseconds since 1970, by that worker's clock."""
    room_id: str | None = None
    error: str | None = None
    """The last error, while it explains the state."""
    bugs: int = 0
    """How often, one after the other, a bug of ours has ended its session."""
    again_at: int | None = None
    """When it is to be tried again, where that takes minutes: ms since 1970, by that worker's clock."""
    door: str | None = None
    """By which door its room is heard."""
    owner_id: str | None = None
    """The number of the user whose room it is, where it was learnt."""
    watched: int | None = None
    """Since when it has been looked up: minutes since 1970."""
    starts: tuple[int, ...] = ()
    """When it went live lately, as far as was learnt: minutes since 1970, oldest first."""
    live: LastLive | None = None
    going_in: int | None = None
    """When it was said last that it goes on trying to get into a room that was another worker's: ms since 1970."""

    @classmethod
    def of(cls, said: Said, *, worker: str, generation: int, since: int, now: int | None = None) -> "Status":
        """What a session said `now`, as its worker says it."""
        how = said.state, since, said.room_id, text(said.error), said.bugs, said.again_at, said.door
        learnt = said.owner_id, said.watched, said.starts, said.live, now if said.going_in else None
        return cls(worker, generation, *how, *learnt)

    @property
    def said(self) -> Said:
        """What its session said."""
        how = self.state, self.room_id, self.error, self.bugs, self.again_at, self.door
        return Said(*how, self.owner_id, self.watched, self.starts, self.live, self.going_in is not None)

    def under(self, generation: int) -> "Status":
        """The same, said under another generation; at a third of what `dataclasses.replace` costs."""
        how = self.state, self.since, self.room_id, self.error, self.bugs, self.again_at, self.door
        learnt = self.owner_id, self.watched, self.starts, self.live, self.going_in
        return Status(self.worker, generation, *how, *learnt)


def encode_status(status: Status) -> bytes:
    """The value of a status record; what is behind the error is in it only where there is something to say."""
    said: dict[str, object] = {
        "worker": status.worker,
        "generation": status.generation,
        "state": status.state,
        "since": status.since,
        "room_id": status.room_id,
        "error": status.error,
    }
    if status.bugs:
        said["bugs"] = status.bugs
    if status.again_at:
        said["again_at"] = status.again_at
    if status.door:
        said["door"] = status.door
    if status.owner_id:
        said["owner_id"] = status.owner_id
    if status.watched is not None:
        said["watched"] = status.watched
    if status.starts:
        said["starts"] = status.starts
    if status.going_in is not None:
        said["going_in"] = status.going_in
    if status.live is not None:
        said["live"] = {name: value for name, value in asdict(status.live).items() if value}
    return json.dumps(said, separators=(",", ":")).encode()


def decode_status(key: bytes | None, value: bytes | None) -> tuple[Streamer, Status | None]:
    """Read a status record; None is nobody. Raises ValueError, saying what is wrong."""
    streamer = streamer_of(key)
    if value is None:
        return streamer, None
    said = json_object(value, most_bytes=MAX_VALUE_BYTES)
    worker, state, room_id, error = (text(said.get(name)) for name in ("worker", "state", "room_id", "error"))
    generation, since, again_at = (integer(said.get(name)) for name in ("generation", "since", "again_at"))
    bugs = integer(said.get("bugs", 0), least=0)  # an older worker says nothing of it, nor of what is behind it
    if worker is None or state is None or generation is None or since is None or bugs is None:
        raise ValueError("not a status: it lacks what each has")
    door = text(said.get("door"), most=64)
    for name, found in (("room_id", room_id), ("error", error), ("again_at", again_at), ("door", door)):
        if found is None and said.get(name) is not None:
            raise ValueError(f"not a status: {name} is none")
    owner_id = identifier(said.get("owner_id"))
    watched, going_in = (integer(said.get(name), least=0) for name in ("watched", "going_in"))
    learnt = None if owner_id is None else str(owner_id), watched, _starts(said), _live(said), going_in
    return streamer, Status(worker, generation, state, since, room_id, error, bugs, again_at, door, *learnt)


def _starts(said: Mapping[str, Any]) -> tuple[int, ...]:
    """When a streamer went live, sorted; nothing of it where it cannot be meant."""
    found = said.get("starts")
    if not isinstance(found, list) or len(found) > MOST_STARTS:
        return ()
    minutes = [minute for each in found if (minute := integer(each, least=0)) is not None and minute < MOST_MINUTES]
    return tuple(sorted(minutes)) if len(minutes) == len(found) else ()


def _live(said: Mapping[str, Any]) -> LastLive | None:
    """The last live; None where it cannot be meant."""
    live = at(said, "live")
    room_id, is_over = identifier(live.get("room_id")), live.get("is_over", False)
    started_at = integer(live.get("started_at"), least=0)
    if room_id is None or not isinstance(is_over, bool):
        return None
    return LastLive(str(room_id), started_at, is_over)


def streamer_of(key: bytes | None) -> Streamer:
    """Whose record it is. Raises ValueError where the key is no unique id, lower case and without @."""
    try:
        if key is None or len(key) > MAX_KEY_BYTES:
            raise ValueError
        name = key.decode()
        streamer = normalise(name)
    except ValueError as cause:
        raise ValueError(f"the key {(key or b'')[:MAX_KEY_BYTES]!r} is not a unique id") from cause
    if streamer != name:
        raise ValueError(f"the key {name!r} is not normalised: {streamer}")
    return streamer


class Table:
    """The list, slot by slot, as its records made it."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.wanted = 0
        """How many streamers are enabled."""
        self._rows: list[dict[Streamer, Wanted]] = [{} for _ in range(slots)]
        self._all: dict[Streamer, Wanted] = {}
        self._read: list[int] = [-1] * slots
        """The last offset of each slot."""

    def apply(self, slot: int, offset: int, key: bytes | None, value: bytes | None) -> Streamer | None:
        """Take in one record of a slot's partition; tell whose row it is, and None where it is old.

        A later offset overrules an earlier one; one that was read before is passed over. Raises ValueError, saying
        what is wrong, for a record that cannot be used: the row stays as it was.
        """
        if offset <= self._read[slot]:
            return None
        self._read[slot] = offset
        streamer, wanted = decode_row(key, value)
        if (right := slot_of(streamer, self.slots)) != slot:
            raise ValueError(f"{streamer} is in partition {slot} and belongs in {right}: use the murmur2 partitioner")
        before = self._all.get(streamer)
        if wanted is not None:
            self._all[streamer] = self._rows[slot][streamer] = wanted
        elif before is not None:
            del self._all[streamer], self._rows[slot][streamer]
        self.wanted += (wanted is not None and wanted.enabled) - (before is not None and before.enabled)
        return streamer

    def rows(self, slot: int) -> Mapping[Streamer, Wanted]:
        """The rows of a slot."""
        return MappingProxyType(self._rows[slot])

    def enabled(self, slots: Iterable[int]) -> list[Wanted]:
        """The enabled rows of some slots."""
        return [row for slot in slots for row in self._rows[slot].values() if row.enabled]

    def get(self, streamer: Streamer) -> Wanted | None:
        """The row of a streamer."""
        return self._all.get(streamer)

    def factors(self, slots: Iterable[int], measure: Callable[[Wanted], float]) -> dict[int, float]:
        """What some slots weigh by `measure`, against what the list says of them, where the two differ."""
        factors: dict[int, float] = {}
        for slot in slots:
            rows = self.enabled([slot])
            declared, measured = sum(row.weight for row in rows), sum(map(measure, rows))
            if declared and measured != declared:
                factors[slot] = measured / declared
        return factors

    def loads(self, factors: Mapping[int, float]) -> list[Load]:
        """What each slot carries; `factors` corrects the weights of some slots by what was measured."""
        return [self._load(slot, factors.get(slot, 1.0)) for slot in range(self.slots)]

    def _load(self, slot: int, factor: float) -> Load:
        rows = self.enabled([slot])
        return Load(len(rows), factor * sum(row.weight for row in rows))
