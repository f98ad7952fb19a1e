"""Event to Kafka record.

The value is Avro binary behind a prefix that names its schema: magic byte 0 and the registry's id (Confluent wire
format), or C3 01 and the schema's fingerprint (Avro single-object encoding) where there is no registry.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from producer.errors import NotEncodable
from producer.events.avro import Writer, compile_writer
from producer.events.event import Event
from producer.events.schemas import Schema

SINGLE_OBJECT_MARKER = b"\xc3\x01"

Headers = tuple[tuple[str, bytes], ...]


class Record(NamedTuple):  # made of each event, for half of what a frozen dataclass takes
    """Bytes on their way to a topic."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers = ()


def confluent_prefix(schema_id: int) -> bytes:
    """The Confluent wire format's five bytes."""
    return struct.pack(">bI", 0, schema_id)


def single_object_prefix(schema: Schema) -> bytes:
    """Avro single-object encoding's ten bytes (Avro specification, section of that name)."""
    return SINGLE_OBJECT_MARKER + schema.fingerprint


AT_ONCE = frozenset(
    {"comment", "connect", "gift", "gift_finalized", "join", "like", "live_start", "viewer_count_update"}
)
"""Events that every room has: their writers are compiled at the start, and the others at the first of each event.

Each takes some milliseconds, and 100 KiB while it is compiled; most rooms never have most kinds.
"""


@dataclass(slots=True)
class _Form:
    schema: Schema
    topic: str
    prefix: bytes
    write: Writer | None
    """None until it is compiled."""


class Encoder:
    """Every event's writer, prefix and topic."""

    def __init__(
        self,
        schemas: Mapping[str, Schema],
        *,
        topic_prefix: str,
        schema_ids: Mapping[str, int] | None,
        max_bytes: int = 1_000_000,
    ) -> None:
        """`schema_ids` has the registry's id for each event name; None means that there is no registry."""
        self._max_bytes = max_bytes
        self._forms = {
            name: _Form(
                schema,
                schema.topic(topic_prefix),
                single_object_prefix(schema) if schema_ids is None else confluent_prefix(schema_ids[name]),
                compile_writer(schema.parsed) if name in AT_ONCE else None,
            )
            for name, schema in schemas.items()
        }

    def encode(self, event: Event, *, key: str) -> Record:
        """Encode one event under the streamer's key. Raises NotEncodable; nothing is coerced."""
        form = self._forms.get(event.name)
        if form is None:
            raise NotEncodable(f"there is no schema for the event {event.name!r}")
        if form.write is None:
            form.write = compile_writer(form.schema.parsed)
        value = form.write(event.value, form.prefix)
        if len(value) > self._max_bytes:
            raise NotEncodable(f"the {event.name} takes {len(value)} bytes; brokers accept {self._max_bytes}")
        return Record(form.topic, key.encode(), value)
