"""A long list on a real Kafka: applied, read by a worker, edited. `make chaos-claims` makes it 10,000 long."""

import json
import os
import time
from functools import partial
from pathlib import Path

from producer.assignments import lists
from producer.assignments.catalogue import Catalogue
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.kafka import KafkaAssignments
from producer.local.kafka import Kafka
from tests.assignments.fleet import Fleet, KafkaBackend, Worker, play

LENGTH = int(os.environ.get("CLAIMS_LIST", "500"))
EDITS = int(os.environ.get("CLAIMS_EDITS", "3"))


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def holds(worker: Worker, streamer: Streamer) -> bool:
    return streamer in worker.held


def test_a_long_list_is_read_whole_and_its_edits_come_without_a_rebalance(kafka: Kafka) -> None:
    figures: dict[str, float] = {"streamers": LENGTH, "edits": EDITS}

    async def main() -> None:
        backend = KafkaBackend(kafka, slots=128)
        async with Fleet(backend) as fleet:
            catalogue = Catalogue(
                lambda: {"bootstrap_servers": kafka.bootstrap_servers},
                list_topic=backend.list_topic,
                status_topic=backend.status_topic,
            )
            wanted = [Wanted(Streamer(f"s{number:05}")) for number in range(LENGTH)]
            began = time.monotonic()
            await catalogue.edit(lists.difference({}, wanted))
            figures["apply_seconds"] = round(time.monotonic() - began, 3)

            began, before = time.monotonic(), resident_mib()
            worker = await fleet.worker("w", max_streams=2 * LENGTH)
            await fleet.until(lambda: len(worker.held) == LENGTH)
            figures["rebuild_and_claim_seconds"] = round(time.monotonic() - began, 3)
            figures["rebuild_mib"] = round(resident_mib() - before, 1)

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
