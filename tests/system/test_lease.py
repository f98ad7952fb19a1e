"""A whole worker whose only door is a broker's: the example in a process of its own, and one without a contract."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from producer.local.kafka import Kafka
from producer.local.registry import Registry
from tests.serving import saying, serving
from tests.system.harness import ROOT, System, stop, until, web

TOKEN = "c4n4ry-of-the-broker"
LATE = {8, 18}
"""Rooms of which nobody hears for half a minute."""
ROOMS = [f"sim_room_{number:02}" for number in range(1, 23) if number not in LATE]
COLD = 1


@asynccontextmanager
async def broker(simulator: str, token: Path, log: Path) -> AsyncIterator[str]:
    """Run the example; give its URL."""
    with log.open("w") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.lease_broker", simulator, str(token), str(COLD)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


def test_twenty_rooms_deliver_by_a_broker_that_has_nothing_ready_at_first(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    token, log = tmp_path / "token", tmp_path / "broker.log"
    token.write_text(TOKEN)

    async def main() -> None:
        async with System(tmp_path, kafka, registry) as system:
            await system.simulator("--rooms", "22", "--rate", "60", names=ROOMS)
            async with broker(system.upstream, token, log) as url:
                worker = await system.worker(
                    doors="lease", lease_url=url, lease_token_file=str(token), lease_connects_per_hour="1000"
                )

                async def all_delivered() -> bool:
                    worker.check()
                    found = await asyncio.to_thread(system.marks)
                    return {mark.streamer for mark in found if mark.message_id is not None} == set(ROOMS)

                await until(all_delivered)
                async with web() as client:
                    said = [(await client.get(f"{worker.url}/{path}")).text for path in ("status", "metrics")]
                await stop(worker)
            said += [worker.output(), log.read_text()]
            found = {mark.event_id: mark.streamer for mark in system.marks() if mark.message_id is not None}
            assert found.items() <= system.senders().items()
        answered = [line.split()[-2] for line in log.read_text().splitlines()]
        assert answered[:COLD] == ["503"] * COLD
        assert set(answered[COLD:]) == {"200"}
        assert len(answered) < len(ROOMS)  # for a lease opens any room
        assert "no_warm_session" in worker.output()
        assert [each for each in said if TOKEN in each] == []

    asyncio.run(main())


def test_a_broker_that_answers_with_a_page_is_named_by_the_doors_state(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)

    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True) as system:
            await system.simulator("--rooms", "6", "--rate", "6")
            with serving(saying(200, b"<html>Sign in</html>")) as url:
                worker = await system.worker(doors="lease", lease_url=url, lease_token_file=str(token))

                await worker.line_with("door shut")
                [lease] = (await worker.status() or {})["doors"]
                [shown] = json.loads(await system.producer("status", "--json"))["doors"]
                await stop(worker)
        problem = "the broker's lease cannot be used: it is not JSON"
        assert (lease["state"], lease["reason"], lease["detail"]) == ("shut", "malformed", problem)
        assert (shown["reason"], shown["detail"]) == ("malformed", problem)
        assert TOKEN not in worker.output()

    asyncio.run(main())
