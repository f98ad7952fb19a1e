"""The set of sessions follows the set of claims."""

import asyncio
from collections.abc import Iterable, Set
from contextlib import suppress

from producer import logs
from producer.assignments.claims import Streamer
from producer.assignments.interface import Assignments
from producer.observability.metrics import Metrics
from producer.session import Session, SessionFactory, State

AT_A_TIME = 20
"""So many sessions begin, or are told to end, in one turn of the loop; others have theirs before the next."""


class Worker:
    """One process's sessions."""

    def __init__(self, assignments: Assignments, make_session: SessionFactory, metrics: Metrics) -> None:
        self._assignments = assignments
        self._make_session = make_session
        self._metrics = metrics
        self._running: dict[Streamer, tuple[Session, asyncio.Task[None]]] = {}
        self._leaving: set[Streamer] = set()
        """Those of them that were told to end: once, for a second cancellation interrupts their leaving."""
        self._log = logs.get()

    def sessions(self) -> Iterable[Session]:
        """The sessions that run now."""
        return [session for session, _ in self._running.values()]

    def held(self) -> Iterable[Streamer]:
        """Those that it has, and was not told to let go."""
        return self._running.keys() - self._leaving

    def heard(self) -> int:
        """How many rooms it hears."""
        return sum(session.state is State.CONNECTED for session, _ in self._running.values())

    async def run(self) -> None:
        """Follow the claims until cancelled; then every session has ended and its claim is released."""
        self._assignments.hear_pokes(self._poke)
        async with asyncio.TaskGroup() as tasks:
            try:
                async for held in self._assignments.changes():
                    await self._let_go(self._running.keys() - held)
                    await self._take(held - self._running.keys(), tasks)
                    self._metrics.claims_held(len(held))
            finally:
                # Ended here, because the group would cancel once more those that are leaving.
                await self._let_go(self._running.keys())
                if ending := [task for _, task in self._running.values()]:
                    await asyncio.wait(ending)

    def _poke(self, streamer: Streamer) -> None:
        if streamer in self._running:
            session, _ = self._running[streamer]
            session.poke()

    async def _take(self, streamers: Set[Streamer], tasks: asyncio.TaskGroup) -> None:
        for number, streamer in enumerate(streamers, 1):
            session = self._make_session(streamer)
            self._running[streamer] = (session, tasks.create_task(self._hold(session), name=streamer))
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)

    async def _let_go(self, streamers: Set[Streamer]) -> None:
        for number, streamer in enumerate(streamers - self._leaving, 1):
            if streamer in self._running:  # it may have ended since
                session, task = self._running[streamer]
                session.leaving = self._assignments.why(streamer).value
                self._leaving.add(streamer)
                task.cancel()
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)

    async def _hold(self, session: Session) -> None:
        self._log.info("claimed", streamer=session.streamer)
        try:
            with suppress(asyncio.CancelledError):
                await session.run()
        finally:
            del self._running[session.streamer]
            self._leaving.discard(session.streamer)
            await self._release(session.streamer)

    async def _release(self, streamer: Streamer) -> None:
        try:
            await self._assignments.release(streamer)
        except OSError as problem:
            self._log.error("claim not released; it is free once this worker ends", streamer=streamer, problem=problem)
        else:
            self._log.info("released", streamer=streamer)
