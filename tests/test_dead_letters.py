"""producer.dead_letters: what a letter says, and how many a room may send."""

from producer.dead_letters import Cap, Sender, of_record, of_refusal
from producer.events.encoding import Record
from producer.webcast.frames import Fault, Refusal, Stage

SENDER = Sender("someone", 7_300_000_000_000_000_001, "worker-1")
REFUSAL = Refusal(Stage.PAYLOAD, Fault.MALFORMED, b"\x0a\x05cut", "WebcastChatMessage", 42, is_history=True)


def letter(refusal: Refusal = REFUSAL, detail: str = "") -> Record:
    return of_refusal(
        refusal, SENDER, topic="t.dlq.v1", received_at=1_790_000_000_123, stage="payload", reason="malformed",
        detail=detail,
    )  # fmt: skip


def test_a_letter_has_the_bytes_and_what_is_known_of_them() -> None:
    subject = letter()

    assert (subject.topic, subject.key, subject.value) == ("t.dlq.v1", b"someone", b"\x0a\x05cut")
    assert dict(subject.headers) == {
        "__connect.errors.connector.name": b"tiktok-live-producer",
        "__connect.errors.task.id": b"worker-1",
        "__connect.errors.stage": b"PAYLOAD",
        "__connect.errors.exception.class.name": b"MessageRefused",
        "__connect.errors.exception.message": b"payload: malformed",
        "tiktok.reason": b"malformed",
        "tiktok.streamer": b"someone",
        "tiktok.room_id": b"7300000000000000001",
        "tiktok.message_id": b"42",
        "tiktok.method": b"WebcastChatMessage",
        "tiktok.received_at": b"1790000000123",
        "tiktok.history": b"true",
        "tiktok.length": b"5",
    }


def test_a_long_letter_is_cut_and_says_how_long_it_was() -> None:
    subject = letter(Refusal(Stage.FRAME, Fault.TOO_LARGE, b"x" * 600_000, method="m" * 10_000), detail="d" * 10_000)

    assert len(subject.value) == 524_288
    assert dict(subject.headers)["tiktok.length"] == b"600000"
    assert all(len(value) <= 500 for _, value in subject.headers)


def test_what_strangers_put_into_a_name_does_not_break_a_header() -> None:
    assert dict(letter(Refusal(Stage.FRAME, Fault.MALFORMED, b"", "\ud800")).headers)["tiktok.method"] == b"?"


def test_a_record_that_brokers_refuse_says_where_it_should_have_gone() -> None:
    record = Record("t.comment.v1", b"someone", b"avro", (("h", b"v"),))

    subject = of_record(record, "message_too_large", topic="t.dlq.v1", worker="worker-1")
    said = dict(subject.headers)

    assert (subject.topic, subject.key, subject.value) == ("t.dlq.v1", b"someone", b"avro")
    assert said["__connect.errors.topic"] == b"t.comment.v1"
    assert said["__connect.errors.exception.message"] == b"message_too_large"
    assert said["tiktok.reason"] == b"refused_by_broker"


def test_a_letter_that_brokers_refuse_is_halved_until_they_do_not() -> None:
    subject = letter(Refusal(Stage.FRAME, Fault.TOO_LARGE, b"0123456789"))

    halved = of_record(subject, "message_too_large", topic="t.dlq.v1", worker="w")
    nothing = of_record(Record("t.dlq.v1", b"k", b"x"), "message_too_large", topic="t.dlq.v1", worker="w")

    assert (halved.value, halved.headers) == (b"01234", subject.headers)
    assert nothing.value == b""


def test_a_room_sends_so_many_letters_a_minute_and_saves_no_more_than_that() -> None:
    cap = Cap(60)

    at_once = [cap.allows(1000.0) for _ in range(61)]
    soon = [cap.allows(1002.0) for _ in range(3)]
    much_later = sum(cap.allows(9000.0) for _ in range(100))

    assert at_once == [True] * 60 + [False]
    assert soon == [True, True, False]
    assert much_later == 60
    assert cap.capped == 1 + 1 + 40


def test_a_clock_that_jumps_back_gives_nothing() -> None:
    cap = Cap(1)

    assert [cap.allows(at) for at in (1000.0, 10.0, 1000.0)] == [True, False, True]


def test_no_cap_lets_everything_through() -> None:
    assert all(Cap(0).allows(1000.0) for _ in range(1000))
