"""A real Kafka and a real registry for the tests that need them, started once a run when first asked for."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import pytest

from producer.local.kafka import Kafka
from producer.local.registry import Registry

Part = TypeVar("Part")


class Background:
    """An event loop in a thread, which owns what outlives a single test's loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="background")
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Part]) -> Part:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=600)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _part(manager: Callable[[], AbstractAsyncContextManager[Part]], background: Background) -> Iterator[Part]:
    context = manager()
    part = background.run(context.__aenter__())
    try:
        yield part
    finally:
        background.run(context.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    loop = Background()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def kafka(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One broker for the whole run; a test takes a topic prefix of its own."""
    yield from _part(lambda: Kafka(tmp_path_factory.mktemp("kafka")), background)


@pytest.fixture(scope="session")
def registry(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    yield from _part(lambda: Registry(tmp_path_factory.mktemp("registry")), background)
