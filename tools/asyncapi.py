"""docs/asyncapi.yaml: every topic as AsyncAPI 3.0 has it, with whole schemas, for catalogues and code generators.

Each schema stands on one line, in JSON, which is YAML as well: laid out they would be forty thousand lines.
"""

import json
from pathlib import Path
from typing import Any, cast

import yaml

from producer import __version__
from producer.assignments.claims import UNIQUE_ID
from producer.delivery import topic_plan
from producer.delivery.dead_letters import Header, LetterReason
from producer.delivery.topic_plan import Topic
from producer.events import schemas
from producer.settings import Settings

PAGE = Path("docs/asyncapi.yaml")
JSON = dict[str, Any]
"""Parts of the document: AsyncAPI gives them no narrower type."""

VERSION = "3.0.0"
KAFKA_BINDING = "0.5.0"
KEY = {"type": "string", "description": "The streamer's unique id, lower case and without @.", "minLength": 2}
LIST = Path("schemas/list.schema.json")


def page(into: Path) -> list[Path]:
    """Write the document below `into`; return its place in the repository."""
    target = into / PAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    written = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120)
    for schema in schemas.events().values():
        written = written.replace(f"schema: {_place(schema.event)}\n", f"schema: {_avro(schema)}\n")
    target.write_text(written, "utf-8")
    return [PAGE]


def document() -> JSON:
    """The document, with a place instead of each Avro schema."""
    prefix = Settings.model_fields["topic_prefix"].default
    topics = {topic.name: topic for topic in topic_plan.wanted(prefix, _shape())}
    channels: JSON = {}
    operations: JSON = {}
    messages: JSON = {}

    def add(name: str, topic: str, message: JSON, *, action: str = "send") -> None:
        channel = name.replace("-", "_")
        channels[channel] = {
            "address": topic,
            "messages": {channel: {"$ref": f"#/components/messages/{channel}"}},
            "bindings": {"kafka": _topic(topics[topic])},
        }
        operations[f"{action}_{channel}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "messages": [{"$ref": f"#/channels/{channel}/messages/{channel}"}],
        }
        messages[channel] = {"name": channel, **message}

    for schema in schemas.events().values():
        add(schema.event, schema.topic(prefix), _event(schema))
    add("dlq", topic_plan.dead_letter_topic(prefix), _letter())
    add("assignments", topic_plan.assignments_topic(prefix), _row(), action="receive")
    add("assignment-status", topic_plan.status_topic(prefix), _status())
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "TikTok LIVE producer",
            "version": __version__,
            "description": "TikTok LIVE events, one Kafka topic each. Delivery is at least once: a duplicate has the "
            "same meta.event_id. Topics are named for the default PRODUCER_TOPIC_PREFIX, and their configurations are "
            "those that `producer topics apply` gives them by default.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _shape() -> topic_plan.Shape:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return topic_plan.Shape(
        partitions=defaults["topic_partitions"],
        replication_factor=defaults["topic_replication_factor"],
        event_retention_days=defaults["topic_retention_days"],
        dead_letter_retention_days=defaults["dead_letter_retention_days"],
        slots=defaults["assignment_slots"],
    )


def _topic(topic: Topic) -> JSON:
    configuration: JSON = {"cleanup.policy": [topic.configs["cleanup.policy"]]}
    if "retention.ms" in topic.configs:
        configuration["retention.ms"] = int(topic.configs["retention.ms"])
    return {
        "partitions": topic.partitions,
        "replicas": topic.replication_factor,
        "topicConfiguration": configuration,
        "bindingVersion": KAFKA_BINDING,
    }


def _event(schema: schemas.Schema) -> JSON:
    return {
        "title": schema.record,
        "summary": schema.parsed["doc"],
        "contentType": "application/vnd.apache.avro",
        "payload": {"schemaFormat": "application/vnd.apache.avro+json;version=1.9.0", "schema": _place(schema.event)},
        "bindings": {
            "kafka": {
                "key": KEY,
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "schemaLookupStrategy": "TopicNameStrategy",
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _avro(schema: schemas.Schema) -> str:
    """The schema with each name apart from its namespace: AsyncAPI takes no others, to Avro they are the same."""

    def apart(node: object) -> object:
        if isinstance(node, list):
            return [apart(item) for item in node]
        if not isinstance(node, dict):
            return node
        named = {key: apart(value) for key, value in node.items()}
        if "fields" in node:
            namespace, _, name = node["name"].rpartition(".")
            named = {"name": name, "namespace": namespace} | {k: v for k, v in named.items() if k != "name"}
        return named

    return json.dumps(apart(schema.parsed), separators=(",", ":"), ensure_ascii=False)


def _place(event: str) -> str:
    return f"the schema of {event}"


def _letter() -> JSON:
    headers: JSON = {header.value: {"type": "string"} for header in Header}
    headers[Header.REASON.value] = {"type": "string", "enum": [reason.value for reason in LetterReason]}
    return {
        "title": "DeadLetter",
        "summary": "Bytes that became no record; what is known of them is in the headers (docs/dead-letters.md).",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": headers, "required": [Header.REASON.value, Header.STREAMER.value]},
        "payload": {"type": "string", "format": "binary"},
        "bindings": {"kafka": {"key": KEY, "bindingVersion": KAFKA_BINDING}},
    }


def _of_list(kind: str) -> JSON:
    """A definition of the list's contract, whole."""
    definitions = json.loads(LIST.read_text("utf-8"))["$defs"]

    def whole(node: object) -> object:
        if isinstance(node, list):
            return [whole(item) for item in node]
        if not isinstance(node, dict):
            return node
        said = {key: whole(value) for key, value in node.items() if key != "$ref"}
        return cast(JSON, whole(definitions[node["$ref"].rpartition("/")[2]])) | said if "$ref" in node else said

    return cast(JSON, whole(definitions[kind]))


def _row() -> JSON:
    return {
        "title": "Assignment",
        "summary": "A streamer that is wanted. No value: it is not. Its partition is its slot, by murmur2 of the key.",
        "contentType": "application/json",
        "payload": _of_list("record"),
        "bindings": {"kafka": {"key": {**KEY, "pattern": f"^{UNIQUE_ID.pattern}$"}, "bindingVersion": KAFKA_BINDING}},
    }


def _status() -> JSON:
    return {
        "title": "AssignmentStatus",
        "summary": "Who streams a streamer, and how it goes. No value: nobody.",
        "contentType": "application/json",
        "payload": _of_list("status"),
        "bindings": {"kafka": {"key": KEY, "bindingVersion": KAFKA_BINDING}},
    }
