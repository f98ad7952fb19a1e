"""How aiokafka is set up: addresses, security, and the strict producer that we mean."""

import ssl
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from producer.errors import StartRefused
from producer.settings import Settings

BATCH_BYTES = 128 * 1024


def options(settings: Settings) -> dict[str, Any]:
    """What every client of the cluster is given. Reads the files that the settings name; raises StartRefused."""
    chosen: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "client_id": "tiktok-live-producer",
        "security_protocol": settings.kafka_security_protocol,
    }
    try:
        if settings.kafka_security_protocol.endswith("SSL"):
            context = ssl.create_default_context(cafile=settings.kafka_tls_ca_file)
            if settings.kafka_tls_certificate_file is not None:
                context.load_cert_chain(settings.kafka_tls_certificate_file, settings.kafka_tls_key_file)
            chosen["ssl_context"] = context
        if settings.kafka_sasl_password_file is not None:
            chosen["sasl_mechanism"] = settings.kafka_sasl_mechanism
            chosen["sasl_plain_username"] = settings.kafka_sasl_username
            chosen["sasl_plain_password"] = settings.kafka_sasl_password_file.read_text("utf-8").strip()
    except (OSError, ssl.SSLError) as cause:
        raise StartRefused(f"a file that the Kafka settings name cannot be used: {cause}") from cause
    return chosen


async def connect(settings: Settings) -> AIOKafkaProducer:
    """Make and start a producer; files are read again each time. Raises what aiokafka raises, or StartRefused."""
    compression = settings.kafka_compression
    producer = AIOKafkaProducer(
        **options(settings),
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
    except BaseException:
        await producer.stop()
        raise
    return producer


def unreachable(settings: Settings, cause: Exception) -> StartRefused:
    """The one clear line for a cluster that does not answer."""
    detail = str(cause) or type(cause).__name__
    return StartRefused(f"Kafka at {settings.kafka_bootstrap_servers} cannot be used: {detail}")


KAFKA_FAILURES = (KafkaError, OSError, TimeoutError)
