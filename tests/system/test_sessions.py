"""A whole worker and rooms for adults: a session opens them, and is told to nobody but TikTok.

A sign server, a broker of leases and a gateway, each at an address of its own, keep every byte that they are sent.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from producer.local.kafka import Kafka
from producer.local.programs import Worker
from producer.local.registry import Registry
from tests.kafka.reading import each_record
from tests.system.harness import System, metric, stop, until
from tests.system.test_secrets import surfaces

CANARY = "c4n4ry00112233445566778899aabbcc"
SESSION = f"sessionid={CANARY}; tt-target-idc=useast2a"
LET_IN, KEPT_OUT, PUBLIC = "sim_room_01", "sim_room_02", "sim_room_03"
REASON = 'tiktok_live_connection_error_reasons_total{{reason="{}"}}'


class Honeypot:
    """A server that keeps what it is sent, and answers that it is not ready."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.port = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Honeypot"]:
        async with await asyncio.start_server(self._answer, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Not Ready\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.write_eof()
        self.heard += await reader.read()  # what else came; the client closes
        writer.close()


def told(data: bytes | str) -> bool:
    """Whether the session is in something, in any part of it that would be enough to know it."""
    return CANARY.encode() in (data.encode() if isinstance(data, str) else data)


async def states(worker: Worker) -> dict[str, Any]:
    status = await worker.status() or {"streamers": []}
    return {each["streamer"]: each for each in status["streamers"]}


def test_a_session_opens_a_room_for_adults_and_is_told_to_tiktok_alone(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    (sessions / "adults").write_text(SESSION)
    key = tmp_path / "key"
    key.write_text("gateway-key")

    async def main() -> None:
        async with AsyncExitStack() as stack:
            sign, lease, gateway = [await stack.enter_async_context(Honeypot().serve()) for _ in range(3)]
            system = await stack.enter_async_context(System(tmp_path, kafka, registry, shared=True))
            restricted = [part for name in (LET_IN, KEPT_OUT) for part in ("--restricted", name)]
            account = ("--session-file", str(sessions / "adults"))
            await system.simulator("--rooms", "3", "--rate", "60", *restricted, *account, names=[])
            await lists(
                system,
                tmp_path,
                {"unique_id": LET_IN, "session": "adults", "doors": ["sign", "lease", "gateway", "direct"]},
                {"unique_id": KEPT_OUT},
                {"unique_id": PUBLIC},
            )
            worker = await system.worker(
                environ={
                    "PRODUCER_DOORS": "direct,sign,lease,gateway",
                    "PRODUCER_SIGN_URL": f"http://127.0.0.1:{sign.port}",
                    "PRODUCER_LEASE_URL": f"http://127.0.0.1:{lease.port}",
                    "PRODUCER_GATEWAY_URL": f"ws://127.0.0.1:{gateway.port}",
                    "PRODUCER_GATEWAY_KEY_FILE": str(key),
                    "PRODUCER_SESSIONS_DIRECTORY": str(sessions),
                    "PRODUCER_LOG_LEVEL": "debug",
                }
            )

            async def settled() -> bool:
                worker.check()
                found = await states(worker)
                heard = {name for name in (LET_IN, PUBLIC) if found.get(name, {}).get("door")}
                return heard == {LET_IN, PUBLIC} and found[KEPT_OUT]["state"] == "failed"

            await until(settled)

            async def delivers() -> bool:
                return len({line["unique_id"] for line in system.truth() if line["sockets"]}) == 2

            await until(delivers)
            found = await states(worker)
            assert (found[LET_IN]["door"], found[PUBLIC]["door"]) == ("direct", "direct")
            assert found[KEPT_OUT]["last_error"].startswith("InvalidSessionId (login): ")
            assert await metric(worker, REASON.format("login")) == 1.0
            assert await metric(worker, REASON.format("credentials")) == 0.0

            said: list[bytes | str] = [*await surfaces(worker.url)]
            said += [await system.producer("status", "--json"), await system.producer("assign", "list")]
            await stop(worker)
            said.append(worker.output())
            delivered = {each.value["meta"]["streamer"] for each in system.read("comment", "like", "join")}
            assert delivered == {LET_IN, PUBLIC}
            topics = sorted(AdminClient({"bootstrap.servers": kafka.bootstrap_servers}).list_topics().topics)
            ours = [topic for topic in topics if topic.startswith(f"{system.prefix}.")]
            said += [repr(parts(each)) for each in each_record(kafka.bootstrap_servers, ours)]

            assert all(b"HTTP/1.1" in each.heard for each in (sign, lease, gateway))
            assert [each for each in (*said, *(bytes(pot.heard) for pot in (sign, lease, gateway))) if told(each)] == []
            seen = system.truth("session")
            assert {line["sha256"] for line in seen} == {sha256(CANARY.encode()).hexdigest()}
            assert {line["host"] for line in seen} == {system.upstream.removeprefix("http://")}
            assert {line["path"] for line in seen} == {
                "/api-live/user/room/",
                "/webcast/im/ws_proxy/ws_reuse_supplement/",
            }

    asyncio.run(main())


async def lists(system: System, folder: Path, *entries: dict[str, Any]) -> None:
    """Make the list these entries."""
    (folder / "entries.json").write_text(json.dumps({"streamers": entries}))
    await system.producer("assign", "apply", "--yes", str(folder / "entries.json"))


def parts(record: Any) -> tuple[Any, ...]:
    return record.key(), record.value(), record.headers()
