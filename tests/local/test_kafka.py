"""A real Kafka on this machine, each time from an empty folder."""

import asyncio
import socket
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from producer.local import kafka as kafka_module
from producer.local.kafka import JARS, Kafka
from producer.local.processes import LocalFailure, free_ports
from tests.patience import HANGS_SECONDS

TOPICS = "org.apache.kafka.tools.TopicCommand"


def create_topic(bootstrap_servers: str, topic: str, *, replicas: int = 1) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    created = admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=replicas)])
    created[topic].result(HANGS_SECONDS)


def publish(bootstrap_servers: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap_servers, "acks": "all", "log_level": 0})
    producer.produce(topic, value)
    assert producer.flush(HANGS_SECONDS) == 0


def first_value(bootstrap_servers: str, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "none", "log_level": 0})
    try:
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        message = consumer.poll(HANGS_SECONDS)
        return None if message is None else message.value()
    finally:
        consumer.close()


def test_kafkas_own_tools_work_and_a_failing_one_says_why(tmp_path: Path) -> None:
    async def main() -> None:
        async with Kafka(tmp_path) as kafka:
            server = ("--bootstrap-server", kafka.bootstrap_servers)
            await kafka.tool(TOPICS, *server, "--create", "--topic", "comments")

            topics = await kafka.tool(TOPICS, *server, "--list")

            assert topics.split() == ["comments"]
            assert kafka.version == JARS[0].rpartition(":")[2]
            with pytest.raises(LocalFailure, match="Topic 'comments' already exists"):
                await kafka.tool(TOPICS, *server, "--create", "--topic", "comments")
            with pytest.raises(LocalFailure, match="no end after"):
                await kafka.tool(TOPICS, "--help", timeout_seconds=0.01)

    asyncio.run(main())


def test_a_killed_broker_comes_back_with_its_records_on_its_port(tmp_path: Path) -> None:
    async def main() -> None:
        async with Kafka(tmp_path) as kafka:
            address = kafka.bootstrap_servers
            await asyncio.to_thread(create_topic, kafka.bootstrap_servers, "comments")
            await asyncio.to_thread(publish, address, "comments", b"kept")

            await kafka.kill(1)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
            await kafka.start(1)

            assert kafka.bootstrap_servers == address
            assert await asyncio.to_thread(first_value, address, "comments") == b"kept"

    asyncio.run(main())


def test_the_next_kafka_in_the_same_folder_finds_the_records(tmp_path: Path) -> None:
    async def main() -> None:
        async with Kafka(tmp_path) as kafka:
            await asyncio.to_thread(create_topic, kafka.bootstrap_servers, "comments")
            await asyncio.to_thread(publish, kafka.bootstrap_servers, "comments", b"kept")

        async with Kafka(tmp_path) as kafka:
            assert await asyncio.to_thread(first_value, kafka.bootstrap_servers, "comments") == b"kept"

    asyncio.run(main())


def test_three_brokers_take_records_while_one_of_them_is_dead(tmp_path: Path) -> None:
    async def main() -> None:
        async with Kafka(tmp_path, brokers=3, properties={"min.insync.replicas": "2"}) as kafka:
            await asyncio.to_thread(create_topic, kafka.bootstrap_servers, "comments", replicas=3)

            await kafka.kill(2)
            await asyncio.to_thread(publish, kafka.bootstrap_servers, "comments", b"taken")
            await kafka.start(2)

            assert await asyncio.to_thread(first_value, kafka.bootstrap_servers, "comments") == b"taken"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        pytest.param({"num.io.threads": "many"}, r"^exit code 1: (.|\n)*num\.io\.threads", id="before it is formatted"),
        pytest.param(
            {"metric.reporters": "no.such.Reporter"},
            r"^Kafka broker 1 ended with 1;(.|\n)*no\.such\.Reporter",
            id="once it runs",
        ),
    ],
)
def test_a_broker_that_cannot_start_is_reported_in_its_own_words_and_not_waited_for(
    tmp_path: Path, properties: dict[str, str], words: str
) -> None:
    async def main() -> None:
        async with Kafka(tmp_path, properties=properties):
            pytest.fail("it started")

    with pytest.raises(LocalFailure, match=words):
        asyncio.run(main())


def test_a_port_taken_meanwhile_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([(taken.getsockname()[1], *free_ports(1)), free_ports(2)])
        monkeypatch.setattr(kafka_module, "free_ports", lambda count: next(ports))

        async def main() -> None:
            async with Kafka(tmp_path) as kafka:
                topics = await kafka.tool(TOPICS, "--bootstrap-server", kafka.bootstrap_servers, "--list")
                assert topics.split() == []

        asyncio.run(main())
    assert next(ports, None) is None
