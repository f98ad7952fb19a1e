"""producer.letters: what an operator asks and sees."""

import pytest

from producer.delivery.dead_letters import Cut, Letter, LetterReason, MessageHead, Place, Sender
from producer.errors import StartRefused
from producer.letters import Filter, document, dump, moment, place, table

NOW = 1_700_000_000.0
ROOM = 7300000000000000001
COMMENT = Letter(
    LetterReason.PAYLOAD_MALFORMED,
    "producer.errors.MessageRefused",
    "WebcastChatMessage is not valid protobuf",
    b"\x1a\x10Hal",
    length=600_000,
    sender=Sender("ann", "worker-0", ROOM),
    received_at=1_700_000_000_123,
    message=MessageHead("WebcastChatMessage", 11, is_history=True, room_sequence=3),
    cut=frozenset({Cut.BYTES}),
)
RECORD = Letter(
    LetterReason.REFUSED_BY_BROKER,
    "builtins.ValueError",
    "too large",
    b"v",
    length=1,
    sender=Sender("bo", "worker-0", None),
    received_at=1_699_999_999_000,
    topic="t.comment.v1",
)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Filter(), True),
        (Filter(streamer="ann"), True),
        (Filter(streamer="bo"), False),
        (Filter(room_id=ROOM), True),
        (Filter(room_id=ROOM + 1), False),
        (Filter(method="WebcastChatMessage"), True),
        (Filter(method="ChatMessage"), True),
        (Filter(method="WebcastGiftMessage"), False),
        (Filter(reason=LetterReason.PAYLOAD_MALFORMED), True),
        (Filter(reason=LetterReason.REFUSED_BY_BROKER), False),
        (Filter(since=1_700_000_000_123), True),
        (Filter(since=1_700_000_000_124), False),
        (Filter(streamer="ann", reason=LetterReason.REFUSED_BY_BROKER), False),
    ],
    ids=str,
)
def test_a_letter_is_taken_if_all_of_a_filter_holds(wanted: Filter, taken: bool) -> None:
    assert wanted.takes(COMMENT) is taken


def test_a_letter_of_no_message_is_of_no_method() -> None:
    assert not Filter(method="WebcastChatMessage").takes(RECORD)
    assert Filter().takes(RECORD)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("90s", 1_699_999_910_000),
        ("30m", 1_699_998_200_000),
        ("2h", 1_699_992_800_000),
        ("1d", 1_699_913_600_000),
        ("999999999d", 0),
        ("2023-11-14T22:13:20", 1_700_000_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000_000),
        ("2023-11-14", 1_699_920_000_000),
    ],
)
def test_a_moment_is_read(text: str, at: int) -> None:
    assert moment(text, now=NOW) == at


@pytest.mark.parametrize("text", ["", "2", "2w", "-2h", "yesterday", "2023-13-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(StartRefused, match=r"neither how long ago \(30m, 2h, 1d\) nor an ISO time"):
        moment(text, now=NOW)


def test_a_place_is_read_as_it_is_written() -> None:
    assert place("3:1042") == Place(3, 1042)
    assert str(Place(3, 1042)) == "3:1042"


@pytest.mark.parametrize("text", ["", "3", "3:", ":5", "3:-1", "a:b", "3:5:7"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(StartRefused, match="write PARTITION:OFFSET"):
        place(text)


def test_the_table_has_a_line_a_letter() -> None:
    assert list(table([(Place(0, 7), RECORD), (Place(12, 1), COMMENT)])) == [
        "letter  received (UTC)       streamer  room                 method              reason             bytes",
        "0:7     2023-11-14 22:13:19  bo        -                    -                   refused_by_broker  1",
        "12:1    2023-11-14 22:13:20  ann       7300000000000000001  WebcastChatMessage  payload_malformed  600000",
    ]


def test_the_document_has_ids_as_texts() -> None:
    assert document(Place(12, 1), COMMENT) == {
        "partition": 12,
        "offset": 1,
        "received_at": "2023-11-14T22:13:20.123+00:00",
        "streamer": "ann",
        "room_id": "7300000000000000001",
        "worker": "worker-0",
        "stage": "payload",
        "reason": "payload_malformed",
        "problem": "WebcastChatMessage is not valid protobuf",
        "method": "WebcastChatMessage",
        "message_id": "11",
        "is_history": True,
        "event": None,
        "topic": None,
        "length": 600_000,
        "cut": ["bytes"],
    }
    assert document(Place(0, 7), RECORD)["method"] is None


def test_bytes_are_dumped_sixteen_a_row() -> None:
    assert list(dump(b"\x00\x1fHello, room! 1~\x7f\xff")) == [
        "00000000  00 1f 48 65 6c 6c 6f 2c 20 72 6f 6f 6d 21 20 31  ..Hello, room! 1",
        "00000010  7e 7f ff                                         ~..",
    ]
    assert list(dump(b"")) == []
