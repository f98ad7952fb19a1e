"""`producer check` on a real Kafka and a real registry: a set-up that is right, and those that are broken somewhere."""

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from confluent_kafka import Producer

from producer.assignments import lists
from producer.assignments.claims import Streamer, Wanted
from producer.cli_assign import catalogue
from producer.delivery import topics
from producer.delivery.registry import Access, Registry, Strategy
from producer.delivery.topic_plan import workers_group
from producer.events import schemas
from producer.events.schemas import Schema
from producer.local.kafka import Kafka
from producer.local.programs import Program
from producer.local.registry import Registry as Apicurio
from producer.settings import Settings, from_environ
from tests.assignments.fleet import KafkaBackend, eventually
from tests.checks.doctor import Found, amiss, assert_named, document
from tests.conftest import Background
from tests.kafka.test_security import Secured

ALONE = Found("replication", "warn", "one replica: ")
"""What one broker is told in any case."""
NO_REGISTRY = {"schema_registry_url": ""}

Given = dict[str, Any]


def environ(given: Given) -> Settings:
    return from_environ({f"PRODUCER_{name.upper()}": str(value) for name, value in given.items()})


def given_for(kafka: Kafka, prefix: str) -> Given:
    return {
        "upstream": "http://127.0.0.1:9",
        "kafka_bootstrap_servers": kafka.bootstrap_servers,
        "topic_prefix": prefix,
        "topic_partitions": 1,
        "topic_replication_factor": 1,
        "assignment_slots": 4,
        "max_streams": 10,
        "http_port": 0,
    }


async def prepare(given: Given) -> None:
    """Make the topics, and a list of one."""
    chosen = environ(given)
    await topics.apply(chosen)
    await catalogue(chosen).edit(lists.difference({}, [Wanted(Streamer("someone"))]))


async def register(url: str, prefix: str, *events: Schema, strategy: Strategy = "topic_name") -> None:
    async with Registry(url, Access(strategy)) as there:
        await there.each(events, prefix, there.register)


@pytest.fixture(scope="module")
def whole(kafka: Kafka, registry: Apicurio) -> Given:
    """A set-up with nothing wrong in it but that there is one broker."""
    given = given_for(kafka, "whole")
    asyncio.run(prepare(given))
    asyncio.run(register(registry.url, "whole", *schemas.events().values()))
    return given | {"schema_registry_url": registry.url}


@pytest.fixture(scope="module")
def broken(kafka: Kafka) -> Given:
    """Topics of which each is wrong in another way."""
    given = given_for(kafka, "broken")
    asyncio.run(prepare(given))
    resource = ConfigResourceType.TOPIC
    altered = {
        "broken.like.v1": {"min.insync.replicas": "2"},
        "broken.assignments": {"cleanup.policy": "delete"},
    }

    async def spoil() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        await admin.start()
        await admin.delete_topics(["broken.gift.v1"])
        for name, configs in altered.items():
            await admin.alter_configs([ConfigResource(resource, name, configs)])
        await admin.close()

    asyncio.run(spoil())
    client = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    client.produce("broken.assignments", key=b"someone.else", value=b"no JSON", partition=2)
    client.flush(120)
    return given


def test_a_set_up_that_is_right_passes_and_nothing_is_changed_by_looking(whole: Given) -> None:
    for _ in range(2):
        status, said = document(settings=whole)

        assert status == 0
        assert [(line["name"], line["state"]) for line in said["checks"]] == [
            ("settings", "ok"),
            ("files", "skipped"),
            ("authorities", "ok"),
            ("descriptors", "ok"),
            ("port", "ok"),
            ("spool", "skipped"),
            ("kafka", "ok"),
            ("brokers", "ok"),
            ("idempotence", "ok"),
            ("topics", "ok"),
            ("topic settings", "ok"),
            ("replication", "warn"),
            ("rights", "ok"),
            ("list", "ok"),
            ("claims", "ok"),
            ("look-ups", "ok"),
            ("registry", "ok"),
            ("clock", "ok" if _tells_the_time(said) else "skipped"),
            ("upstream", "skipped"),
        ]
        found = {line["name"]: line["found"] for line in said["checks"]}
        assert found["list"] == "streamers: 1, enabled: 1"
        assert "metadata.version" in found["brokers"]


def _tells_the_time(said: dict[str, Any]) -> bool:
    """Apicurio does not in every version."""
    return not any("does not tell the time" in line["found"] for line in said["checks"])


def test_each_thing_that_is_wrong_with_topics_is_named(broken: Given) -> None:
    assert_named(
        [
            Found("topics", "fail", "missing: broken.gift.v1; run `producer topics apply`"),
            Found("topic settings", "warn", "min.insync.replicas=1 (was 2)"),
            Found("replication", "fail", "min.insync.replicas is more than the replicas of broken.like.v1: no write"),
            ALONE,
            Found("list", "warn", "broken.assignments is not compacted (cleanup.policy=delete)"),
            Found(
                "list",
                "warn",
                "broken.assignments has records that cannot be used: 1, the first in partition 2 ",
            ),
        ],
        settings=broken,
    )


def test_too_few_partitions_and_other_slots_are_named(whole: Given) -> None:
    assert_named(
        [
            Found("topic settings", "warn", "add partitions to whole.access_control.v1: 1 to 2"),
            ALONE,
            Found("list", "fail", "whole.assignments has 4 partitions and must have PRODUCER_ASSIGNMENT_SLOTS=8"),
        ],
        settings=whole | NO_REGISTRY | {"topic_partitions": 2, "assignment_slots": 8},
    )


def test_more_replicas_than_brokers_and_a_dead_address_beside_a_living_one_are_named(whole: Given) -> None:
    assert_named(
        [
            Found("kafka", "warn", "127.0.0.1:9 refuses connections"),
            Found("brokers", "warn", "PRODUCER_TOPIC_REPLICATION_FACTOR=3 is more than there are brokers"),
            Found("topic settings", "warn", "min.insync.replicas=2 (was 1)"),
            ALONE,
        ],
        settings=whole
        | NO_REGISTRY
        | {
            "topic_replication_factor": 3,
            "kafka_bootstrap_servers": f"{whole['kafka_bootstrap_servers']},127.0.0.1:9",
        },
    )


def test_a_wrong_protocol_is_named(whole: Given) -> None:
    assert_named(
        [Found("kafka", "fail", "is PRODUCER_KAFKA_SECURITY_PROTOCOL=SSL right for this port?")],
        settings=whole | NO_REGISTRY | {"kafka_security_protocol": "SSL"},
    )


def test_a_schema_that_is_incompatible_is_named_apart_from_those_that_are_absent(
    whole: Given, registry: Apicurio
) -> None:
    events = schemas.events()
    parsed = json.loads(events["comment"].text)
    parsed["fields"][1] = {"name": "comment", "type": "long"}
    other = dataclasses.replace(events["comment"], text=json.dumps(parsed), parsed=parsed)
    asyncio.run(register(registry.url, "whole", other, strategy="topic_record_name"))

    assert_named(
        [
            ALONE,
            Found("registry", "fail", "CommentEvent: version 1 is incompatible with ours under FULL_TRANSITIVE"),
            Found("registry", "fail", "75 of 76 schemas not registered: whole.access_control.v1-tiktok.live.v1."),
        ],
        settings=whole | {"schema_subject_strategy": "topic_record_name"},
    )


def test_an_upstream_that_answers_is_said_to(whole: Given, tmp_path: Path) -> None:
    async def main() -> list[str]:
        simulate = ("simulate", "--port", "0", "--rooms", "1")
        async with Program("simulator", simulate, {}, tmp_path / "log") as simulator:
            line = await simulator.line_with("http://")
            url = line[line.index("http://") :].split()[0]
            _, said = await asyncio.to_thread(
                lambda: document("--upstream", settings=whole | NO_REGISTRY | {"upstream": url})
            )
            assert [found.name for found in amiss(said)] == ["replication"]
            return [line["found"].replace(url, "URL") for line in said["checks"] if line["name"] == "upstream"]

    assert asyncio.run(main()) == ["URL answers 200"]


# ------------------------------------------------------------------------------------------------- passwords and ACLs


@pytest.fixture(scope="module")
def secured(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker with an authorizer, where a worker may read and write its topics but for one, which it may only read."""
    secured = Secured(tmp_path_factory.mktemp("checked"))
    background.run(secured.kafka.__aenter__())
    try:
        asyncio.run(prepare(given_for(secured.kafka, "closed")))
        own = ("--topic", "closed", "--group", "closed", "--resource-pattern-type", "prefixed")
        for arguments in (
            ("--add", "--allow-principal", "User:worker", "--producer", "--consumer", *own),
            ("--add", "--deny-principal", "User:worker", "--operation", "Write", "--topic", "closed.gift.v1"),
        ):
            background.run(
                secured.kafka.tool(
                    "org.apache.kafka.tools.AclCommand",
                    *("--bootstrap-server", secured.kafka.bootstrap_servers, *arguments),
                )
            )
        yield secured
    finally:
        background.run(secured.kafka.__aexit__(None, None, None))


def by_password(secured: Secured, user: str, password: Path) -> Given:
    return given_for(secured.kafka, "closed") | {
        "kafka_bootstrap_servers": secured.kafka.listener("SASL"),
        "kafka_security_protocol": "SASL_SSL",
        "kafka_tls_ca_file": secured.authority.ca,
        "kafka_sasl_mechanism": "PLAIN",
        "kafka_sasl_username": user,
        "kafka_sasl_password_file": password,
    }


def test_a_right_that_is_lacking_on_one_topic_is_named_and_what_a_worker_may_not_see_is_said(secured: Secured) -> None:
    secured.password.chmod(0o600)
    chosen = by_password(secured, "worker", secured.password)

    assert_named([ALONE, Found("rights", "fail", "we may not Write topic closed.gift.v1; grant what")], settings=chosen)

    _, said = document(settings=chosen)
    unseen = [line["name"] for line in said["checks"] if "may not see the configuration" in line["found"]]
    assert unseen == ["topic settings", "replication"]
    assert "SASL_SSL (PLAIN)" in next(line["found"] for line in said["checks"] if line["name"] == "kafka")


def test_a_user_who_may_do_nothing_is_told_so(secured: Secured) -> None:
    secured.password.chmod(0o600)

    assert_named(
        [
            Found("idempotence", "fail", "ClusterAuthorizationFailedError"),
            Found("topics", "fail", "not ours to see: closed.access_control.v1, "),
            Found("rights", "fail", "we may not Write topic closed.access_control.v1"),
            Found("list", "fail", "closed.assignments"),
        ],
        settings=by_password(secured, "guest", secured.password),
    )


def test_a_wrong_password_is_named(secured: Secured) -> None:
    wrong = secured.file("wrong", "battery staple")
    wrong.chmod(0o600)

    assert_named(
        [Found("kafka", "fail", "does not let worker in: look at PRODUCER_KAFKA_SASL_USERNAME")],
        settings=by_password(secured, "worker", wrong),
    )


def test_a_brokers_expired_certificate_is_named(secured: Secured) -> None:
    chosen = given_for(secured.kafka, "closed") | {
        "kafka_bootstrap_servers": secured.kafka.listener("EXPIRED"),
        "kafka_security_protocol": "SSL",
        "kafka_tls_ca_file": secured.authority.ca,
    }

    assert_named([Found("kafka", "fail", "not trusted (certificate has expired)")], settings=chosen)


# ---------------------------------------------------------------------------------------------------- the fleet's group


def test_a_name_and_a_group_that_are_others_are_named_and_the_group_is_not_disturbed(kafka: Kafka) -> None:
    given = given_for(kafka, "grouped") | {"claim_session_seconds": 6}
    asyncio.run(prepare(given))

    def asked(more: Given) -> list[str]:
        """What a worker would be refused for."""
        _, said = document(settings=given | more)
        return [line["found"] for line in said["checks"] if line["state"] == "fail"]

    async def main() -> None:
        backend = KafkaBackend(kafka, slots=4)
        backend.list_topic, backend.status_topic = "grouped.assignments", "grouped.assignment-status"
        backend.group = workers_group("grouped")
        async with backend.open("one") as worker:
            await eventually(worker.fence.current)
            before = worker.rebalances

            named, free = await asyncio.gather(
                asyncio.to_thread(asked, {"worker_name": "one"}), asyncio.to_thread(asked, {"worker_name": "two"})
            )

            assert [line.partition(" (")[0] for line in named] == ["another worker is called one"]
            assert free == []
            assert (worker.rebalances, worker.fence.current()) == (before, True)

    asyncio.run(main())


def test_a_group_of_another_fleet_is_named(kafka: Kafka) -> None:
    given = given_for(kafka, "foreign")
    asyncio.run(prepare(given))

    async def main() -> list[str]:
        other = KafkaBackend(kafka)
        other.group = workers_group("foreign")
        await other.prepare()
        async with other.open("one") as worker:
            await eventually(worker.fence.current)
            _, said = await asyncio.to_thread(lambda: document(settings=given))
            return [line["found"] for line in said["checks"] if line["state"] == "fail"]

    [line] = asyncio.run(main())

    assert line.startswith(f"the group {workers_group('foreign')} is used by others")
    assert "PRODUCER_TOPIC_PREFIX" in line
