"""A whole worker that goes out by a list of proxies: TikTok's host is one whose address they alone know."""

import asyncio
import hashlib
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from producer.local.kafka import Kafka
from producer.local.processes import free_ports
from producer.local.programs import Worker
from producer.local.registry import Registry
from tests.forward_proxy import PASSWORD, ForwardProxy, pipes
from tests.system.harness import System, metric, stop, until
from tests.system.test_secrets import records, surfaces

HOST = "simulator.invalid"
CONNECT_SECONDS = 15.0
"""The bound: for any room, whatever two of three proxies do."""


def home(room: str, lanes: Sequence[str]) -> str:
    """Where a room belongs by the operator's page."""
    return max(lanes, key=lambda lane: hashlib.sha256(f"{lane} {room}".encode()).hexdigest())


async def worker_by(
    system: System,
    proxies: Sequence[ForwardProxy],
    folder: Path,
    *,
    scheme: str = "http",
    more: Sequence[str] = (),
    **settings: str,
) -> Worker:
    """A worker whose upstream is behind the proxies, by their way to it; `more` are further lines of the list."""
    port = int(system.upstream.rpartition(":")[2])
    for proxy in proxies:
        proxy.leads.setdefault(f"{HOST}:{port}", ("127.0.0.1", port))
    listed = folder / "proxies"
    listed.write_text("\n".join(["# ours", *(proxy.url for proxy in proxies), *more]))
    environ = {"PRODUCER_UPSTREAM": f"{scheme}://{HOST}:{port}", "PRODUCER_PROXIES_FILE": str(listed)}
    return await system.worker(environ=environ, **settings)


def logged(worker: Worker, event: str) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in worker.output().splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def at(line: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp()


def is_kept_out(room: Mapping[str, Any]) -> bool:
    return any(f"({reason})" in (room["last_error"] or "") for reason in ("blocked", "no_door"))


async def live(worker: Worker, rooms: int, *, tried: bool = False) -> dict[str, dict[str, Any]]:
    """Wait until each room is heard, offline, or (`tried`) kept out; return those that are not offline, by streamer."""
    found: dict[str, dict[str, Any]] = {}

    async def settled() -> bool:
        worker.check()
        found.update({room["streamer"]: room for room in (await worker.status() or {"streamers": ()})["streamers"]})
        return len(found) == rooms and all(
            room["door"] or room["state"] == "offline" or (tried and is_kept_out(room)) for room in found.values()
        )

    await until(settled)
    return {name: room for name, room in found.items() if room["state"] != "offline"}


def test_with_one_proxy_dead_and_one_mute_every_room_connects_in_time(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    rooms = 60

    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True) as system:
            await system.simulator("--rooms", str(rooms), "--rate", "10")
            good, mute = ForwardProxy("http", password=PASSWORD), ForwardProxy("socks5", password=PASSWORD)
            mute.mute = True
            dead = f"127.0.0.1:{free_ports(1)[0]}"
            async with good.serve(), mute.serve():
                dead_url = f"http://me:{PASSWORD}@{dead}"
                worker = await worker_by(system, [good], tmp_path, more=[mute.url, dead_url])
                heard = await live(worker, rooms)

                [started] = logged(worker, "started")
                later = {line["streamer"] for line in logged(worker, "offline")}
                opened = [line for line in logged(worker, "connected") if line["streamer"] not in later]
                times = [at(line) - at(started) for line in opened]
                print(f"{len(times)} rooms: the last connected {max(times):.1f} s after the start")
                assert len(times) > rooms / 2
                assert max(times) <= CONNECT_SECONDS
                benched = Counter(line["egress"] for line in logged(worker, "egress benched"))
                assert benched == {mute.name: 1, dead: 1}
                assert {room["door"] for room in heard.values()} == {f"direct@{good.name}"}
                status = await worker.status() or {}
                assert {each["egress"]: each["benched"] for each in status["egresses"]} == {
                    good.name: False,
                    mute.name: True,
                    dead: True,
                }
                assert await metric(worker, f'tiktok_live_egress_benched_total{{egress="{dead}"}}') == 1.0
                assert mute.knocks > 0
                said: list[str | bytes] = [*await surfaces(worker.url), await system.producer("status", "--json")]
                await stop(worker)
            said += [worker.output(), *await asyncio.to_thread(lambda: list(records(kafka, system.prefix)))]
        assert any(f"direct@{good.name}" in each for each in said if isinstance(each, str))
        assert [each for each in said if PASSWORD in str(each)] == []

    asyncio.run(main())


def test_each_kind_of_proxy_carries_its_rooms_to_a_site_by_tls(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    rooms = 90  # of which thirty are live: so many that none of three egresses is left without one

    async def main() -> None:
        authority = trustme.CA()
        (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
        theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", HOST).configure_cert(theirs)
        async with System(tmp_path, kafka, registry) as system, AsyncExitStack() as serving:
            await system.simulator("--rooms", str(rooms), "--rate", "40")
            port = int(system.upstream.rpartition(":")[2])
            front = await serving.enter_async_context(relay(port, tls=theirs))
            proxies = [
                ForwardProxy("http", password=PASSWORD),
                ForwardProxy("https", trust=theirs),
                ForwardProxy("socks5", password=PASSWORD),
            ]
            for proxy in proxies:
                proxy.leads[f"{HOST}:{port}"] = ("127.0.0.1", front)
                await serving.enter_async_context(proxy.serve())
            proxies[2].scheme = "socks5h"
            worker = await worker_by(system, proxies, tmp_path, scheme="https", ca_file=str(tmp_path / "ca.pem"))
            names = [proxy.name for proxy in proxies]
            heard = {name: room["door"] for name, room in (await live(worker, rooms)).items()}

            assert heard == {room: f"direct@{home(room, names)}" for room in heard}
            spread = Counter(heard.values())
            assert all(proxy.targets[f"{HOST}:{port}"] > spread[f"direct@{proxy.name}"] > 0 for proxy in proxies), (
                spread
            )
            assert logged(worker, "egress benched") == []
            await stop(worker)

    asyncio.run(main())


@pytest.mark.parametrize("refused", ["/", "/webcast/im/"], ids=["all", "handshakes"])
def test_what_tiktok_refuses_one_egress_moves_no_room_to_another(
    refused: str, tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    rooms = 60  # so many that each egress has some that are live

    async def main() -> None:
        async with System(tmp_path, kafka, registry) as system, AsyncExitStack() as serving:
            await system.simulator("--rooms", str(rooms), "--rate", "30")
            port = int(system.upstream.rpartition(":")[2])
            proxies = [ForwardProxy("http"), ForwardProxy("socks5"), ForwardProxy("http")]
            for proxy in proxies:
                await serving.enter_async_context(proxy.serve())
            proxies[1].scheme = "socks5h"
            forbidding = await serving.enter_async_context(relay(port, forbids=refused))
            names = [proxy.name for proxy in proxies]
            homes = {room: home(room, names) for room in (f"sim_room_{number:02}" for number in range(1, rooms + 1))}
            [(busiest, _)] = Counter(homes.values()).most_common(1)
            proxies[names.index(busiest)].leads[f"{HOST}:{port}"] = ("127.0.0.1", forbidding)
            worker = await worker_by(system, proxies, tmp_path)
            found = await live(worker, rooms, tried=True)

            waiting = [found[room] for room in found if homes[room] == busiest]
            assert waiting
            assert {room["door"] for room in waiting} == {None}
            assert all(map(is_kept_out, waiting))
            others = {room: found[room]["door"] for room in found if homes[room] != busiest}
            assert others == {room: f"direct@{homes[room]}" for room in others}
            assert logged(worker, "egress benched") == []
            await stop(worker)

    asyncio.run(main())


@asynccontextmanager
async def relay(port: int, *, tls: ssl.SSLContext | None = None, forbids: str | None = None) -> AsyncIterator[int]:
    """A port that leads to another one of this machine: by TLS, or but for requests whose path begins so."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if forbids is not None and head.split(b" ")[1].decode().startswith(forbids):
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            there_reader, there = await asyncio.open_connection("127.0.0.1", port)
            there.write(head)
            await pipes((reader, there), (there_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # somebody left
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
