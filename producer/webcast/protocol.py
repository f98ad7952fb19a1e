"""The conversation on one socket as a value: bytes in, messages and frames out, and its own deadlines.

No clock, no socket: the driver passes the time in and asks `deadline` when to come back. All times are seconds of one
monotonic clock.
"""

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field

from producer import strangers
from producer.errors import FailedRoomPolling, InvalidSessionId, Reason
from producer.webcast import frames
from producer.webcast.doors.contract import USUAL, Manners
from producer.webcast.frames import FrameRefused, Limits, Refusal
from producer.webcast.wire import (
    AccessControl,
    Addressed,
    ControlMessage,
    DecodeError,
    Envelope,
    FetchResult,
    PushFrame,
    RoomVerification,
    reader,
)

CONTROL = "WebcastControlMessage"
ACCESS_CONTROL = frozenset({"WebcastAccessControlMessage", "AccessControlMessage"})
ROOM_VERIFY = frozenset({"WebcastRoomVerifyMessage", "RoomVerifyMessage"})
"""Their `Webcast` TikTok leaves away now and then."""
HEEDED = ACCESS_CONTROL | ROOM_VERIFY | {CONTROL}
"""Messages that are about all of us who watch."""
ENTERED = "im_enter_room_resp"
HEARTBEAT = "hb"
CLOSE = "close"
CLOSE_REASON = "close_reason"
NO_DIRECT = "disable_web_direct"
DEAD_HEARTBEATS = 2.5
"""A line on which nothing at all came for so many heartbeats is dead."""
ENDED = frozenset({3, 4})
"""Control actions that end a live: by the host, by the platform (protocol sheet section 5.6)."""


@dataclass(slots=True)
class Received:
    """What a frame brought, or some that came together: new messages in their order, and what could not be read."""

    messages: list[Envelope] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    duplicates: int = 0
    """Messages that this room had brought before (history after a reconnect), set aside by their id."""
    foreign: int = 0
    """Messages that are another room's, dropped: a socket that was used for several may bring them."""
    acknowledgements: list[bytes] = field(default_factory=list)
    """The frames that acknowledge it, where acknowledgements are held: to be given to `acknowledge`."""
    frames: int = 1

    def __bool__(self) -> bool:
        """Whether it brought anything."""
        return bool(self.messages or self.refusals or self.duplicates or self.foreign or self.acknowledgements)

    def add(self, later: "Received") -> None:
        """Take in what the next frame brought."""
        self.messages += later.messages
        self.refusals += later.refusals
        self.duplicates += later.duplicates
        self.foreign += later.foreign
        self.acknowledgements += later.acknowledgements
        self.frames += later.frames


class RecentIds:
    """The last message ids of one room, kept across its connections: so many at the most, and the last half always.

    Two sorted rows, eight bytes an id. Once the younger has half of them it becomes the older, whose ids are forgotten.
    A dict takes ten times the memory; a smaller table of hashes is slow for who chooses ids whose hashes are alike.
    """

    def __init__(self, capacity: int = 5_000) -> None:
        self._half = capacity // 2
        self._younger = array("q")
        self._older = array("q")

    def add(self, message_id: int) -> bool:
        """Remember an id, of 64 bits with a sign; say whether it is new. Zero is no id and always new."""
        if message_id == 0:
            return True
        place = _place(self._younger, message_id)
        if place is None or _place(self._older, message_id) is None:
            return False
        if len(self._younger) == self._half:
            self._older, self._younger, place = self._younger, array("q"), 0
        self._younger.insert(place, message_id)
        return True


class Protocol:
    """One connection to one room, from the open socket to the end of the live."""

    def __init__(
        self,
        room_id: int,
        *,
        now: float,
        seen: RecentIds,
        cursor: str = "",
        heartbeat_seconds: float = 5.0,
        silence_seconds: float = 60.0,
        hold_acknowledgements: bool = False,
        manners: Manners = USUAL,
        limits: Limits = frames.DEFAULT_LIMITS,
    ) -> None:
        """`hold_acknowledgements`: they wait until the driver says that what they are for is safe."""
        self.room_id = room_id
        self.ended = False
        """The live is over: a control message said so."""
        self.entered = False
        """The server has let us into the room: it sends us what happens there."""
        self.barred: InvalidSessionId | None = None
        """Who is not logged in may not stay: a message said so."""
        self.has_met = False
        """It brought what the other had brought last when it was told to await that."""
        self.acknowledgements_sent = 0
        self.heartbeats_sent = 0
        self._seen = seen
        self._limits = limits
        self.heartbeat_seconds = heartbeat_seconds
        self._silence_seconds = silence_seconds
        self._hold_acknowledgements = hold_acknowledgements
        self._last_batch_at = now
        self.beats_at = now
        """When the next heartbeat is due."""
        self._manners = manners
        self._heard_at = now
        self._beat_at = now
        self._unanswered = 0
        """Heartbeats since anything was received."""
        self._heard = self._echoes = False
        """Whether anything was received, and whether a heartbeat was ever answered."""
        self._last_id = self._awaited = 0
        self._outbox = [frames.enter_room(room_id, cursor)] if manners.enters else []
        self.tick(now)

    @property
    def deadline(self) -> float:
        """When `tick` has something to do, if nothing is received before."""
        return min(self.beats_at, self.lost_at)

    @property
    def lost_at(self) -> float:
        """When `tick` says that the line is dead or the room silent, if nothing is received before."""
        return min(self._last_batch_at + self._silence_seconds, self._dead_at)

    @property
    def _dead_at(self) -> float:
        """When the line is dead, if nothing comes.

        Not before two heartbeats went out: we may be the ones who slept. Never where batches come and no heartbeat is
        answered: that none is says nothing then.
        """
        if self._unanswered < 2 or (self._heard and not self._echoes):
            return float("inf")
        return max(
            self._heard_at + DEAD_HEARTBEATS * self.heartbeat_seconds, self._beat_at + self.heartbeat_seconds / 2
        )

    def tick(self, now: float) -> None:
        """Do what is due. Raises FailedRoomPolling when the line is dead, or the room has been silent for too long.

        Silence counts batches, not bytes: a server that goes on answering heartbeats may have stopped sending the
        room (the deaf connection).
        """
        if now >= self._dead_at:
            raise FailedRoomPolling(
                f"room {self.room_id}: nothing came for {now - self._heard_at:.1f} s, no answer to a heartbeat either",
                reason=Reason.TIMEOUT,
            )
        if now >= self._last_batch_at + self._silence_seconds:
            raise FailedRoomPolling(
                f"room {self.room_id} sent no messages for {self._silence_seconds:g} s", reason=Reason.SILENCE
            )
        self.beat(now)

    def beat(self, now: float) -> None:
        """Send a heartbeat, if one is due."""
        if now >= self.beats_at:
            # Also where none are wanted: the driver does what it does from time to time when it is woken for one.
            self.beats_at = now + self.heartbeat_seconds
            if self._manners.heartbeats:
                self.heartbeats_sent += 1
                self._unanswered += 1
                self._beat_at = now
                self._outbox.append(frames.heartbeat(self.room_id, self.heartbeats_sent))

    def receive(self, data: bytes | str, now: float) -> Received:
        """Take one WebSocket message; what it cannot read it refuses. Raises FailedRoomPolling where it ends all."""
        self._heard, self._heard_at, self._unanswered = True, now, 0
        try:
            frame = frames.read_frame(data)
            self._echoes = self._echoes or frame.payload_type == HEARTBEAT
            if frame.payload_type == CLOSE:
                raise _closed(frame)
            if frame.payload_type == ENTERED:
                return self._let_in(frame, now)
            if frame.payload_type != "msg":
                return Received()
            payload = frames.unpack(frame, self._limits)
            batch = frames.parse_batch(payload, self._limits)
        except FrameRefused as refused:
            raw = data.encode() if isinstance(data, str) else data
            return Received(refusals=[Refusal(refused.stage, refused.fault, raw)])
        return self._receive_batch(frame, batch, now)

    def _let_in(self, frame: PushFrame, now: float) -> Received:
        """Take the answer to our entering, which may carry a batch; what else it carries is nobody's loss."""
        self.entered = True
        try:
            batch = frames.parse_batch(frames.unpack(frame, self._limits), self._limits)
        except FrameRefused:
            return Received()
        received = self._receive_batch(frame, batch, now)
        received.refusals.clear()
        return received

    def _receive_batch(self, frame: PushFrame, batch: FetchResult, now: float) -> Received:
        received = self.take(batch)
        if len(batch.messages) > received.foreign:
            self._last_batch_at = now
            self.entered = True
        internal_ext = batch.internal_ext
        if batch.need_ack and frame.log_id and len(internal_ext) <= self._limits.repeated_bytes:
            received.acknowledgements.append(frames.acknowledgement(frame.log_id, internal_ext))
            if not self._hold_acknowledgements:
                self.acknowledge(received)
        return received

    def await_last_of(self, other: "Protocol") -> None:
        """Say of two that hear one room which is behind: that one brings what the other has brought last (`has_met`).

        Once it did, both together have missed nothing.
        """
        self._awaited, other._awaited = other._last_id, self._last_id
        self.has_met = other.has_met = self._last_id == other._last_id != 0

    def acknowledge(self, received: Received) -> None:
        """Acknowledge frames, once, if they asked for that and whoever passed them on leaves that to us."""
        due, received.acknowledgements = received.acknowledgements, []
        if self._manners.acknowledges:
            self.acknowledgements_sent += len(due)
            self._outbox += due

    def take(self, batch: FetchResult) -> Received:
        """Take a batch that came some other way: the sign server's first one. It is never acknowledged."""
        envelopes, refusals = frames.read_envelopes(batch)
        received = Received(refusals=refusals)
        for envelope in envelopes:
            if _room(envelope.payload) not in (self.room_id, 0):
                received.foreign += 1
                continue
            message_id, is_news = envelope.msg_id, not envelope.is_history
            if message_id and is_news:
                self._last_id = message_id
                self.has_met = self.has_met or message_id == self._awaited
            if not self._seen.add(message_id):
                received.duplicates += 1
                continue
            received.messages.append(envelope)
            if is_news and envelope.method in HEEDED:
                self._heed(envelope)
        return received

    def _heed(self, envelope: Envelope) -> None:
        """Do as such a message says."""
        if envelope.method == CONTROL and _ends_live(envelope.payload):
            self.ended = True
        elif _bars(envelope):
            self.barred = InvalidSessionId(
                f"room {self.room_id} lets in nobody who is not logged in ({envelope.method})", reason=Reason.LOGIN
            )

    def frames_to_send(self) -> list[bytes]:
        """Hand over what is due to be sent, oldest first."""
        due, self._outbox = self._outbox, []
        return due


def _place(ids: "array[int]", message_id: int) -> int | None:
    """Where an id belongs among sorted ones; None if it is there."""
    if not ids or message_id > ids[-1]:
        return len(ids)  # nearly always: a room's ids rise
    place = bisect_left(ids, message_id)
    return None if ids[place] == message_id else place


_control_message = reader(ControlMessage)


def _ends_live(payload: bytes) -> bool:
    try:
        return _control_message(payload)[0].action in ENDED
    except DecodeError:
        return False


def _room(payload: bytes) -> int:
    """The room that a message says it is of; 0 where it says none. Whether it can be read is not asked here."""
    try:
        return Addressed.FromString(payload).common.room_id
    except DecodeError:
        return 0


def _bars(envelope: Envelope) -> bool:
    """Whether a message keeps out those who are not logged in."""
    try:
        if envelope.method in ACCESS_CONTROL:
            return AccessControl.FromString(envelope.payload).HasField("captcha")
        return envelope.method in ROOM_VERIFY and RoomVerification.FromString(envelope.payload).close_room
    except DecodeError:
        return False


def _closed(frame: PushFrame) -> FailedRoomPolling:
    """What a frame that says good-bye means."""
    said = next((header.value for header in frame.headers if header.key == CLOSE_REASON), "")
    if said == NO_DIRECT:
        return FailedRoomPolling(f"the server takes nobody without a signature ({said})", reason=Reason.SWITCHED_OFF)
    shown = strangers.shown(said) or "it does not say why"
    return FailedRoomPolling(f"the server ended the connection: {shown}", reason=Reason.CLOSED)
