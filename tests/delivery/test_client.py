"""producer.delivery.client: a client that does not start, and does not close. Those that work are in tests/kafka."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

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
