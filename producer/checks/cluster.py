"""Kafka as a worker meets it: whether it lets us in, what the brokers are, whether we may be an idempotent producer."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from producer.checks.verdict import Verdict, ok, warn
from producer.delivery import client, topic_plan
from producer.errors import StartRefused
from producer.kafka.diagnosis import unreached
from producer.kafka.inquiry import Inquiry
from producer.settings import Settings

PRODUCER_SECONDS = 20.0


@asynccontextmanager
async def inquiry(settings: Settings) -> AsyncIterator[Inquiry]:
    """A client that asks. Raises StartRefused, with the reason, where Kafka cannot be used."""
    try:
        async with Inquiry(client.options(settings)) as asking:
            yield asking
    except NotImplementedError as cause:  # aiokafka's word for a version that a broker does not have
        raise StartRefused("the brokers are older than Kafka 2.3: they do not answer what this check asks") from cause
    except client.KAFKA_FAILURES as cause:
        raise await client.unreachable(settings, cause) from cause


async def reach(settings: Settings) -> list[Verdict]:
    """Connect as the settings say."""
    async with inquiry(settings) as asking:
        seen = await asking.cluster()
    protocol, mechanism = settings.kafka_security_protocol, settings.kafka_sasl_mechanism
    way = f"{protocol} ({mechanism})" if protocol.startswith("SASL") else protocol
    found = ok(f"{settings.kafka_bootstrap_servers} by {way}: cluster {seen.cluster_id}")
    deaf = await unreached(client.options(settings))  # one address of several: a client gets by with the others
    if deaf is None:
        return [found]
    return [found, warn(f"{deaf}; another address answers", "correct PRODUCER_KAFKA_BOOTSTRAP_SERVERS, or that broker")]


async def brokers(settings: Settings) -> list[Verdict]:
    """Count the brokers, and say what they have agreed on."""
    async with inquiry(settings) as asking:
        seen = await asking.cluster()
        try:
            features = await asking.features()
        except NotImplementedError:
            features = {}
    levels = ", ".join(f"{name} {level}" for name, level in sorted(features.items()))
    found = f"{seen.brokers}; " + (f"features: {levels}" if levels else "they name no features")
    replicas = settings.topic_replication_factor
    if replicas > seen.brokers:
        return [
            warn(
                f"{found}; PRODUCER_TOPIC_REPLICATION_FACTOR={replicas} is more than there are brokers",
                "`producer topics apply` could make no topic: lower it, or add brokers",
            )
        ]
    return [ok(found)]


async def idempotence(settings: Settings) -> list[Verdict]:
    """Start the worker's own producer, and stop it: a broker gives it an id or says why not. Nothing is written."""
    try:
        async with asyncio.timeout(PRODUCER_SECONDS):
            producer = await client.connect(settings)
            await producer.stop()
    except client.KAFKA_FAILURES as cause:
        raise await client.unreachable(settings, cause) from cause
    return [ok("the brokers take an idempotent producer")]


def every_topic(settings: Settings) -> Iterable[str]:
    """What a worker of these settings uses."""
    names = topic_plan.names(settings.topic_prefix)
    if settings.assignments_file is not None:
        return names
    of_the_list = topic_plan.assignments_topic(settings.topic_prefix), topic_plan.status_topic(settings.topic_prefix)
    return (*names, *of_the_list)
