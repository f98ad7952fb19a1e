"""SIGTERM and SIGINT: obeyed at once while a worker starts, and in order once it runs."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from producer import logs

Result = TypeVar("Result")

OVERDUE_SECONDS = 0.5
"""How long behind the grace a start that was stopped may still go on cleaning up."""


class Stopped(Exception):
    """The signal came before the worker had started."""


class Stop:
    """Make it before anything else; it takes the signals over. A second one ends the process at once."""

    def __init__(self, *, grace_seconds: float) -> None:
        self.signal: str | None = None
        """The name of the signal that came."""
        self._grace_seconds = grace_seconds
        self._loop = asyncio.get_running_loop()
        self._received = asyncio.Event()
        self._step: asyncio.Timeout | None = None
        self._ends_at: float | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._receive, number)

    async def wait(self) -> None:
        """Wait for a signal."""
        await self._received.wait()

    async def step(self, step: Awaitable[Result]) -> Result:
        """Take one step of the start. A signal cancels it; raises Stopped then, once it has cleaned up behind itself.

        What does not clean up within the grace is left behind: the process ends.
        """
        try:
            async with asyncio.timeout(None) as self._step:
                result = await step
        except Exception:  # what a cancelled step ends in is its library's choice
            if self.signal is None:
                raise
            raise Stopped from None
        finally:
            self._step = None
        if self.signal is not None:
            raise Stopped  # aiokafka's `close` swallows the cancellation that meets it
        return result

    def left(self) -> float:
        """Seconds that are left of the grace, which begins when this is first asked for, or a step is cancelled."""
        now = self._loop.time()
        if self._ends_at is None:
            self._ends_at = now + self._grace_seconds
        return max(0.0, self._ends_at - now)

    async def end(self, tasks: Iterable["asyncio.Task[None]"], *, what: str) -> None:
        """Cancel tasks, once, and wait for their end, even if cancelled meanwhile; no longer than what is left."""
        tasks = set(tasks)
        for task in tasks:
            task.cancel()
        ending = asyncio.create_task(asyncio.wait(tasks, timeout=self.left()))
        try:
            await asyncio.shield(ending)
        finally:
            if not ending.done():
                await ending
            if not all(task.done() for task in tasks):
                logs.get().error("not ended within the grace; going on", what=what)

    def _receive(self, number: signal.Signals) -> None:
        if self.signal is not None:
            os._exit(128 + number)
        self.signal = number.name
        logs.get().info("stopping", signal=self.signal)
        self._received.set()
        if self._step is not None:
            self._step.reschedule(self._loop.time())
            self._loop.call_later(self.left() + OVERDUE_SECONDS, self._leave_behind)

    def _leave_behind(self) -> None:
        logs.get().error("not ended within the grace; ending now")
        logs.flush()
        os._exit(1)
