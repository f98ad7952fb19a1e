"""One connection's messages to records: map, encode, or set aside as a dead letter; hand over and count.

No step waits, so a session that is cancelled between two steps cannot lose what it had received.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.errors import MessageRefused, NotEncodable
from producer.events import life, mapping
from producer.events.encoding import Encoder, Record
from producer.events.event import Event, Origin
from producer.events.streaks import Given, Streaks
from producer.gift_lists import GiftLists
from producer.observability.metrics import Metrics
from producer.webcast.frames import Fault, Refusal, Stage
from producer.webcast.protocol import Received
from producer.webcast.wire import Envelope

DEAD_LETTER_BYTES = 512 * 1024
"""A dead letter longer than this is cut, and says so: the brokers would refuse the letter too."""


@dataclass(frozen=True, slots=True)
class Sink:
    """Where a worker's events go; shared by all its connections."""

    encoder: Encoder
    publisher: Gate
    ledger: Ledger
    metrics: Metrics
    gift_lists: GiftLists
    dead_letter_topic: str
    wall_clock: Callable[[], float]
    """Seconds since 1970."""


class Pipeline:
    """One connection's way to the sink."""

    def __init__(self, sink: Sink, origin: Origin, streaks: Streaks, *, watched_before: bool) -> None:
        """`streaks` is the room's, and outlives its connections.

        `watched_before`: this session had a connection to the room before, so the history that TikTok sends first is
        what was missed since. Otherwise it is from before our time, and another session's totals have its gifts.
        """
        self._sink = sink
        self._origin = origin
        self._streaks = streaks
        self._history_counts = watched_before
        self._sequence = 0

    def connected(self) -> None:
        """Hand over the connection's `connect` event."""
        self._own(life.connected(self._origin, at=self._now()))

    def disconnected(self, reason: str) -> None:
        """Hand over the connection's `disconnect` event."""
        self._own(life.disconnected(self._origin, reason, at=self._now()))

    def live_ended(self, reason: str) -> None:
        """Hand over the `live_end` event of a live that ended without a message that says so."""
        self._own(life.live_ended(self._origin, reason, at=self._now()))

    def tick(self) -> None:
        """Hand over the totals of streaks that have been silent for too long."""
        at = self._now()
        self._finalize(self._streaks.tick(at), at)

    def finish(self) -> None:
        """Hand over the totals of all streaks: nobody goes on watching the room."""
        self._finalize(self._streaks.end(), self._now())

    def deliver(self, received: Received) -> None:
        """Hand over everything that one frame brought."""
        at = self._now()
        self._sink.metrics.frame_received(duplicates=received.duplicates, at=at / 1000)
        for message in received.messages:
            self._message(message, at)
        for refusal in received.refusals:
            self._sink.ledger.received += 1
            self._refuse(refusal)

    def _message(self, message: Envelope, at: int) -> None:
        self._sink.ledger.received += 1
        self._sink.metrics.message_received(message.method)
        self._sequence += 1
        try:
            event = mapping.to_event(
                message,
                self._origin,
                received_at=at,
                room_sequence=self._sequence,
                gift_list=self._sink.gift_lists.latest,
            )
        except MessageRefused:
            self._refuse(_refusal(message))
            return
        created_at = event.value["meta"]["created_at"]
        if created_at is not None and not message.is_history:
            self._sink.metrics.lagged((at - created_at) / 1000)
        try:
            record = self._sink.encoder.encode(event, key=self._origin.streamer)
        except NotEncodable as error:
            self._sink.metrics.encoding_failed(event.name)
            self._dead_letter(_refusal(message), reason=f"encode: {error}")
            return
        self._sink.ledger.mapped += 1
        self._sink.publisher.publish(record)
        if event.tap is not None:
            if event.value["gift"]["extended_gift"] is None:
                self._sink.gift_lists.missed()
            if self._history_counts or not message.is_history:
                self._finalize(self._streaks.add(event.tap, at), at)

    def _finalize(self, given: Iterable[Given], at: int) -> None:
        for one in given:
            self._own(life.gift_finalized(one, self._origin, at=at))

    def _own(self, event: Event) -> None:
        self._sink.ledger.own += 1
        try:
            record = self._sink.encoder.encode(event, key=self._origin.streamer)
        except NotEncodable as error:
            # A total is made of what a stranger said, so it can be larger than any record or number.
            self._sink.metrics.encoding_failed(event.name)
            refusal = Refusal(Stage.PAYLOAD, Fault.TOO_LARGE, repr(event.value).encode("utf-8", "replace"), event.name)
            record = self._letter(refusal, reason=f"encode: {error}")
        self._sink.publisher.publish(record)

    def _refuse(self, refusal: Refusal) -> None:
        self._sink.metrics.refused(refusal.stage, refusal.fault)
        self._dead_letter(refusal, reason=f"{refusal.stage}: {refusal.fault}")

    def _dead_letter(self, refusal: Refusal, *, reason: str) -> None:
        self._sink.ledger.refused += 1
        self._sink.publisher.publish(self._letter(refusal, reason=reason))

    def _letter(self, refusal: Refusal, *, reason: str) -> Record:
        headers = {
            "reason": reason[:500],
            "streamer": self._origin.streamer,
            "room_id": str(self._origin.room_id),
            "message_id": str(refusal.message_id),
            "method": (refusal.method or "")[:200],
            "length": str(len(refusal.data)),
            "worker": self._origin.worker,
        }
        return Record(
            self._sink.dead_letter_topic,
            self._origin.streamer.encode(),
            refusal.data[:DEAD_LETTER_BYTES],
            tuple((name, value.encode("utf-8", "replace")) for name, value in headers.items()),
        )

    def _now(self) -> int:
        return int(self._sink.wall_clock() * 1000)


def _refusal(message: Envelope) -> Refusal:
    return Refusal(Stage.PAYLOAD, Fault.MALFORMED, message.payload, message.method, message.msg_id)
