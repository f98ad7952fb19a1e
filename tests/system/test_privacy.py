"""Planted viewers through a whole worker that names nobody: on no topic, in no letter, on no disk and in no log."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

from producer.local.kafka import Kafka
from producer.local.registry import Registry
from tests.events.planting import ALL, Planter
from tests.events.wire_writer import varint
from tests.kafka.proxy import Proxy
from tests.kafka.reading import each_record
from tests.published import EVENTS
from tests.system.harness import System, metric, stop, until, web

KEY = "correct horse battery staple"
LETTER = b"\x12\x20\x1a\x07Letter1"
"""A user whose message is cut."""


def planted(file: Path) -> list[str]:
    """Write a message of each kind that names somebody wherever one can, one of no kind, and one that is cut."""
    planter = Planter()
    lines = []
    for method, kind in ALL.items():
        message: Any = kind()
        planter.fill(message)
        if method == "WebcastMemberMessage":
            message.action = 1
        lines.append((method, message.SerializeToString()))
        if method == "WebcastChatMessage":
            lines.append(("WebcastOfTomorrow", message.SerializeToString()))
            lines.append((method, message.SerializeToString() + LETTER))
    file.write_text("".join(json.dumps({"method": m, "b64": base64.b64encode(p).decode()}) + "\n" for m, p in lines))
    return [*planter.planted, "Letter1"]


def hits(values: list[str], *where: bytes) -> set[str]:
    """What of the planted there is, as text or as protobuf and Avro write a number."""
    found = set()
    for value in values:
        forms = [value.encode()]
        if value.isdigit():
            forms += [varint(int(value)), varint(2 * int(value))]
        if any(form in data for form in forms for data in where):
            found.add(value)
    return found


def test_no_viewer_leaves_a_worker_under_their_own_name(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    values = planted(tmp_path / "planted.jsonl")
    key = tmp_path / "key"
    key.write_text(KEY)
    spool = tmp_path / "spool"

    async def main() -> tuple[bytes, bytes, bytes, bytes]:
        async with System(tmp_path, kafka, registry) as system, Proxy(kafka.bootstrap_servers) as proxy:
            proxy.stand_for({1: proxy})
            await system.simulator("--replay", str(tmp_path / "planted.jsonl"), "--rate", "5")
            worker = await system.worker(
                kafka_bootstrap_servers=proxy.address,
                spool_directory=str(spool),
                spool_after_seconds="0.1",
                viewers="pseudonymous",
                viewers_key_file=str(key),
                payloads="all",
            )

            async def heard(least: int) -> bool:
                worker.check()
                status = await worker.status()
                return status is not None and status["ledger"]["received"] >= least

            await until(lambda: heard(5))
            await proxy.go_down()

            async def spooled() -> bool:
                return await metric(worker, "tiktok_live_spool_records") > 10

            await until(spooled)
            on_disk = b"".join(path.read_bytes() for path in spool.rglob("*") if path.is_file())
            await proxy.come_up()
            await until(lambda: heard(len(ALL) + 2))
            async with web() as client:
                pages = [(await client.get(f"{worker.url}{page}")).content for page in ("/status", "/metrics")]
            await stop(worker)
            topics = [f"{system.prefix}.{event}.v1" for event in (*EVENTS, "dlq")]
            found = await asyncio.to_thread(lambda: list(each_record(kafka.bootstrap_servers, topics)))
            assert {record.topic() for record in found} >= {f"{system.prefix}.{name}.v1" for name in ("dlq", "unknown")}
            said = b"".join(record.value() + record.key() + repr(record.headers()).encode() for record in found)
            return said, on_disk, b"".join(pages), (tmp_path / "worker.log").read_bytes()

    said, on_disk, pages, log = asyncio.run(main())

    assert len(values) >= 200
    assert on_disk.count(b"sim_replay") > 10
    assert [hits(values, data) for data in (said, on_disk, pages, log)] == [set(), set(), set(), set()]
