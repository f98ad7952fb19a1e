"""producer.webcast.doors.gateway: what it is asked, what it is never told, and what comes of what it says."""

import asyncio
import json
import re
import ssl
from collections import Counter
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve

from producer import strangers
from producer.assignments.claims import Streamer
from producer.errors import FailedConnection, LiveNotFound, ProducerError, Reason
from producer.observability import metrics
from producer.secret_files import SecretUnusable
from producer.session import Session
from producer.simulator import replay
from producer.simulator.faults import Faults
from producer.simulator.gateway import Passage
from producer.simulator.replay import Replay
from producer.simulator.server import Simulator
from producer.simulator.truth import Truth
from producer.webcast import http
from producer.webcast.connection import Connection
from producer.webcast.doors.contract import Address
from producer.webcast.doors.gateway import Aside, Gateway, read_asides
from producer.webcast.opening import Opener
from producer.webcast.protocol import Protocol, RecentIds
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream
from producer.webcast.wire import Envelope, FetchResult, PushFrame
from tests.patience import HANGS_SECONDS
from tests.simulator.client import room_id, simulate
from tests.test_session import Recorded, running, surroundings

KEY = "c4n4ry"
ROOM = RoomId(7)
NAME = "sim_room_01"
CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures"


def door(folder: Path, url: str = "wss://gateway.test", *, said: list[str] | None = None, **more: Any) -> Gateway:
    file = folder / "key"
    file.write_text(f"{KEY}\n")
    given = {"raw_option": "features.rawMessages", "key_file": file, "jwt_file": None, "clock": lambda: 0.0, **more}
    return Gateway(url=url, said=(said if said is not None else []).append, **given)


def obtain(gateway: Gateway, streamer: str = NAME) -> Address:
    return asyncio.run(gateway.obtain(ROOM, streamer))


def at(simulator: Simulator) -> str:
    return f"ws{simulator.url.removeprefix('http')}/gateway"


# --------------------------------------------------------------------------------------------------- what it is asked


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("wss://ws.eulerstream.com", "wss://ws.eulerstream.com/"),
        ("wss://gateway.test:8443/", "wss://gateway.test:8443/"),
        ("ws://gateway.test/a/b/", "ws://gateway.test/a/b"),
    ],
)
def test_it_is_asked_for_a_streamers_frames_by_name(tmp_path: Path, url: str, place: str) -> None:
    address = obtain(door(tmp_path, url), "some.one_1")

    parts = urlsplit(address.url.text)
    assert address.url.text.partition("?")[0] == place
    assert parse_qs(parts.query) == {
        "uniqueId": ["some.one_1"],
        "apiKey": [KEY],
        "features.rawMessages": ["true"],
    }
    assert (address.cookie, address.headers, address.door) == ("", {}, "gateway")


def test_a_token_takes_the_place_of_the_key_and_the_option_its_name_from_the_settings(tmp_path: Path) -> None:
    token = tmp_path / "jwt"
    token.write_text("a.b+c.d/e=")

    address = obtain(door(tmp_path, key_file=None, jwt_file=token, raw_option="flags.rawMessages"))

    query = parse_qs(urlsplit(address.url.text).query)
    assert query == {"uniqueId": [NAME], "jwtKey": ["a.b+c.d/e="], "flags.rawMessages": ["true"]}


def test_a_key_is_read_anew_each_time_and_said_nowhere(tmp_path: Path) -> None:
    gateway = door(tmp_path)
    (tmp_path / "key").write_text("n3xt")

    address = obtain(gateway)

    assert "n3xt" in address.url.text
    assert "n3xt" not in f"{address!r} {address.url!r} {address.url} {gateway!r}"


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", SecretUnusable), (b"a\nb", SecretUnusable), (b"x" * 9_000, FailedConnection)],
    ids=["empty", "two lines", "too long for a URL"],
)
def test_a_key_that_cannot_be_used_is_refused_and_not_said(
    tmp_path: Path, content: bytes, error: type[ProducerError]
) -> None:
    gateway = door(tmp_path)
    (tmp_path / "key").write_bytes(content)

    with pytest.raises(error) as refused:
        obtain(gateway)

    assert refused.value.reason is Reason.CREDENTIALS
    assert "xxx" not in str(refused.value)
    assert refused.value.__cause__ is None or "xxx" not in str(refused.value.__cause__)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", Reason.NETWORK),
        (b"garbage\r\n\r\n", Reason.NETWORK),
        (b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", Reason.HANDSHAKE),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", Reason.HANDSHAKE),
        (b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n", Reason.RATE_LIMITED),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", Reason.NETWORK),
    ],
    ids=["nothing", "garbage", "redirect", "401", "429", "no key"],
)
def test_a_handshake_that_fails_says_nothing_of_the_query(tmp_path: Path, answer: bytes, reason: Reason) -> None:
    asked: list[bytes] = []

    async def serving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(serving, "127.0.0.1", 0) as server, asyncio.timeout(HANGS_SECONDS):
            port = server.sockets[0].getsockname()[1]
            async with opened(await door(tmp_path, f"ws://127.0.0.1:{port}").obtain(ROOM, NAME)):
                raise AssertionError("it opened")

    with pytest.raises(FailedConnection) as refused:
        asyncio.run(main())

    assert refused.value.reason is reason
    assert [KEY.encode() in each for each in asked] == [True]  # and nowhere else was it asked
    causes: list[BaseException] = [refused.value]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    assert [str(each) for each in causes if KEY in f"{each} {each!r}"] == []


def test_a_url_that_the_library_cannot_use_is_not_said(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(await door(tmp_path, "http://127.0.0.1:9").obtain(ROOM, NAME)):
            raise AssertionError("it opened")

    with pytest.raises(FailedConnection) as refused:
        asyncio.run(main())

    assert str(refused.value) == "the socket did not open: its URL is none"


# ------------------------------------------------------------------------------------------------ what is said to it


def test_nothing_is_sent_to_it_but_the_name_and_the_key(tmp_path: Path) -> None:
    """No cookie, no page that we would come from, no frame: not to enter, not to beat, not to acknowledge."""
    heard: list[dict[str, str]] = []
    sent: list[bytes | str] = []

    async def serving(websocket: ServerConnection) -> None:
        assert websocket.request is not None
        heard.append({name.lower(): value for name, value in websocket.request.headers.raw_items()})
        for number in range(3):
            await websocket.send(frame(number + 1, need_ack=True))
        sent.extend([each async for each in websocket])

    async def main() -> int:
        async with serve(serving, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            address = await door(tmp_path, f"ws://127.0.0.1:{port}").obtain(ROOM, NAME)
            async with asyncio.timeout(HANGS_SECONDS), opened(address) as connection:
                protocol = speaking(address, heartbeat_seconds=0.001)
                received = [await connection.exchange(protocol, at_once) for _ in range(30)]
            return sum(len(each.messages) for each in received if each is not None)

    assert asyncio.run(main()) == 3
    assert sent == []
    assert heard[0].keys() & {"cookie", "origin", "referer"} == set()


async def at_once() -> None:
    """It is always our turn."""


def frame(message_id: int, *, need_ack: bool = False) -> bytes:
    envelope = Envelope(method="WebcastNewMessage", msg_id=message_id)
    batch = FetchResult(messages=[envelope.SerializeToString()], need_ack=need_ack)
    whole = PushFrame(seq_id=message_id, log_id=9, payload_type="msg", payload=batch.SerializeToString())
    return whole.SerializeToString()


def opened(address: Address) -> Any:
    return Opener("Mozilla/5.0", "https://www.tiktok.com", ssl.create_default_context(), trust_environment=False).open(
        address,
        turns=asyncio.Semaphore(1),
    )


def speaking(address: Address, *, room: int = ROOM, **more: Any) -> Protocol:
    now = asyncio.get_running_loop().time()
    return Protocol(room, now=now, seen=RecentIds(), manners=address.manners, **more)


def test_a_sign_server_cannot_lead_to_the_gateways_host() -> None:
    with pytest.raises(FailedConnection) as refused:
        Upstream.tiktok().check_socket(strangers.url("wss://ws.eulerstream.com/?uniqueId=a"))

    assert refused.value.reason is Reason.HOST_REFUSED


# ------------------------------------------------------------------------------------------------------- what it says


@pytest.mark.parametrize(
    ("data", "asides"),
    [
        ('{"timestamp":1,"messages":[{"type":"workerInfo","data":{"webSocketId":"a"}}]}', ["worker_info"]),
        ('{"timestamp":1,"messages":[{"type":"roomInfo","data":{"roomInfo":{}}}]}', ["room_info"]),
        ('{"messages":[{"type":"tiktok.connect"},{"type":"tiktok.disconnect"}]}', ["connected", "disconnected"]),
        ('{"messages":[{"type":"WebcastGiftMessage","data":{}}]}', ["decoded"]),
        ('{"messages":[{"type":"tiktok.rawBytes","data":{"raw":"CAE="}}]}', ["decoded"]),
        ('{"type":"workerInfo","data":{}}', ["worker_info"]),
        (b'{"messages":[{"type":"workerInfo"}]}', ["worker_info"]),
        ('{"messages":[]}', ["other"]),
        ('{"messages":[7,{"type":8}]}', ["other", "other"]),
        ("not JSON", ["other"]),
        ('{"a":' * 5_000, ["other"]),
        # An envelope: its time, as a message in field 1, then an event.
        (b"\x0a\x07\x08\x80\x90\xa0\xf0\x99\x33\x12\x02\x08\x01", ["envelope"]),
        (b"", []),
        (b"\x08\x01\x10\x02\x3a\x03msg", []),
        (b"\x32\x02pb\x3a\x02hb", []),
        (b"\x10\x02\x3a\x03msg", []),
    ],
)
def test_what_is_its_own_is_told_from_frames(data: bytes | str, asides: list[str]) -> None:
    assert list(read_asides(data)) == asides


def test_what_it_says_is_counted_and_is_no_dead_letter(tmp_path: Path) -> None:
    said: list[str] = []

    async def serving(websocket: ServerConnection) -> None:
        for _ in range(50):
            await websocket.send('{"messages":[{"type":"roomInfo","data":{}}]}')
        await websocket.send(frame(1))
        await websocket.wait_closed()

    async def main() -> list[Any]:
        async with serve(serving, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            address = await door(tmp_path, f"ws://127.0.0.1:{port}", said=said).obtain(ROOM, NAME)
            async with asyncio.timeout(HANGS_SECONDS), opened(address) as connection:
                protocol = speaking(address)
                return [await connection.exchange(protocol, at_once) for _ in range(51)]

    *asides, last = asyncio.run(main())

    assert asides == [None] * 50
    assert [each.method for each in last.messages] == ["WebcastNewMessage"]
    assert said == ["room_info"] * 50


def test_who_only_talks_of_the_room_falls_silent_all_the_same(tmp_path: Path) -> None:
    """A gateway that goes on talking, and passes nothing on, is given up like a server that sends no batch."""

    class Talker:
        """A socket that always has something to say."""

        response = None

        def has_message(self) -> bool:
            return False

        async def recv(self) -> str:
            return "{}"

        def send_together(self, messages: object) -> bool:
            raise AssertionError(messages)

    async def main() -> None:
        gateway = door(tmp_path)
        connection = Connection(cast(Any, Talker()), gateway)
        protocol = speaking(await gateway.obtain(ROOM, NAME), silence_seconds=0.05)
        for _ in range(1_000):
            await connection.exchange(protocol, lambda: asyncio.sleep(0.001))

    with pytest.raises(ProducerError) as silent:
        asyncio.run(main())

    assert silent.value.reason is Reason.SILENCE


def test_metrics_know_everything_that_it_says() -> None:
    assert sorted(metrics.GATEWAY_SAYS) == sorted(Aside)


# ------------------------------------------------------------------------------------------------- too many, too fast


def test_after_too_many_nobody_asks_for_a_minute(tmp_path: Path) -> None:
    now = [1000.0]
    gateway = door(tmp_path, clock=lambda: now[0])
    address = obtain(gateway)
    too_many = gateway.closing(4429)
    assert too_many is not None

    gateway.told(address, too_many, lived_seconds=0.0)
    now[0] += 20.0
    with pytest.raises(FailedConnection) as held:
        obtain(gateway, "somebody_else")

    assert (held.value.reason, held.value.retry_after_seconds) == (Reason.RATE_LIMITED, 40.0)
    now[0] += 40.0
    assert obtain(gateway, "somebody_else").door == "gateway"


def test_another_failure_holds_nobody(tmp_path: Path) -> None:
    gateway = door(tmp_path)
    address = obtain(gateway)
    gone = gateway.closing(4404)

    assert isinstance(gone, LiveNotFound)
    gateway.told(address, gone, lived_seconds=0.0)

    assert obtain(gateway).door == "gateway"


# --------------------------------------------------------------------------------------------------- at the simulator


def test_the_simulators_gateway_passes_a_room_on_and_waits_for_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    heard: list[int] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        address = await door(tmp_path, at(simulator), said=said).obtain(RoomId(room), NAME)
        async with opened(address) as connection:
            await hear(connection, speaking(address, room=room, heartbeat_seconds=0.001), heard)
        passage = simulator.sockets[0]
        assert isinstance(passage, Passage)
        assert (passage.unasked, passage.acknowledged, passage.heartbeats) == (0, 0, 0)

    truth = simulate(act)

    sent = [int(line["message_id"]) for line in truth if line["kind"] == "message" and line["sockets"]]
    assert heard == sent[: len(heard)]
    assert said == ["worker_info", "room_info", "connected"]


async def hear(connection: Connection, protocol: Protocol, heard: list[int]) -> None:
    while len(heard) < 100:
        received = await connection.exchange(protocol, at_once)
        if received is not None:
            assert received.refusals == []
            heard.extend(each.msg_id for each in received.messages)


@pytest.mark.parametrize(
    ("changed", "error", "reason"),
    [
        ({"streamer": "nobody"}, "LiveNotFound", Reason.OFFLINE),
        ({"streamer": ""}, "FailedConnection", Reason.CREDENTIALS),
        ({"key_file": None}, "FailedConnection", Reason.CREDENTIALS),
        ({"raw_option": "rawMessages"}, "FailedRoomPolling", Reason.SILENCE),
    ],
    ids=["who is not live", "no name", "no key", "a name of the option that it does not know"],
)
def test_what_is_asked_for_wrongly_is_refused_as_on_record(
    tmp_path: Path, changed: dict[str, Any], error: str, reason: Reason
) -> None:
    said: list[str] = []
    ended: list[ProducerError] = []

    async def act(simulator: Simulator) -> None:
        await room_id(simulator)
        streamer = changed.pop("streamer", NAME)
        address = await door(tmp_path, at(simulator), said=said, **changed).obtain(ROOM, streamer)
        try:
            async with opened(address) as connection:
                await hear(connection, speaking(address, silence_seconds=0.5), [])
        except ProducerError as refused:
            ended.append(refused)

    simulate(act)

    assert [(each.label, each.reason) for each in ended] == [(error, reason)]
    assert ("decoded" in said) is (reason is Reason.SILENCE)


# ------------------------------------------------------------------------------------------------- the real messages


def published(file: Path, *, count: int, passed: bool, folder: Path) -> list[str]:
    """Everything that is published of recorded messages, but for what tells one connection from another."""
    publisher = Recorded()

    async def main() -> None:
        script = Replay(file, rate=5_000.0)
        async with (
            Simulator(script, faults=Faults(), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            gateway = door(folder, at(simulator)) if passed else None
            around = surroundings(publisher, url=simulator.url, web=web, door=gateway)
            async with asyncio.timeout(HANGS_SECONDS), running(Session(Streamer(replay.UNIQUE_ID), around)):
                while received(around.metrics) < count:
                    await asyncio.sleep(0.01)
            assert {type(each) is Passage for each in simulator.sockets} == {passed}

    asyncio.run(main())
    for event in publisher.events:
        if event["name"] in ("connect", "disconnect"):
            event["meta"]["event_id"] = None
        event.pop("started_at", None)  # another live of the same messages
    # Of the pinned events too.
    return [re.sub(r'"connection": "\w+"', "", json.dumps(event, default=str)) for event in publisher.events]


def received(kept: metrics.Metrics) -> int:
    found = next(each for each in kept.registry.collect() if each.name == "tiktok_live_events_received")
    return int(sum(sample.value for sample in found.samples))


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="../shared/captures is absent: no real messages here")
@pytest.mark.parametrize(("file", "count"), [("messages.jsonl.gz", 1269), ("batch-2026-08.jsonl.gz", 12)])
def test_the_captured_messages_become_the_same_records_as_through_a_socket(
    tmp_path: Path, file: str, count: int
) -> None:
    through = [published(CAPTURES / file, count=count, passed=passed, folder=tmp_path) for passed in (False, True)]

    assert Counter(through[0]) == Counter(through[1])
    assert through[0] == through[1]
    assert len(through[0]) >= count
