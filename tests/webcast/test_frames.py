"""producer.webcast.frames: bytes written by hand from the protocol sheet's tables."""

import gzip
import zlib
from types import ModuleType

import pytest
from isal import isal_zlib

from producer.errors import Fault
from producer.webcast import frames
from producer.webcast.frames import FrameRefused, Limits, Stage
from producer.webcast.wire import FetchResult, PushFrame


@pytest.fixture(autouse=True, params=[isal_zlib, zlib], ids=["isal", "zlib"])
def inflating(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What inflates, where isal has a wheel and where it has none."""
    module: ModuleType = request.param
    monkeypatch.setattr(frames, "inflating", module)
    return module


CHAT = b"\x0a\x12WebcastChatMessage\x12\x03abc\x18\x07"
"""An envelope: 1 method, 2 payload "abc", 3 msg_id 7."""
BATCH = b"\x0a" + bytes([len(CHAT)]) + CHAT + b"\x12\x02c1" + b"\x2a\x01-" + b"\x48\x01"
"""A batch: 1 one envelope, 2 cursor "c1", 5 internal_ext "-", 9 need_ack."""


def frame(payload: bytes, *, compression: str | None = None) -> PushFrame:
    header = b""
    if compression is not None:
        pair = b"\x0a\x0dcompress_type\x12" + bytes([len(compression)]) + compression.encode()
        header = b"\x2a" + bytes([len(pair)]) + pair
    return frames.read_frame(b"\x10\x2a" + header + b"\x3a\x03msg\x42" + _varint(len(payload)) + payload)


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def bomb(inflated: int) -> bytes:
    """Zeros, deflated about a thousandfold."""
    return gzip.compress(bytes(inflated), 9)


def test_a_plain_batch_is_read() -> None:
    batch = frames.parse_batch(frames.unpack(frame(BATCH)))

    assert batch.cursor == "c1"
    assert batch.internal_ext == b"-"
    assert batch.need_ack


@pytest.mark.parametrize("compression", ["gzip", None])
def test_a_gzipped_batch_is_read_whether_or_not_the_header_says_so(compression: str | None) -> None:
    batch = frames.parse_batch(frames.unpack(frame(gzip.compress(BATCH), compression=compression)))

    assert batch.cursor == "c1"


def test_envelopes_are_read_one_by_one() -> None:
    envelopes, refusals = frames.read_envelopes(frames.parse_batch(BATCH))

    assert [(e.method, e.payload, e.msg_id) for e in envelopes] == [("WebcastChatMessage", b"abc", 7)]
    assert refusals == []


def test_a_broken_envelope_costs_itself_and_not_its_neighbours() -> None:
    batch = FetchResult(messages=[CHAT, b"\x0a\x7fcut", CHAT])

    envelopes, refusals = frames.read_envelopes(batch)

    assert len(envelopes) == 2
    assert [(r.stage, r.fault, r.data) for r in refusals] == [(Stage.ENVELOPE, Fault.MALFORMED, b"\x0a\x7fcut")]


def test_a_text_frame_is_refused() -> None:
    with pytest.raises(FrameRefused) as refused:
        frames.read_frame("hello")

    assert (refused.value.stage, refused.value.fault) == (Stage.FRAME, Fault.NOT_BINARY)


def test_a_cut_frame_is_refused() -> None:
    with pytest.raises(FrameRefused) as refused:
        frames.read_frame(b"\x3a\x03msg\x42\x20short")

    assert (refused.value.stage, refused.value.fault) == (Stage.FRAME, Fault.MALFORMED)


def test_a_cut_batch_is_refused() -> None:
    with pytest.raises(FrameRefused) as refused:
        frames.parse_batch(frames.unpack(frame(BATCH[:10])))

    assert (refused.value.stage, refused.value.fault) == (Stage.BATCH, Fault.MALFORMED)


@pytest.mark.parametrize(
    ("payload", "compression", "fault"),
    [
        (b"\x1f\x8b\x08" + b"garbage" * 5, "gzip", Fault.MALFORMED),
        (gzip.compress(BATCH)[:-9], "gzip", Fault.MALFORMED),
        (gzip.compress(BATCH)[:3] + b"\x20" + gzip.compress(BATCH)[4:], "gzip", Fault.MALFORMED),
        (gzip.compress(BATCH)[:3], "gzip", Fault.MALFORMED),
        (b"not gzip at all", "gzip", Fault.MALFORMED),
        (BATCH, "br", Fault.UNKNOWN_COMPRESSION),
    ],
    ids=["garbage", "cut", "a reserved flag", "nothing but what tells gzip", "not gzip", "unknown"],
)
def test_what_cannot_be_inflated_is_refused(payload: bytes, compression: str, fault: Fault) -> None:
    with pytest.raises(FrameRefused) as refused:
        frames.parse_batch(frames.unpack(frame(payload, compression=compression)))

    assert (refused.value.stage, refused.value.fault) == (Stage.DECOMPRESS, fault)


def test_a_bomb_is_refused_by_its_size() -> None:
    limits = Limits(batch_bytes=100_000, ratio=10_000, ratio_free_bytes=0)

    with pytest.raises(FrameRefused) as refused:
        frames.inflate(bomb(100_001), limits)

    assert (refused.value.stage, refused.value.fault) == (Stage.DECOMPRESS, Fault.TOO_LARGE)
    assert frames.inflate(bomb(100_000), limits) == bytes(100_000)


def test_a_bomb_is_refused_by_its_ratio() -> None:
    data = bomb(1_000_000)
    limits = Limits(batch_bytes=10_000_000, ratio=100, ratio_free_bytes=1)
    assert len(data) * 100 < 1_000_000

    with pytest.raises(FrameRefused) as refused:
        frames.inflate(data, limits)

    assert refused.value.fault is Fault.TOO_LARGE


def test_a_bomb_never_takes_more_than_the_limit(monkeypatch: pytest.MonkeyPatch, inflating: ModuleType) -> None:
    asked: list[int] = []
    real = inflating.decompressobj

    class Watched:
        def __init__(self, wbits: int) -> None:
            self._stream = real(wbits)

        def decompress(self, data: bytes, bound: int) -> bytes:
            asked.append(bound)
            inflated: bytes = self._stream.decompress(data, bound)
            return inflated

        def __getattr__(self, name: str) -> object:
            return getattr(self._stream, name)

    monkeypatch.setattr(inflating, "decompressobj", Watched)

    for data in (bomb(1_000_000), bomb(40_000_000)):
        with pytest.raises(FrameRefused):
            frames.inflate(data, Limits(batch_bytes=800_000, ratio=200, ratio_free_bytes=100_000))

    assert asked == [200 * len(bomb(1_000_000)), 800_000]
    assert asked[0] < 800_000


def test_a_batch_of_too_many_messages_is_refused() -> None:
    with pytest.raises(FrameRefused) as refused:
        frames.parse_batch(BATCH * 3, Limits(messages=2))

    assert (refused.value.stage, refused.value.fault) == (Stage.BATCH, Fault.TOO_MANY)
    assert len(frames.parse_batch(BATCH * 2, Limits(messages=2)).messages) == 2


def test_a_batch_that_nobody_deflated_is_bounded_as_one_that_is_inflated() -> None:
    with pytest.raises(FrameRefused) as refused:
        frames.parse_batch(BATCH * 100, Limits(batch_bytes=100 * len(BATCH) - 1))

    assert (refused.value.stage, refused.value.fault) == (Stage.BATCH, Fault.TOO_LARGE)
    assert len(frames.parse_batch(BATCH * 100, Limits(batch_bytes=100 * len(BATCH))).messages) == 100


@pytest.mark.parametrize("entry", [b"\x0a\x00", b"\x3a\x00"], ids=["messages", "route parameters"])
def test_a_batch_of_too_many_fields_is_refused_before_it_is_parsed(entry: bytes) -> None:
    generous = Limits(messages=1_000_000)
    frames.parse_batch(entry * frames.MOST_FIELDS, generous)

    with pytest.raises(FrameRefused) as refused:
        frames.parse_batch(entry * (frames.MOST_FIELDS + 1), generous)

    assert (refused.value.stage, refused.value.fault) == (Stage.BATCH, Fault.TOO_MANY)


def test_a_frame_of_too_many_headers_is_refused_before_it_is_parsed() -> None:
    assert len(frames.read_frame(b"\x2a\x00" * frames.MOST_FIELDS).headers) == frames.MOST_FIELDS

    with pytest.raises(FrameRefused) as refused:
        frames.read_frame(b"\x2a\x00" * (frames.MOST_FIELDS + 1))

    assert (refused.value.stage, refused.value.fault) == (Stage.FRAME, Fault.TOO_MANY)


def test_heartbeat_bytes() -> None:
    # 6 "pb", 7 "hb", 8 {1 room_id 5, 2 sequence 3}
    assert frames.heartbeat(5, 3) == b"\x32\x02pb\x3a\x02hb\x42\x04\x08\x05\x10\x03"


def test_acknowledgement_echoes_log_id_and_internal_ext() -> None:
    assert frames.acknowledgement(300, b"ext") == b"\x10\xac\x02\x32\x02pb\x3a\x03ack\x42\x03ext"


def test_acknowledgement_of_an_empty_internal_ext_is_a_dash() -> None:
    assert frames.acknowledgement(1, b"") == b"\x10\x01\x32\x02pb\x3a\x03ack\x42\x01-"


def test_enter_room_bytes() -> None:
    # 1 room_id 5, 4 live_id 12, 5 "audience", 9 "0"
    payload = b"\x08\x05\x20\x0c\x2a\x08audience\x4a\x010"
    assert frames.enter_room(5) == b"\x32\x02pb\x3a\x0dim_enter_room\x42" + bytes([len(payload)]) + payload
