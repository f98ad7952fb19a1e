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
from tools.wire_walk import fields

ROOT = Path(__file__).resolve().parent.parent
CAPTURES = ROOT.parent / "shared" / "captures" / "messages.jsonl.gz"
PAGE = Path("docs/coverage.md")

Plan = dict[int, "Plan | None"]
"""The fields of a message that reach a record: None is a value, a plan is a message of which some fields do."""

# What the hand-written mappings publish. A field that only decides (an action, a badge's scene) is not published.
META: Plan = {1: None, 2: None, 4: None}
"""The method, which `meta` has from the envelope, the message's id and its time."""
SHOWN: Plan = {**META, 8: {1: None, 2: None}}
URLS: Plan = {1: None}
USER: Plan = {
    1: None,
    3: None,
    9: URLS,
    22: {3: None},
    32: {2: None},
    38: None,
    64: {21: {2: None, 3: None}},
}
IDENTITY: Plan = {3: None, 4: None, 5: None}
DOCUMENTED: dict[str, Plan] = {
    "WebcastChatMessage": {1: META, 2: USER, 3: None, 18: IDENTITY},
    "WebcastControlMessage": {1: META},
    "WebcastGiftMessage": {
        1: META,
        2: None,
        5: None,
        7: USER,
        8: USER,
        9: None,
        11: None,
        15: {1: URLS, 2: None, 11: None, 12: None, 16: None},
        23: {6: None, 8: None},
        32: IDENTITY,
    },
    "WebcastLikeMessage": {1: SHOWN, 2: None, 3: None, 5: USER},
    "WebcastMemberMessage": {1: SHOWN, 2: USER},
    "WebcastQuestionNewMessage": {1: META, 2: {2: None, 5: USER}},
    "WebcastRoomUserSeqMessage": {1: META, 3: None},
    "WebcastSocialMessage": {1: SHOWN, 2: USER},
}
LAST_ONLY = frozenset({("WebcastGiftMessage", 15, 1, 1), ("WebcastRoomPinMessage", 4, 15, 1, 1)})
"""Repeated fields of which the documented type has the last alone."""
PINNED: Plan = {
    2: DOCUMENTED["WebcastChatMessage"],
    3: DOCUMENTED["WebcastSocialMessage"],
    4: DOCUMENTED["WebcastGiftMessage"],
    5: DOCUMENTED["WebcastMemberMessage"],
    6: DOCUMENTED["WebcastLikeMessage"],
}
PINNED_FIELDS = frozenset({"comment", "follow", "share", "gift", "join", "like"})

REST = {
    "WebcastBarrageMessage": "users.",
    "WebcastCapsuleMessage": "users; each message has the same one twice.",
    "WebcastChatMessage": "users; scores of the comment's quality (field 19) and the user who is mentioned (12).",
    "WebcastEmoteChatMessage": "users.",
    "WebcastGiftBroadcastMessage": "users.",
    "WebcastGiftMessage": "the text that is shown, with the sender once more; users; the gift's second icon (15.21).",
    "WebcastLikeMessage": "users; the text that is shown, and those for some viewers (field 8).",
    "WebcastLinkMessage": "users: the larger avatars alone are more than half of all bytes.",
    "WebcastMemberMessage": "the text that is shown, twice, with the user once more in each; users.",
    "WebcastQuestionNewMessage": "users.",
    "WebcastRankTextMessage": "users; each message has the same one twice.",
    "WebcastRoomMessage": "users.",
    "WebcastRoomPinMessage": "as of the pinned kinds; seven of the eight are gifts.",
    "WebcastRoomUserSeqMessage": "the top viewers (field 2), whom the documented event lacks.",
    "WebcastSocialMessage": "the text that is shown, with the user once more; users.",
}
"""What the rest is, of the kinds of which less than half is understood."""


HEAD = """# How much of each kind is understood

Made from 1,269 captured messages of 43 kinds (September to December 2023) by `python -m tools.coverage`; do not edit.

A byte of a message's payload is understood where it belongs to a field whose value is in the published record or its
`meta`: the field's tag, length and value, and the tag and length of the messages around it. What is parsed and not
published does not count, nor does what only decides which event a message is. The method that each message repeats
counts, since `meta` has it from the envelope; the room id does not, since `meta` has the connection's. A message on
`unknown` keeps all of its bytes there, but only its `meta` counts here.

| kind | events | messages | bytes | understood |
|---|---|---|---|---|
"""

REST_HEAD = """
## What the rest is, where it is more than half

Users, below: their badges' pictures, levels and links, their larger avatars and their second ids. The documented User
has none of these.

"""


@dataclass(slots=True)
class Row:
    """One kind's account."""

    messages: int = 0
    size: int = 0
    understood: int = 0
    events: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        return self.understood / self.size


def captured() -> Iterator[tuple[str, bytes]]:
    """Each captured message's kind and payload."""
    for line in gzip.decompress(CAPTURES.read_bytes()).splitlines():
        entry = json.loads(line)
        yield entry["method"], base64.b64decode(entry["b64"])


def rows() -> dict[str, Row]:
    """The account of each captured kind."""
    found: dict[str, Row] = defaultdict(Row)
    origin = Origin(streamer="captured", room_id=1, worker="coverage")
    for method, payload in captured():
        row = found[method]
        event = to_event(Envelope(method=method, payload=payload), origin, received_at=0, room_sequence=1)
        row.messages += 1
        row.size += len(payload)
        row.understood += understood(method, payload, event.name)
        row.events[event.name] += 1
    return found


def understood(method: str, payload: bytes, event: str) -> int:
    """How many bytes of a message reach the record of its event."""
    return _understood(payload, plan(method, event), (method,))


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


def _understood(data: bytes, plan: Plan, path: tuple[str | int, ...]) -> int:
    total = 0
    last: dict[int, int] = {}
    for number, value, size in fields(data):
        if number not in plan:
            continue
        inner = plan[number]
        if inner is not None:
            total += size - len(value) + _understood(value, inner, (*path, number))
        elif (*path, number) in LAST_ONLY:
            last[number] = size
        else:
            total += size
    return total + sum(last.values())


def page() -> str:
    """The page. Raises SystemExit where what it says of the rest is no longer due, or is missing."""
    found = rows()
    low = {method for method, row in found.items() if row.share < 0.5}
    if low != REST.keys():
        raise SystemExit(f"tools/coverage.py: REST must be of the kinds below one half: {sorted(low ^ REST.keys())}")
    lines = [
        f"| {method} | {', '.join(f'`{event}`' for event in sorted(row.events))} | {row.messages} | {row.size:,} | "
        f"{int(row.share * 100)} % |\n"
        for method, row in sorted(found.items())
    ]
    whole = Row(
        sum(row.messages for row in found.values()),
        sum(row.size for row in found.values()),
        sum(row.understood for row in found.values()),
    )
    lines.append(f"| all | | {whole.messages:,} | {whole.size:,} | {int(whole.share * 100)} % |\n")
    rest = [f"- {method}: {REST[method]}\n" for method in sorted(low)]
    return "".join((HEAD, *lines, REST_HEAD, *rest))


def main() -> None:
    """Replace the checked-in page by a fresh one."""
    (ROOT / PAGE).write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main()
