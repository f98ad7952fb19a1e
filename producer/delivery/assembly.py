"""The encoder, the spool and the publisher that the settings mean."""

import time

from producer import logs
from producer.delivery import client, topic_plan, topics
from producer.delivery.dead_letters import refused_record
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Bounds, Publisher
from producer.delivery.registry import Registry, access
from producer.delivery.spool import Spool, SpoolFailed
from producer.delivery.spool_policy import precious_topics
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


def spool(settings: Settings, metrics: Metrics) -> Spool | None:
    """Open the spool, if there is to be one; a worker whose disk fails it goes on without, and says so."""
    if settings.spool_directory is None:
        return None
    precious = precious_topics(settings.topic_prefix)
    try:
        opened = Spool.open(settings.spool_directory, max_bytes=settings.spool_max_bytes, precious=precious)
    except SpoolFailed as problem:
        logs.get().error("there is no spool; what Kafka does not take waits in memory alone", problem=str(problem))
        return None
    metrics.spool_opened(records=opened.held_records, size=opened.held_bytes, limit=opened.max_bytes)
    logs.get().info("spool", file=str(opened.path), records=opened.held_records)
    return opened


async def publisher(
    settings: Settings,
    ledger: Ledger,
    metrics: Metrics,
    *,
    worker: str,
    spool: Spool | None,
    grace_seconds: float,
) -> Publisher:
    """Make the publisher; entering it connects. Raises StartRefused where a topic is missing."""
    letters = topic_plan.dead_letter_topic(settings.topic_prefix)

    def dead_letter(record: Record, error: BaseException) -> Record:
        return refused_record(record, error, topic=letters, worker=worker, received_at=int(time.time() * 1000))

    return Publisher(
        lambda: client.connect(settings),
        partitions=await topics.partition_counts(settings),
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
