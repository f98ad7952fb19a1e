"""The set of sessions follows the set of claims."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from producer import logs
from producer.assignments.claims import Streamer
from producer.assignments.interface import Assignments
from producer.observability.metrics import Metrics
from producer.session import Session, SessionFactory


class Worker:
    """One process's sessions."""

    def __init__(self, assignments: Assignments, make_session: SessionFactory, metrics: Metrics) -> None:
        self._assignments = assignments
        self._make_session = make_session
        self._metrics = metrics
        self._running: dict[Streamer, tuple[Session, asyncio.Task[None]]] = {}
        self._log = logs.get()

    def sessions(self) -> Iterable[Session]:
        """The sessions that run now."""
        return [session for session, _ in self._running.values()]

    async def run(self) -> None:
        """Follow the claims until cancelled; then every session has ended and its claim is released."""
        async with asyncio.TaskGroup() as tasks:
            async for held in self._assignments.changes():
                for streamer in self._running.keys() - held:
                    session, task = self._running[streamer]
                    session.leaving = self._assignments.why(streamer).value
                    task.cancel()
                for streamer in held - self._running.keys():
                    session = self._make_session(streamer)
                    self._running[streamer] = (session, tasks.create_task(self._hold(session), name=streamer))
                self._metrics.claims_held(len(held))

    async def _hold(self, session: Session) -> None:
        self._log.info("claimed", streamer=session.streamer)
        try:
            with suppress(asyncio.CancelledError):
                await session.run()
        finally:
            del self._running[session.streamer]
            await self._assignments.release(session.streamer)
            self._log.info("released", streamer=session.streamer)
