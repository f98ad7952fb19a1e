"""Reads schemas/records/*.avsc, the published contract: name, topic, fingerprint, self-contained form.

One file a record, named after it; a record refers to others by name. What is registered or fingerprinted is the
self-contained form, with each referred record written out where it is first used.
"""

import copy
import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import fastavro.repository
import fastavro.schema

JSON = dict[str, Any]
"""A schema as parsed JSON: Avro gives it no narrower type."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One event's schema, self-contained."""

    record: str
    """The record's class name, such as CommentEvent."""
    event: str
    """The event's name, such as comment."""
    major: str
    """The major version that its namespace ends with, such as v1."""
    text: str = field(repr=False)
    parsed: JSON = field(repr=False)

    @property
    def fingerprint(self) -> bytes:
        """CRC-64-AVRO of the parsing canonical form, little-endian, as single-object encoding has it."""
        canonical = fastavro.schema.to_parsing_canonical_form(self.parsed)
        return bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))

    def topic(self, prefix: str) -> str:
        """The topic of this event, such as tiktok.live.comment.v1."""
        return f"{prefix}.{self.event}.{self.major}"


@cache
def events() -> dict[str, Schema]:
    """Every event's schema by event name."""
    schemas = (_event(record) for record in records() if record.endswith("Event"))
    return {schema.event: schema for schema in schemas}


@cache
def records() -> dict[str, JSON]:
    """Every record as its file has it, by name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(_folder().glob("*.avsc"))}


def event_name(record: str) -> str:
    """The event that a record is of: the default of its field `name`."""
    return str(next(field["default"] for field in records()[record]["fields"] if field["name"] == "name"))


class _Files(fastavro.repository.AbstractSchemaRepository):
    def load(self, name: str) -> JSON:
        return copy.deepcopy(records()[name.rpartition(".")[2]])  # fastavro writes into what it is given


def _event(record: str) -> Schema:
    parsed = fastavro.schema.load_schema(record, repo=_Files())
    plain = cast(JSON, _plain(parsed))
    return Schema(
        record=record,
        event=event_name(record),
        major=records()[record]["namespace"].rpartition(".")[2],
        text=json.dumps(plain, separators=(",", ":"), ensure_ascii=False),
        parsed=plain,
    )


def _plain(node: object) -> object:
    """Drop what fastavro adds for itself, and put the keys, which it has by their hashes, in one order for good."""
    if isinstance(node, dict):
        keys = sorted(node, key=lambda key: (key != "name", key))
        return {key: _plain(node[key]) for key in keys if not key.startswith("__")}
    return [_plain(item) for item in node] if isinstance(node, list) else node


def _folder() -> Path:
    """The records beside the package in a wheel, or at the top of a checkout."""
    packaged = Path(str(files("producer"))) / "schemas"
    return (packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "schemas") / "records"
