"""A long list on a real Kafka: applied, read, edited, handed over. `make chaos-claims` makes it 10,000 long."""

import asyncio
import json
import os
import signal
import sys
import time
from functools import partial

from producer.assignments import lists
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.interface import Said
from producer.assignments.kafka import KafkaAssignments
from producer.garbage import resident_bytes
from producer.local.kafka import Kafka
from tests.assignments.fleet import Fleet, Heard, KafkaBackend, Worker, play

LENGTH = int(os.environ.get("CLAIMS_LIST", "500"))
EDITS = int(os.environ.get("CLAIMS_EDITS", "3"))


def holds(worker: Worker, streamer: Streamer) -> bool:
    return streamer in worker.held


def test_a_long_list_is_read_whole_and_its_edits_come_without_a_rebalance(kafka: Kafka) -> None:
    figures: dict[str, float] = {"streamers": LENGTH, "edits": EDITS}

    async def main() -> None:
        backend = KafkaBackend(kafka, slots=128)
        async with Fleet(backend) as fleet:
            catalogue = backend.catalogue()
            wanted = [Wanted(Streamer(f"s{number:05}")) for number in range(LENGTH)]
            began = time.monotonic()
            await catalogue.edit(lists.difference({}, wanted))
            figures["apply_seconds"] = round(time.monotonic() - began, 3)

            figures["read_seconds"], _ = await read(backend)
            began, before = time.monotonic(), resident_bytes()
            worker = await fleet.worker("w", max_streams=2 * LENGTH)
            await fleet.until(lambda: len(worker.held) == LENGTH)
            figures["rebuild_and_claim_seconds"] = round(time.monotonic() - began, 3)
            figures["rebuild_mib"] = round((resident_bytes() - before) / 2**20, 1)

            await backend.said(lambda said: len(said) == LENGTH)
            figures["read_with_statuses_seconds"], known = await read(backend)
            assert known == LENGTH

            assert isinstance(worker.assignments, KafkaAssignments)
            rebalances = worker.assignments.rebalances
            took = []
            for number in range(EDITS):
                added = Streamer(f"edit{number:03}")
                began = time.monotonic()
                await catalogue.edit(lists.difference({}, [Wanted(added)]))
                await fleet.until(partial(holds, worker, added))
                took.append(time.monotonic() - began)
            assert worker.assignments.rebalances == rebalances
            figures["edit_p50_seconds"] = round(sorted(took)[len(took) // 2], 3)
            figures["edit_max_seconds"] = round(max(took), 3)

    play(main)
    print(json.dumps(figures))


async def read(backend: KafkaBackend) -> tuple[float, int]:
    """How long a start takes to read the list and what was said; of how many streamers something was."""
    follower = backend.follower(Heard())
    began = time.monotonic()
    following = asyncio.create_task(follower.kept.run())
    await follower.kept.started()
    took = time.monotonic() - began
    following.cancel()
    await asyncio.wait({following})
    return round(took, 3), len(follower.said)


PROGRAM = """
import asyncio, json, signal, sys, time
from producer.assignments.interface import Said
from producer.assignments.kafka import KafkaAssignments

class Loop(asyncio.SelectorEventLoop):
    # The CPU time of the longest turn, its callbacks and tasks and the garbage they leave included.
    longest = 0.0

    def _run_once(self):
        began = time.thread_time()
        super()._run_once()
        self.longest = max(self.longest, time.thread_time() - began)

async def main():
    settings = json.loads(sys.argv[1])
    source = KafkaAssignments(
        lambda: {"bootstrap_servers": settings["bootstrap"]}, list_topic=settings["list"],
        status_topic=settings["status"], group=settings["group"], worker="old", max_streams=100_000,
        slots=settings["slots"])
    loop, held = asyncio.get_running_loop(), frozenset()

    def drain():
        loop.longest = 0.0
        draining.append(asyncio.ensure_future(source.drain(300.0)))

    draining = []
    loop.add_signal_handler(signal.SIGTERM, drain)
    async with source:
        async for now in source.changes():
            for streamer in held - now:
                await source.release(streamer)
            for number, streamer in enumerate(now - held):
                source.report(streamer, Said("connected", room_id="7"))
                if number % 100 == 0:
                    await asyncio.sleep(0)
            held = now
            print(json.dumps({"held": len(held), "longest_turn_ms": round(loop.longest * 1000, 1)}), flush=True)

loop = Loop()
loop.run_until_complete(main())
"""


def test_thousands_are_handed_over(kafka: Kafka) -> None:
    figures: dict[str, float] = {"handed_over": LENGTH}

    async def main() -> None:
        backend = KafkaBackend(kafka, slots=128)
        async with Fleet(backend) as fleet:
            await fleet.names(*(f"s{number:05}" for number in range(LENGTH)))
            settings = {"bootstrap": kafka.bootstrap_servers, "list": backend.list_topic, "slots": 128}
            settings |= {"status": backend.status_topic, "group": backend.group}
            command = [sys.executable, "-c", PROGRAM, json.dumps(settings)]
            old = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            try:
                while (await said(old))["held"] < LENGTH:
                    pass
                new = await fleet.worker("new", max_streams=2 * LENGTH, state=None)
                old.send_signal(signal.SIGTERM)
                await fleet.until(lambda: len(new.held) == LENGTH)
                for number, streamer in enumerate(sorted(new.held)):
                    new.assignments.report(streamer, Said("connected", room_id="7"))
                    if number % 10 == 0:
                        await asyncio.sleep(0.001)  # they connect one after the other
                while (last := await said(old))["held"]:
                    pass
                figures["longest_turn_ms"] = last["longest_turn_ms"]
            finally:
                old.kill()
                await old.communicate()

    play(main)
    print(json.dumps(figures))


async def said(process: asyncio.subprocess.Process) -> dict[str, float]:
    """The next thing that it says, of those that are not its log."""
    assert process.stdout is not None
    while not (line := await process.stdout.readline()).startswith(b"{"):
        assert line, "it ended"
    found: dict[str, float] = json.loads(line)
    return found
