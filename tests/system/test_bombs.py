"""What costs far more than its bytes, one after the other, sent to a real worker in the memory that the chart gives it.

`BOMBS=all` (in `make chaos-strangers`) has all of them; the short form has those of each kind that cost the most.
"""

import asyncio
import gzip
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from producer.local.kafka import Kafka
from producer.local.programs import STEP_SECONDS, Worker
from producer.local.registry import Registry
from tests.system.harness import System, stop, until
from tests.system.stage import Stage, asking
from tests.system.stranger import Front, Odd, Write, answer, drip, twice_gzipped
from tests.system.watched import Watched, environ
from tests.webcast.bombs import ADDRESS_SPACE, BOMBS, field, frame, message, plain

ALL = os.environ.get("BOMBS") == "all"
GROWTH_MIB = 64.0
TURN_MS = 50.0
NEIGHBOURS = [f"neighbour_{number}" for number in range(3)]
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """A bomb that is the answer of a look-up, and the error that must come of it."""

    name: str
    write: bytes | Write
    error: str
    page: bool = False
    often: bool = False
    """Whether the short form has it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A bomb that comes through a room's socket."""

    name: str
    frames: Sequence[bytes] = ()
    written: bytes = b""
    """Instead of frames."""
    deaf: bool = False
    """Whether the server reads nothing meanwhile."""
    closes: bool = False
    """Whether the socket is closed for it, and the room connected anew."""
    often: bool = False


def state(text: str) -> bytes:
    script = f'<script id="SIGI_STATE" type="application/json">{text}</script>'
    return answer(script, content_type="text/html")


def gzipped(megabytes: int) -> bytes:
    return answer(gzip.compress(bytes(megabytes * MIB), 9), headers=[("Content-Encoding", "gzip")])


def encoded(name: str) -> bytes:
    return answer(Random(name).randbytes(512 * 1024), headers=[("Content-Encoding", name)])


ODD_STATUS: dict[str, Any] = {"LiveRoom": {"liveRoomUserInfo": {"liveRoom": {"status": []}}}}
VALUES: dict[str, Any] = {"x": [{} for _ in range(49_900)]}
"""As many as one document may have."""

HTTP = (
    Answered("gzip of gzip", twice_gzipped(), "malformed", often=True),
    Answered("gzip", gzipped(256), "malformed", often=True),
    Answered("brotli", encoded("br"), "malformed"),
    Answered("zstd", encoded("zstd"), "malformed"),
    Answered("an answer of 8 MiB", answer(b"[" + b" " * 8 * MIB + b"]"), "malformed"),
    Answered("a page of 8 MiB", answer(b"x" * 8 * MIB, content_type="text/html"), "malformed", page=True),
    Answered("a page of tags", answer(b"<script " * 7_936, content_type="text/html"), "blocked", page=True),
    Answered("a page of tags, as long as may be", answer(b"<script " * 262_000), "blocked", page=True, often=True),
    Answered("a state of 1.9 MiB", state(json.dumps({"x": "y" * 1_900_000})), "captcha", page=True),
    Answered("a state as long as may be", state(json.dumps(ODD_STATUS | VALUES)), "malformed", page=True, often=True),
    Answered("lists in lists", answer(b"[" * 100_000 + b"]" * 100_000), "malformed"),
    Answered("objects in objects", answer(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "malformed"),
    Answered("half a million values", answer(b"[" + b"0," * 500_000 + b"0]"), "malformed"),
    Answered("millions of values", answer(b"[" + b"0," * 3_000_000 + b"0]"), "malformed"),
    Answered("as many values as may be", answer(json.dumps({"statusCode": 0} | VALUES)), "blocked"),
    Answered("headers without end", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000, "network"),
    Answered("a header of 8 MiB", b"HTTP/1.1 200 OK\r\nA: " + b"b" * 8 * MIB + b"\r\n\r\n", "network"),
    Answered("drips", drip, "timeout"),
)
SOCKET = (
    Sent("a list of 15 MB in 96 KB", [BOMBS["a list of 15 MB in 96 KB"]()], often=True),
    Sent("zeros, a thousandfold", [BOMBS["zeros, a thousandfold"]()]),
    Sent("a million empty messages", [BOMBS["empty messages"]()]),
    Sent("a hundred thousand messages", [frame(message("W", b"") * 100_000, noise=40_000)]),
    Sent("numbers in a row", [BOMBS["numbers in a row"]()]),
    Sent("several lists as long as may be", [BOMBS["several lists as long as may be"]()], often=True),
    Sent("gifts", [BOMBS["gifts"]()]),
    Sent("a message as long as may be", [plain(field(99, bytes(4 * MIB - 100)))]),
    Sent("a message past the bound", [plain(field(99, bytes(4 * MIB)))], closes=True),
    Sent("empty frames", written=b"\x82\x00" * 100_000),
    Sent("a message in a million pieces", written=b"\x02\x00" + b"\x00\x00" * 1_000_000, closes=True),
    Sent("pings", written=b"\x89\x00" * 100_000, often=True),
    Sent("pings of the deaf", written=(b"\x89\x7d" + bytes(125)) * 400_000, deaf=True, closes=True),
)


class Chatter:
    """Neighbours that go on talking, a message each in a while."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.ids: list[str] = []

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator["Chatter"]:
        task = asyncio.ensure_future(self._talk())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _talk(self) -> None:
        for number in count(1):
            for name in NEIGHBOURS:
                await self._stage.send({name: [plain(message("WebcastChatMessage", field(3, b"hi"), number=number))]})
                self.ids.append(f"{self._stage.room_id(name)}:{10**18 + number}")
            await asyncio.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="what a process takes is asked of Linux")
def test_no_bomb_takes_a_worker_more_memory_or_a_longer_turn_than_its_bound(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    answered = [bomb for bomb in HTTP if ALL or bomb.often]
    sent = [bomb for bomb in SOCKET if ALL or bomb.often]
    bombs: list[Answered | Sent] = [*answered, *sent]
    names = {bomb.name: f"bomb_{number:02}" for number, bomb in enumerate(bombs)}
    costs: dict[str, tuple[float, float, list[str]]] = {}

    async def main() -> int:
        async with (
            System(tmp_path, kafka, registry) as system,
            Stage([*NEIGHBOURS, *names.values()]).serve() as stage,
            Front(stage.url).serve() as front,
        ):
            for bomb in answered:
                poison(front, names[bomb.name], bomb)
            await system.wants(NEIGHBOURS)
            more = {"ADDRESS_SPACE": str(ADDRESS_SPACE), "PRODUCER_UPSTREAM": front.url}
            worker = await system.worker(environ=environ(tmp_path / "turns.json", **more))
            watched = Watched(worker, tmp_path / "turns.json")

            async def take(name: str, fire: Callable[[], Awaitable[object]]) -> None:
                before = await watched.forget()
                async with asyncio.timeout(STEP_SECONDS):
                    await fire()
                worker.check()
                said = watched.said()
                growth = round((watched.peak() - before) / 1024, 1)
                costs[name] = growth, said["longest_ms"], said["longest_steps"]

            async with asyncio.timeout(STEP_SECONDS):
                await stage.entered(NEIGHBOURS)
            async with Chatter(stage).going_on() as chatter:
                [limit] = [line for line in (watched.process / "limits").read_text().splitlines() if "address" in line]
                assert str(ADDRESS_SPACE) in limit

                async def look_up(bomb: Answered) -> None:
                    await system.wants([*NEIGHBOURS, names[bomb.name]])
                    await failed(worker, names[bomb.name], f"FailedFetchRoomInfo ({bomb.error})")
                    assert front.fired[bomb.name]

                async def send(bomb: Sent) -> None:
                    name = names[bomb.name]
                    if bomb.written:
                        stage.write(name, bomb.written, deaf=bomb.deaf)
                    await stage.send({name: [*bomb.frames, asking(77)]})
                    await (stage.entered_again(name) if bomb.closes else stage.acknowledged(name, 77))

                for bomb in answered:
                    await take(bomb.name, lambda bomb=bomb: look_up(bomb))  # type: ignore[misc]
                for room in sent:
                    await system.wants([*NEIGHBOURS, names[room.name]])
                    async with asyncio.timeout(STEP_SECONDS):
                        await stage.entered([names[room.name]])
                    await take(room.name, lambda room=room: send(room))  # type: ignore[misc]
            for name in NEIGHBOURS:  # what was said to them is read
                await stage.send({name: [asking(78)]})
                await stage.acknowledged(name, 78)
            ledger = await stop(worker)
            assert ledger["lost"] == 0
            read = {mark.event_id for mark in await asyncio.to_thread(system.marks)}
        assert set(chatter.ids) <= read
        assert [stage.opened[name] for name in NEIGHBOURS] == [1] * len(NEIGHBOURS)
        return len(chatter.ids)

    talked = asyncio.run(main())

    for name, (growth, longest, steps) in costs.items():
        print(f"{name:40} {growth:6.1f} MiB {longest:6.1f} ms  {steps[0][:60] if longest > TURN_MS else ''}")
    assert talked > len(NEIGHBOURS) * len(costs)
    assert {name: growth for name, (growth, _, _) in costs.items() if growth > GROWTH_MIB} == {}
    assert {name: longest for name, (_, longest, _) in costs.items() if longest > TURN_MS} == {}


def poison(front: Front, streamer: str, bomb: Answered) -> None:
    odd = Odd(bomb.name, ("page",) if bomb.page else ("api_live",), bomb.write)
    front.poison(streamer, odd)
    if bomb.page:
        nobody = answer('{"statusCode": 19881007, "message": "user_not_found"}')
        front.poison(streamer, replace(odd, name="no such user", endpoints=("api_live",), write=nobody))


async def failed(worker: Worker, streamer: str, error: str) -> None:
    """Wait until a streamer's last error is this one."""

    async def so() -> bool:
        worker.check()
        status = await worker.status()
        said = {item["streamer"]: item["last_error"] or "" for item in status["streamers"]} if status else {}
        return said.get(streamer, "").startswith(error)

    await until(so)
