"""A real Kafka and a real registry for the tests that need them, started once a run when first asked for."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import pytest

from producer.local.kafka import Kafka
from producer.local.registry import Registry

Part = TypeVar("Part")

LONGEST = ("system", "kafka", "local", "test_session.py", "test_yard.py", "test_cli.py", "checks")
"""Folders and files that take long, for they wait for other processes."""

# Our own programs are started some hundreds of times: without it, each would compile all our modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that what is left at the end can be shared among the test processes."""
    order = {name: place for place, name in enumerate(LONGEST)}

    def place(item: pytest.Item) -> int:
        return min(order.get(name, len(order)) for name in (item.path.name, item.path.parent.name))

    items.sort(key=place)


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
    """One broker for the whole run, with a listener that asks for a password; a test takes a prefix of its own."""
    properties = {
        "group.max.session.timeout.ms": "60000",
        "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
        'user_guest="correct horse";',
    }
    listeners = {"SASL": "SASL_PLAINTEXT"}
    yield from _part(
        lambda: Kafka(tmp_path_factory.mktemp("kafka"), properties=properties, listeners=listeners), background
    )


@pytest.fixture(scope="session")
def registry(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    yield from _part(lambda: Registry(tmp_path_factory.mktemp("registry")), background)
