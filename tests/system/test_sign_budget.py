"""Several whole workers on one key of a sign server: its quota, its holds, and hand-overs that wait for a call.

The short form is part of every run; `make chaos-sign` has forty rooms at ten calls a minute.
"""

import asyncio
import json
import os
import time
from collections.abc import Collection
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from producer.local.kafka import Kafka
from producer.local.programs import Worker
from producer.local.registry import Registry
from tests.system.harness import System, metric, stop, web

CALLS = int(os.environ.get("SIGN_CALLS", "60"))
"""A minute."""
LIMIT = os.environ.get("SIGN_LIMIT", "14/10")
"""What the sign server refuses more than. In the short form, whose rooms are fewer than a minute's calls, a burst."""
ROOMS = int(os.environ.get("SIGN_ROOMS", "24"))
WORKERS = int(os.environ.get("SIGN_WORKERS", "4"))
HOLD_SECONDS = int(os.environ.get("SIGN_HOLD_SECONDS", "20"))
SLACK = float(os.environ.get("SIGN_SLACK", "2"))
"""How much longer than it must take it may: in the short form, which takes half a minute, a start is much of it."""
NAMES = [f"sim_room_{number:02}" for number in range(1, ROOMS + 1)]
MINUTE = 60.0


class Fleet:
    """Workers that share a key, all by the sign server alone."""

    def __init__(self, folder: Path, kafka: Kafka, registry: Registry) -> None:
        self.system = System(
            folder,
            kafka,
            registry,
            shared=True,
            sign_calls_per_minute=str(CALLS),
            silence_seconds="120",
            handover_seconds="6",
            grace_seconds="30",
        )
        self.workers: list[Worker] = []
        self._started = 0

    async def start(self, stack: AsyncExitStack, *, limit: str, names: Collection[str]) -> None:
        await stack.enter_async_context(self.system)
        await self.system.simulator(
            "--steady", "--rooms", str(ROOMS), "--rate", str(ROOMS), "--sign-limit", limit, names=[*names]
        )
        for _ in range(WORKERS):
            await self.join()

    async def join(self) -> Worker:
        self._started += 1
        name, upstream = f"worker-{self._started}", self.system.upstream
        worker = await self.system.worker(name, doors="sign", sign_url=upstream)
        self.workers.append(worker)
        return worker

    async def shared_out(self) -> None:
        """Wait until the whole of what the key allows is shared out among all."""

        async def done() -> bool:
            for worker in self.workers:
                worker.check()
            if None in [await worker.status() for worker in self.workers]:
                return False
            shares = [await metric(worker, "tiktok_live_sign_calls_share") for worker in self.workers]
            return sum(shares) == CALLS and min(shares) > 0

        await patiently(done)

    async def heard(self) -> int:
        """How many rooms are heard."""
        statuses = [await worker.status() for worker in self.workers]
        return len({each["streamer"] for status in statuses if status for each in status["streamers"] if each["door"]})

    async def hear(self, rooms: int) -> None:
        async def all_of_them() -> bool:
            for worker in self.workers:
                worker.check()
            return await self.heard() >= rooms

        await patiently(all_of_them)

    def called(self) -> list[dict[str, Any]]:
        return self.system.truth("called")

    def unheard(self, began: float) -> list[dict[str, Any]]:
        """Messages since then that a room sent to nobody although somebody had been there before."""
        heard: set[str] = set()
        missed = []
        for line in self.system.truth():
            if line["history"] or line["duplicate"]:
                continue
            if line["sockets"]:
                heard.add(line["room_id"])
            elif line["room_id"] in heard and line["at"] > began:
                missed.append(line)
        return missed


async def patiently(condition: Any) -> None:
    """Wait for as long as all that the key allows may take, three times over."""
    async with asyncio.timeout(3 * MINUTE * (1 + 2 * ROOMS / CALLS)):
        while not await condition():
            await asyncio.sleep(0.2)


def report(**figures: Any) -> None:
    print(json.dumps(figures))


def test_four_workers_on_one_key_spend_what_it_allows_and_no_more(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> None:
        fleet = Fleet(tmp_path, kafka, registry)
        async with AsyncExitStack() as stack:
            await fleet.start(stack, limit=LIMIT, names=[])
            await fleet.shared_out()

            await fleet.system.wants(NAMES)
            await fleet.hear(ROOMS)

            called = fleet.called()
            took = called[-1]["at"] - called[0]["at"]
            least = (len(called) - 1) * MINUTE / CALLS  # shares that were made even had rooms move, and called again
            report(rooms=ROOMS, calls=len(called), seconds=round(took, 1), least=round(least, 1))
            assert [line for line in called if line["refused"]] == []
            assert took <= SLACK * least

    asyncio.run(main())


def test_a_fifth_worker_is_handed_rooms_that_are_heard_all_the_time(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> None:
        fleet = Fleet(tmp_path, kafka, registry)
        async with AsyncExitStack() as stack:
            await fleet.start(stack, limit=LIMIT, names=NAMES)
            await fleet.hear(ROOMS)
            began = time.time()
            before = len(fleet.called())

            newcomer = await fleet.join()

            async def has_rooms_alone() -> bool:
                statuses = [await worker.status() for worker in fleet.workers]
                held = [each["streamer"] for status in statuses if status for each in status["streamers"]]
                doors = [each["door"] for status in statuses if status for each in status["streamers"]]
                its = await newcomer.status()
                return its is not None and bool(its["streamers"]) and len(held) == ROOMS and all(doors)

            await patiently(has_rooms_alone)
            moved = len((await newcomer.status() or {})["streamers"])
            leaving = fleet.workers.pop(0)
            await stop(leaving)
            await fleet.hear(ROOMS)

            called = fleet.called()
            unheard = fleet.unheard(began)
            seconds = called[-1]["at"] - called[before]["at"]
            report(moved=moved, calls=len(called) - before, seconds=round(seconds, 1), unheard=len(unheard))
            assert [line for line in called if line["refused"]] == []
            assert unheard == []
            assert moved > 0

    asyncio.run(main())


def test_a_hold_that_one_worker_was_told_of_is_everybodys(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    async def main() -> None:
        fleet = Fleet(tmp_path, kafka, registry)
        async with AsyncExitStack() as stack:
            await fleet.start(stack, limit=f"{LIMIT}:{HOLD_SECONDS}", names=[])
            await fleet.shared_out()
            await fleet.system.wants(NAMES)
            await fleet.hear(2)

            async def refused() -> bool:
                return any(line["refused"] for line in fleet.called())

            room = fleet.called()[0]["room_id"]
            async with web() as stranger:  # who has the key as well, and uses up what is left
                while not await refused():
                    answer = await stranger.get(f"{fleet.system.upstream}/webcast/fetch", params={"room_id": room})
                    if answer.status_code == 429:
                        break
            by_us = len(fleet.called())

            async def one_was_told() -> bool:
                return len(fleet.called()) > by_us

            await patiently(one_was_told)
            told_at = fleet.called()[by_us]["at"]
            refused_at = next(line["at"] for line in fleet.called() if line["refused"])
            await fleet.hear(ROOMS)

            over_at = refused_at + HOLD_SECONDS
            until_then = [line["at"] - told_at for line in fleet.called()[by_us:] if line["at"] < over_at]
            report(hold_seconds=HOLD_SECONDS, calls_within=[round(each, 2) for each in until_then])
            assert len(until_then) <= WORKERS, "each may have called before it heard of it"
            assert all(each < HOLD_SECONDS / 4 for each in until_then)
            assert not any(line["refused"] for line in fleet.called() if line["at"] > over_at)

    asyncio.run(main())
