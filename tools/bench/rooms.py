"""Webcast rooms that send a corpus: as fast as it is taken, or at a rate; and when each frame was acknowledged."""

import asyncio
import heapq
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from producer.webcast.wire import PushFrame
from tests.system.stage import Stage
from tools.bench.corpus import Frame

ECHO = PushFrame(payload_encoding="pb", payload_type="hb").SerializeToString()
"""What TikTok answers to a heartbeat."""


class Rooms(Stage):
    """The rooms of these streamers, in this process. Use `serve`."""

    def __init__(self, streamers: Sequence[str]) -> None:
        super().__init__(streamers)
        self.streamers = tuple(streamers)
        self.seconds: list[float] = []
        """From each frame's sending to its acknowledgement, in the order of the latter."""
        self._sent: dict[int, float] = {}

    @property
    def unacknowledged(self) -> int:
        """Frames that were sent and not acknowledged."""
        return len(self._sent)

    async def send_all(self, frames: Mapping[str, Sequence[Frame]]) -> None:
        """Send all at once: a room has its next frame when it has taken the one before."""

        async def one(streamer: str) -> None:
            socket = self._sockets[streamer]
            for frame in frames[streamer]:
                self._sent[frame.log_id] = time.monotonic()
                await socket.send(frame.data)

        await asyncio.gather(*(one(streamer) for streamer in frames))

    async def send_at(self, rate: float, frames: Mapping[str, Sequence[Frame]], *, seed: int = 1) -> float:
        """Send so many messages a second, of all rooms together; give the rate that came of it."""
        chance = Random(seed)
        messages = sum(frame.messages for several in frames.values() for frame in several)
        count = sum(map(len, frames.values()))
        pause = len(frames) * (messages / count) / rate  # between two frames of one room
        due = [(chance.random() * pause, streamer, 0) for streamer in frames]
        heapq.heapify(due)
        began = time.monotonic()
        while due:
            at, streamer, number = due[0]
            if (wait := began + at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            frame = frames[streamer][number]
            self._sent[frame.log_id] = time.monotonic()
            await self._sockets[streamer].send(frame.data)
            if number + 1 < len(frames[streamer]):
                heapq.heapreplace(due, (at + pause, streamer, number + 1))
            else:
                heapq.heappop(due)
        return messages / (time.monotonic() - began)

    async def _converse(self, websocket: ServerConnection) -> None:
        assert websocket.request is not None
        [room_id] = parse_qs(urlsplit(websocket.request.path).query)["room_id"]
        streamer = self._names[room_id]
        with suppress(ConnectionClosed):
            async for data in websocket:
                assert isinstance(data, bytes)
                said = PushFrame.FromString(data)
                if said.payload_type == "ack":
                    if (sent := self._sent.pop(said.log_id, None)) is not None:
                        self.seconds.append(time.monotonic() - sent)
                    continue
                if said.payload_type == "hb":
                    await websocket.send(ECHO)
                if self._sockets.get(streamer) is not websocket:
                    self._sockets[streamer] = websocket
                    async with self._heard:
                        self._heard.notify_all()
