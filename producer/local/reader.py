"""A consumer that is not our own client: librdkafka through confluent-kafka, schemas from the registry by id."""

import io
import json
import struct
import threading
from collections import Counter, deque
from typing import Any

import fastavro
import httpx
from confluent_kafka import Consumer, TopicPartition

from producer.local.programs import STEP_SECONDS
from producer.local.verdict import Read

LATEST = 12


class Reader:
    """Reads every topic below a prefix, from the beginning, in a thread of its own. Use it as a context manager."""

    def __init__(self, bootstrap_servers: str, registry_url: str, topic_prefix: str) -> None:
        self.records: list[Read] = []
        self.latest: deque[dict[str, Any]] = deque(maxlen=LATEST)
        self.by_topic: Counter[str] = Counter()
        self.dead_letters: Counter[str] = Counter()
        self.failure: Exception | None = None
        self._prefix = topic_prefix
        self._registry_url = registry_url
        self._schemas: dict[int, Any] = {}
        self._places: list[TopicPartition] = []
        self._next: dict[tuple[str, int], int] = {}
        """By topic and partition, the offset after the last record that was read."""
        self._stop = threading.Event()
        self._asked_for_all = threading.Event()
        self._has_all = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "demo-reader",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )

    def __enter__(self) -> "Reader":
        topics = self._consumer.list_topics(timeout=STEP_SECONDS).topics
        ours = {topic: found.partitions for topic, found in topics.items() if topic.startswith(f"{self._prefix}.")}
        self._places = [
            TopicPartition(topic, partition) for topic, partitions in ours.items() for partition in partitions
        ]
        self._consumer.subscribe(list(ours))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=STEP_SECONDS)
        self._consumer.close()

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until all that the topics hold now has been read; say whether that happened."""
        self._asked_for_all.set()
        return self._has_all.wait(timeout_seconds)

    def _run(self) -> None:
        ends: dict[tuple[str, int], int] | None = None
        try:
            while not self._stop.is_set():
                if ends is None and self._asked_for_all.is_set():
                    ends = self._ends()
                for message in self._consumer.consume(num_messages=500, timeout=0.25):
                    if message.error() is None:
                        self._take(message)
                if ends is not None and all(self._next.get(place, 0) >= end for place, end in ends.items()):
                    self._has_all.set()
        except Exception as failure:  # handed to the thread that asks for the summary
            self.failure = failure
            self._has_all.set()

    def _ends(self) -> dict[tuple[str, int], int]:
        """By topic and partition, how many records there are; nothing here deletes any."""
        ends = {}
        for place in self._places:
            _, ends[place.topic, place.partition] = self._consumer.get_watermark_offsets(place, timeout=STEP_SECONDS)
        return ends

    def _take(self, message: Any) -> None:
        topic: str = message.topic()
        self._next[topic, message.partition()] = message.offset() + 1
        self.by_topic[topic] += 1
        if topic == f"{self._prefix}.dlq.v1":
            headers = dict(message.headers() or [])
            self.dead_letters[headers.get("producer.reason", b"?").decode()] += 1
            return
        value = self._decode(message.value())
        meta = value["meta"]
        self.records.append(Read(value["name"], meta["event_id"], meta["room_id"], value.get("diamonds")))
        self.latest.append(value)

    def _decode(self, data: bytes) -> dict[str, Any]:
        magic, schema_id = struct.unpack(">bI", data[:5])
        if magic != 0:
            raise ValueError(f"not the Confluent wire format: magic byte {magic}")
        if schema_id not in self._schemas:
            answer = httpx.get(
                f"{self._registry_url}/schemas/ids/{schema_id}", trust_env=False, verify=False, timeout=STEP_SECONDS
            )
            answer.raise_for_status()
            self._schemas[schema_id] = fastavro.parse_schema(json.loads(answer.json()["schema"]))
        value = fastavro.schemaless_reader(io.BytesIO(data[5:]), self._schemas[schema_id], None)
        assert isinstance(value, dict)
        return value
