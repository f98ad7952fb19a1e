"""A whole worker and its schema registry: refused by it at start, and not in need of it afterwards."""

import asyncio
import json
from pathlib import Path

from producer.local.kafka import Kafka
from producer.local.registry import Registry
from tests.system.harness import System, connected, metric, stop, until, web


def test_a_registry_that_dies_stops_nothing(tmp_path: Path, kafka: Kafka) -> None:
    async def main() -> None:
        async with Registry(tmp_path) as mortal, System(tmp_path, kafka, mortal) as system:
            await system.simulator("--rooms", "2", "--rate", "100")
            worker = await system.worker()
            await connected(worker, 2)
            await mortal.kill()
            comments = f'tiktok_live_records_published_total{{topic="{system.prefix}.comment.v1"}}'
            at_its_death = await metric(worker, comments)

            async def goes_on() -> bool:
                return await metric(worker, comments) > at_its_death + 50

            await until(goes_on)
            assert (await stop(worker))["lost"] == 0

    asyncio.run(main())


def test_a_start_with_another_schema_in_the_registry_is_refused_with_what_differs(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> list[str]:
        by_topic = System(tmp_path, kafka, registry, schema_subject_strategy="topic_name")
        async with by_topic as system, web() as client:
            await system.simulator("--rooms", "1", "--rate", "10")
            subject = f"{registry.url}/subjects/{system.prefix}.comment.v1-value"
            ours = json.loads((await client.get(f"{subject}/versions/latest")).json()["schema"])
            comment = next(field for field in ours["fields"] if field["name"] == "comment")
            comment["type"] = "long"
            del comment["default"]
            (await client.delete(subject)).raise_for_status()
            (await client.post(f"{subject}/versions", json={"schema": json.dumps(ours)})).raise_for_status()
            return await system.refused()

    [line] = asyncio.run(main())

    assert line.startswith(f"PRODUCER_SCHEMA_REGISTRY_URL={registry.url}: ")
    assert ".comment.v1-value: version " in line
    assert " is incompatible with ours under " in line
    assert "comment: type [null, string] (was long); comment: default null (was absent)" in line
