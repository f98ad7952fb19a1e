"""The encoder, the spool and the publisher that the settings mean."""

import time

from producer.delivery import client, topic_plan, topics
from producer.delivery.dead_letters import refused_record
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Bounds, Publisher
from producer.delivery.registry import Registry, access
from producer.delivery.spool_folder import SpoolFolder
from producer.delivery.spool_policy import precious_topics
from producer.errors import TopicsMissing
from producer.events import schemas
from producer.events.encoding import Encoder, Record
from producer.observability.metrics import Metrics
from producer.settings import Settings

RECORD_OVERHEAD_BYTES = 1024


async def encoder(settings: Settings) -> Encoder:
    """Make the encoder, with the registry's ids where there is a registry. Raises StartRefused."""
    events = schemas.events()
    ids: dict[str, int] | None = None
    if settings.schema_registry_url is not None:
        async with Registry(settings.schema_registry_url, access(settings)) as registry:
            ids = await registry.ids(
                events, topic_prefix=settings.topic_prefix, auto_register=settings.schema_auto_register
            )
    return Encoder(
        events,
        topic_prefix=settings.topic_prefix,
        schema_ids=ids,
        max_bytes=settings.kafka_max_record_bytes - RECORD_OVERHEAD_BYTES,
    )


def spool(settings: Settings, metrics: Metrics) -> SpoolFolder | None:
    """Say where the spool is, if there is to be one; the publisher opens it."""
    if settings.spool_directory is None:
        return None
    metrics.spool_limited(settings.spool_max_bytes)
    return SpoolFolder(
        settings.spool_directory,
        max_bytes=settings.spool_max_bytes,
        precious=precious_topics(settings.topic_prefix),
    )


async def publisher(
    settings: Settings,
    ledger: Ledger,
    metrics: Metrics,
    *,
    worker: str,
    spool: SpoolFolder | None,
    grace_seconds: float,
    some_missing: bool = False,
) -> Publisher:
    """Make the publisher; entering it connects. Raises StartRefused where a topic is missing, unless that may be."""
    letters = topic_plan.dead_letter_topic(settings.topic_prefix)
    partitions = await topics.partition_counts(settings, some_missing=some_missing)
    if letters not in partitions:
        raise TopicsMissing([letters])

    def dead_letter(record: Record, error: BaseException) -> Record:
        return refused_record(record, error, topic=letters, worker=worker, received_at=int(time.time() * 1000))

    return Publisher(
        lambda: client.connect(settings),
        partitions=partitions,
        dead_letter_topic=letters,
        dead_letter=dead_letter,
        ledger=ledger,
        metrics=metrics,
        spool=spool,
        bounds=Bounds(
            linger_seconds=settings.kafka_linger_seconds,
            most_records=settings.kafka_max_in_flight_records,
            most_bytes=settings.kafka_max_in_flight_bytes,
            delivery_seconds=settings.kafka_delivery_timeout_seconds,
            spool_after_seconds=settings.spool_after_seconds,
            spool_patience_seconds=settings.spool_patience_seconds,
            grace_seconds=grace_seconds,
        ),
    )
