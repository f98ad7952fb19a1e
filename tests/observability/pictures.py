"""Draw the dashboards from live data: `PANELS=shot.py python -m tests.observability.pictures docs/pictures`.

Three workers under the simulator, a Kafka that goes away for half a minute, a worker that is killed; a real Prometheus
scrapes them. PANELS names a Python program, which is not part of this repository, that draws one dashboard with
Grafana's own panel components: `shot.py dashboard.json http://prometheus picture.png SECONDS`.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from producer.local.kafka import Kafka
from producer.local.registry import Registry
from tests.observability.prometheus import JOB, Prometheus
from tests.observability.tools import RULES, groups_of
from tests.system.harness import System, connected
from tools.dashboards import dashboards

ROOMS, RATE = 40, 200
FAULTS = ("cut_payload:40", "silence:2", "drop:6")
CALM_SECONDS, AWAY_SECONDS, ALONE_SECONDS = 75, 30, 75
VARIABLES = {"$namespace": ".+", "$release": JOB, "$pod": ".+", "$streamer": ".+"}


async def draw(panels: str, work: Path, pictures: Path) -> None:
    """Run the story, then draw each dashboard into `pictures`."""
    async with (
        Kafka(work / "kafka") as kafka,
        Registry(work / "registry") as registry,
        System(work, kafka, registry, shared=True, metrics_streamers="5", dead_letters_per_minute="30") as system,
    ):
        faults = [part for fault in FAULTS for part in ("--fault", fault)]
        await system.simulator("--rooms", str(ROOMS), "--rate", str(RATE), *faults)
        workers = [await system.worker(name, spool_directory=str(work / name)) for name in ("one", "two", "three")]
        began = time.monotonic()
        async with Prometheus(work, [groups_of(*RULES)], {JOB: workers}) as prometheus:
            await connected(workers[0], 1)
            await asyncio.sleep(CALM_SECONDS)
            await kafka.kill(1)
            await asyncio.sleep(AWAY_SECONDS)
            await kafka.start(1)
            await asyncio.sleep(CALM_SECONDS)
            await workers[2].end(signal.SIGKILL)
            await asyncio.sleep(ALONE_SECONDS)
            seconds = str(int(time.monotonic() - began))
            for name, dashboard in dashboards().items():
                text = json.dumps(dashboard)
                for variable, value in VARIABLES.items():
                    text = text.replace(variable, value)
                source = work / f"{name}.json"
                source.write_text(text, "utf-8")
                picture = pictures / f"{name}.png"
                process = await asyncio.create_subprocess_exec(
                    sys.executable, panels, str(source), prometheus.url, str(picture), seconds
                )
                if await process.wait():
                    raise SystemExit(f"{panels} did not draw {name}")


def main() -> None:
    pictures = Path(sys.argv[1])
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        asyncio.run(draw(os.environ["PANELS"], Path(work), pictures))


if __name__ == "__main__":
    main()
