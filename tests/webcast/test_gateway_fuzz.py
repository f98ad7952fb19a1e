"""What a gateway says: any message is TikTok's, or set aside and counted; any close code is known or means no more."""

from collections import Counter
from random import Random

from producer.errors import ProducerError
from producer.webcast.doors.gateway import Aside, Gateway, read_asides, read_closing
from producer.webcast.wire import PushFrame
from tests.fuzzing import fuzz, odd_bytes, odd_json

FRAME = PushFrame(seq_id=1, log_id=2, payload_encoding="pb", payload_type="msg", payload=b"\x0a\x00")
WORKER = {"timestamp": 1, "messages": [{"type": "workerInfo", "data": {"webSocketId": "w", "features": {}}}]}
CHAT = {"timestamp": 1, "messages": [{"type": "WebcastChatMessage", "data": {"comment": "hi"}}] * 3}
CLOSED = {"timestamp": 1, "messages": [{"type": "tiktok.disconnect", "data": {"reason": 4500}}]}
ENVELOPE = b"\x0a\x07\x08\x80\x90\xa0\xf0\x99\x33\x1a\x02\x08\x02"


def test_any_message_is_a_frame_or_set_aside() -> None:
    counted: Counter[str] = Counter()
    ends: Counter[bool] = Counter()
    gateway = Gateway(
        url="wss://gateway.test",
        raw_option="raw",
        key_file=None,
        jwt_file=None,
        said=lambda kind: counted.update([kind]),
        clock=lambda: 0.0,
    )
    texts = odd_json(WORKER, CHAT, CLOSED, "WebcastChatMessage", [])
    frames = odd_bytes(FRAME.SerializeToString(), ENVELOPE)

    def made(chance: Random) -> bytes | str:
        if chance.random() < 0.4:
            return frames(chance)
        text = texts(chance)
        return text if chance.random() < 0.3 else text.decode("latin-1")

    def read(data: bytes | str) -> None:
        before = counted.total()
        asides = read_asides(data)
        assert gateway.passes(data) is (not asides)
        assert counted.total() == before + len(asides)
        assert asides or isinstance(data, bytes)  # no text is a frame
        ends[not asides] += 1

    fuzz(made, read)

    assert counted.keys() >= set(Aside) - {Aside.CONNECTED, Aside.ROOM_INFO}
    assert min(ends.values()) > ends.total() / 50


def test_any_close_code_has_a_meaning_of_ours_or_none() -> None:
    meant: Counter[str] = Counter()

    def read(code: int) -> None:
        error = read_closing(code)
        assert error is None or isinstance(error, ProducerError)
        meant[type(error).__name__] += 1

    fuzz(lambda chance: chance.choice((chance.randrange(-1, 70_000), chance.randrange(4400, 4600))), read)

    assert meant["FailedConnection"] > 0 < meant["NoneType"]
