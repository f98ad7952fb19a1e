"""producer.pipeline: what one frame brings, when all of it is safe, and which letters are written."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from producer.delivery.dead_letters import read_letter
from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.delivery.letter_cap import Cap
from producer.delivery.letterbox import Letterbox
from producer.errors import Fault
from producer.events import mapping
from producer.events.encoding import Encoder, Record
from producer.events.event import Event, Origin, Payloads
from producer.events.pseudonyms import Pseudonyms
from producer.events.streaks import Streaks
from producer.gift_lists import GiftLists
from producer.observability.metrics import Metrics
from producer.pipeline import Pipeline, Sink
from producer.replay import NotReplayable, replay
from producer.turns import Turns
from producer.webcast.frames import Refusal, Stage
from producer.webcast.protocol import Received
from producer.webcast.wire import Envelope
from tests.events.decoding import ENCODER, PREFIX_BYTES, decode
from tests.events.wire_writer import Fields, write

Settled = Callable[[], None]

CUT_SHORT = b"\x1a\x10Hal"
"""A field that says it has sixteen bytes and has three."""


class Shelf:
    """A publisher's place; records become safe when the test says so, and making each takes some time of a clock."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.settled: list[Settled | None] = []
        self.seconds = 0.0
        self.record_seconds = 0.0
        self.broken_after: int | None = None

    def publish(self, *records: Record, settled: Settled | None = None) -> None:
        for record in records:
            if len(self.records) == self.broken_after:
                raise ZeroDivisionError("a bug")
            self.records.append(record)
            self.settled.append(settled)

    def letters(self) -> list[tuple[bytes, dict[str, str]]]:
        """The bytes and headers of each dead letter."""
        letters = [record for record in self.records if record.topic == "dead"]
        return [(letter.value, {name: value.decode() for name, value in letter.headers}) for letter in letters]


class Slow(Encoder):
    """An encoder that takes some time of the shelf's clock."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def encode(self, event: Event, *, key: str) -> Record:
        self._shelf.seconds += self._shelf.record_seconds
        return ENCODER.encode(event, key=key)


class Given:
    """A pipeline and what is around it, at a clock that the test sets."""

    def __init__(
        self,
        *,
        per_minute: int = 0,
        shared: Callable[[], bool] = lambda: False,
        payloads: Payloads = Payloads.UNDOCUMENTED,
        viewers: Pseudonyms | None = None,
    ) -> None:
        self.shelf, self.ledger, self.now = Shelf(), Ledger(), 1_700_000_000.0
        self.metrics = Metrics(topics=(), version="test")
        lists = GiftLists(self.metrics, refresh_seconds=60.0)
        cap = Cap(per_minute=per_minute)
        letterbox = Letterbox(topic="dead", cap=cap, ledger=self.ledger, metrics=self.metrics)
        gate = cast(Gate, self.shelf)

        def clock() -> float:
            return self.shelf.seconds

        encoder = Slow(self.shelf)
        sink = Sink(encoder, gate, letterbox, self.ledger, self.metrics, lists, lambda: self.now, clock, Turns(clock))
        room_id = 7000000000000000001
        origin = Origin("someone", room_id, "worker-0", payloads=payloads, viewers=viewers)
        self.pipeline = Pipeline(sink, origin, Streaks(), watched_before=False, shared=shared)

    def deliver(self, received: Received, safe: Settled | None = None) -> None:
        asyncio.run(self.pipeline.deliver(received, safe))

    def metric(self, name: str, **labels: Any) -> float | None:
        return self.metrics.registry.get_sample_value(f"tiktok_live_{name}", labels)


def chat(number: int, text: str = "hello") -> Envelope:
    payload = write({1: {2: number, 3: 7000000000000000001}, 2: {1: 5, 38: "someone.else"}, 3: text})
    return Envelope(method="WebcastChatMessage", payload=payload, msg_id=number)


def broken(number: int, *, is_history: bool = False) -> Envelope:
    return Envelope(method="WebcastChatMessage", payload=CUT_SHORT, msg_id=number, is_history=is_history)


def test_a_frame_is_safe_once_all_that_it_brought_is() -> None:
    given, safe = Given(), []

    given.deliver(
        Received(messages=[chat(1), broken(2)], refusals=[Refusal(Stage.ENVELOPE, Fault.MALFORMED, b"x")]),
        lambda: safe.append(True),
    )
    for settled in given.shelf.settled:
        assert safe == []
        assert settled is not None
        settled()

    assert len(given.shelf.records) == 3
    assert safe == [True]


def test_a_frame_that_brought_nothing_is_safe_at_once() -> None:
    given, safe = Given(), []

    given.deliver(Received(), lambda: safe.append(True))

    assert safe == [True]


def test_what_no_frame_brought_waits_for_nobody() -> None:
    given = Given()

    given.pipeline.connected(None)

    assert given.shelf.settled == [None]


def test_a_broken_room_is_capped_and_every_refusal_is_counted() -> None:
    given, safe = Given(per_minute=3), []

    given.deliver(Received(messages=[broken(number) for number in range(1, 11)]), lambda: safe.append(True))
    letters = len(given.shelf.records)
    given.shelf.seconds += 60
    given.deliver(Received(messages=[broken(number) for number in range(11, 15)]))
    for settled in given.shelf.settled:
        if settled is not None:
            settled()

    assert letters == 3
    assert len(given.shelf.records) == 6
    assert (given.ledger.received, given.ledger.refused, given.ledger.capped) == (14, 14, 8)
    assert given.ledger.balances(in_flight=6)
    assert given.metric("events_dropped_total", reason="dead_letter_cap") == 8
    assert given.metric("decode_errors_total", stage="payload", fault="malformed") == 14
    assert safe == [True]


def test_a_message_that_cannot_be_read_is_a_letter_with_its_place_and_its_neighbours_are_records() -> None:
    given = Given()

    given.deliver(Received(messages=[chat(11), broken(12, is_history=True)]))

    [(data, headers)] = given.shelf.letters()
    assert data == CUT_SHORT
    assert headers["producer.reason"] == "payload_malformed"
    assert headers["producer.method"] == "WebcastChatMessage"
    assert headers["producer.message_id"] == "12"
    assert headers["producer.is_history"] == "true"
    assert headers["producer.room_sequence"] == "2"
    assert headers["producer.received_at"] == "1700000000000"
    assert headers["producer.room_id"] == "7000000000000000001"
    assert headers["producer.streamer"] == "someone"
    assert headers["producer.worker"] == "worker-0"
    assert headers["__connect.errors.exception.class.name"] == "producer.errors.MessageRefused"
    assert (given.ledger.received, given.ledger.mapped, given.ledger.refused) == (2, 1, 1)
    assert given.ledger.balances(in_flight=len(given.shelf.records))


def test_a_frame_that_cannot_be_read_is_a_letter_of_no_message() -> None:
    given = Given()

    given.deliver(Received(refusals=[Refusal(Stage.DECOMPRESS, Fault.TOO_LARGE, b"frame")]))

    [(data, headers)] = given.shelf.letters()
    assert (data, headers["producer.reason"]) == (b"frame", "decompress_too_large")
    assert headers["__connect.errors.stage"] == "decompress"
    assert headers["__connect.errors.exception.class.name"] == "producer.webcast.frames.FrameRefused"
    assert "producer.method" not in headers
    assert given.ledger.balances(in_flight=1)


def test_an_event_larger_than_a_record_is_a_letter_that_names_it() -> None:
    given = Given()
    payload = write({2: "x" * 510_000})  # in the record twice: its text, and its bytes

    given.deliver(Received(messages=[Envelope(method="WebcastRoomMessage", payload=payload, msg_id=11)]))

    [(data, headers)] = given.shelf.letters()
    assert headers["producer.reason"] == "not_encodable"
    assert (headers["producer.event"], headers["producer.message_id"]) == ("room", "11")
    assert (data, "producer.cut" in headers) == (payload, False)
    assert given.ledger.balances(in_flight=1)


def test_a_gift_whose_event_is_larger_than_a_record_counts_all_the_same() -> None:
    given = Given(payloads=Payloads.ALL)
    lion: Fields = {2: 6666, 3: 29_999, 5: 1, 7: {1: 9}, 15: {2: "x" * 500_000, 11: 2, 12: 29_999, 16: "Lion"}}

    given.deliver(Received(messages=[Envelope(method="WebcastGiftMessage", payload=write(lion), msg_id=11)]))

    [(_, headers)] = given.shelf.letters()
    assert (headers["producer.reason"], headers["producer.event"]) == ("not_encodable", "gift")
    [record] = [record for record in given.shelf.records if record.topic != "dead"]
    total = decode("gift_finalized", record.value[PREFIX_BYTES:])
    assert (total["count"], total["diamonds"], total["gift_name"]) == (1, 29_999, "Lion")
    assert given.ledger.balances(in_flight=2)


@pytest.mark.parametrize(
    ("message", "fault", "length", "kept"),
    [
        (chat(11, "x" * 1_000_000), "too_large", "1000037", 524_288),
        (
            Envelope(method="WebcastRankUpdateMessage", payload=b"\x12\x00" * 5_001, msg_id=11),
            "too_many",
            "10002",
            10_002,
        ),
    ],
    ids=["bytes", "fields"],
)
def test_a_message_past_its_bounds_is_a_letter_that_says_which(
    message: Envelope, fault: str, length: str, kept: int
) -> None:
    given = Given()

    given.deliver(Received(messages=[message, chat(12)]))

    [(data, headers)] = given.shelf.letters()
    assert (headers["producer.reason"], headers["__connect.errors.stage"]) == (f"payload_{fault}", "payload")
    assert (len(data), headers["producer.length"], "producer.cut" in headers) == (kept, length, kept < int(length))
    assert given.metric("decode_errors_total", stage="payload", fault=fault) == 1
    assert (given.ledger.received, given.ledger.mapped, given.ledger.refused) == (2, 1, 1)
    assert given.ledger.balances(in_flight=len(given.shelf.records))


# ---------------------------------------------------------------------------------------------------------- turns


def gifts(first: int, last: int, *, user: int | None = None) -> list[Envelope]:
    """Taps of streaks that go on: each of another user, or all of one."""
    return [
        Envelope(
            method="WebcastGiftMessage",
            payload=write({2: 5655, 3: 1, 5: 1 if user is None else n, 7: {1: user or n}, 11: 100, 15: {11: 1, 12: 1}}),
            msg_id=n,
        )
        for n in range(first, last + 1)
    ]


def note(given: Given, seen: list[int]) -> None:
    """Note how many records there are, where that is news."""
    if (records := len(given.shelf.records)) not in seen[-1:]:
        seen.append(records)


def beside(given: Given, work: Coroutine[Any, Any, None]) -> list[int]:
    """Do some work, and tell how many records there were each time that somebody else had a turn meanwhile."""
    seen: list[int] = []

    async def other() -> None:
        while True:
            await asyncio.sleep(0)
            note(given, seen)

    async def main() -> None:
        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        await work
        task.cancel()

    asyncio.run(main())
    return seen


def test_a_large_frame_is_handed_over_in_turns() -> None:
    given = Given()
    given.shelf.record_seconds = 0.002

    seen = beside(given, given.pipeline.deliver(Received(messages=[chat(number) for number in range(1, 11)])))

    # A turn is 5 ms, and so three messages of 2 ms.
    assert seen == [3, 6, 9]
    assert len(given.shelf.records) == 10


def test_a_small_frame_takes_no_turn_of_its_own() -> None:
    given = Given()
    given.shelf.record_seconds = 0.002

    assert beside(given, given.pipeline.deliver(Received(messages=[chat(1), chat(2)]))) == []


def test_a_turn_goes_on_over_frames_that_are_in_store() -> None:
    given = Given()
    given.shelf.record_seconds = 0.002

    async def all_of_them() -> None:
        for number in range(1, 11):
            await given.pipeline.deliver(Received(messages=[chat(number)]))

    assert beside(given, all_of_them()) == [3, 6, 9]


def test_totals_are_handed_over_in_turns_when_silent_handed_over_or_left() -> None:
    crossed = False
    given = Given(shared=lambda: crossed)
    given.deliver(Received(messages=gifts(1, 30)))
    given.shelf.seconds, given.shelf.record_seconds = 30.0, 0.002
    silent = beside(given, given.pipeline.tick())
    given.shelf.record_seconds = 0.0
    given.deliver(Received(messages=gifts(101, 130)))
    crossed, given.shelf.record_seconds = True, 0.002
    handed_over = beside(given, given.pipeline.deliver(Received(messages=gifts(200, 200))))
    crossed, given.shelf.record_seconds = False, 0.0
    given.deliver(Received(messages=gifts(301, 330)))
    given.shelf.record_seconds = 0.002
    left = beside(given, given.pipeline.finish())

    assert [len(silent), len(handed_over), len(left)] == [10, 10, 10]
    assert given.ledger.own == 90
    assert given.ledger.balances(in_flight=len(given.shelf.records))


@pytest.mark.parametrize("at", [0, 1, 2], ids=lambda at: f"turn {at + 1}")
def test_who_is_cancelled_between_turns_hands_over_the_rest_in_turns(at: int) -> None:
    given, safe = Given(), []
    given.shelf.record_seconds = 0.002
    received = Received(messages=[chat(number) for number in range(1, 11)])

    async def main() -> list[int]:
        delivery = asyncio.create_task(given.pipeline.deliver(received, lambda: safe.append(True)))
        seen: list[int] = []
        while not delivery.done():
            await asyncio.sleep(0)
            if len(seen) == at and len(given.shelf.records) > sum(seen[-1:]):
                delivery.cancel()
            note(given, seen)
        with pytest.raises(asyncio.CancelledError):
            await delivery
        return seen

    assert asyncio.run(main()) == [3, 6, 9, 10]
    ids = [decode("comment", record.value[PREFIX_BYTES:])["meta"]["message_id"] for record in given.shelf.records]
    assert ids == [str(number) for number in range(1, 11)]
    for settled in given.shelf.settled:
        assert settled is not None
        settled()
    assert safe == [True]
    assert given.ledger.balances(in_flight=10)


def test_who_is_cancelled_while_totals_are_handed_over_hands_over_all() -> None:
    given = Given()
    given.deliver(Received(messages=gifts(1, 30)))
    given.shelf.record_seconds = 0.002

    async def main() -> None:
        leaving = asyncio.create_task(given.pipeline.finish())
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving

    asyncio.run(main())

    assert given.ledger.own == 30


def test_a_bug_after_a_cancellation_is_told_and_the_cancellation_is_not_lost() -> None:
    given, told = Given(), []
    given.shelf.record_seconds, given.shelf.broken_after = 0.004, 5

    async def session() -> None:
        try:
            await given.pipeline.deliver(Received(messages=[chat(number) for number in range(1, 11)]))
        except ZeroDivisionError as bug:
            told.append(str(bug))
        await asyncio.sleep(0)
        told.append("it went on")

    async def main() -> None:
        running = asyncio.create_task(session())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()

    asyncio.run(main())

    assert told == ["a bug"]


def test_after_a_bug_nothing_else_counts_as_brought_by_its_frame() -> None:
    given, safe = Given(), []
    given.shelf.broken_after = 1
    with pytest.raises(ZeroDivisionError):
        given.deliver(Received(messages=[chat(1), chat(2)]), lambda: safe.append(True))
    given.shelf.broken_after = None

    given.pipeline.disconnected("bug")

    assert [settled is None for settled in given.shelf.settled] == [False, True]
    assert safe == []


@pytest.mark.parametrize("where", ["producer.events.mapping.to_event", "producer.events.encoding.Encoder.encode"])
def test_a_message_that_a_bug_stopped_is_a_dead_letter_and_its_neighbours_are_events(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    given, safe, fired = Given(), [], 0
    module, _, step = where.rpartition(".")
    owner: Any = mapping if module.endswith("mapping") else Encoder
    untouched = getattr(owner, step)

    def broken_at_the_second(*arguments: Any, **more: Any) -> Any:
        nonlocal fired
        fired += 1
        if fired == 2:
            raise ZeroDivisionError("a bug")
        return untouched(*arguments, **more)

    monkeypatch.setattr(owner, step, broken_at_the_second)
    with pytest.raises(ZeroDivisionError):
        given.deliver(Received(messages=[chat(1), chat(2), chat(3)]), lambda: safe.append(True))

    assert [record.topic for record in given.shelf.records] == [
        "tiktok.live.comment.v1",
        "dead",
        "tiktok.live.comment.v1",
    ]
    [(data, headers)] = given.shelf.letters()
    assert data == chat(2).payload
    assert (headers["producer.reason"], headers["__connect.errors.stage"]) == ("payload_bug", "payload")
    assert (headers["producer.message_id"], headers["producer.room_sequence"]) == ("2", "2")
    assert headers["__connect.errors.exception.class.name"] == "builtins.ZeroDivisionError"
    assert (given.ledger.received, given.ledger.mapped, given.ledger.refused) == (3, 2, 1)
    for settled in given.shelf.settled:
        assert settled is not None
        settled()
    assert safe == [True]


# --------------------------------------------------------------------------------------------------------- clocks


def test_a_wall_clock_that_is_set_ends_no_streak_and_keeps_none_open() -> None:
    given = Given()
    given.deliver(Received(messages=gifts(1, 1, user=7)))

    given.now += 3_600
    asyncio.run(given.pipeline.tick())
    assert given.ledger.own == 0
    given.now -= 7_200
    given.shelf.seconds += 30
    asyncio.run(given.pipeline.tick())

    assert given.ledger.own == 1


def test_a_frame_brings_the_totals_of_streaks_that_were_silent_before_it() -> None:
    given = Given()
    given.deliver(Received(messages=gifts(1, 1)))
    given.shelf.seconds += 30

    given.deliver(Received(messages=[chat(2)]))

    assert [record.topic.split(".")[-2] for record in given.shelf.records] == ["gift", "gift_finalized", "comment"]


def test_a_wall_clock_that_is_set_gives_a_room_no_more_letters() -> None:
    given = Given(per_minute=2)

    for _ in range(3):
        given.deliver(Received(messages=[broken(number) for number in range(1, 6)]))
        given.now += 600

    assert len(given.shelf.letters()) == 2


def test_who_opens_streaks_without_end_is_counted() -> None:
    given = Given()
    giver = Envelope(method="WebcastGiftMessage")

    for number in range(1, 25):
        giver.payload = write({2: 5655, 3: 1, 5: 1, 7: {1: number, 3: "x" * 400_000}, 11: 100, 15: {11: 1, 12: 1}})
        given.deliver(Received(messages=[giver]))

    # Of 400,000 bytes and a little, twenty go into 8 MiB.
    assert given.metric("streaks_crowded_out_total") == 4
    assert given.ledger.own == 4
    assert given.ledger.balances(in_flight=len(given.shelf.records))


# ------------------------------------------------------------------------------------------------------- pseudonyms


KEY = "correct horse battery staple"


def test_a_dead_letter_of_pseudonymous_viewers_has_what_stands_for_its_bytes_and_is_never_replayed() -> None:
    given = Given(viewers=Pseudonyms(KEY))
    ann = broken(2)
    ann.payload = b"\x12\x05\x1a\x03Ann" + CUT_SHORT

    given.deliver(Received(messages=[ann], refusals=[Refusal(Stage.ENVELOPE, Fault.MALFORMED, b"Ann and more")]))

    expected = [hmac.new(KEY.encode(), b":" + data, hashlib.sha256).digest() for data in (ann.payload, b"Ann and more")]
    assert [data for data, _ in given.shelf.letters()] == expected
    lengths = [(headers["producer.length"], headers["producer.cut"]) for _, headers in given.shelf.letters()]
    assert lengths == [(str(len(ann.payload)), "bytes"), ("12", "bytes")]
    letters = [record for record in given.shelf.records if record.topic == "dead"]
    for record in letters:
        found = replay(read_letter(record.headers, record.value), ENCODER, payloads=Payloads.NONE)
        assert isinstance(found, NotReplayable)


def test_totals_name_their_giver_by_the_pseudonym_of_the_gifts() -> None:
    given = Given(viewers=Pseudonyms(KEY))
    fields: Fields = {2: 5655, 5: 3, 7: {1: 6_800_000_000_000_000_001, 38: "ann"}, 11: 9, 15: {11: 1, 12: 1}}

    gift = Envelope(method="WebcastGiftMessage", payload=write(fields), msg_id=5)
    given.deliver(Received(messages=[gift]))
    asyncio.run(given.pipeline.finish())

    values = {
        record.topic.split(".")[-2]: decode(record.topic.split(".")[-2], record.value[PREFIX_BYTES:])
        for record in given.shelf.records
    }
    total, message = values["gift_finalized"], values["gift"]
    assert total["user"] == message["user"]
    assert (
        total["streak_id"] == message["meta"]["streak_id"] == f"{Pseudonyms(KEY).number(6800000000000000001)}:5655:9:0"
    )
    assert "6800000000000000001" not in str(values)
    assert "ann" not in [total["user"]["uniqueId"], message["user"]["uniqueId"]]
