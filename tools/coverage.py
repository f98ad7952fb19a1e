"""docs/coverage.md: how much of the captured messages' bytes reaches a record, kind by kind.

Made apart from the generated files, since it needs the captures, which lie beside the checkout and not in it.
"""

import base64
import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor

from producer.events import kinds, schemas
from producer.events.event import Origin
from producer.events.mapping import to_event
from producer.webcast.wire import Envelope
from tools.understood import (
    ANY,
    BY_MESSAGE,
    COMMON_LEFT,
    DOCUMENTED,
    FORMAT,
    LAST_ONLY,
    META,
    OWN_LEFT,
    PINNED,
    PINNED_FIELDS,
    PINNED_METHODS,
    SIZES_OF_GIFTS,
    UNNAMED,
    USER,
    WHOLE,
    Left,
    Plan,
)
from tools.wire_walk import fields

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT.parent / "shared" / "captures"
CAPTURES = FOLDER / "messages.jsonl.gz"
BATCH = FOLDER / "batch-2026-08.jsonl.gz"
PAGE = Path("docs/coverage.md")
COMMON_KINDS = 20
"""A field that more kinds have is named once for them."""

HEAD = """# How much of each kind is understood

Made from 1,269 captured messages of 43 kinds (September to December 2023) by `python -m tools.coverage`; do not edit.

A byte of a message's payload is *understood* where it belongs to a field whose value is in the published record or its
`meta`: the field's tag, length and value, and the tag and length of the messages around it. The method that each
message repeats counts, since `meta` has it from the envelope. A byte is *left out* where we know what its field is and
do not publish it; the reasons are below. The others are *not understood*. A message on `unknown` keeps all of its bytes
there, but only its `meta` counts here. Every field that at least one in twenty messages of its kind has is in the
record or in the list below.

| kind | events | messages | bytes | understood | left out | not understood |
|---|---|---|---|---|---|---|
"""

LEFT_HEAD = """
## What is left out, and why

Fields by their numbers, with the way to them; `*` is all of a message but what the record has. Unnamed fields are in
the list too, and are not understood.

| reason | bytes | fields |
|---|---|---|
"""

UNKNOWN_HEAD = """
## What has no event

| captured | messages | on `unknown` |
|---|---|---|
"""


@dataclass(slots=True)
class Account:
    """Where the bytes of some messages go."""

    messages: int = 0
    size: int = 0
    understood: int = 0
    left: Counter[str] = field(default_factory=Counter)
    """Bytes by reason."""
    places: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Where they are, by reason."""
    rest: Counter[tuple[int, ...]] = field(default_factory=Counter)
    """Messages that have a field of which nothing is said, by the way to it."""
    events: Counter[str] = field(default_factory=Counter)

    def share(self, size: int) -> str:
        """A part of the bytes in whole percent, as it is printed."""
        return f"{int(size / self.size * 100)} %"

    @property
    def left_out(self) -> int:
        return self.left.total() - self.left[UNNAMED]

    @property
    def not_understood(self) -> int:
        return self.size - self.understood - self.left_out

    def add(self, method: str, payload: bytes, event: str) -> None:
        """Add a message."""
        self.messages += 1
        self.size += len(payload)
        self.events[event] += 1
        seen: set[tuple[int, ...]] = set()
        self._walk(payload, plan(method, event), left(method, event), (), method, seen)
        self.rest.update(seen)

    def _walk(
        self, data: bytes, plan: Plan, left: Left, path: tuple[int, ...], method: str, seen: set[tuple[int, ...]]
    ) -> None:
        last: dict[int, int] = {}
        for number, value, size in fields(data):
            place, reason = (*path, number), left.get(number, left.get(ANY))
            if number in plan:
                inner = plan[number]
                if inner is not None:
                    self.understood += size - len(value)
                    self._walk(value, inner, _within(reason, left), place, method, seen)
                elif (method, *place) in LAST_ONLY:
                    self._leave(last.pop(number, 0), SIZES_OF_GIFTS, place, method)
                    last[number] = size
                else:
                    self.understood += size
            elif isinstance(reason, dict):
                self._leave(size - len(value), FORMAT, place, method)
                self._walk(value, {}, _within(reason, left), place, method, seen)
            elif reason is not None:
                self._leave(size, reason, place if number in left else (*path, ANY), method)
            else:
                seen.add(place)
        self.understood += sum(last.values())

    def _leave(self, size: int, reason: str, place: tuple[int, ...], method: str) -> None:
        if size:
            self.left[reason] += size
            self.places[reason].add(f"{method} {'.'.join('*' if part == ANY else str(part) for part in place)}")


def _within(reason: "Left | str | None", around: Left) -> Left:
    """What is left out of a message within one: a reason for all of that one is one for what is in it too."""
    if isinstance(reason, str):
        return {ANY: reason}
    return ({ANY: around[ANY]} if ANY in around else {}) | (reason or {})


def captured(file: Path = CAPTURES) -> Iterator[tuple[str, bytes]]:
    """Each captured message's kind and payload."""
    for line in gzip.decompress(file.read_bytes()).splitlines():
        entry = json.loads(line)
        yield entry["method"], base64.b64decode(entry["b64"])


def accounts() -> dict[str, Account]:
    """The account of each captured kind."""
    found: dict[str, Account] = defaultdict(Account)
    for method, payload in captured():
        found[method].add(method, payload, _event(method, payload))
    return found


def _event(method: str, payload: bytes) -> str:
    origin = Origin(streamer="captured", room_id=1, worker="coverage")
    return to_event(Envelope(method=method, payload=payload), origin, received_at=0, room_sequence=1).name


def understood(method: str, payload: bytes, event: str) -> int:
    """How many bytes of a message reach the record of its event."""
    account = Account()
    account.add(method, payload, event)
    return account.understood


def plan(method: str, event: str) -> Plan:
    """The fields of a kind's messages that reach the record of an event."""
    if event == "unknown":
        return {1: META}
    if method in DOCUMENTED:
        return DOCUMENTED[method]
    message, record = kinds.RECORDS[method]
    found = _projected(message.DESCRIPTOR, record)
    common = found.get(1) or {}
    pinned = PINNED if event == "room_pin" else {}
    return {**found, **pinned, 1: {**common, **META}}


@cache
def _projected(message: Descriptor, record: str) -> Plan:
    """The fields of a message that a schema asks for: `x` is `x` of the message or of its `common`."""
    found: Plan = {}
    is_event = record.endswith("Event")
    for each in schemas.records()[record]["fields"]:
        name = each["name"]
        if is_event and name in ("name", "meta", *PINNED_FIELDS):
            continue
        if name in message.fields_by_name:
            target = message.fields_by_name[name]
            found[target.number] = _part(target.message_type, each["type"])
        elif name.removesuffix("_str") not in message.fields_by_name:
            common = message.fields_by_name["common"]
            assert common.message_type is not None
            target = common.message_type.fields_by_name[name]
            found[common.number] = {target.number: _part(target.message_type, each["type"])}
    return found


def _part(message: Descriptor | None, avro: Any) -> Plan | None:
    if message is None:
        return None
    record = avro["items"] if isinstance(avro, dict) else avro[1]
    return USER if record == "User" else _projected(message, record)


def left(method: str, event: str) -> Left:
    """The fields of a kind's messages that are left out of the record of an event."""
    if event == "unknown":
        return {1: COMMON_LEFT, ANY: WHOLE}
    if method in DOCUMENTED:
        return OWN_LEFT[method]
    message, record = kinds.RECORDS[method]
    pinned: Left = {number: OWN_LEFT[name] for number, name in PINNED_METHODS.items()} if event == "room_pin" else {}
    found = _together({1: BY_MESSAGE["KindCommon"]}, _left(message.DESCRIPTOR, _projected(message.DESCRIPTOR, record)))
    return _together(_together(found, OWN_LEFT.get(method, {})), pinned)


def _left(message: Any, plan: Plan) -> Left:
    found: Left = {}
    for number, inner in plan.items():
        if inner is not None:
            part = message.fields_by_number[number].message_type
            assert part is not None
            found[number] = _left(part, inner)
    return _together(found, BY_MESSAGE.get(message.name, {}))


def _together(one: Left, other: Left) -> Left:
    """What either leaves out; the other's reason where both give one."""
    found: Left = {**one, **other}
    for number in one.keys() & other.keys():
        first, second = one[number], other[number]
        if isinstance(first, dict) and isinstance(second, dict):
            found[number] = _together(first, second)
        elif isinstance(first, dict):
            found[number] = _together(first, {ANY: second}) if isinstance(second, str) else second
    return found


def page() -> str:
    """Make the page."""
    found = accounts()
    lines = [_line(method, account) for method, account in sorted(found.items())]
    whole = Account()
    for account in found.values():
        whole.messages += account.messages
        whole.size += account.size
        whole.understood += account.understood
        whole.left += account.left
        for reason, places in account.places.items():
            whole.places[reason] |= places
    lines.append(_line("all", whole))
    reasons = [
        f"| {reason} | {whole.left[reason]:,} | {_places(whole.places[reason])} |\n"
        for reason in sorted(whole.places, key=lambda reason: -whole.left[reason])
    ]
    unknown = [
        _unknown("September to December 2023", CAPTURES),
        _unknown("the first batch of a room in August 2026, without one of its 13", BATCH),
    ]
    return "".join((HEAD, *lines, UNKNOWN_HEAD, *unknown, LEFT_HEAD, *reasons))


def _unknown(when: str, file: Path) -> str:
    events = [_event(method, payload) for method, payload in captured(file)]
    return f"| {when} | {len(events):,} | {events.count('unknown')} |\n"


def _line(name: str, account: Account) -> str:
    events = ", ".join(f"`{event}`" for event in sorted(account.events))
    shares = (account.understood, account.left_out, account.not_understood)
    return (
        f"| {name} | {events} | {account.messages:,} | {account.size:,} | "
        f"{' | '.join(account.share(size) for size in shares)} |\n"
    )


def _places(places: set[str]) -> str:
    by_kind: dict[str, list[str]] = defaultdict(list)
    kinds_of = Counter(place.partition(" ")[2] for place in places)
    common = {way for way, number in kinds_of.items() if number > COMMON_KINDS}
    for place in sorted(places):
        method, _, way = place.partition(" ")
        if way not in common:
            by_kind[method].append(way)
    everywhere = [f"most kinds {', '.join(sorted(common))}"] if common else []
    return "; ".join([*everywhere, *(f"{method} {', '.join(ways)}" for method, ways in by_kind.items())])


def main() -> None:
    """Replace the checked-in page by a fresh one."""
    (ROOT / PAGE).write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main()
