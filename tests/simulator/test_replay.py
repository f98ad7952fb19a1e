"""producer.simulator.replay: recorded messages, unchanged."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from producer.simulator.replay import Replay, event_of
from producer.webcast import wire


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
        (*PAUSE, "unknown"),
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
