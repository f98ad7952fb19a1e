"""Bytes to push frame to batch to envelopes, and the three frames that a client sends.

Facts: protocol sheet sections 5.3 (frames), 5.4 (acknowledgement), 5.5 (enter room, heartbeat).
"""

from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType

from producer.errors import Fault, ProducerError, Reason, Recovery
from producer.webcast.wire import (
    DecodeError,
    Envelope,
    FetchResult,
    HeartBeat,
    ImEnterRoom,
    PushFrame,
    TooManyFields,
    reader,
)

inflating: ModuleType
"""isal has zlib's objects, which take less than half of the time; there is not a wheel of it for every machine."""
try:
    from isal import isal_zlib as inflating
except ImportError:
    import zlib as inflating

GZIP_MAGIC = b"\x1f\x8b\x08"
GZIP_BITS = 16 + 15
"""zlib's word for gzip, and for a window of any size."""
GZIP_RESERVED = 0b1110_0000
"""Of a member's fourth byte, its flags: with one of these it must not be read (RFC 1952, 2.3.1.2). isal reads it."""


class Stage(StrEnum):
    """How far the bytes had come when they were refused."""

    FRAME = "frame"
    DECOMPRESS = "decompress"
    BATCH = "batch"
    ENVELOPE = "envelope"
    PAYLOAD = "payload"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Bytes that could not be read, with where and why; kept so that they can be dead-lettered."""

    stage: Stage
    fault: Fault
    data: bytes


class FrameRefused(ProducerError):
    """A frame or batch cannot be read at all."""

    recovery = Recovery.DROP

    def __init__(self, stage: Stage, fault: Fault) -> None:
        super().__init__(f"{stage}: {fault}", reason=Reason.MALFORMED)
        self.stage = stage
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Limits:
    """What one frame of a stranger's may cost.

    A deflate stream can grow a thousandfold. Real batches inflate about fourfold and stay well under a mebibyte, so
    the ratio is looked at only past `ratio_free_bytes`.
    """

    batch_bytes: int = 2 * 1024 * 1024
    """Of a batch, once it is inflated."""
    ratio: int = 200
    ratio_free_bytes: int = 256 * 1024
    messages: int = 2_000
    repeated_bytes: int = 4 * 1024
    """Of what an acknowledgement repeats. It is sent, and may be held until Kafka has the frame's records."""


DEFAULT_LIMITS = Limits()

MOST_FIELDS = 20_000
"""Of a frame or a batch, which costs less to read than a message. Most batches are too short to have so many."""

_push_frame = reader(PushFrame, most_fields=MOST_FIELDS)
_fetch_result = reader(FetchResult, most_fields=MOST_FIELDS)
_envelope = reader(Envelope, most_fields=MOST_FIELDS)


def read_frame(data: bytes | str) -> PushFrame:
    """Parse one WebSocket message. Raises FrameRefused."""
    if isinstance(data, str):
        raise FrameRefused(Stage.FRAME, Fault.NOT_BINARY)
    try:
        return _push_frame(data)[0]
    except TooManyFields as error:
        raise FrameRefused(Stage.FRAME, Fault.TOO_MANY) from error
    except DecodeError as error:
        raise FrameRefused(Stage.FRAME, Fault.MALFORMED) from error


def unpack(frame: PushFrame, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Give the batch that a frame of type `msg` carries, inflated within `limits`. Raises FrameRefused."""
    payload = frame.payload
    compression = next((h.value for h in frame.headers if h.key == "compress_type"), "none")
    if payload.startswith(GZIP_MAGIC):
        payload = inflate(payload, limits)
    elif compression not in ("none", "", "gzip"):
        raise FrameRefused(Stage.DECOMPRESS, Fault.UNKNOWN_COMPRESSION)
    elif compression == "gzip" and payload:
        raise FrameRefused(Stage.DECOMPRESS, Fault.MALFORMED)
    return payload


def parse_batch(payload: bytes, limits: Limits = DEFAULT_LIMITS) -> FetchResult:
    """Parse an inflated batch, which is also what the sign server answers. Raises FrameRefused."""
    if len(payload) > limits.batch_bytes:
        raise FrameRefused(Stage.BATCH, Fault.TOO_LARGE)
    try:
        batch, _ = _fetch_result(payload)
    except TooManyFields as error:
        raise FrameRefused(Stage.BATCH, Fault.TOO_MANY) from error
    except DecodeError as error:
        raise FrameRefused(Stage.BATCH, Fault.MALFORMED) from error
    if len(batch.messages) > limits.messages:
        raise FrameRefused(Stage.BATCH, Fault.TOO_MANY)
    return batch


def read_envelopes(batch: FetchResult) -> tuple[list[Envelope], list[Refusal]]:
    """Parse a batch's envelopes one by one: a broken one is refused and its neighbours are not."""
    envelopes: list[Envelope] = []
    refusals: list[Refusal] = []
    for data in batch.messages:
        try:
            envelopes.append(_envelope(data)[0])
        except DecodeError:
            refusals.append(Refusal(Stage.ENVELOPE, Fault.MALFORMED, data))
    return envelopes, refusals


def inflate(data: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Gunzip, never past the limits' size or ratio. Raises FrameRefused."""
    bound = min(limits.batch_bytes, max(limits.ratio_free_bytes, limits.ratio * len(data)))
    if len(data) > 3 and data[3] & GZIP_RESERVED:
        raise FrameRefused(Stage.DECOMPRESS, Fault.MALFORMED)
    stream = inflating.decompressobj(wbits=GZIP_BITS)
    try:
        inflated: bytes = stream.decompress(data, bound)
    except inflating.error as error:
        raise FrameRefused(Stage.DECOMPRESS, Fault.MALFORMED) from error
    if stream.unconsumed_tail:
        raise FrameRefused(Stage.DECOMPRESS, Fault.TOO_LARGE)
    if not stream.eof:
        raise FrameRefused(Stage.DECOMPRESS, Fault.MALFORMED)
    return inflated


def heartbeat(room_id: int, sequence: int) -> bytes:
    """Serialise the `sequence`-th heartbeat of a connection, counted from 1."""
    payload = HeartBeat(room_id=room_id, send_packet_seq_id=sequence)
    return _frame("hb", payload.SerializeToString())


def acknowledgement(log_id: int, internal_ext: bytes) -> bytes:
    """Serialise the acknowledgement of the batch that came in the frame with this `log_id`."""
    return _frame("ack", internal_ext or b"-", log_id=log_id)


def enter_room(room_id: int, cursor: str = "") -> bytes:
    """Serialise the request that makes the server send this room's messages."""
    payload = ImEnterRoom(room_id=room_id, live_id=12, identity="audience", cursor=cursor, filter_welcome_msg="0")
    return _frame("im_enter_room", payload.SerializeToString())


def _frame(payload_type: str, payload: bytes, *, log_id: int = 0) -> bytes:
    return PushFrame(
        log_id=log_id, payload_encoding="pb", payload_type=payload_type, payload=payload
    ).SerializeToString()
