"""The reference of every topic, record and field, out of the schemas; pure."""

from typing import Any

from producer.delivery.topic_plan import dead_letter_topic
from producer.events import schemas

PREFIX = "tiktok.live"

HEAD = f"""# Topics and records

Generated from `schemas/` by `make generate`; do not edit.

Every value is Avro binary behind a prefix that names its schema: a zero byte and the registry's id (Confluent wire
format) where a schema registry is set, otherwise `C3 01` and the schema's CRC-64-AVRO fingerprint (Avro single-object
encoding). The key is the streamer's unique id. `{PREFIX}` is the default of `PRODUCER_TOPIC_PREFIX`.

Records of one streamer keep their order within a topic. Delivery is at least once: the same event has the same
`meta.event_id` however often it comes, so a duplicate can be removed by it. Ids are 64-bit integers above 2^53 where
the documented type is a number; `meta` has them as strings.
"""

DEAD_LETTERS = f"""
## Dead letters

`{dead_letter_topic(PREFIX)}` has no schema: the value is the bytes as they were received (the first 512 KiB of them),
the headers say the rest.

| header | meaning |
|---|---|
| `reason` | where the bytes were refused and why, such as `payload: malformed` |
| `streamer`, `room_id`, `worker` | whose they were |
| `method`, `message_id` | the message, where that was known |
| `length` | how many bytes were received |
"""


def page() -> str:
    """Make the page, in Markdown."""
    events = schemas.events().values()
    parts = [HEAD, "\n## Topics\n\n| topic | record | what |\n|---|---|---|\n"]
    for schema in events:
        doc = schemas.records()[schema.record]["doc"]
        parts.append(f"| `{schema.topic(PREFIX)}` | [{schema.record}](#{schema.record.lower()}) | {doc} |\n")
    parts.append(DEAD_LETTERS)
    named = [schema.record for schema in events]
    shared = [name for name in schemas.records() if name not in named]
    parts += [_record(name, schemas.records()[name]) for name in (*named, *shared)]
    return "".join(parts)


def _record(name: str, schema: dict[str, Any]) -> str:
    rows = "".join(f"| `{field['name']}` | {_type(field['type'])} | {field['doc']} |\n" for field in schema["fields"])
    return f"\n## {name}\n\n{schema['doc']}\n\n| field | type | meaning |\n|---|---|---|\n{rows}"


def _type(avro: Any) -> str:
    match avro:
        case ["null", other]:
            return f"{_type(other)} or null"
        case {"type": "array", "items": items}:
            return f"array of {_type(items)}"
        case {"type": primitive, "logicalType": logical}:
            return f"{primitive} ({logical})"
        case str(name) if name in schemas.records():
            return f"[{name}](#{name.lower()})"
    return str(avro)
