"""producer.delivery.client: a client that does not start, and does not close. Those that work are in tests/kafka."""

import asyncio
from typing import Any

import cramjam
import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from producer.delivery import client
from producer.kafka.diagnosis import Unreached
from producer.settings import Settings, from_environ

LONG = 3600.0


class Hanging:
    """Stands for aiokafka's producer."""

    def __init__(self, error: Exception | None) -> None:
        self.starting = asyncio.Event()
        self.stopping = False
        self._error = error

    async def start(self) -> None:
        self.starting.set()
        if self._error is not None:
            raise self._error
        await asyncio.sleep(LONG)

    async def stop(self) -> None:
        self.stopping = True
        await asyncio.sleep(LONG)


def settings() -> Settings:
    return from_environ({"PRODUCER_UPSTREAM": "tiktok", "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"})


@pytest.mark.parametrize("error", [None, KafkaConnectionError("gone")], ids=["cancelled", "refused"])
def test_a_client_that_does_not_close_is_left_behind(error: Exception | None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> bool:
        hanging = Hanging(error)
        monkeypatch.setattr(client, "AIOKafkaProducer", lambda **_: hanging)
        monkeypatch.setattr(client, "CLOSE_SECONDS", 0.01)
        connecting: asyncio.Task[Any] = asyncio.create_task(client.connect(settings()))
        await hanging.starting.wait()
        if error is None:
            connecting.cancel()
        await asyncio.wait({connecting})
        assert connecting.cancelled() if error is None else isinstance(connecting.exception(), Unreached)
        return hanging.stopping

    assert asyncio.run(main())


NONE, LZ4 = 0, 3
"""Compression types of a record batch, and the length of its header (Kafka's protocol guide, record batch)."""
HEADER_BYTES = 61


def batch(compression: int) -> bytes:
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 100_000)
    for number in range(50):
        builder.append(number, 1, b"key", f"{number:x} of {number**5} likes by viewer{number * 7919}".encode() * 5, [])
    return bytes(builder.build())


def lz4(data: bytes, level: int) -> bytes:
    compressor = cramjam.lz4.Compressor(level=level, content_checksum=False, block_linked=False)
    compressor.compress(data)
    return bytes(compressor.finish())


def test_lz4_is_the_fast_one_as_in_kafkas_own_clients() -> None:
    records = batch(NONE)[HEADER_BYTES:]

    assert batch(LZ4)[HEADER_BYTES:] == lz4(records, 1) != lz4(records, 9)
