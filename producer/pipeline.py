"""One connection's messages to records: map, encode, or set aside as a dead letter; hand over and count.

Work is done in turns, so that a frame of thousands of messages holds up nobody else. No step waits for anything but its
turn, and a session that is cancelled in between takes the rest of the steps first: it cannot lose what it had received.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from producer.delivery.dead_letters import Letter, LetterReason, MessageHead, Sender, letter
from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.delivery.letterbox import Letterbox
from producer.errors import MessageRefused, NotEncodable
from producer.events import life, mapping, records
from producer.events.encoding import Encoder, Record
from producer.events.event import Event, Origin
from producer.events.streaks import Given, Streaks
from producer.gift_lists import GiftLists
from producer.observability.metrics import Metrics
from producer.turns import Turns
from producer.webcast.frames import FrameRefused, Refusal, Stage
from producer.webcast.protocol import Received
from producer.webcast.wire import Envelope


@dataclass(frozen=True, slots=True)
class Sink:
    """Where a worker's events go; shared by all its connections."""

    encoder: Encoder
    publisher: Gate
    letterbox: Letterbox
    ledger: Ledger
    metrics: Metrics
    gift_lists: GiftLists
    wall_clock: Callable[[], float]
    """Seconds since 1970: for what is published. It may be set, so nothing is measured by it."""
    clock: Callable[[], float]
    """Seconds of a monotonic clock: for how long something takes or is silent."""
    turns: Turns


class Pipeline:
    """One connection's way to the sink."""

    def __init__(
        self,
        sink: Sink,
        origin: Origin,
        streaks: Streaks,
        *,
        watched_before: bool,
        shared: Callable[[], bool] = lambda: False,
    ) -> None:
        """`streaks` are the room's, and outlive its connections.

        `watched_before`: this session had a connection to the room before, so the history that TikTok sends first is
        what was missed since. Otherwise it is from before our time, and another session's totals have its gifts.
        `shared`: whether another worker's session hears the room too by now, whose totals have what comes.
        """
        self._sink = sink
        self._origin = origin
        self._sender = Sender(origin.streamer, origin.worker, origin.room_id)
        self._streaks = streaks
        self._history_counts = watched_before
        self._shared = shared
        self._sequence = 0
        self._receipt: _Receipt | None = None
        """Of the frame that is being handed over."""
        self._records: list[Record] = []
        """Of the present turn: they are handed over at its end, together."""

    def live_started(self, found: life.Found) -> None:
        """Hand over the `live_start` event of a live that was found."""
        self._alone(life.live_started(self._origin, found, at=self._now()))

    def stats(self, totals: Mapping[str, Any]) -> None:
        """Hand over a `room_stats` event; `totals` as `life.room_stats` has it."""
        self._alone(life.room_stats(self._origin, totals, at=self._now()))

    def connected(self, room: records.RoomInfo | None) -> None:
        """Hand over the connection's `connect` event; `room` is what a look-up said."""
        self._alone(life.connected(self._origin, room, at=self._now()))

    def disconnected(self, reason: str) -> None:
        """Hand over the connection's `disconnect` event."""
        self._alone(life.disconnected(self._origin, reason, at=self._now()))

    def live_ended(self, reason: str) -> None:
        """Hand over the `live_end` event of a live that ended without a message that says so."""
        self._alone(life.live_ended(self._origin, reason, at=self._now()))

    def is_quiet(self) -> bool:
        """Whether `tick` has nothing to do, whatever the time is: no streak is open."""
        return not self._streaks.has_open

    async def tick(self) -> None:
        """Hand over the totals of streaks that have been silent for too long, as `deliver` does in passing."""
        await self._in_turns(self._totals(self._streaks.tick(self._ticks())))

    async def finish(self) -> None:
        """Hand over the totals of all streaks: nobody goes on watching the room. When it is cancelled, as `deliver`."""
        await self._in_turns(self._totals(self._streaks.end()))

    async def deliver(self, received: Received, safe: Callable[[], None] | None = None) -> None:
        """Hand over everything that one frame brought; `safe` is called once all of it is acknowledged or spooled.

        When it is cancelled it hands over the rest, in turns as before, and then raises. So it does with an exception
        that nobody foresaw: the message that it came of is a dead letter then.
        """
        await self._in_turns(self._frame(received, safe))

    async def _in_turns(self, steps: Iterator[None]) -> None:
        turns = self._sink.turns
        cancelled: asyncio.CancelledError | None = None
        bug: Exception | None = None
        try:
            for _ in chain((None,), steps):
                if not turns.over():
                    continue
                try:
                    self._hand_over()
                except Exception as unforeseen:  # the rest of the frame is not to be lost by it
                    bug = bug or unforeseen
                while turns.over():
                    try:
                        await turns.next()
                        break
                    except asyncio.CancelledError as cancellation:
                        cancelled = cancellation
            self._hand_over()
            if bug is not None:
                raise bug
        except Exception:  # a bug of ours, which must not cost the cancellation
            if cancelled is not None and (task := asyncio.current_task()) is not None:
                task.cancel()  # whoever survives a bug is still to end at its next wait
            raise
        if cancelled is not None:
            raise cancelled

    def _frame(self, received: Received, safe: Callable[[], None] | None) -> Iterator[None]:
        """Hand over what a frame brought, a step for each thing in it; before it, the totals that time has brought."""
        at = self._now()
        for one in self._streaks.tick(self._ticks()):
            self._total(one, at)
            yield
        self._hand_over()
        receipt = self._receipt = _Receipt(safe) if safe is not None else None
        bug: Exception | None = None
        try:
            self._sink.metrics.frames_received(
                received.frames, duplicates=received.duplicates, foreign=received.foreign, at=at / 1000
            )
            if received.messages:
                self._sink.metrics.streamer_heard(self._origin.streamer, at=at / 1000)
            yield
            for message in received.messages:
                try:
                    for one in self._message(message, at):
                        self._total(one, at)
                        yield
                except Exception as unforeseen:  # it may cost the room its session, and no neighbour its event
                    bug = bug or unforeseen
                yield
            for refusal in received.refusals:
                self._refusal(refusal, at)
                yield
        finally:
            try:
                self._hand_over()
            finally:
                self._receipt = None
        if receipt is not None:
            receipt.settle()
        if bug is not None:
            raise bug

    def _totals(self, given: Iterable[Given]) -> Iterator[None]:
        """Hand over totals that no frame brought, a step for each."""
        at = self._now()
        for one in given:
            self._total(one, at)
            yield

    def _message(self, message: Envelope, at: int) -> Iterable[Given]:
        """Hand over one message; return the totals that it brings."""
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
        except MessageRefused as error:
            self._sink.metrics.refused(Stage.PAYLOAD, error.fault)
            self._set_aside(LetterReason(f"{Stage.PAYLOAD}_{error.fault}"), error, message, at)
            return ()
        except Exception as bug:  # of ours: a version without it may read the message
            self._set_aside(LetterReason.PAYLOAD_BUG, bug, message, at)
            raise
        if event.value["meta"]["text_repaired"]:
            self._sink.metrics.text_repaired(message.method)
        if event.is_time_odd:
            self._sink.metrics.time_refused()
        created_at = event.value["meta"]["created_at"]
        if created_at is not None and not message.is_history:
            self._sink.metrics.lagged((at - created_at) / 1000)
        try:
            record = self._sink.encoder.encode(event, key=self._origin.streamer)
        except NotEncodable as error:
            self._sink.metrics.encoding_failed(event.name)
            self._set_aside(LetterReason.NOT_ENCODABLE, error, message, at, event=event.name)
            return self._counted(event, message)
        except Exception as bug:  # as above
            self._set_aside(LetterReason.PAYLOAD_BUG, bug, message, at, event=event.name)
            raise
        self._sink.ledger.received += 1
        self._sink.ledger.mapped += 1
        self._publish(record)
        return self._counted(event, message)

    def _counted(self, event: Event, message: Envelope) -> Iterable[Given]:
        """Count a gift, whether or not there is a record of it; return the totals that it brings."""
        tap = event.tap
        if tap is None:
            return ()
        if event.value["gift"]["extended_gift"] is None:
            self._sink.gift_lists.missed()
        if message.is_history and not self._history_counts:
            return ()
        if tap.streakable and self._shared():
            return self._streaks.hand_over()
        return self._streaks.add(tap, self._ticks())

    def _total(self, given: Given, at: int) -> None:
        if given.crowded_out:
            self._sink.metrics.streak_crowded_out()
        self._own(life.gift_finalized(given, self._origin, at=at))

    def _own(self, event: Event) -> None:
        self._sink.ledger.own += 1
        try:
            self._publish(self._sink.encoder.encode(event, key=self._origin.streamer))
        except NotEncodable as error:
            # A total is made of what a stranger said, so it can be larger than any record or number.
            self._sink.metrics.encoding_failed(event.name)
            text = repr(event.value).encode("utf-8", "replace")
            at = event.value["meta"]["received_at"]
            self._post(letter(LetterReason.NOT_ENCODABLE, error, text, self._sender, received_at=at, event=event.name))

    def _refusal(self, refusal: Refusal, at: int) -> None:
        self._sink.metrics.refused(refusal.stage, refusal.fault)
        reason = LetterReason(f"{refusal.stage}_{refusal.fault}")
        self._refuse(reason, FrameRefused(refusal.stage, refusal.fault), refusal.data, at)

    def _set_aside(
        self, reason: LetterReason, error: Exception, message: Envelope, at: int, *, event: str | None = None
    ) -> None:
        head = MessageHead(message.method, message.msg_id, message.is_history, self._sequence)
        self._refuse(reason, error, message.payload, at, head=head, event=event)

    def _refuse(
        self,
        reason: LetterReason,
        error: Exception,
        data: bytes,
        at: int,
        *,
        head: MessageHead | None = None,
        event: str | None = None,
    ) -> None:
        self._sink.ledger.received += 1
        self._sink.ledger.refused += 1
        dead = letter(reason, error, data, self._sender, received_at=at, message=head, event=event)
        viewers = self._origin.viewers
        self._post(dead if viewers is None else replace(dead, data=viewers.seal(data), is_sealed=True))

    def _post(self, dead: Letter) -> None:
        record = self._sink.letterbox.accept(dead, self._ticks())
        if record is not None:
            self._publish(record)

    def _publish(self, record: Record) -> None:
        self._records.append(record)

    def _alone(self, event: Event) -> None:
        """Hand over an event that no frame brought, at once."""
        self._own(event)
        self._hand_over()

    def _hand_over(self) -> None:
        """Give the publisher what this turn has made; whoever is killed between the two had not received it."""
        records, self._records = self._records, []
        if records:
            settled = self._receipt.expect(len(records)) if self._receipt is not None else None
            self._sink.publisher.publish(*records, settled=settled)

    def _now(self) -> int:
        return int(self._sink.wall_clock() * 1000)

    def _ticks(self) -> int:
        return int(self._sink.clock() * 1000)


class _Receipt:
    """Counts what one frame brought until all of it is safe."""

    def __init__(self, safe: Callable[[], None]) -> None:
        self._safe = safe
        self._open = 1

    def expect(self, count: int) -> Callable[[], None]:
        """So many more; call what is returned once for each, when it is safe."""
        self._open += count
        return self.settle

    def settle(self) -> None:
        self._open -= 1
        if not self._open:
            self._safe()
