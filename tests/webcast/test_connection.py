"""producer.webcast.connection: against a real WebSocket server on loopback."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import pytest
import websockets
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from producer import strangers
from producer.errors import FailedConnection, FailedRoomPolling, Reason
from producer.webcast.connection import Connection
from producer.webcast.doors.contract import Address
from producer.webcast.handshake import handshake_refused, read_heartbeat_seconds
from producer.webcast.opening import Opener
from producer.webcast.protocol import Protocol, RecentIds
from producer.webcast.wire import Envelope, FetchResult, PushFrame, PushHeader

ROOM = 7


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ("ping-interval=10", 10.0),
        ("reconnect-interval=3; ping-interval=2", 2.0),
        ("", 5.0),
        ("ping-interval=0", 5.0),
        ("ping-interval=86400", 5.0),
        ("ping-interval=nan", 5.0),
        ("ping-interval=x", 5.0),
        ("\x00", 5.0),
        ("ping-interval=1e1", 5.0),
        ("ping-interval=" + "9" * 5_000, 5.0),
        ("ping-interval=\u0663", 5.0),
    ],
)
def test_the_servers_interval_is_taken_where_it_makes_sense(options: str, seconds: float) -> None:
    assert read_heartbeat_seconds(options) == seconds


Handler = Callable[[ServerConnection], Awaitable[None]]
Process = Callable[[ServerConnection, Request], Response | None]
Act = Callable[[Connection], Awaitable[object]]


def talk(handler: Handler, act: Act, process: Process | None = None) -> object:
    """Serve with `handler`, connect, and act on the connection."""

    async def main() -> object:
        async with serve(handler, "127.0.0.1", 0, process_request=process) as server:
            port = server.sockets[0].getsockname()[1]
            async with asyncio.timeout(120):
                async with Opener(
                    "Mozilla/5.0", "https://www.tiktok.com", ssl.create_default_context(), trust_environment=False
                ).open(
                    Address(strangers.url(f"ws://127.0.0.1:{port}/"), cookie="ttwid=1", door="direct"),
                    turns=asyncio.Semaphore(1),
                ) as connection:
                    return await act(connection)

    return asyncio.run(main())


def protocol(*, silence: float = 60.0) -> Protocol:
    return Protocol(ROOM, now=asyncio.get_running_loop().time(), seen=RecentIds(), silence_seconds=silence)


async def wait_closed(websocket: ServerConnection) -> None:
    await websocket.wait_closed()


async def at_once() -> None:
    """It is always our turn."""


def message_frame() -> bytes:
    batch = FetchResult(messages=[Envelope(method="X", msg_id=1).SerializeToString()], need_ack=True)
    return PushFrame(log_id=9, payload_type="msg", payload=batch.SerializeToString()).SerializeToString()


def test_it_enters_beats_receives_and_acknowledges() -> None:
    heard: list[str] = []

    async def server(websocket: ServerConnection) -> None:
        for _ in range(2):
            heard.append(PushFrame.FromString(await websocket.recv(decode=False)).payload_type)
        await websocket.send(message_frame())
        heard.append(PushFrame.FromString(await websocket.recv(decode=False)).payload_type)
        await websocket.wait_closed()

    async def act(connection: Connection) -> object:
        subject = protocol()
        received = await connection.exchange(subject, at_once)
        assert received is not None
        return [message.method for message in received.messages]

    assert talk(server, act) == ["X"]
    assert heard == ["im_enter_room", "hb", "ack"]


def test_a_frame_is_read_once_it_is_its_turn() -> None:
    async def server(websocket: ServerConnection) -> None:
        await websocket.send(message_frame())
        await websocket.wait_closed()

    async def act(connection: Connection) -> object:
        subject = protocol()
        seen = []

        async def turn() -> None:
            seen.append(subject.entered)

        await connection.exchange(subject, turn)
        return [*seen, subject.entered]

    assert talk(server, act) == [False, True]


def numbered(number: int, *, method: str = "X", payload: bytes = b"") -> bytes:
    chat = Envelope(method=method, payload=payload, msg_id=number).SerializeToString()
    batch = FetchResult(messages=[chat], need_ack=True, internal_ext=b"x").SerializeToString()
    return PushFrame(log_id=number, payload_type="msg", payload=batch).SerializeToString()


def closing(reason: str) -> bytes:
    header = PushHeader(key="close_reason", value=reason)
    return PushFrame(headers=[header], payload_type="close").SerializeToString()


async def sending(websocket: ServerConnection, frames: Sequence[bytes | str], acknowledged: list[int]) -> None:
    """Send frames, and note which are acknowledged."""
    for frame in frames:
        await websocket.send(frame)
    async for data in websocket:
        assert isinstance(data, bytes)
        said = PushFrame.FromString(data)
        if said.payload_type == "ack":
            acknowledged.append(said.log_id)


CONTROL = "WebcastControlMessage"
LARGE = bytes(300 * 1024)


@pytest.mark.parametrize(
    ("frames", "taken"),
    [
        ([numbered(n) for n in range(1, 5)], [[1, 2, 3, 4]]),
        ([numbered(n) for n in range(1, 11)], [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10]]),
        ([numbered(1, payload=LARGE), numbered(2), numbered(3)], [[1], [2, 3]]),
        ([b"\xff" + LARGE, numbered(2), numbered(3)], [[], [2, 3]]),
        ([numbered(1), numbered(2, method=CONTROL, payload=b"\x10\x03"), numbered(3)], [[1, 2]]),
        ([numbered(1), numbered(2), closing("room_migrated"), numbered(3)], [[1, 2], "room_migrated"]),
        ([numbered(1), "a text", numbered(2)], [[1], [2]]),
    ],
    ids=["few", "many", "large", "large and refused", "the end of the live", "a good-bye", "a text between"],
)
def test_frames_that_are_there_are_taken_together(frames: list[bytes | str], taken: list[list[int] | str]) -> None:
    acknowledged: list[int] = []

    async def act(connection: Connection) -> object:
        subject = protocol()
        seen: list[list[int] | str] = []

        async def turn() -> None:
            while len(connection._websocket.recv_messages.frames) < len(frames) - connection.frames - 1:
                await asyncio.sleep(0.001)

        while connection.frames < len(frames) and not subject.ended:
            try:
                received = await connection.exchange(subject, turn, more=lambda: True)
            except FailedRoomPolling as over:
                seen.append(str(over).rpartition(" ")[2])
                break
            assert received is not None
            seen.append([message.msg_id for message in received.messages])
        return seen

    assert talk(lambda websocket: sending(websocket, frames, acknowledged), act) == taken
    ids = [number for each in taken if isinstance(each, list) for number in each]
    assert acknowledged == ids


def test_a_frame_more_is_taken_only_while_there_is_time() -> None:
    async def server(websocket: ServerConnection) -> None:
        for number in (1, 2, 3):
            await websocket.send(numbered(number))
        await websocket.wait_closed()

    async def act(connection: Connection) -> object:
        async def turn() -> None:
            while len(connection._websocket.recv_messages.frames) < 2:
                await asyncio.sleep(0.001)

        left = [True, False]
        received = await connection.exchange(protocol(), turn, more=lambda: left.pop(0))
        return received and (received.frames, [message.msg_id for message in received.messages])

    assert talk(server, act) == (2, [1, 2])


def test_what_came_and_waits_for_its_piece_is_taken_with_the_frame_before_it() -> None:
    kilobytes = bytes(3 * 1024)
    later = [Frame(Opcode.BINARY, numbered(number, payload=kilobytes)) for number in range(2, 8)]

    async def server(websocket: ServerConnection) -> None:
        await websocket.send(numbered(1))
        await websocket.wait_closed()

    async def act(connection: Connection) -> object:
        async def turn() -> None:
            connection._websocket.data_received(b"".join(frame.serialize(mask=False) for frame in later))

        received = await connection.exchange(protocol(), turn, more=lambda: True)
        return received and [message.msg_id for message in received.messages]

    assert talk(server, act) == [1, 2, 3, 4, 5, 6, 7]


async def echo(websocket: ServerConnection, heard: list[str], *, beats: int = 0) -> None:
    """Answer heartbeats, and send a message once so many came."""
    async for data in websocket:
        assert isinstance(data, bytes)
        heard.append(PushFrame.FromString(data).payload_type)
        if heard[-1] == "hb":
            await websocket.send(PushFrame(payload_type="hb").SerializeToString())
        if beats and heard.count("hb") == beats:
            await websocket.send(numbered(7))


def beating() -> Protocol:
    return Protocol(ROOM, now=asyncio.get_running_loop().time(), seen=RecentIds(), heartbeat_seconds=0.02)


def test_heartbeats_leave_and_are_answered_without_a_word_where_nobody_has_anything_to_do() -> None:
    heard: list[str] = []

    async def act(connection: Connection) -> object:
        received = await connection.exchange(beating(), at_once, quiet=lambda: True)
        assert received is not None
        assert [message.msg_id for message in received.messages] == [7]
        return received.frames

    frames = talk(lambda websocket: echo(websocket, heard, beats=5), act)

    assert heard.count("hb") >= 5
    assert isinstance(frames, int)
    assert frames >= 5  # the message, and answers to four heartbeats at the least


def test_what_is_acknowledged_later_leaves_at_once_and_together() -> None:
    acknowledged: list[int] = []

    async def act(connection: Connection) -> object:
        now = asyncio.get_running_loop().time()
        subject = Protocol(ROOM, now=now, seen=RecentIds(), hold_acknowledgements=True)
        both = [await connection.exchange(subject, at_once) for _ in range(2)]
        await asyncio.sleep(0.05)  # a look: nothing is acknowledged until somebody says so
        assert acknowledged == []
        for received in both:
            assert received is not None
            connection.acknowledge(subject, received)
        while len(acknowledged) < 2:
            await asyncio.sleep(0.01)
        return None

    talk(lambda websocket: sending(websocket, [numbered(1), numbered(2)], acknowledged), act)

    assert acknowledged == [1, 2]


def test_who_has_something_to_do_is_woken_at_each_heartbeat_and_by_each_answer() -> None:
    heard: list[str] = []

    async def act(connection: Connection) -> object:
        subject = beating()
        return [await connection.exchange(subject, at_once) for _ in range(6)]

    said = talk(lambda websocket: echo(websocket, heard), act)

    assert isinstance(said, list)
    assert None in said
    assert any(received is not None and not received.messages for received in said)


def test_heartbeats_go_on_while_whoever_listens_is_held_up() -> None:
    heard: list[str] = []

    async def act(connection: Connection) -> object:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await connection.exchange(beating(), at_once, quiet=lambda: True)
        while heard.count("hb") < 5:
            await asyncio.sleep(0.01)
        return None

    talk(lambda websocket: echo(websocket, heard), act)

    assert heard.count("hb") >= 5


def test_a_room_that_falls_silent_is_left_however_quiet_it_is() -> None:
    heard: list[str] = []

    async def act(connection: Connection) -> object:
        subject = Protocol(
            ROOM,
            now=asyncio.get_running_loop().time(),
            seen=RecentIds(),
            heartbeat_seconds=0.02,
            silence_seconds=0.2,
        )
        with pytest.raises(FailedRoomPolling) as silent:
            await connection.exchange(subject, at_once, quiet=lambda: True)
        return silent.value.reason

    assert talk(lambda websocket: echo(websocket, heard), act) is Reason.SILENCE


def test_the_handshake_says_who_we_are() -> None:
    seen: dict[str, str] = {}

    def process(_: ServerConnection, request: Request) -> None:
        seen.update({name: request.headers[name] for name in ("Cookie", "User-Agent", "Origin")})
        assert "Sec-WebSocket-Extensions" not in request.headers

    async def act(connection: Connection) -> object:
        return connection.heartbeat_seconds

    assert talk(wait_closed, act, process) == 5.0
    assert seen == {"Cookie": "ttwid=1", "User-Agent": "Mozilla/5.0", "Origin": "https://www.tiktok.com"}


@pytest.mark.parametrize("code", [1000, 1001, 1011])
def test_a_closed_socket_is_a_lost_room(code: int) -> None:
    async def server(websocket: ServerConnection) -> None:
        await websocket.close(code)

    async def act(connection: Connection) -> object:
        subject = protocol()
        with pytest.raises(FailedRoomPolling) as lost:
            while True:
                await connection.exchange(subject, at_once)
        return lost.value

    lost = talk(server, act)

    assert isinstance(lost, FailedRoomPolling)
    assert lost.reason is Reason.CLOSED
    assert str(code) in str(lost)


def test_what_came_before_the_end_is_read_though_nothing_can_be_sent_any_more() -> None:
    async def server(websocket: ServerConnection) -> None:
        for number in range(1, 4):
            batch = FetchResult(messages=[Envelope(method="X", msg_id=number).SerializeToString()], need_ack=True)
            frame = PushFrame(log_id=number, payload_type="msg", payload=batch.SerializeToString())
            await websocket.send(frame.SerializeToString())
        await websocket.close(1011)

    async def act(connection: Connection) -> object:
        await connection._websocket.wait_closed()  # the end has arrived before the first frame is read
        subject = protocol()
        read: list[int] = []
        with pytest.raises(FailedRoomPolling):
            while True:
                received = await connection.exchange(subject, at_once)
                read += [message.msg_id for message in received.messages] if received else []
        return read

    assert talk(server, act) == [1, 2, 3]


def test_an_aborted_socket_is_a_lost_room() -> None:
    async def server(websocket: ServerConnection) -> None:
        websocket.transport.abort()

    async def act(connection: Connection) -> object:
        subject = protocol()
        with pytest.raises(FailedRoomPolling, match="without a closing handshake"):
            while True:
                await connection.exchange(subject, at_once)
        return None

    talk(server, act)


def test_a_silent_room_is_found_out_though_the_socket_stands() -> None:
    async def act(connection: Connection) -> object:
        subject = protocol(silence=0.05)
        with pytest.raises(FailedRoomPolling) as lost:
            while True:
                await connection.exchange(subject, at_once)
        return lost.value.reason

    assert talk(wait_closed, act) is Reason.SILENCE


def refuse(status: HTTPStatus, **headers: str) -> FailedConnection:
    def process(_: ServerConnection, __: Request) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(status.value, status.phrase, websockets.Headers(named | {"Content-Length": "0"}), b"")

    async def act(_: Connection) -> object:
        raise AssertionError("the handshake was to be refused")

    with pytest.raises(FailedConnection) as refused:
        talk(wait_closed, act, process)
    return refused.value


def test_a_200_with_device_blocked_is_told_from_other_refusals() -> None:
    error = refuse(HTTPStatus.OK, Handshake_Status="415", Handshake_Msg="DEVICE_BLOCKED")

    assert error.reason is Reason.DEVICE_BLOCKED


@pytest.mark.parametrize("status", [HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE])
def test_other_refusals_say_what_the_server_said(status: HTTPStatus) -> None:
    error = refuse(status, Handshake_Status="417", Handshake_Msg="no such room")

    assert error.reason is Reason.HANDSHAKE
    assert "(417 no such room)" in str(error)


@pytest.mark.parametrize(
    ("status", "headers", "reason", "wait"),
    [
        (200, {"Handshake-Status": "417", "Handshake-Msg": "http: named cookie not present"}, "no_cookie", None),
        (200, {"Handshake-Status": "415", "Handshake-Msg": "DEVICE_BLOCKED"}, "device_blocked", None),
        (200, {"Handshake-Status": "417", "Handshake-Msg": "illegal secret key"}, "unsigned", None),
        (200, {"Handshake-Status": "417", "Handshake-Msg": "illegal app_id"}, "app_id", None),
        (200, {}, "handshake", None),
        (400, {"Handshake-Msg": "no such room"}, "handshake", None),
        (400, {}, "handshake", None),
        (403, {}, "blocked", 300.0),
        (429, {}, "rate_limited", 60.0),
        (429, {"Retry-After": "7"}, "rate_limited", 7.0),
        (
            429,
            {"Retry-After": "Mon, 23 Nov 2026 06:02:00 GMT", "Date": "Mon, 23 Nov 2026 06:00:00 GMT"},
            "rate_limited",
            120.0,
        ),
        (414, {"Handshake-Options": "reconnect-interval=30"}, "handshake", 30.0),
        (511, {"Handshake-Options": "ping-interval=2; reconnect-interval=90"}, "handshake", 90.0),
        (512, {"Handshake-Options": "reconnect-interval=86400"}, "handshake", None),
        (512, {"Handshake-Options": "reconnect-interval=soon"}, "handshake", None),
        (200, {"Handshake-Options": "reconnect-interval=30"}, "handshake", None),
    ],
)
def test_what_a_refused_handshake_says_has_its_reason_and_its_wait(
    status: int, headers: dict[str, str], reason: str, wait: float | None
) -> None:
    error = handshake_refused(status, websockets.Headers(headers))

    assert (error.reason.value, error.retry_after_seconds) == (reason, wait)


def test_further_headers_of_an_address_go_with_the_handshake_and_its_agent_before_the_workers() -> None:
    seen: list[tuple[str, str]] = []

    def process(_: ServerConnection, request: Request) -> None:
        seen.extend(request.headers.raw_items())

    async def main() -> None:
        async with serve(wait_closed, "127.0.0.1", 0, process_request=process) as server:
            port = server.sockets[0].getsockname()[1]
            headers = {"User-Agent": "other", "Referer": "https://www.tiktok.com/"}
            async with Opener("worker's", "http://x", ssl.create_default_context(), trust_environment=False).open(
                Address(strangers.url(f"ws://127.0.0.1:{port}/"), cookie="ttwid=1", door="direct", headers=headers),
                turns=asyncio.Semaphore(1),
            ):
                pass

    asyncio.run(main())

    assert [value for name, value in seen if name == "User-Agent"] == ["other"]
    assert [value for name, value in seen if name in ("Cookie", "Referer")] == ["ttwid=1", "https://www.tiktok.com/"]


def test_a_header_that_comes_twice_is_its_first_and_shows_no_control_letters() -> None:
    twice = websockets.Headers()
    twice["Handshake-Msg"] = "a\x9b31m"
    twice["Handshake-Msg"] = "b"
    twice["Handshake-Status"] = "417"
    twice["Handshake-Status"] = "418"

    error = handshake_refused(200, twice)

    assert error.reason is Reason.HANDSHAKE
    assert str(error) == "the handshake was answered with 200 (417 a\\x9b31m)"


def test_options_that_come_twice_are_their_first() -> None:
    async def server() -> float:
        def greet(_: ServerConnection, __: Request, response: Response) -> None:
            response.headers["Handshake-Options"] = "ping-interval=7"
            response.headers["Handshake-Options"] = "ping-interval=8"

        async with serve(wait_closed, "127.0.0.1", 0, process_response=greet) as there:
            port = there.sockets[0].getsockname()[1]
            async with (
                asyncio.timeout(60),
                Opener("x", "http://x", ssl.create_default_context(), trust_environment=False).open(
                    Address(strangers.url(f"ws://127.0.0.1:{port}/"), cookie="", door="direct"),
                    turns=asyncio.Semaphore(1),
                ) as connection,
            ):
                return connection.heartbeat_seconds

    assert asyncio.run(server()) == 7.0


def test_a_redirect_is_not_followed() -> None:
    error = refuse(HTTPStatus.FOUND, Location="ws://127.0.0.1:9/")

    assert error.reason is Reason.HANDSHAKE


def test_nobody_listening_is_a_failed_connection() -> None:
    async def main() -> None:
        async with Opener("x", "http://x", ssl.create_default_context(), trust_environment=False).open(
            Address(strangers.url("ws://127.0.0.1:9/"), cookie="", door="direct"),
            turns=asyncio.Semaphore(1),
        ):
            pass

    with pytest.raises(FailedConnection) as refused:
        asyncio.run(main())

    assert refused.value.reason is Reason.NETWORK
