"""producer.simulator.socket: what a client must say, and what it is sent."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
import websockets

from producer.simulator import socket as simulated
from producer.simulator.server import Simulator
from producer.simulator.world import Live, World
from producer.webcast.wire import PushFrame
from tests.simulator.client import (
    HEARTBEAT,
    acknowledged,
    acknowledgement,
    enter,
    envelopes,
    receive,
    receive_batch,
    receive_until_answered,
    room_id,
    simulate,
    socket,
)

Leap = Callable[[float], None]


@pytest.fixture
def leap(monkeypatch: pytest.MonkeyPatch) -> Leap:
    """Let the loop's clock go forward at once, for a test that has a deadline pass and does not wait for it."""

    def forward(seconds: float) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time
        monkeypatch.setattr(loop, "time", lambda: before() + seconds)

    return forward


def test_nothing_is_sent_before_the_room_is_entered() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket, socket(simulator, room) as other:
            await other.send(enter(room))
            await acknowledged(other, 5)
            assert await receive_until_answered(websocket) == []

    simulate(act)


def test_a_heartbeat_and_an_entry_are_answered() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(HEARTBEAT)
            await websocket.send(enter(room))
            answers = [PushFrame.FromString(await websocket.recv(decode=False)).payload_type for _ in range(2)]
        assert answers == ["hb", "im_enter_room_resp"]

    simulate(act)


def test_who_enters_another_room_is_closed() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room + 1))
            with pytest.raises(websockets.ConnectionClosedOK):
                await receive(websocket)

    assert not [line for line in simulate(act) if line["kind"] == "entered"]


class TwoLives:
    """A room with a short live and a long one."""

    unique_ids: Sequence[str] = ("sim_room_01",)

    def lives(self, unique_id: str) -> Iterator[Live]:
        live = next(World(seed=1, rooms=1, rate=500.0).lives(unique_id))
        yield replace(live, total=60)
        yield replace(live, room_id=live.room_id + 1_000_000, after_seconds=0.1)


def test_who_enters_after_the_end_does_not_hear_the_next_live() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            while simulator.room_id("sim_room_01") == room:
                await asyncio.sleep(0.01)
            await websocket.send(enter(room))
            with pytest.raises(websockets.ConnectionClosedOK):
                await receive(websocket)

    assert not [line for line in simulate(act, script=TwoLives()) if line["kind"] == "entered"]


@pytest.mark.parametrize("compress", ["", "gzip"])
def test_what_is_sent_is_what_the_truth_says(compress: str) -> None:
    received: list[tuple[str, bool]] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room, compress=compress) as websocket:
            await websocket.send(enter(room))
            for frame, batch in await acknowledged(websocket, 10):
                assert (frame.service, frame.method, frame.payload_encoding) == (8888, 8, "pb")
                assert frame.payload.startswith(b"\x1f\x8b") is (compress == "gzip")
                assert batch.need_ack
                received.extend((str(each.msg_id), each.is_history) for each in envelopes(batch))
            while simulator.acknowledged < 10:
                await asyncio.sleep(0.01)
        assert simulator.bad_acknowledgements == 0

    truth = simulate(act)

    sent = [(line["message_id"], line["history"]) for line in truth if line["kind"] == "message" and line["sockets"]]
    assert received == sent[: len(received)]
    assert len(received) > 50
    assert [line["kind"] for line in truth if line["kind"] in ("connected", "entered")] == ["connected", "entered"]


def test_who_comes_later_is_told_the_last_comments_as_history() -> None:
    replayed: list[str] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            await acknowledged(websocket, 5)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            _, batch = await receive_batch(websocket)
        assert all(each.is_history for each in envelopes(batch))
        assert {each.method for each in envelopes(batch)} == {"WebcastChatMessage"}
        replayed.extend(str(each.msg_id) for each in envelopes(batch))

    truth = simulate(act)

    assert len(replayed) == 6
    again = [line["message_id"] for line in truth if line["kind"] == "message" and line["history"]]
    first = [line["message_id"] for line in truth if line["kind"] == "message" and not line["history"]]
    assert replayed == again[-6:]
    assert set(again) <= set(first)
    assert len(first) == len(set(first))


def test_what_nobody_acknowledged_is_sent_to_the_next_who_comes_where_that_is_asked_for() -> None:
    owed: list[int] = []
    again: list[int] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            frame, batch = await receive_batch(websocket)
            await websocket.send(acknowledgement(frame, batch))
            while not simulator.acknowledged:
                await asyncio.sleep(0.01)
            _, batch = await receive_batch(websocket)
            owed.extend(each.msg_id for each in envelopes(batch))
        while simulator.connections:
            await asyncio.sleep(0.01)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            while not set(owed) <= set(again):
                _, batch = await receive_batch(websocket)
                again.extend(each.msg_id for each in envelopes(batch) if not each.is_history)

    truth = simulate(act, resend=True)

    assert owed == again[: len(owed)]
    assert [int(line["message_id"]) for line in truth if line.get("duplicate")][: len(owed)] == owed


def test_a_wrong_acknowledgement_is_noticed() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            frame, batch = await receive_batch(websocket)
            await websocket.send(b"\x10\x01\x3a\x03ack\x42\x01-")
            batch.internal_ext += b"x"
            await websocket.send(acknowledgement(frame, batch))
            while simulator.bad_acknowledgements < 2:
                await asyncio.sleep(0.01)
        assert simulator.acknowledged == 0

    simulate(act)


@pytest.mark.parametrize("enters", [True, False])
def test_who_only_acknowledges_is_closed_for_want_of_a_heartbeat(enters: bool, leap: Leap) -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            if enters:
                await websocket.send(enter(room))
            for count in (3, 6):
                if enters:
                    await acknowledged(websocket, 3)
                while simulator.acknowledged < count * enters:
                    await asyncio.sleep(0.01)
                leap(20.0)
            with pytest.raises(websockets.ConnectionClosedOK):
                await acknowledged(websocket, 100)

    truth = simulate(act, heartbeat_seconds=30.0)

    assert [line["kind"] for line in truth if line["kind"] == "heartbeat_missed"] == ["heartbeat_missed"]


def test_heartbeats_keep_a_socket_open(leap: Leap) -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            for _ in range(4):
                await receive_until_answered(websocket)
                leap(20.0)
                await receive_batch(websocket)
        assert (simulator.sockets[0].heartbeats, simulator.sockets[0].bad_heartbeats) == (4, 0)

    assert not [line for line in simulate(act, heartbeat_seconds=30.0) if line["kind"] == "heartbeat_missed"]


def test_bytes_that_are_no_frame_close_the_socket() -> None:
    async def act(simulator: Simulator) -> None:
        async with socket(simulator, await room_id(simulator)) as websocket:
            await websocket.send(b"\xff\xff")
            with pytest.raises(websockets.ConnectionClosedError):
                await websocket.recv()
            assert websocket.close_code == 1002

    assert [line["kind"] for line in simulate(act) if line["kind"] == "bad_frame"] == ["bad_frame"]


def test_who_stops_reading_is_cut_off_and_the_world_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated, "SLOW_SECONDS", 0.3)

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room, max_queue=1, close_timeout=0.1) as websocket:
            await websocket.send(enter(room))
            while not simulator.sockets:
                await asyncio.sleep(0.01)
            await simulator.sockets[0].closed  # without having read
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            await acknowledged(websocket, 2)

    # Three bombs are more than the kernel buffers for a client.
    truth = simulate(act, "gzip_bomb:3")

    assert "stopped_reading" in {line["kind"] for line in truth}
    assert truth[-1]["code"] == 1000


class Busy:
    """Five rooms that send a thousand messages each, as fast as they can, to whoever listens."""

    unique_ids: Sequence[str] = tuple(f"sim_room_{number:02}" for number in (1, 5, 9, 13, 17))  # live at once

    def lives(self, unique_id: str) -> Iterator[Live]:
        live = next(World(seed=1, rooms=20, rate=1.0).lives(unique_id))
        yield replace(live, rate=10_000.0, total=1000, waits=True)


def test_many_rooms_at_a_high_rate_arrive_whole() -> None:
    heard: dict[str, list[int]] = {name: [] for name in Busy.unique_ids}

    async def act(simulator: Simulator) -> None:
        async def listen(name: str) -> None:
            room = await room_id(simulator, name)
            async with socket(simulator, room, compress="gzip") as websocket:
                await websocket.send(enter(room))
                while len(heard[name]) < 1000:
                    [(_, batch)] = await acknowledged(websocket, 1)
                    heard[name].extend(each.msg_id for each in envelopes(batch) if not each.is_history)

        async with asyncio.TaskGroup() as group:
            for name in Busy.unique_ids:
                group.create_task(listen(name))
        assert simulator.bad_acknowledgements == 0

    truth = simulate(act, script=Busy())

    sent = {
        name: [
            int(line["message_id"])
            for line in truth
            if line["kind"] == "message" and line["unique_id"] == name and line["event"] != "live_end"
        ]
        for name in heard
    }
    assert heard == sent
    assert [len(ids) for ids in heard.values()] == [1000] * 5
