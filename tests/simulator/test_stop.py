"""`producer simulate` as a process of its own: what becomes of its clients when it is told to stop."""

import asyncio
import json
import signal
import socket as sockets
from pathlib import Path

import pytest
import websockets

from producer.local.programs import Program
from tests.patience import HANGS_SECONDS
from tests.simulator.client import enter, envelopes, parsed, socket

ROOM = 7_300_000_000_000_000_000 + 1_000_000_000
"""The first live of the first room."""
WAITING_BYTES = 256 * 1024
"""More than the system keeps for a client that reads nothing."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_client_reads_all_that_was_sent_to_it_though_the_simulator_was_stopped(
    tmp_path: Path, number: signal.Signals
) -> None:
    truth = tmp_path / "truth.jsonl"
    options = ("--port", "0", "--rooms", "1", "--rate", "20000", "--steady", "--truth", str(truth))

    def sent() -> set[int]:
        """Each message that had a line of its own or came as history."""
        lines = [json.loads(line) for line in truth.read_text().splitlines()]
        return {int(line["message_id"]) for line in lines if line["kind"] == "message" and line["sockets"]}

    async def main() -> None:
        program = Program("simulator", ("simulate", *options), {}, tmp_path / "simulator.log")
        async with asyncio.timeout(HANGS_SECONDS), program:
            line = await program.line_with("http://")
            url = line[line.index("http://") :].split()[0]
            raw = sockets.socket()
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            raw.setblocking(False)
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", int(url.rpartition(":")[2])))
            async with socket(url, ROOM, sock=raw, max_queue=1) as websocket:
                await websocket.send(enter(ROOM))
                while truth.stat().st_size < WAITING_BYTES:
                    await asyncio.sleep(0.05)
                ending = asyncio.create_task(program.end(number))
                heard: set[int] = set()
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    while True:
                        data = await websocket.recv()
                        if isinstance(data, bytes) and data.endswith(b"im_enter_room_resp"):
                            continue
                        heard |= {envelope.msg_id for envelope in envelopes(parsed(data)[1])}
                assert await ending == 0
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert len(heard) > 100
        assert heard == sent()

    asyncio.run(main())
