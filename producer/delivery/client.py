"""How aiokafka is set up: addresses, security, and the strict producer that we mean."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer, codec
from aiokafka.errors import KafkaError

from producer.errors import StartRefused
from producer.kafka import security
from producer.kafka.diagnosis import unreached
from producer.settings import Settings
from producer.strangers import shown

BATCH_BYTES = 128 * 1024
LZ4_LEVEL = 1
"""Its fast compressor, as Kafka's own clients use it (Lz4BlockOutputStream). aiokafka takes the number of their default
level, 9, for that of the slow one, which takes five times as long for batches a twentieth smaller, and has no setting.
"""
codec.lz4_encode.__defaults__ = (LZ4_LEVEL,)
CLOSE_SECONDS = 3.0


def options(settings: Settings) -> dict[str, Any]:
    """What every client of the cluster is given. Reads the files that the settings name; raises StartRefused."""
    return {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "client_id": "tiktok-live-producer",
        **security.options(settings),
    }


async def connect(settings: Settings) -> AIOKafkaProducer:
    """Make and start a producer; files are read again each time. Raises Unreached, or what aiokafka raises."""
    compression = settings.kafka_compression
    common = options(settings)
    producer = AIOKafkaProducer(
        **common,
        acks="all",
        enable_idempotence=True,
        compression_type=None if compression == "none" else compression,
        max_batch_size=BATCH_BYTES,
        max_request_size=max(settings.kafka_max_record_bytes, BATCH_BYTES) + 64 * 1024,
        request_timeout_ms=int(settings.kafka_delivery_timeout_seconds * 1000),
        linger_ms=0,  # the publisher lingers, and hands over whole batches
    )
    try:
        await producer.start()
    except KafkaError as error:
        await closed(producer.stop())
        raise await unreached(common) or error from error
    except BaseException:
        await closed(producer.stop())
        raise
    return producer


async def closed(closing: Awaitable[object]) -> None:
    """Let a client close, but not for ever: over TLS it waits half a minute for a broker that is silent."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing


async def unreachable(settings: Settings, cause: BaseException) -> StartRefused:
    """The one clear line for a cluster that cannot be used."""
    cause = await unreached(options(settings)) or cause
    return StartRefused(f"Kafka cannot be used: {shown(str(cause) or type(cause).__name__, most=500)}")


KAFKA_FAILURES = (KafkaError, OSError, TimeoutError)
