"""confluent-kafka's AvroDeserializer: `python -m tests.consumers.read_confluent golden URL '{"comment": ID, ...}'`."""

import json
import sys

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.consumers.fixtures import confluent, examples, report


def main(golden: str, registry_url: str, ids: dict[str, int]) -> None:
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry_url}))
    for example in examples(golden):
        context = SerializationContext(f"tiktok.live.{example.event}.v1", MessageField.VALUE)
        report(example, deserialize(confluent(ids[example.event], example.body), context))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
