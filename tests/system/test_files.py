"""A worker whose list is a file, on a machine and with operators that are against it: rooms stream on."""

import asyncio
import json
import os
import resource
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from producer.local.kafka import Kafka
from producer.local.registry import Registry
from tests.assignments.test_list_file import BAD
from tests.system.harness import System, connected, metric, stop, until

NINE = ("not UTF-8", "not YAML", "twice", "tag", "laughs", "deep", "gone", "folder", "pipe")


@contextmanager
def open_files(limit: int) -> Iterator[None]:
    """How many files processes that are started meanwhile may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_rooms_stream_on_through_nine_bad_lists_planted_claims_and_a_lack_of_descriptors(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    path, folder = tmp_path / "list.yaml", tmp_path / "claims"
    folder.mkdir()
    (tmp_path / "precious").write_text("precious")
    (folder / "z_link.claim").symlink_to(tmp_path / "precious")
    os.mkfifo(folder / "z_pipe.claim")
    (folder / "z_folder.claim").mkdir()

    async def main() -> None:
        async with System(tmp_path, kafka, registry, live_poll_seconds="2") as system:
            await system.simulator("--rooms", "2", "--rate", "50")
            rooms = yaml.safe_load(path.read_text())["streamers"]
            planted = [{"unique_id": name, "priority": 1} for name in ("z_link", "z_pipe", "z_folder")]
            offline = [f"zz{number}" for number in range(310)]
            path.write_text(yaml.safe_dump({"streamers": [*rooms, *planted, *offline]}))
            with open_files(256):
                worker = await system.worker()
            await connected(worker, 2)

            def logged() -> Counter[str]:
                return Counter(json.loads(line)["event"] for line in worker.output().splitlines())

            for number, case in enumerate(NINE, 1):
                BAD[case](path)

                async def refused(times: int = number) -> bool:
                    worker.check()
                    return logged()["list not read; the list before it stands"] >= times

                await until(refused)
                await connected(worker, 2)
                if path.is_dir():
                    shutil.rmtree(path)
                if not path.exists():
                    path.touch()  # the next replaces it

            fresh = tmp_path / "fresh"
            fresh.write_text(yaml.safe_dump({"streamers": [*rooms, *planted]}))
            fresh.replace(path)

            async def followed() -> bool:
                worker.check()
                return await metric(worker, "tiktok_live_assigned_streams") == 2

            await until(followed)
            await connected(worker, 2)
            invalid = await metric(worker, 'tiktok_live_list_reloads_total{result="invalid"}')
            failed = await metric(worker, "tiktok_live_claim_errors_total")
            opened = await metric(worker, "tiktok_live_connections_opened_total")
            lines = logged()
            ledger = await stop(worker)
            print(lines)

        assert lines["open files bound the streamers"] == 1
        assert lines["streamers not claimed"] == 3
        assert lines["list not read; the list before it stands"] == invalid == len(NINE)
        assert failed >= 3
        assert opened == 2
        assert ledger["lost"] == 0
        assert (tmp_path / "precious").read_text() == "precious"

    asyncio.run(main())
