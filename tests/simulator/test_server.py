"""producer.simulator.server: a client made of websockets, httpx and bytes written by hand."""

import asyncio
import gzip
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from producer.simulator.faults import Faults
from producer.simulator.server import SOCKET_PATH, Simulator
from producer.simulator.truth import Truth
from producer.simulator.world import World
from producer.webcast.wire import Envelope, FetchResult, PushFrame

ENTER = b"\x3a\x0dim_enter_room\x42"
HEADERS = {"Cookie": "ttwid=1"}


def simulate(act: Callable[[Simulator], Awaitable[None]], *faults: str, rooms: int = 1) -> list[dict[str, Any]]:
    """Run a simulator with one room that is live at once; return its truth."""
    log = io.StringIO()

    async def main() -> None:
        world = World(seed=1, rooms=rooms, rate=200.0 * rooms)
        async with Simulator(world, faults=Faults(faults), truth=Truth(log)) as simulator, asyncio.timeout(20):
            await act(simulator)

    asyncio.run(main())
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def room_id(simulator: Simulator) -> int:
    while not (room := simulator.room_id("sim_room_01")):
        await asyncio.sleep(0.01)
    return room


def socket(
    simulator: Simulator, room: int, *, compress: str = "", user_agent: str | None = "test", **more: Any
) -> connect:
    url = f"ws{simulator.url.removeprefix('http')}{SOCKET_PATH}?room_id={room}&compress={compress}"
    headers = more.pop("headers", HEADERS)
    return connect(url, additional_headers=headers, user_agent_header=user_agent, max_size=None, proxy=None, **more)


def enter(room: int) -> bytes:
    payload = b"\x08" + _varint(room)
    return ENTER + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


async def batches(websocket: ClientConnection, room: int) -> "list[tuple[PushFrame, FetchResult]]":
    """Enter, and read ten batches, acknowledging each."""
    await websocket.send(enter(room))
    found: list[tuple[PushFrame, FetchResult]] = []
    while len(found) < 10:
        frame = PushFrame.FromString(bytes(await websocket.recv()))  # type: ignore[arg-type]
        if frame.payload_type != "msg":
            continue
        payload = gzip.decompress(frame.payload) if frame.payload.startswith(b"\x1f\x8b") else frame.payload
        batch = FetchResult.FromString(payload)
        found.append((frame, batch))
        ack = (
            b"\x10" + _varint(frame.log_id) + b"\x3a\x03ack\x42" + _varint(len(batch.internal_ext)) + batch.internal_ext
        )
        await websocket.send(ack)
    return found


def test_nothing_is_sent_before_the_room_is_entered() -> None:
    async def act(simulator: Simulator) -> None:
        async with socket(simulator, await room_id(simulator)) as websocket:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await websocket.recv()

    simulate(act)


@pytest.mark.parametrize("compress", ["", "gzip"])
def test_what_is_sent_is_what_the_truth_says(compress: str) -> None:
    received: list[str] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room, compress=compress) as websocket:
            for frame, batch in await batches(websocket, room):
                assert (frame.service, frame.method, frame.payload_encoding) == (8888, 8, "pb")
                assert frame.payload.startswith(b"\x1f\x8b") is (compress == "gzip")
                assert batch.need_ack
                received.extend(str(Envelope.FromString(e).msg_id) for e in batch.messages)
        [entered] = simulator.sockets
        while entered.acknowledged < 10:
            await asyncio.sleep(0.01)
        assert entered.bad_acknowledgements == 0

    truth = simulate(act)

    heard = [line["message_id"] for line in truth if line["kind"] == "message" and line["sockets"]]
    missed = [line["message_id"] for line in truth if line["kind"] == "message" and not line["sockets"]]
    live = [message_id for message_id in received if message_id not in missed]
    assert live == heard[: len(live)]
    assert len(live) > 50
    assert [line["kind"] for line in truth if line["kind"] in ("connected", "entered")] == ["connected", "entered"]


def test_a_wrong_acknowledgement_is_noticed() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            await websocket.recv()
            await websocket.send(b"\x10\x01\x3a\x03ack\x42\x01-")
            while not simulator.sockets or not simulator.sockets[0].bad_acknowledgements:
                await asyncio.sleep(0.01)

    simulate(act)


@pytest.mark.parametrize(
    ("headers", "user_agent"),
    [({}, "test"), ({"Cookie": "other=1"}, "test"), (HEADERS, None)],
    ids=["no cookie", "another", "no agent"],
)
def test_a_client_that_does_not_look_like_a_browser_is_blocked(headers: dict[str, str], user_agent: str | None) -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with socket(simulator, room, headers=headers, user_agent=user_agent):
                pass
        assert refused.value.response.status_code == 200
        assert refused.value.response.headers["Handshake-Msg"] == "DEVICE_BLOCKED"

    simulate(act)


def test_the_pages_agree_about_a_live_room() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with httpx.AsyncClient(base_url=simulator.url, trust_env=False) as client:
            page = (await client.get("/@sim_room_01/live")).text
            alive = (await client.get("/webcast/room/check_alive/", params={"room_ids": f"{room},1"})).json()
            info = (await client.get("/webcast/room/info/", params={"room_id": str(room)})).json()
            nobody = (await client.get("/api-live/user/room/", params={"uniqueId": "nobody"})).json()
            lacking = (await client.get("/webcast/room/info/")).json()
            home = await client.get("/")
        assert f'"roomId": "{room}", "status": 2' in page
        assert [each["alive"] for each in alive["data"]] == [True, False]
        assert info["data"]["id_str"] == str(room)
        assert nobody["statusCode"] == 19881007
        assert lacking["status_code"] == 10011
        assert home.cookies["ttwid"]

    simulate(act)


@pytest.mark.parametrize("path", ["/webcast/fetch?room_id={}", "/webcast/rooms/{}/connect"])
def test_both_sign_paths_answer_with_a_first_batch(path: str) -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with httpx.AsyncClient(base_url=simulator.url, trust_env=False) as client:
            answer = await client.get(path.format(room))
        batch = FetchResult.FromString(answer.content)
        assert answer.headers["X-Set-TT-Cookie"].startswith("ttwid=")
        assert batch.is_first
        assert batch.cursor
        assert batch.route_params
        assert batch.push_server == f"ws{simulator.url.removeprefix('http')}{SOCKET_PATH}"

    simulate(act)


@pytest.mark.parametrize(
    ("fault", "path", "sign"),
    [
        ("page_captcha", "/@sim_room_01/live", b"tiktok-verify-page"),
        ("page_not_json", "/@sim_room_01/live", b'{"LiveRoom":<'),
        ("api_user_not_found", "/api-live/user/room/?uniqueId=sim_room_01", b"19881007"),
        ("api_blocked", "/api-live/user/room/?uniqueId=sim_room_01", b"blocked"),
        ("sign_rate_limited", "/webcast/fetch?room_id={}", b"Too many connections"),
        ("sign_error", "/webcast/fetch?room_id={}", b"A 403 error occurred"),
    ],
)
def test_a_fault_of_a_page_happens_once_and_is_in_the_truth(fault: str, path: str, sign: bytes) -> None:
    async def act(simulator: Simulator) -> None:
        async with httpx.AsyncClient(base_url=simulator.url, trust_env=False) as client:
            room = await room_id(simulator)
            first = await client.get(path.format(room))
            second = await client.get(path.format(room))
        assert sign in first.content
        assert sign not in second.content

    truth = simulate(act, fault)

    assert [line["name"] for line in truth if line["kind"] == "fault"] == [fault]


@pytest.mark.parametrize("fault", ["drop", "close_internal"])
def test_a_socket_is_ended_by_a_fault(fault: str) -> None:
    codes: list[int | None] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            with pytest.raises(websockets.ConnectionClosed):
                await websocket.send(enter(room))
                while True:
                    await websocket.recv()
            codes.append(websocket.close_code)

    truth = simulate(act, fault)

    assert codes == [{"drop": 1006, "close_internal": 1011}[fault]]
    assert [line["name"] for line in truth if line["kind"] == "fault"] == [fault]
