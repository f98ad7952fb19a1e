"""The reference of every topic, record and field, out of the schemas; pure."""

from typing import Any

from producer.events import kinds, schemas

PREFIX = "tiktok.live"

HEAD = f"""# Topics and records

Generated from `schemas/` by `make generate`; do not edit.

Every value is Avro binary behind a prefix that names its schema: a zero byte and the registry's id (Confluent wire
format) where a schema registry is set, otherwise `C3 01` and the schema's CRC-64-AVRO fingerprint (Avro single-object
encoding). The key is the streamer's unique id. `{PREFIX}` is the default of `PRODUCER_TOPIC_PREFIX`.

Records of one streamer keep their order within a topic. Delivery is at least once: the same event has the same
`meta.event_id` however often it comes, so a duplicate can be removed by it. Ids are 64-bit integers above 2^53, which
JavaScript rounds: beside each there is the same as a string, `…_str`, and `meta` has strings alone.
"""

DOCUMENTED = """
## Topics

The documented events, and six of ours: `gift_finalized`, `live_start`, `pause`, `room_stats`, `streamer` and `unpause`.

| topic | record | what |
|---|---|---|
"""

FURTHER = """
## Topics of the kinds that the documentation does not name

One a kind. Names are the protocol's own where field tables have them; where they have none, only what captured messages
show beyond doubt is read. [coverage.md](coverage.md) says how much of each kind that is. Kinds of whose fields little
is known carry their bytes in `meta.payload`, whatever `PRODUCER_PAYLOADS` says.

| topic | record | kind | what |
|---|---|---|---|
"""

DEAD_LETTERS = """
## Dead letters

`{topic}` has no schema: the value is the bytes as they were received (the first 512 KiB of them),
the headers say the rest ([dead-letters.md](dead-letters.md)).
"""


def page(*, dead_letter_topic: str) -> str:
    """Make the page, in Markdown."""
    events = schemas.events().values()
    further = {record: method for method, (_, record) in kinds.RECORDS.items()}
    parts = [HEAD, DOCUMENTED]
    parts += [_topic(schema) for schema in events if schema.record not in further]
    parts.append(FURTHER)
    parts += [_topic(schema, further[schema.record]) for schema in events if schema.record in further]
    parts.append(DEAD_LETTERS.replace("{topic}", dead_letter_topic))
    named = [schema.record for schema in events]
    shared = [name for name in schemas.records() if name not in named]
    parts += [_record(name, schemas.records()[name]) for name in (*named, *shared)]
    return "".join(parts)


def _topic(schema: schemas.Schema, *method: str) -> str:
    doc = schemas.records()[schema.record]["doc"]
    link = f"[{schema.record}](#{schema.record.lower()})"
    return f"| {' | '.join((f'`{schema.topic(PREFIX)}`', link, *method, doc))} |\n"


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
