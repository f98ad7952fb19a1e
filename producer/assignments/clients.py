"""Kafka clients of the sharing: kept alive by being replaced, and closed for good.

aiokafka's clients can hang after a broker's restart (its issue 1154), after a blocked loop (847), or for ever where all
brokers that they know of are gone (703). Whoever lives on one watches over it and raises `Stuck`; it is then given up
and a new one is begun, for as long as it takes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from producer import logs
from producer.errors import StartRefused, TopicsMissing

RETRY_SECONDS = 1.0
CLOSE_SECONDS = 3.0
LONGEST_STEP_SECONDS = 2.0
SPREAD_SECONDS = 5.0
"""How long a topic is asked for that a broker has not heard of."""

KAFKA_FAILURES = (KafkaError, OSError, TimeoutError)
T = TypeVar("T")

Options = Callable[[], Mapping[str, Any]]
"""What each Kafka client is given: addresses and security; asked each time, since secrets rotate."""


class Stuck(KafkaError):  # type: ignore[misc]  # the base has no types
    """A client shows no sign of life."""


class Broken(KafkaError):  # type: ignore[misc]  # the base has no types
    """A client failed in a way that is not foreseen: a bug of its own, or something in Kafka that it cannot read."""


async def asked(answer: Awaitable[T]) -> T:
    """What a client of Kafka answers. Raises one of KAFKA_FAILURES, so that what else is raised is a bug of ours."""
    try:
        return await answer
    except KAFKA_FAILURES:
        raise
    except Exception as cause:  # a bug of the client's, which only a new client mends
        raise Broken(f"aiokafka failed: {cause!r:.200}") from cause


class Watchdog:
    """Notices that something has been silent for too long; time in which we stood still ourselves does not count."""

    def __init__(self, what: str, *, seconds: float, clock: Callable[[], float]) -> None:
        self._what = what
        self._seconds = seconds
        self._clock = clock
        self._silence = 0.0
        self._looked = clock()

    def alive(self) -> None:
        """There was a sign of life."""
        self._silence = 0.0

    def look(self) -> None:
        """Call it once a second or more often. Raises Stuck."""
        before, self._looked = self._looked, self._clock()
        self._silence += min(self._looked - before, LONGEST_STEP_SECONDS)
        if self._silence > self._seconds:
            raise Stuck(f"{self._what} has not answered for {self._seconds:g} seconds")


class Kept:
    """Something that lives on a Kafka client. Once it has come to life, its failures are repaired."""

    def __init__(self, name: str, live: Callable[[], Awaitable[NoReturn]]) -> None:
        """`live` makes a client, lives on it until it fails, and closes it; it calls `alive` when it works."""
        self._name = name
        self._live = live
        self._came_alive = asyncio.Event()
        self._failure: Exception | None = None
        """Why it never came to life."""
        self._problem: str | None = None
        """What was logged last, while it lasts."""
        self.rebuilds = 0
        """How often a client was replaced."""

    def alive(self) -> None:
        """It works."""
        self._came_alive.set()
        self._problem = None

    async def run(self) -> None:
        """Live. Ends only where it never came to life; other than Kafka's failures are raised."""
        try:
            await self._repair()
        except Exception as bug:  # whoever waits for its start is told
            self._failure = bug
            raise
        finally:
            self._came_alive.set()

    async def _repair(self) -> None:
        while True:
            try:
                await self._live()
            except (StartRefused, *KAFKA_FAILURES) as cause:
                problem = str(cause) or type(cause).__name__
                if not self._came_alive.is_set():
                    refused = StartRefused(f"{self._name} cannot be had from Kafka: {problem}")
                    self._failure = cause if isinstance(cause, StartRefused) else refused
                    return
                if problem != self._problem:
                    logs.get().warning("Kafka client lost; it is replaced", of=self._name, problem=problem)
                    self._problem = problem
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                logs.get().warning("Kafka client lost; it is replaced", of=self._name, problem="cancelled from within")
            self.rebuilds += 1
            await asyncio.sleep(RETRY_SECONDS)

    async def started(self) -> None:
        """Wait until it works for the first time. Raises StartRefused if it does not, and whatever a bug raised."""
        await self._came_alive.wait()
        if self._failure is not None:
            raise self._failure


async def partitions(consumer: Any, *topics: str) -> dict[str, list[TopicPartition]]:
    """All partitions of each topic, for which the consumer gets another assignment. Raises StartRefused."""
    found: dict[str, Collection[int] | None] = {}

    async def missing() -> list[str]:
        if unknown := sorted(set(topics) - await asked(consumer.topics())):
            return unknown
        consumer.assign([TopicPartition(topic, 0) for topic in topics])
        await asked(consumer.end_offsets(consumer.assignment()))  # returns once the metadata is here
        # Who was asked last may be another broker, and one that has not heard of them.
        found.update((topic, consumer.partitions_for_topic(topic)) for topic in topics)
        return [topic for topic in topics if not found[topic]]

    await spread(missing)
    return {topic: [TopicPartition(topic, number) for number in sorted(found[topic] or ())] for topic in topics}


async def spread(missing: Callable[[], Awaitable[Sequence[str]]]) -> None:
    """Look until no topic is missing: brokers learn of a new one one after the other. Raises StartRefused."""
    give_up = time.monotonic() + SPREAD_SECONDS
    while names := await missing():
        if time.monotonic() > give_up:
            raise TopicsMissing(names)
        await asyncio.sleep(0.1)


async def within(seconds: float, work: Coroutine[object, object, object]) -> bool:
    """Let something of aiokafka's finish, but no longer than this; return whether it did.

    It runs as a task of its own: the cancellation of aiokafka's inner tasks can come out of it (of `Fetcher.close`, for
    one), and would pass for ours.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()
    await asyncio.wait({task}, timeout=seconds)
    return task.done() and not task.cancelled() and task.exception() is None


async def close_consumer(consumer: Any) -> None:
    """Close a consumer for good: a member that was given up must not go on sending heartbeats.

    aiokafka's own `stop` waits for whatever the client is waiting for (its issue 773), so it has a bound.
    """
    tasks = list(_tasks(consumer))
    for task in tasks:
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else asks for it any more
    closed = False
    try:
        closed = await within(CLOSE_SECONDS, consumer.stop())
    finally:
        if not closed:
            for task in {*tasks, *_tasks(consumer)}:
                task.cancel()
            await within(CLOSE_SECONDS, consumer._client.close())


def _tasks(consumer: Any) -> Iterator["asyncio.Task[Any]"]:
    names = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task", "_reset_committed_task", "_fetch_task")
    for owner in (consumer._coordinator, consumer._fetcher):
        for name in names:
            if (task := getattr(owner, name, None)) is not None:
                yield task
