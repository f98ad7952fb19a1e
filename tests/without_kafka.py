"""`python -m tests.without_kafka run` is `producer run` with a publisher that takes everything and knows no Kafka.

PLANTED in the environment names what is to go wrong: `bug`, a lane of the publisher's raises once it is told to on
standard input; `thread`, a step of the start hangs in a thread.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from producer.__main__ import main
from producer.delivery import assembly
from producer.delivery.ledger import Ledger
from producer.events import schemas
from producer.events.encoding import Encoder, Record
from producer.observability.metrics import Metrics
from producer.settings import Settings

PLANTED = os.environ.get("PLANTED", "")


class Publisher:
    """Acknowledges at once."""

    connected = True
    in_flight = 0

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lanes = asyncio.TaskGroup()

    async def __aenter__(self) -> "Publisher":
        await self._lanes.__aenter__()
        if PLANTED == "bug":
            self._lanes.create_task(self._raise())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._lanes.__aexit__(None, None, None)

    async def room(self) -> None:
        pass

    def publish(self, *records: Record, settled: Callable[[], None] | None = None) -> None:
        for _ in records:
            self._ledger.acknowledged += 1
            if settled is not None:
                settled()

    async def _raise(self) -> None:
        await asyncio.to_thread(sys.stdin.readline)
        raise ValueError("planted")


async def publisher(settings: Settings, ledger: Ledger, metrics: Metrics, **_: object) -> Any:
    return Publisher(ledger)


async def encoder(settings: Settings) -> Encoder:
    return Encoder(schemas.events(), topic_prefix=settings.topic_prefix, schema_ids=None, max_bytes=1_000_000)


def spool(*_: object) -> None:
    if PLANTED == "thread":
        time.sleep(3600)


if __name__ == "__main__":
    assembly.publisher, assembly.encoder, assembly.spool = publisher, encoder, spool  # type: ignore[assignment]
    main()
