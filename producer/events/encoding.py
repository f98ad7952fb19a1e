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


@dataclass(frozen=True, slots=True)
class _Form:
    topic: str
    prefix: bytes
    write: Writer


class Encoder:
    """Every event's writer, prefix and topic, made once."""

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
                schema.topic(topic_prefix),
                single_object_prefix(schema) if schema_ids is None else confluent_prefix(schema_ids[name]),
                compile_writer(schema.parsed),
            )
            for name, schema in schemas.items()
        }

    def encode(self, event: Event, *, key: str) -> Record:
        """Encode one event under the streamer's key. Raises NotEncodable; nothing is coerced."""
        form = self._forms.get(event.name)
        if form is None:
            raise NotEncodable(f"there is no schema for the event {event.name!r}")
        value = form.write(event.value, form.prefix)
        if len(value) > self._max_bytes:
            raise NotEncodable(f"the {event.name} takes {len(value)} bytes; brokers accept {self._max_bytes}")
        return Record(form.topic, key.encode(), value)
