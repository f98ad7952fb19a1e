"""A client of the simulator made of websockets and bytes written by hand, so that it shares no code with the worker."""

import asyncio
import gzip
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any
from unittest import mock

from websockets.asyncio.client import ClientConnection, connect

from producer.simulator import room as rooms
from producer.simulator.faults import Faults
from producer.simulator.server import SOCKET_PATH, Simulator
from producer.simulator.truth import Truth
from producer.simulator.world import Script, World
from producer.webcast.wire import Envelope, FetchResult, PushFrame
from tests.patience import HANGS_SECONDS

HEARTBEAT = b"\x3a\x02hb"
"""What older clients send: a frame that says no more than its type (protocol sheet section 5.5)."""
ENTER = b"\x3a\x0dim_enter_room\x42"
HEADERS = {"Cookie": "ttwid=1"}


def simulate(
    act: Callable[[Simulator], Awaitable[None]], *faults: str, script: Script | None = None, **more: Any
) -> list[dict[str, Any]]:
    """Run a simulator, by default with one room that is live at once; return its truth."""
    log = io.StringIO()
    world = script or World(seed=1, rooms=1, rate=500.0)

    async def main() -> None:
        async with (
            Simulator(world, faults=Faults(faults), truth=Truth(log), **more) as simulator,
            asyncio.timeout(HANGS_SECONDS),
        ):
            await act(simulator)

    with mock.patch.object(rooms, "TICK_SECONDS", 0.02):  # so that a few frames are a matter of milliseconds
        asyncio.run(main())
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def room_id(simulator: Simulator, name: str = "sim_room_01") -> int:
    """The room of a streamer, once it is live."""
    while not (room := simulator.room_id(name)):
        await asyncio.sleep(0.01)
    return room


def socket(
    simulator: Simulator | str,
    room: int | str,
    *,
    compress: str = "",
    user_agent: str | None = "test",
    headers: dict[str, str] = HEADERS,
    **more: Any,
) -> connect:
    """Open a socket to a room of a simulator in this process, or of one by its URL."""
    base = simulator if isinstance(simulator, str) else simulator.url
    url = f"ws{base.removeprefix('http')}{SOCKET_PATH}?room_id={room}&compress={compress}"
    return connect(
        url,
        additional_headers=headers,
        user_agent_header=user_agent,
        max_size=None,
        proxy=None,
        ping_interval=None,
        open_timeout=HANGS_SECONDS,
        **more,
    )


def enter(room: int) -> bytes:
    """The frame that enters a room."""
    payload = b"\x08" + varint(room)
    return ENTER + varint(len(payload)) + payload


def acknowledgement(frame: PushFrame, batch: FetchResult) -> bytes:
    """The frame that acknowledges a batch."""
    said = batch.internal_ext
    return b"\x10" + varint(frame.log_id) + b"\x3a\x03ack\x42" + varint(len(said)) + said


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


async def receive(websocket: ClientConnection) -> bytes | str:
    """The next message that is no answer to one of ours."""
    while True:
        data = await websocket.recv()
        if isinstance(data, str) or not data.endswith((b"im_enter_room_resp", HEARTBEAT)):
            return data


async def receive_until_answered(websocket: ClientConnection) -> list[bytes | str]:
    """Send a heartbeat; give what comes before its answer: all that had been sent until then."""
    await websocket.send(HEARTBEAT)
    found = []
    while not (isinstance(data := await websocket.recv(), bytes) and data.endswith(HEARTBEAT)):
        found.append(data)
    return found


async def receive_batch(websocket: ClientConnection) -> tuple[PushFrame, FetchResult]:
    """The next message as a batch."""
    return parsed(await receive(websocket))


def parsed(data: bytes | str) -> tuple[PushFrame, FetchResult]:
    """A message as a batch."""
    assert isinstance(data, bytes)
    frame = PushFrame.FromString(data)
    payload = gzip.decompress(frame.payload) if frame.payload.startswith(b"\x1f\x8b") else frame.payload
    return frame, FetchResult.FromString(payload)


async def acknowledged(websocket: ClientConnection, count: int) -> list[tuple[PushFrame, FetchResult]]:
    """So many batches, each acknowledged."""
    found = []
    for _ in range(count):
        frame, batch = await receive_batch(websocket)
        await websocket.send(acknowledgement(frame, batch))
        found.append((frame, batch))
    return found


def envelopes(batch: FetchResult) -> list[Envelope]:
    """A batch's envelopes."""
    return [Envelope.FromString(data) for data in batch.messages]
