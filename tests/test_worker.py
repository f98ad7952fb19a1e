"""producer.worker: sessions follow claims, are told to end once, and begin and end a few at a time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

from structlog.testing import capture_logs

from producer.assignments.claims import Streamer
from producer.assignments.interface import Assignments, Leaving
from producer.observability.metrics import Metrics
from producer.session import Session
from producer.worker import AT_A_TIME, Worker


class Claims:
    """A source of claims that a test tells what to hold."""

    def __init__(self) -> None:
        self.released: list[str] = []
        self.broken = False
        """Whether releasing fails, as it may where claims are files."""
        self._sets: asyncio.Queue[frozenset[Streamer]] = asyncio.Queue()

    def hold(self, *streamers: str) -> None:
        self._sets.put_nowait(frozenset(map(Streamer, streamers)))

    def hear_pokes(self, told: Callable[[Streamer], None]) -> None:
        self.poke = told

    async def changes(self) -> AsyncIterator[frozenset[Streamer]]:
        while True:
            yield await self._sets.get()

    def why(self, streamer: Streamer) -> Leaving:
        return Leaving.HANDOVER

    async def release(self, streamer: Streamer) -> None:
        self.released.append(streamer)
        if self.broken:
            raise OSError(28, "No space left on device")


class Sitting:
    """A session that does nothing but be there, and leaves when it may."""

    def __init__(self, streamer: str, house: "House") -> None:
        self.streamer = streamer
        self.leaving = "released"
        self.began = asyncio.Event()
        self.pokes = 0
        self._house = house

    def poke(self) -> None:
        self.pokes += 1

    async def run(self) -> None:
        self.began.set()
        self._house.began[self._house.turn] += 1
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._house.told[self.streamer] += 1
            self._house.ended[self._house.turn] += 1
            try:
                await self._house.may_leave.wait()
            except asyncio.CancelledError:
                self._house.told[self.streamer] += 1  # interrupted in its leaving
                raise


class House:
    """A worker, its claims, and what became of its sessions."""

    def __init__(self) -> None:
        self.claims = Claims()
        self.sessions: dict[str, Sitting] = {}
        self.turn = 0
        """Of the loop."""
        self.began: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()
        self.told: Counter[str] = Counter()
        """How often each was cancelled."""
        self.may_leave = asyncio.Event()
        self.working: asyncio.Task[None]
        self.worker = Worker(cast(Assignments, self.claims), self._make, Metrics(topics=(), version="1.2.3"))

    def _make(self, streamer: Streamer) -> Session:
        self.sessions[streamer] = Sitting(streamer, self)
        return cast(Session, self.sessions[streamer])

    async def count_turns(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)

    async def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            assert not self.working.done(), "the worker has ended"
            await asyncio.sleep(0)

    async def began_all(self, *streamers: str) -> None:
        await self.until(lambda: self.sessions.keys() >= set(streamers))
        for streamer in streamers:
            await self.sessions[streamer].began.wait()


def play(scene: Callable[[House], Awaitable[None]]) -> House:
    """Run a worker through a scene, and then to its end."""

    async def main() -> House:
        house = House()
        turns = asyncio.create_task(house.count_turns())
        working = house.working = asyncio.create_task(house.worker.run())
        try:
            await scene(house)
        finally:
            house.may_leave.set()
            working.cancel()
            await asyncio.wait({working})
            turns.cancel()
        assert working.cancelled()
        assert list(house.worker.sessions()) == []
        return house

    return asyncio.run(main())


def test_sessions_follow_the_claims() -> None:
    async def scene(house: House) -> None:
        house.claims.hold("one", "two")
        await house.began_all("one", "two")
        house.may_leave.set()
        house.claims.hold("two", "three")
        await house.began_all("three")
        await house.until(lambda: house.claims.released)
        assert sorted(session.streamer for session in house.worker.sessions()) == ["three", "two"]
        assert house.claims.released == ["one"]
        assert house.sessions["one"].leaving == "handover"

    house = play(scene)

    assert sorted(house.claims.released) == ["one", "three", "two"]


def test_who_is_said_to_have_gone_live_is_told_so_and_nobody_else() -> None:
    async def scene(house: House) -> None:
        house.claims.hold("one", "two")
        await house.began_all("one", "two")
        house.claims.poke(Streamer("two"))
        house.claims.poke(Streamer("another worker's"))
        assert {name: session.pokes for name, session in house.sessions.items()} == {"one": 0, "two": 1}

    play(scene)


def test_a_session_that_is_let_go_is_cancelled_once_whatever_changes_meanwhile() -> None:
    async def scene(house: House) -> None:
        house.claims.hold("one", "two")
        await house.began_all("one", "two")
        house.claims.hold("two")
        await house.until(lambda: house.told["one"])
        house.claims.hold("two", "three")
        await house.began_all("three")
        house.claims.hold("three")
        await house.until(lambda: house.told["two"])
        house.claims.hold("three", "four")
        await house.began_all("four")
        assert house.claims.released == []

    house = play(scene)

    assert house.told == {"one": 1, "two": 1, "three": 1, "four": 1}
    assert sorted(house.claims.released) == ["four", "one", "three", "two"]


def test_a_worker_that_ends_does_not_interrupt_those_that_leave_already() -> None:
    async def scene(house: House) -> None:
        house.claims.hold("one", "two")
        await house.began_all("one", "two")
        house.claims.hold("two")
        await house.until(lambda: house.told["one"])
        house.working.cancel()
        await house.until(lambda: house.told["two"])
        assert not house.working.done()

    house = play(scene)

    assert house.told == {"one": 1, "two": 1}
    assert sorted(house.claims.released) == ["one", "two"]


def test_a_claim_that_cannot_be_released_ends_nobody() -> None:
    async def scene(house: House) -> None:
        house.claims.broken = True
        house.may_leave.set()
        house.claims.hold("one", "two")
        await house.began_all("one", "two")
        house.claims.hold("two")
        await house.until(lambda: house.claims.released)
        house.claims.hold("two", "three")
        await house.began_all("three")
        assert not house.working.done()
        assert house.told == {"one": 1}

    with capture_logs() as lines:
        play(scene)

    [line, *_] = [line for line in lines if line["event"].startswith("claim not released")]
    assert (line["streamer"], str(line["problem"])) == ("one", "[Errno 28] No space left on device")


def test_many_sessions_begin_and_end_a_few_in_each_turn_of_the_loop() -> None:
    many = [f"streamer{number}" for number in range(10_000)]

    async def scene(house: House) -> None:
        house.may_leave.set()
        house.claims.hold(*many)
        await house.began_all(*many)
        house.claims.hold(*many[:5_000])
        await house.until(lambda: len(house.claims.released) == 5_000)

    with capture_logs():
        house = play(scene)

    assert AT_A_TIME <= 20
    assert (house.began.total(), max(house.began.values())) == (10_000, AT_A_TIME)
    assert (house.ended.total(), max(house.ended.values())) == (10_000, AT_A_TIME)
