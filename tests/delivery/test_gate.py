"""producer.delivery.gate: what passes, what waits, and what is dropped; the fence is a script."""

import asyncio
import time
from typing import cast

import pytest

from producer.delivery import gate as gate_module
from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.events.encoding import Record
from producer.observability.metrics import Metrics


class Fence:
    """Certain or not, as the test says."""

    def __init__(self, *, certain: bool) -> None:
        self.certain = certain
        self.lost: set[str] = set()
        self._again = asyncio.Event()

    def current(self) -> bool:
        return self.certain

    async def wait(self) -> None:
        await self._again.wait()

    def allows(self, streamer: str) -> bool:
        return self.certain and streamer not in self.lost

    def renew(self, *, lost: str = "") -> None:
        self.certain = True
        self.lost = {lost}
        self._again.set()


class Shelf:
    """A publisher's place."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self.in_flight = 0

    def publish(self, record: Record, settled: object = None) -> None:
        self.values.append(record.value)

    async def room(self) -> None:
        return


def record(streamer: str, value: str) -> Record:
    return Record("t.comment.v1", streamer.encode(), value.encode(), ())


def made(fence: Fence) -> tuple[Gate, Shelf, Ledger, Metrics]:
    shelf, ledger, metrics = Shelf(), Ledger(), Metrics(topics=(), version="test")
    return Gate(cast(Publisher, shelf), fence, ledger=ledger, metrics=metrics, most_held=2), shelf, ledger, metrics


async def turn() -> None:
    """Let what is ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_what_is_surely_ours_passes_at_once() -> None:
    async def main() -> list[bytes]:
        gate, shelf, *_ = made(Fence(certain=True))
        async with gate:
            gate.publish(record("ann", "1"))
            return list(shelf.values)

    assert asyncio.run(main()) == [b"1"]


def test_what_comes_after_a_stall_waits_and_only_what_is_still_ours_passes_in_order() -> None:
    async def main() -> None:
        fence = Fence(certain=False)
        gate, shelf, ledger, metrics = made(fence)
        async with gate:
            for number, streamer in enumerate(("ann", "bo", "ann", "bo"), 1):
                gate.publish(record(streamer, str(number)))
            await turn()
            assert shelf.values == []
            assert gate.in_flight == 4

            fence.renew(lost="bo")
            await turn()
            gate.publish(record("bo", "5"))
            gate.publish(record("ann", "6"))

        assert shelf.values == [b"1", b"3", b"6"]
        assert ledger.fenced == 3
        assert metrics.registry.get_sample_value("tiktok_live_events_dropped_total", {"reason": "fenced"}) == 3

    asyncio.run(main())


def test_what_is_certain_again_before_the_wait_ends_keeps_its_order() -> None:
    async def main() -> list[bytes]:
        fence = Fence(certain=False)
        gate, shelf, *_ = made(fence)
        async with gate:
            gate.publish(record("ann", "1"))
            fence.certain = True  # and nobody was woken yet
            gate.publish(record("ann", "2"))
            return list(shelf.values)

    assert asyncio.run(main()) == [b"1", b"2"]


def test_rooms_stand_still_while_too_much_is_held() -> None:
    async def main() -> None:
        fence = Fence(certain=False)
        gate, *_ = made(fence)
        async with gate:
            gate.publish(record("ann", "1"))
            await asyncio.wait_for(gate.room(), 5)
            gate.publish(record("ann", "2"))
            waiting = asyncio.create_task(gate.room())
            await turn()
            assert not waiting.done()

            fence.renew()
            await asyncio.wait_for(waiting, 5)

    asyncio.run(main())


def test_a_cluster_that_is_away_holds_nothing_back_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "HOLD_SECONDS", 0.02)
    monkeypatch.setattr(gate_module, "TICK_SECONDS", 0.01)

    async def main() -> None:
        gate, shelf, ledger, _ = made(Fence(certain=False))
        async with gate:
            gate.publish(record("ann", "1"))
            while not shelf.values:
                await asyncio.sleep(0)
        assert (shelf.values, ledger.fenced) == ([b"1"], 0)

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_process_that_stood_still_does_not_take_it_for_the_cluster_being_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate_module, "HOLD_SECONDS", 0.4)
    monkeypatch.setattr(gate_module, "TICK_SECONDS", 0.2)

    async def main() -> None:
        fence = Fence(certain=False)
        gate, shelf, ledger, _ = made(fence)
        async with gate:
            gate.publish(record("ann", "1"))
            await turn()
            time.sleep(1.0)  # noqa: ASYNC251  # stands still, as a stopped process does
            await turn()
            assert shelf.values == []
            fence.renew(lost="ann")
        assert (shelf.values, ledger.fenced) == ([], 1)

    asyncio.run(asyncio.wait_for(main(), 10))


def test_what_is_held_when_a_worker_ends_is_handed_on() -> None:
    async def main() -> list[bytes]:
        gate, shelf, *_ = made(Fence(certain=False))
        async with gate:
            gate.publish(record("ann", "1"))
        return shelf.values

    assert asyncio.run(main()) == [b"1"]
