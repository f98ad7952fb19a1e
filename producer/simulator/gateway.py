"""A gateway: it is asked for a streamer by name, and passes the frames of the room on. Doors sheet section 1e.

It waits for nothing: it enters the room, sends heartbeats and acknowledges by itself.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection

from producer.simulator.faults import Fault, Faults
from producer.simulator.messages import Message
from producer.simulator.socket import Socket
from producer.simulator.truth import Truth
from producer.webcast.wire import PushFrame

PATH = "/gateway"
RAW = ("features.rawMessages", "flags.rawMessages")
"""The option that makes it pass frames on; what it is called has changed."""
YES = ("true", "1")
ENDED, OPTIONS, CREDENTIALS, OFFLINE, NORMAL = 4005, 4400, 4401, 4404, 1000
REFUSALS = {
    Fault.GATEWAY_INTERNAL: 1011,
    Fault.GATEWAY_OPTIONS: OPTIONS,
    Fault.GATEWAY_CREDENTIALS: CREDENTIALS,
    Fault.GATEWAY_OTHER_STREAMERS: 4403,
    Fault.GATEWAY_OFFLINE: OFFLINE,
    Fault.GATEWAY_TOO_MANY: 4429,
    Fault.GATEWAY_FETCH_FAILED: 4556,
    Fault.GATEWAY_ROOM_INFO_FAILED: 4557,
}
"""How a socket is closed before anything is passed on."""
CLOSINGS = {
    Fault.GATEWAY_ENDED: ENDED,
    Fault.GATEWAY_SILENT: 4006,
    Fault.GATEWAY_UPSTREAM_CLOSED: 4500,
    Fault.GATEWAY_LIFETIME: 4555,
}
"""How one is closed that was heard."""


def refusal(query: Mapping[str, str], *, live: bool, fires: Callable[[Fault], bool]) -> int | None:
    """The close code for a client that gets nothing; None for another."""
    if not query.get("apiKey") and not query.get("jwtKey"):
        return CREDENTIALS
    if not query.get("uniqueId"):
        return OPTIONS
    fault = next((fault for fault in REFUSALS if fires(fault)), None)
    if fault is not None:
        return REFUSALS[fault]
    return None if live else OFFLINE


class Passage(Socket):
    """One client of it."""

    def __init__(
        self,
        websocket: ServerConnection,
        query: Mapping[str, str],
        *,
        unique_id: str,
        room_id: int,
        faults: Faults,
        truth: Truth,
    ) -> None:
        super().__init__(
            websocket,
            unique_id=unique_id,
            room_id=room_id,
            door="gateway",
            gzipped=True,
            faults=faults,
            truth=truth,
            heartbeat_seconds=None,
        )
        self.unasked = 0
        """Frames that the client sent, though nothing is waited for."""
        self._passes = any(query.get(name) in YES for name in RAW)
        """Otherwise it says, as text, what it has read in the frames."""

    async def entered(self) -> bool:
        """Say who we are, and what the room is."""
        return (
            await self._say("workerInfo", webSocketId=f"sim-{self._room_id}", schemaVersion="v2", features={})
            and await self._say("roomInfo", roomInfo={"id": str(self._room_id), "isLive": True})
            and await self._say("tiktok.connect", agentId="sim")
        )

    async def listen(self) -> None:
        """Wait until the socket is closed."""
        while await self._receive() is not None:
            self.unasked += 1

    async def send(self, messages: Sequence[Message]) -> bool:
        """Pass a batch on; then, where that is due, close the socket."""
        sent = await super().send(messages)
        for fault, code in CLOSINGS.items():
            if sent and self._faults.fires(fault, self._unique_id, "gateway"):
                self._truth.write("fault", self._unique_id, self._room_id, name=fault.value, door="gateway")
                await self.close(code)
        return sent

    async def close(self, code: int) -> None:
        """Close the socket; where that is no failure, the live has ended."""
        await super().close(ENDED if code == NORMAL else code)

    async def _take(self, frame: PushFrame) -> None:
        """Answer nothing."""

    async def _write(self, data: bytes | str) -> None:
        await super()._write(data if isinstance(data, str) or self._passes else _text("WebcastChatMessage", {}))

    async def _say(self, kind: str, **data: Any) -> bool:
        return await self._sent(_text(kind, data))


def _text(kind: str, data: dict[str, Any]) -> str:
    return json.dumps({"timestamp": int(time.time() * 1000), "messages": [{"type": kind, "data": data}]})
