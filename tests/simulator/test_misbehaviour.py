"""producer.simulator.socket: every way in which it mistreats a client happens on the wire, and is in the truth."""

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
import websockets
from google.protobuf.message import DecodeError

from producer.simulator.faults import IN_STREAM, Fault
from producer.simulator.server import Simulator
from producer.simulator.world import World
from producer.webcast.wire import AnyMessage, ChatMessage, Envelope, FetchResult, PushFrame
from tests.simulator.client import (
    HEARTBEAT,
    acknowledged,
    enter,
    envelopes,
    receive,
    receive_batch,
    receive_until_answered,
    room_id,
    simulate,
    socket,
)

FRAMES = 14
"""Enough of them for a fault, which comes after a few quiet ones, and for what follows it."""


@pytest.mark.parametrize(
    ("fault", "code"),
    [("drop", 1006), ("close_internal", 1011), ("close_server", 4001), ("close_server_error", 4003)],
)
def test_a_socket_is_ended_by_a_fault(fault: str, code: int) -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            with pytest.raises(websockets.ConnectionClosed):
                while True:
                    await websocket.recv()
            assert websocket.close_code == code

    truth = simulate(act, fault)

    assert [line["name"] for line in truth if line["kind"] == "fault"] == [fault]
    assert [line["code"] for line in truth if line["kind"] == "disconnected"] == [code]


def test_a_silenced_socket_hears_no_more_than_answers() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            await receive_batch(websocket)
            while not simulator.sockets[0].silenced:
                await asyncio.sleep(0.01)
            await receive_until_answered(websocket)
            async with socket(simulator, room) as other:
                await other.send(enter(room))
                await acknowledged(other, 5)  # the room goes on, and others hear it
            assert await receive_until_answered(websocket) == []

    truth = simulate(act, "silence")

    [silenced] = [place for place, line in enumerate(truth) if line["kind"] == "fault"]
    later = [line["sockets"] for line in truth[silenced:] if line["kind"] == "message" and not line["history"]]
    assert 1 in later
    assert 2 not in later


def _raw_batch(data: bytes | str) -> FetchResult:
    assert isinstance(data, bytes)
    return FetchResult.FromString(PushFrame.FromString(data).payload)


def _is_not_read(parse: Callable[[bytes], object], data: bytes) -> bool:
    try:
        parse(data)
    except DecodeError:
        return True
    return False


def _unreadable_envelope(data: bytes | str) -> bool:
    return any(_is_not_read(Envelope.FromString, each) for each in _raw_batch(data).messages)


def _unreadable_chat(data: bytes | str) -> bool:
    chats = [each for each in envelopes(_raw_batch(data)) if each.method == "WebcastChatMessage"]
    return any(_is_not_read(ChatMessage.FromString, each.payload) for each in chats)


def _headed(data: bytes | str, compression: str) -> bool:
    if isinstance(data, str) or _is_not_read(PushFrame.FromString, data):
        return False
    return [header.value for header in PushFrame.FromString(data).headers] == [compression]


def _inflates(data: bytes | str) -> bool:
    assert isinstance(data, bytes)
    try:
        zlib.decompressobj(wbits=31).decompress(PushFrame.FromString(data).payload, 1024)
    except zlib.error:
        return False
    return True


def _says_good_bye(data: bytes | str, reason: str) -> bool:
    assert isinstance(data, bytes)
    frame = PushFrame.FromString(data)
    return (frame.payload_type, [(each.key, each.value) for each in frame.headers]) == (
        "close",
        [("close_reason", reason)],
    )


def _brings(data: bytes | str, method: str, payload: bytes) -> bool:
    return [(each.method, each.payload) for each in envelopes(_raw_batch(data))] == [(method, payload)]


HOME = next(World(seed=1, rooms=1, rate=1.0).lives("sim_room_01")).room_id


def _rooms(data: bytes | str) -> set[int]:
    """The rooms that a batch's messages name."""
    return {AnyMessage.FromString(each.payload).common.room_id for each in envelopes(_raw_batch(data))}


SIGNS: dict[Fault, Callable[[bytes | str], bool]] = {
    Fault.TRUNCATED_FRAME: lambda data: isinstance(data, bytes) and _is_not_read(PushFrame.FromString, data),
    Fault.RANDOM_FRAME: lambda data: len(data) == 200 and not _headed(data, "none"),
    Fault.TEXT_FRAME: lambda data: isinstance(data, str),
    Fault.GZIP_BOMB: lambda data: _headed(data, "gzip") and len(data) > 1_000_000 and _inflates(data),
    Fault.GZIP_GARBAGE: lambda data: _headed(data, "gzip") and not _inflates(data),
    Fault.UNKNOWN_COMPRESSION: lambda data: _headed(data, "br"),
    Fault.EMPTY_BATCH: lambda data: _headed(data, "none") and not _raw_batch(data).messages,
    Fault.CUT_PAYLOAD: _unreadable_chat,
    Fault.CUT_ENVELOPE: _unreadable_envelope,
    Fault.UNKNOWN_METHOD: lambda data: any(b"WebcastNew" in each[:12] for each in _raw_batch(data).messages),
    Fault.CLOSE_FRAME: lambda data: _says_good_bye(data, "room_migrated"),
    Fault.CLOSE_FRAME_NO_DIRECT: lambda data: _says_good_bye(data, "disable_web_direct"),
    Fault.ACCESS_CONTROL: lambda data: _brings(data, "WebcastAccessControlMessage", b"\x12\x00"),
    Fault.ROOM_VERIFY: lambda data: _brings(data, "WebcastRoomVerifyMessage", b"\x28\x01"),
    Fault.OTHER_ROOM: lambda data: len(_rooms(data)) == 1 and not _rooms(data) <= {0, HOME},
}
"""How a client knows each fault that leaves the socket open, and is about one frame."""


def test_every_fault_of_a_stream_has_a_sign() -> None:
    closings = {Fault.CLOSE_INTERNAL, Fault.CLOSE_SERVER, Fault.CLOSE_SERVER_ERROR}
    others = {Fault.DROP, *closings, Fault.SILENCE, Fault.DUPLICATE}  # with a test each

    assert SIGNS.keys() | others == set(IN_STREAM)


@pytest.mark.parametrize("fault", SIGNS, ids=str)
def test_a_fault_happens_on_the_wire_and_damages_nothing_real(fault: Fault) -> None:
    arrived: list[bytes | str] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            while len(arrived) < FRAMES:
                arrived.append(await receive(websocket))

    truth = simulate(act, f"{fault}:2")

    assert Counter(line["name"] for line in truth if line["kind"] == "fault") == {fault: 2}
    assert sum(SIGNS[fault](data) for data in arrived) == 2
    # All that the truth says was sent is there, in its order.
    heard = [str(each) for data in arrived for each in _readable_ids(data)]
    sent = [line["message_id"] for line in truth if line["kind"] == "message" and line["sockets"]]
    real = [each for each in heard if each in set(sent)]
    assert real == sent[: len(real)]
    assert len(real) > 100


def _readable_ids(data: bytes | str) -> list[int]:
    if isinstance(data, str) or _is_not_read(PushFrame.FromString, data) or not _headed(data, "none"):
        return []
    batch = _raw_batch(data)
    return [Envelope.FromString(each).msg_id for each in batch.messages if not _is_not_read(Envelope.FromString, each)]


def test_a_duplicate_has_the_id_of_the_one_before() -> None:
    ids: list[int] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            for _, batch in await acknowledged(websocket, FRAMES):
                ids.extend(each.msg_id for each in envelopes(batch) if not each.is_history)

    truth = simulate(act, "duplicate:2")

    twice = [str(each) for each, times in Counter(ids).items() if times == 2]
    assert twice == [line["message_id"] for line in truth if line["kind"] == "message" and line["duplicate"]]
    assert len(twice) == 2


@pytest.mark.parametrize(
    ("fault", "answers"),
    [
        ("", ["im_enter_room_resp", "hb"]),
        ("enter_dead", []),
        ("enter_deaf", ["hb"]),
        ("enter_no_echoes", ["im_enter_room_resp"]),
        ("enter_messages", ["im_enter_room_resp", "hb"]),
        ("enter_no_direct", ["close", "hb"]),
    ],
)
def test_what_befalls_a_socket_from_its_first_frame_on(fault: str, answers: list[str]) -> None:
    met: list[PushFrame] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room, close_timeout=0.1) as websocket:
            await websocket.send(enter(room))
            await websocket.send(HEARTBEAT)
            while not simulator.sockets or not simulator.sockets[0].heartbeats:
                await asyncio.sleep(0.01)
            async with socket(simulator, room) as other:
                await other.send(enter(room))
                await acknowledged(other, 5)  # the room goes on
                while len(met) < 50:  # a room that speaks does not fall silent
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.05):
                            data = await websocket.recv()
                            assert isinstance(data, bytes)
                            met.append(PushFrame.FromString(data))
                            continue
                    break

    truth = simulate(act, *filter(None, [fault]))

    assert [frame.payload_type for frame in met if frame.payload_type != "msg"] == answers
    assert any(frame.payload_type == "msg" for frame in met) == (
        fault not in ("enter_dead", "enter_deaf", "enter_no_direct")
    )
    carried = [len(FetchResult.FromString(frame.payload).messages) for frame in met[:1]]
    assert (carried == [1]) is (fault == "enter_messages")
    assert [line["name"] for line in truth if line["kind"] == "fault"] == [*filter(None, [fault])]
