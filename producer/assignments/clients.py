"""Kafka clients of the sharing: kept alive by being replaced, and closed for good.

aiokafka's clients can hang after a broker's restart (its issue 1154), after a blocked loop (847), or for ever where all
brokers that they know of are gone (703). Whoever lives on one watches over it and raises `Stuck`; it is then given up
and a new one is begun, for as long as it takes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, NoReturn

from aiokafka.errors import KafkaError

from producer import logs
from producer.errors import StartRefused

RETRY_SECONDS = 1.0
CLOSE_SECONDS = 3.0
LONGEST_STEP_SECONDS = 2.0

KAFKA_FAILURES = (KafkaError, OSError, TimeoutError)

Options = Callable[[], Mapping[str, Any]]
"""What each Kafka client is given: addresses and security; asked each time, since secrets rotate."""


class Stuck(KafkaError):  # type: ignore[misc]  # the base has no types
    """A client shows no sign of life."""


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
        self._refused: StartRefused | None = None
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
        while True:
            try:
                await self._live()
            except (StartRefused, *KAFKA_FAILURES) as cause:
                problem = str(cause) or type(cause).__name__
                if not self._came_alive.is_set():
                    refused = StartRefused(f"{self._name} cannot be had from Kafka: {problem}")
                    self._refused = cause if isinstance(cause, StartRefused) else refused
                    self._came_alive.set()
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
        """Wait until it works for the first time. Raises StartRefused if it does not."""
        await self._came_alive.wait()
        if self._refused is not None:
            raise self._refused


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
    closed = False
    try:
        closed = await within(CLOSE_SECONDS, consumer.stop())
    finally:
        if not closed:
            _cancel_tasks(consumer)
            await within(CLOSE_SECONDS, consumer._client.close())


def _cancel_tasks(consumer: Any) -> None:
    names = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task", "_reset_committed_task", "_fetch_task")
    for owner in (consumer._coordinator, consumer._fetcher):
        for name in names:
            task = getattr(owner, name, None)
            if task is not None:
                task.cancel()
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
