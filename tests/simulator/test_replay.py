"""producer.simulator.replay: recorded messages, unchanged."""

import asyncio
import base64
import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
import websockets

from producer.simulator.replay import Replay, event_of
from producer.simulator.server import Simulator
from producer.webcast import wire
from tests.published import UNDOCUMENTED
from tests.simulator.client import enter, envelopes, parsed, receive, receive_until_answered, simulate, socket

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "messages.jsonl.gz"


def record(folder: Path, *messages: tuple[str, bytes], zipped: bool = True) -> Path:
    lines = "".join(
        json.dumps({"method": method, "b64": base64.b64encode(payload).decode()}) + "\n" for method, payload in messages
    )
    file = folder / "recorded.jsonl.gz"
    file.write_bytes(gzip.compress(lines.encode()) if zipped else lines.encode())
    return file


CHAT = ("WebcastChatMessage", b"\x1a\x02hi")
END = ("WebcastControlMessage", b"\x10\x03")
PAUSE = ("WebcastControlMessage", b"\x10\x01")
OTHER = ("WebcastNobodyKnows", b"\xff\xff")


@pytest.mark.parametrize("zipped", [True, False])
def test_messages_keep_their_order_and_their_bytes(tmp_path: Path, zipped: bool) -> None:
    replay = Replay(record(tmp_path, CHAT, OTHER, PAUSE, zipped=zipped), rate=10.0)

    [live] = replay.lives("sim_replay")

    messages = [live.message(number, 0) for number in range(live.total)]
    assert [(m.method, m.payload, m.event) for m in messages] == [
        (*CHAT, "comment"),
        (*OTHER, "unknown"),
        (*PAUSE, "pause"),
    ]
    assert live.waits


def test_a_recorded_end_ends_the_live_and_the_rest_is_another(tmp_path: Path) -> None:
    replay = Replay(record(tmp_path, CHAT, END, CHAT), rate=10.0)

    first, second = replay.lives("sim_replay")

    assert (first.total, second.total) == (2, 1)
    assert first.message(1, 0).event == "live_end"
    assert first.room_id != second.room_id


@pytest.mark.parametrize(
    ("text", "problem"),
    [(b"not json\n", "line 1"), (b'{"method":"X"}\n', "line 1"), (b'{"method":"X","b64":"!"}\n', "line 1")],
)
def test_a_file_that_is_no_recording_is_refused_by_its_line(tmp_path: Path, text: bytes, problem: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_bytes(text)

    with pytest.raises(ValueError, match=problem):
        Replay(file, rate=1.0)


@pytest.mark.parametrize(
    ("key", "action", "event"),
    [
        ("pm_main_follow_message_viewer_2", 1, "follow"),
        ("pm_mt_guidance_share", 3, "share"),
        ("pm_mt_guidance_viewer_5_share", 3, "unknown"),
        ("", 1, "follow"),
        ("", 3, "share"),
        ("", 2, "unknown"),
        ("something_else", 1, "unknown"),
    ],
)
def test_social_messages_are_judged_by_key_then_by_action(key: str, action: int, event: str) -> None:
    social = wire.SocialMessage(action=action)
    if key:
        social.common.display_text.key = key

    assert event_of("WebcastSocialMessage", social.SerializeToString()) == event


@pytest.mark.parametrize(
    ("method", "event"),
    [
        ("WebcastLinkMicArmies", "link_mic_armies"),
        ("LinkMicMethod", "link_mic"),
        ("SystemMessage", "system"),
        ("ChatMessage", "comment"),
        ("HashtagMessage", "unknown"),
    ],
)
def test_a_kind_with_one_event_is_known_with_and_without_its_prefix(method: str, event: str) -> None:
    assert event_of(method, b"") == event


def test_the_replay_knows_the_event_of_each_kind_that_has_one() -> None:
    assert {method: event_of(method, b"") for method in UNDOCUMENTED} == {
        method: event for method, (event, _) in UNDOCUMENTED.items()
    }


def test_bytes_that_cannot_be_read_are_served_all_the_same(tmp_path: Path) -> None:
    broken = [(f"Webcast{kind}Message", b"\x0a\xff") for kind in ("Control", "Member", "Social")]

    [live] = Replay(record(tmp_path, *broken), rate=1.0).lives("sim_replay")

    assert [live.message(number, 0).event for number in range(3)] == ["unknown"] * 3


def homeless(payload: bytes) -> bytes:
    """A message without the room that it names."""
    message = wire.AnyMessage.FromString(payload)
    message.common.room_id = 0
    return message.SerializeToString()


async def hear(simulator: Simulator, heard: list[tuple[str, bytes]], rooms: list[int]) -> None:
    """Listen as a client does that comes back, until all is sent."""

    def take(data: bytes | str) -> None:
        _, batch = parsed(data)
        heard.extend((each.method, each.payload) for each in envelopes(batch) if not each.is_history)

    while not simulator.done.is_set():
        room, before = simulator.room_id("sim_replay"), len(simulator.sockets)

        def over(before: int = before) -> bool:
            return simulator.done.is_set() or any(each.silenced for each in simulator.sockets[before:])

        try:
            async with socket(simulator, room) as websocket:
                await websocket.send(enter(room))
                rooms += [room] if room not in rooms else []
                while not over():
                    with suppress(TimeoutError):  # to look whether more is to come, which nothing announces
                        async with asyncio.timeout(0.05):
                            take(await receive(websocket))
                for data in await receive_until_answered(websocket):
                    take(data)
                await asyncio.sleep(0.3)  # a client does not notice at once
        except (websockets.ConnectionClosed, websockets.InvalidStatus):
            await asyncio.sleep(0.02)


def test_a_recording_stands_still_while_nobody_listens_and_is_heard_whole(tmp_path: Path) -> None:
    recorded = [("WebcastChatMessage", b"\x1a\x02" + f"{number:02}".encode()) for number in range(60)]
    heard: list[tuple[str, bytes]] = []

    async def act(simulator: Simulator) -> None:
        await asyncio.sleep(0.3)  # nobody is there yet
        await hear(simulator, heard, [])

    # Silenced, then closed: the client comes back both times.
    truth = simulate(
        act, "silence", "close_internal", script=Replay(record(tmp_path, *recorded), rate=100.0), heartbeat_seconds=60.0
    )

    assert heard == recorded
    assert {line["name"] for line in truth if line["kind"] == "fault"} == {"silence", "close_internal"}
    lines = [line for line in truth if line["kind"] == "message" and not line["history"]]
    assert [line["sockets"] for line in lines] == [1] * 60


def test_a_recorded_end_takes_the_room_offline_and_back_under_another_id(tmp_path: Path) -> None:
    heard: list[tuple[str, bytes]] = []
    rooms: list[int] = []

    truth = simulate(
        lambda simulator: hear(simulator, heard, rooms), script=Replay(record(tmp_path, CHAT, END, OTHER), rate=100.0)
    )

    assert heard == [CHAT, END, OTHER]
    assert len(rooms) == 2
    kinds = [line["kind"] for line in truth if line["kind"].startswith("live_")]
    assert kinds == ["live_started", "live_ended", "live_started"]


def test_the_captured_messages_are_served_one_for_one() -> None:
    if not CAPTURES.exists():
        pytest.skip("the captures are not beside this checkout")
    with gzip.open(CAPTURES, "rt") as lines:
        captured = [(line["method"], base64.b64decode(line["b64"])) for line in map(json.loads, lines)]
    heard: list[tuple[str, bytes]] = []

    truth = simulate(lambda simulator: hear(simulator, heard, []), script=Replay(CAPTURES, rate=5000.0))

    assert [(method, homeless(payload)) for method, payload in heard] == [
        (method, homeless(payload)) for method, payload in captured
    ]
    events = {line["event"] for line in truth if line["kind"] == "message"}
    assert events >= {"comment", "follow", "gift", "join", "like", "share", "unknown", "viewer_count_update"}


def test_a_recorded_message_names_the_room_that_it_is_served_in(tmp_path: Path) -> None:
    elsewhere = wire.ChatMessage(content="hi")
    elsewhere.common.room_id = 77
    nowhere = wire.ChatMessage(content="ho").SerializeToString()
    chats = [("WebcastChatMessage", elsewhere.SerializeToString()), ("WebcastChatMessage", nowhere)]

    [live] = Replay(record(tmp_path, *chats), rate=1.0).lives("sim_replay")

    served = wire.ChatMessage.FromString(live.message(0, 0).payload)
    assert (served.content, served.common.room_id) == ("hi", live.room_id)
    assert live.message(1, 0).payload == nowhere
