"""What consumers see: our records read by fastavro with the published schema."""

import io
import json
from functools import cache
from typing import Any

import fastavro

from producer.events import schemas
from producer.events.encoding import Encoder
from producer.events.event import Event

PREFIX_BYTES = 10
"""Single-object encoding: two of marker, eight of fingerprint."""

ENCODER = Encoder(schemas.events(), topic_prefix="tiktok.live", schema_ids=None)


@cache
def published(event: str) -> Any:
    """An event's schema as fastavro reads it, times as plain integers: datetime cannot hold every long."""
    return fastavro.parse_schema(without_logical_types(json.loads(schemas.events()[event].text)))


def encode_and_decode(event: Event) -> Any:
    """An event's value after the way through Kafka."""
    return decode(event.name, ENCODER.encode(event, key="streamer").value[PREFIX_BYTES:])


def decode(event: str, body: bytes) -> Any:
    stream = io.BytesIO(body)
    value = fastavro.schemaless_reader(stream, published(event), None)
    assert stream.read() == b""
    return value


def without_logical_types(node: Any) -> Any:
    """A schema, or part of one, with its logical types taken away; the bytes stay the same."""
    if isinstance(node, dict):
        return {key: without_logical_types(each) for key, each in node.items() if key != "logicalType"}
    return [without_logical_types(each) for each in node] if isinstance(node, list) else node
