"""producer.webcast.wire.reading: counted against messages written field by field, and against what protobuf parses."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from producer.webcast import wire
from producer.webcast.wire import TooManyFields, reader
from producer.webcast.wire.reading import MOST_FIELDS
from tests.events.twins import with_bytes
from tests.events.wire_writer import Fields, varint, write
from tests.recipes import Recipe, fuzz, spoilt, wire_form

EMPTY: Fields = {}
RANKS = reader(wire.kinds.RankUpdateMessage)
CHAT = reader(wire.ChatMessage)
POLL = reader(wire.kinds.PollMessage)
LOOK_CLOSER = write({99: b"\n\x12\x22\x82" * MOST_FIELDS})
"""One field, with so many bytes in it with which a list's entry could begin that fields are counted."""


@pytest.mark.parametrize("most", [MOST_FIELDS, 7_000])
def test_as_many_fields_are_read_as_may_be_and_not_one_more(most: int) -> None:
    read = reader(wire.kinds.RankUpdateMessage, most_fields=most)

    assert len(read(write({2: [EMPTY] * most}))[0].updates) == most
    with pytest.raises(TooManyFields, match=f"more than {most} fields"):
        read(write({2: [EMPTY] * (most + 1)}))


@pytest.mark.parametrize(
    ("read", "fields"),
    [
        (CHAT, {2: {64: [EMPTY] * 4_998}}),
        (POLL, {4: {3: [{4: [EMPTY] * 9}] * 499, 4: [EMPTY] * 8}}),
        (RANKS, {2: [EMPTY] * 100, 1: {8: {4: [EMPTY] * 4_897}}}),
        (CHAT, {2: {9: {1: [""] * 4_997}}}),
        (CHAT, {77: [1, 2, 3] * 1_666, 78: 1}),
    ],
    ids=["badges of a user", "lists in a list", "pieces of a text after others", "empty texts", "unknown numbers"],
)
def test_fields_count_however_deep_they_lie(read: Callable[[bytes], object], fields: Fields) -> None:
    """Each has 4,999 of them, and the look-closer is one more."""
    payload = LOOK_CLOSER + write(fields)

    read(payload)
    with pytest.raises(TooManyFields):
        read(payload + write({77: 1}))


def test_a_tag_that_is_filled_up_with_zeros_is_the_same_tag() -> None:
    entry = b"\x92\x80\x80\x80\x00" + b"\x80\x80\x00"  # field 2, length 0
    assert len(RANKS(entry * 3)[0].updates) == 3

    with pytest.raises(TooManyFields):
        RANKS(entry * (MOST_FIELDS + 1))


def test_what_an_unknown_group_holds_is_none_of_our_fields() -> None:
    inside = write({2: b"\xff"})  # of our kind it would be a message that is cut

    found, _ = RANKS(LOOK_CLOSER + b"\x7b" + inside + b"\x7c" + write({3: 7, 2: EMPTY}))

    assert (found.group_type, len(found.updates)) == (7, 1)


def test_a_long_text_is_one_field_whatever_bytes_are_in_it() -> None:
    text = "\n\x12\x1a*" * 5_000

    assert CHAT(write({3: text}))[0].content == text


def test_a_number_of_a_fixed_length_is_one_field() -> None:
    both = b"\x99\x06" + b"\xff" * 8 + b"\x9d\x06" + b"\xff" * 4  # fields 99, of 64 bits and of 32
    payload = LOOK_CLOSER + both * 2_499 + write({77: 1})

    CHAT(payload)
    with pytest.raises(TooManyFields):
        CHAT(payload + write({77: 1}))


def test_what_cannot_repeat_is_not_counted() -> None:
    payload = write({2: [7] * 200_000})

    assert len(reader(wire.AnyMessage)(payload)[0].SerializeToString()) == len(payload)


@pytest.mark.parametrize(
    "tail",
    [
        b"\x12",
        b"\x12\x05abc",
        b"\x10\xff",
        b"\x10" + b"\xff" * 10,
        b"\xff" * 11,
        b"\x17",
        b"\x14",
        b"\x12\x04\x12\x06ab" + b"cdef",
        b"\x11" + b"x" * 7,
        b"\x15" + b"x" * 3,
    ],
    ids=[
        "no length",
        "cut text",
        "cut number",
        "long number",
        "endless tag",
        "no wire type",
        "end of no group",
        "longer than what it is in",
        "cut 64 bits",
        "cut 32 bits",
    ],
)
def test_what_cannot_be_followed_is_malformed_and_not_parsed(tail: bytes) -> None:
    with pytest.raises(DecodeError, match=r"^a (field|number) ") as refused:
        RANKS(LOOK_CLOSER + tail)

    assert not isinstance(refused.value, TooManyFields)


# ------------------------------------------------------------------------------------------- any bytes, whatever kind

KINDS: tuple[type[Message], ...] = (
    wire.ChatMessage,
    wire.FetchResult,
    wire.GiftMessage,
    wire.PushFrame,
    wire.kinds.ImDeleteMessage,
    wire.kinds.LinkMicBattle,
    wire.kinds.RankUpdateMessage,
)
MOST = 8
"""So few that what recipes make is on both sides of it."""
READERS = {kind: reader(kind, most_fields=MOST) for kind in KINDS}


TWINS = with_bytes(KINDS)


def test_any_bytes_are_what_protobuf_makes_of_them_with_text_repaired_or_too_many_fields() -> None:
    ends: Counter[str] = Counter()

    def check(recipe: Recipe) -> None:
        kind = recipe.of(KINDS)
        data = spoilt(recipe, wire_form(recipe))
        try:
            expected: Message | None = TWINS[kind].FromString(data)
        except DecodeError:
            expected = None
        try:
            found, is_mended = READERS[kind](data)
        except TooManyFields:
            ends["too many"] += 1
            assert len(data) > MOST  # a group's beginning is a field of one byte
        except DecodeError:
            ends["malformed"] += 1
            assert expected is None
        else:
            ends["mended" if is_mended else "read"] += 1
            assert expected is not None
            texts: list[bytes] = []
            assert _plain(found) == _plain(expected, found, texts)
            # A text that another takes the place of later in the message counts too.
            assert is_mended >= any(not _is_utf8(text) for text in texts)
            assert is_mended == _is_refused(kind, data)
            assert _entries(found) <= MOST

    fuzz(check)

    assert min(ends.values()) * 100 > ends.total(), ends


def _plain(message: Message, texts_as: Message | None = None, texts: list[bytes] | None = None) -> dict[str, Any]:
    """A message's fields; where `texts_as` has a text, bytes become one, and are added to `texts`."""
    plain: dict[str, Any] = {}
    kind = (texts_as or message).DESCRIPTOR
    for field, value in message.ListFields():
        is_text = kind.fields_by_name[field.name].type == field.TYPE_STRING
        like: Any = kind.fields_by_name[field.name].message_type
        if like is not None and like.GetOptions().map_entry:  # two keys may become one
            if texts is not None:
                texts += (text for each in value for _, text in each.ListFields())
            continue
        values = list(value) if field.is_repeated else [value]
        if isinstance(values[0], Message):
            plain[field.name] = [_plain(each, GetMessageClass(like)(), texts) for each in values]
        elif is_text and texts_as is not None and texts is not None:
            texts += values
            plain[field.name] = [each.decode("utf-8", "replace") for each in values]
        else:
            plain[field.name] = values
    return plain


def _is_refused(kind: type[Message], data: bytes) -> bool:
    try:
        kind.FromString(data)
    except DecodeError:
        return True
    return False


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _entries(message: Message) -> int:
    """How many entries protobuf found in lists, at any depth."""
    count = 0
    for field, value in message.ListFields():
        values = list(value.values() if hasattr(value, "values") else value) if field.is_repeated else [value]
        long = field.is_repeated and field.cpp_type not in (field.CPPTYPE_INT64, field.CPPTYPE_INT32)
        count += len(values) if long else 0
        count += sum(_entries(each) for each in values if isinstance(each, Message))
    return count


def test_the_writer_of_these_tests_writes_what_protobuf_writes() -> None:
    assert varint(300) == b"\xac\x02"
    assert write({2: [EMPTY] * 2}) == wire.kinds.RankUpdateMessage(updates=[{}, {}]).SerializeToString()
