"""What long rooms, open streaks and long lists take of a real worker: memory, and CPU time of one turn of the loop.

`GROWTH_ROOMS=60` (in `make chaos-strangers`) is the long form.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from producer.local.kafka import Kafka
from producer.local.programs import STEP_SECONDS, Worker
from producer.local.registry import Registry
from tests.system.harness import System, stop, until
from tests.system.stage import Stage, asking, chats
from tests.system.watched import Watched, environ
from tests.webcast.bombs import gifts

ROOMS = int(os.environ.get("GROWTH_ROOMS", "4"))
MESSAGES = 6_000
GROWTH_KIB = 150.0
TURN_MS = 50.0
ROWS = 10_000


async def settled(worker: Worker, received: int) -> None:
    """Wait until so much was received, and all of it is Kafka's."""

    async def so() -> bool:
        worker.check()
        status = await worker.status()
        return status is not None and status["ledger"]["received"] >= received and not status["ledger"]["in_flight"]

    await until(so)


async def entered(stage: Stage, names: Sequence[str]) -> None:
    async with asyncio.timeout(STEP_SECONDS):
        await stage.entered(names)


def test_a_room_that_goes_on_for_long_takes_no_more_memory_than_its_bound(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    names = [f"long_{number:02}" for number in range(ROOMS)]
    turns = tmp_path / "turns.json"

    async def main() -> tuple[float, float]:
        async with System(tmp_path, kafka, registry) as system, Stage(names).serve() as stage:
            await system.wants(names)
            worker = await system.worker(environ=environ(turns, TRACED="1", PRODUCER_UPSTREAM=stage.url))
            watched = Watched(worker, turns)
            await entered(stage, names)
            # What the first message of its kind has made is no room's.
            await stage.send({name: [chats(1, 10)] for name in names})
            await settled(worker, ROOMS * 10)
            resident = await watched.forget()
            traced = watched.said()["traced"]
            for first in range(11, MESSAGES + 11, 100):
                await stage.send({name: [chats(first, 100)] for name in names})
                await settled(worker, ROOMS * (first + 99))
            grown = (await watched.forget() - resident) / ROOMS
            kept = (watched.said()["traced"] - traced) / ROOMS / 1024
            assert (await stop(worker))["received"] == ROOMS * (MESSAGES + 10)
        return kept, grown

    kept, grown = asyncio.run(main())

    print(f"{ROOMS} rooms: {kept:.1f} KiB a room in Python's objects, {grown:.1f} KiB of what is resident")
    assert kept <= GROWTH_KIB


def test_no_turn_is_long_with_thousands_of_streaks_open_or_at_an_edit_of_a_long_list(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    names = [f"row_{number:05}" for number in range(ROWS)]
    live = names[:20]
    turns = tmp_path / "turns.json"

    async def main() -> dict[str, float]:
        async with System(tmp_path, kafka, registry) as system, Stage(live).serve() as stage:
            await system.wants(live)
            worker = await system.worker(environ=environ(turns, PRODUCER_UPSTREAM=stage.url), max_streams="20")
            watched = Watched(worker, turns)
            await entered(stage, live)
            for log_id, first in enumerate(range(1, 6_001, 2_000), 1):
                await stage.send({live[0]: [gifts(first), asking(log_id)]})
                await stage.acknowledged(live[0], log_id)
            await watched.forget()
            await stage.send({live[0]: [gifts(6_001), asking(9)]})
            await stage.acknowledged(live[0], 9)
            longest = {"gifts": watched.longest_ms()}

            for edit, removed in (("a list of 20 becomes one of 10,000", ROWS), ("one of 10,000 loses a row", 5_000)):
                rows = "".join(
                    f"  - unique_id: {name}\n    priority: {1000 - number // 20}\n    enabled: true\n"
                    for number, name in enumerate(names)
                    if number != removed
                )
                read = worker.output().count('"list read"')
                await watched.forget()
                edited = tmp_path / "edited.yaml"
                edited.write_text(f"streamers:\n{rows}")
                edited.replace(tmp_path / "list.yaml")

                async def was_read(before: int = read) -> bool:
                    worker.check()
                    return worker.output().count('"list read"') > before

                await until(was_read)
                await asyncio.sleep(0.9)  # a look: claims follow the list every half second
                longest[edit] = watched.longest_ms()
            status = await worker.status()
            assert status is not None
            assert {item["streamer"] for item in status["streamers"]} == set(live)
            assert [f'"wanted": {number}' in worker.output() for number in (ROWS, ROWS - 1)] == [True, True]
            assert (await stop(worker))["lost"] == 0
        return longest

    longest = asyncio.run(main())

    print(longest)
    assert {act: ms for act, ms in longest.items() if ms > TURN_MS} == {}
