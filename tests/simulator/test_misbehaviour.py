"""producer.simulator.socket: every way in which it mistreats a client happens on the wire, and is in the truth."""

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable

import pytest
import websockets
from google.protobuf.message import DecodeError

from producer.simulator.faults import IN_STREAM, Fault
from producer.simulator.server import Simulator
from producer.webcast.wire import ChatMessage, Envelope, FetchResult, PushFrame
from tests.simulator.client import (
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
    ("fault", "code"), [("drop", 1006), ("close_internal", 1011), ("close_server", 4001), ("close_server_error", 4003)]
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


SIGNS: dict[Fault, Callable[[bytes | str], bool]] = {
    Fault.TRUNCATED_FRAME: lambda data: isinstance(data, bytes) and _is_not_read(PushFrame.FromString, data),
    Fault.RANDOM_FRAME: lambda data: len(data) == 200 and not _headed(data, "none"),
    Fault.TEXT_FRAME: lambda data: isinstance(data, str),
    Fault.GZIP_BOMB: lambda data: _headed(data, "gzip") and len(data) > 10_000_000 and _inflates(data),
    Fault.GZIP_GARBAGE: lambda data: _headed(data, "gzip") and not _inflates(data),
    Fault.UNKNOWN_COMPRESSION: lambda data: _headed(data, "br"),
    Fault.EMPTY_BATCH: lambda data: _headed(data, "none") and not _raw_batch(data).messages,
    Fault.CUT_PAYLOAD: _unreadable_chat,
    Fault.CUT_ENVELOPE: _unreadable_envelope,
    Fault.UNKNOWN_METHOD: lambda data: any(b"WebcastNew" in each[:12] for each in _raw_batch(data).messages),
}
"""How a client knows each fault that leaves the socket open, and is about one frame."""


def test_every_fault_of_a_stream_has_a_sign() -> None:
    closings = {Fault.DROP, Fault.CLOSE_INTERNAL, Fault.CLOSE_SERVER, Fault.CLOSE_SERVER_ERROR}
    others = {*closings, Fault.SILENCE, Fault.DUPLICATE}  # with a test each

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
