"""Others' verdicts on whether readers of each of two schemas can read records of the other."""

import io
import json
from collections.abc import Iterator
from typing import Any

import avro.compatibility
import avro.schema
import fastavro
import httpx

from producer.delivery.registry import COMPATIBILITY
from producer.delivery.registry_access import CONTENT_TYPE
from producer.events.schemas import JSON
from tests.events.decoding import without_logical_types


def apache(one: JSON, other: JSON) -> bool:
    """Apache Avro's own checker compares the schemas."""
    checker: Any = avro.compatibility.ReaderWriterCompatibilityChecker  # its constructor has no types
    old, new = (avro.schema.parse(json.dumps(schema)) for schema in (one, other))
    verdicts = [checker().get_compatibility(*pair).compatibility for pair in ((old, new), (new, old))]
    return verdicts == [avro.compatibility.SchemaCompatibilityType.compatible] * 2


def fastavro_reads(one: JSON, other: JSON) -> bool:
    """fastavro writes samples with each schema and reads them with the other."""
    try:
        old, new = (fastavro.parse_schema(without_logical_types(schema)) for schema in (one, other))
        for writer, reader in ((old, new), (new, old)):
            for sample in samples(writer, {}):
                stream = io.BytesIO()
                fastavro.schemaless_writer(stream, writer, sample)
                stream.seek(0)
                fastavro.schemaless_reader(stream, writer, reader)
    except (fastavro.read.SchemaResolutionError, fastavro.schema.SchemaParseException, UnicodeDecodeError):
        return False
    return True


def apicurio(url: str, subject: str, one: JSON, other: JSON) -> bool:
    """A registry that has the one under FULL_TRANSITIVE is asked whether the other may follow."""
    headers = {"Content-Type": CONTENT_TYPE}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False, timeout=120) as registry:
        registry.put(f"/config/{subject}", json={"compatibility": COMPATIBILITY}).raise_for_status()
        body = {"schema": json.dumps(one)}
        registry.post(f"/subjects/{subject}/versions", json=body).raise_for_status()
        body = {"schema": json.dumps(other)}
        answer = registry.post(f"/compatibility/subjects/{subject}/versions", json=body)
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            return False
        return answer.raise_for_status().json()["is_compatible"] is True


def samples(schema: Any, known: dict[str, JSON]) -> list[Any]:
    """Values of a schema, such that each branch of each union and each symbol of each enum occurs."""
    if isinstance(schema, list):
        return [value for branch in schema for value in samples(branch, known)]
    if isinstance(schema, str) and schema not in known:
        return PRIMITIVES[schema]
    node = known[schema] if isinstance(schema, str) else schema
    match node["type"]:
        case "record":
            known[node["name"]] = node
            return list(_records(node, known))
        case "array":
            return [[], samples(node["items"], known)]
        case "map":
            return [{}, {"key": samples(node["values"], known)[0]}]
        case "enum":
            return list(node["symbols"])
        case "fixed":
            return [b"\x00" * node["size"]]
    return samples(node["type"], known)


def _records(node: JSON, known: dict[str, JSON]) -> Iterator[JSON]:
    columns = {field["name"]: samples(field["type"], known) for field in node["fields"]}
    for at in range(max(map(len, columns.values()), default=1)):
        yield {name: column[at % len(column)] for name, column in columns.items()}


PRIMITIVES: dict[str, list[Any]] = {
    "null": [None],
    "boolean": [True],
    "int": [7],
    "long": [1 << 40],
    "double": [0.5],
    "string": ["text"],
    "bytes": [b"\x00\xff"],
}
