"""What strangers send: any payload is an event or MessageRefused, and any event is a record or NotEncodable."""

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producer.errors import MessageRefused, NotEncodable
from producer.events.event import Origin
from producer.events.mapping import METHODS, kind_of, to_event
from producer.webcast.wire import Envelope
from tests.events.decoding import encode_and_decode
from tests.events.shapes import PERSON, SHAPES, full
from tests.events.wire_writer import Field, Fields, write
from tests.published import UNDOCUMENTED
from tests.recipes import Recipe, fuzz, spoilt, wire_form

STEADY = settings(
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    max_examples=max(60, int(os.environ.get("FUZZ_EXAMPLES", "0")) // 200),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no finding
)
"""Drawn field by field, for each kind of message: one takes as long as two hundred of tests/recipes.py, by which each
reader has as many as FUZZ_EXAMPLES says."""
STEADY_OVER_ALL_KINDS = settings(STEADY, max_examples=max(600, STEADY.max_examples))
"""For a test whose examples are spread over the further kinds."""
ORIGIN = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
# One message that has something in every field that some documented kind reads.
FULL = write(
    {
        1: {1: "m", 2: 11, 4: 1_699_999_999_123, 8: {1: "live_room_enter_toast", 2: "{0:user} joined"}},
        2: PERSON,
        3: "hi",
        18: {5: 1},
    }
)
FULL_GIFT = write(
    {
        1: {1: "m", 2: 11, 4: 1_699_999_999_123},
        2: 5655,
        5: 8,
        7: PERSON,
        9: 1,
        15: {1: {1: ["https://p/1"]}, 2: "Sent Rose", 11: 1, 12: 21, 16: "Rose"},
        23: {6: 31, 8: 33},
        32: {5: 1},
    }
)

DOCUMENTED = sorted(METHODS - UNDOCUMENTED.keys())
FURTHER = sorted(UNDOCUMENTED)
KINDS = [*DOCUMENTED, *FURTHER, "WebcastNobodyKnows"]

FIELD_NUMBERS = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 15, 16, 18, 21, 22, 23, 32, 38, 64, 9999])
LEAVES: st.SearchStrategy[Field] = st.one_of(
    st.sampled_from([0, 1, 3, 2**31, 2**32 + 3, 2**63 - 1, 2**63, 2**64 - 1, 1_699_999_999_123]),
    st.integers(0, 2**64 - 1),
    st.sampled_from(["live_room_enter_toast", "pm_main_follow_message_viewer_2", "pm_mt_guidance_share", "", "🌹"]),
    st.text(max_size=10),
    st.binary(max_size=10),
)
MESSAGES: st.SearchStrategy[Field] = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(FIELD_NUMBERS, st.one_of(inner, st.lists(inner, max_size=3)), max_size=5),
    max_leaves=20,
)
FORMLESS: st.SearchStrategy[Fields] = st.dictionaries(FIELD_NUMBERS, MESSAGES, max_size=8)


def some(fields: dict[int, st.SearchStrategy[Field]]) -> st.SearchStrategy[Fields]:
    """A message with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


TEXTS = st.text(max_size=5)
ACTIONS = st.sampled_from([0, 1, 2, 3, 4, 5, 2**32 + 3])
BADGES = some({3: ACTIONS, 21: some({2: TEXTS | st.just("pm_mt_moderator_im"), 3: TEXTS})})
USERS = some(
    {
        1: LEAVES,
        3: TEXTS,
        9: some({1: st.lists(TEXTS, max_size=3)}),
        22: some({3: ACTIONS}),
        32: some({2: ACTIONS}),
        38: TEXTS,
        64: st.lists(BADGES, max_size=3),
    }
)
KEYS = st.sampled_from(
    ["live_room_enter_toast", "pm_main_follow_message_viewer_2", "pm_mt_guidance_share", "x_5_share"]
)
COMMONS = st.one_of(
    some({8: KEYS.map(lambda key: {1: key})}), some({2: LEAVES, 4: LEAVES, 8: some({1: KEYS, 2: TEXTS})})
)
GIFTS = some({1: some({1: st.lists(TEXTS, max_size=3)}), 2: TEXTS, 11: ACTIONS, 12: LEAVES, 16: TEXTS, 5: USERS})
# The shapes of the documented kinds laid over each other; a field of the wrong shape is the exception here.
SHAPED = some(
    {
        1: COMMONS,
        2: st.one_of(ACTIONS, USERS, GIFTS),
        3: st.one_of(TEXTS, ACTIONS),
        4: ACTIONS,
        5: st.one_of(USERS, ACTIONS),
        7: USERS,
        9: ACTIONS,
        10: ACTIONS,
        15: GIFTS,
        18: some({5: ACTIONS}),
        23: some({6: LEAVES, 8: LEAVES}),
        32: some({5: ACTIONS}),
    }
)


def shaped(record: str) -> st.SearchStrategy[Fields]:
    """Some of the fields of a record, most of them of the right kind."""
    fields: dict[int, st.SearchStrategy[Field]] = {1: COMMONS}
    for place, kind in SHAPES[record].values():
        if isinstance(place, int):
            fields[place] = _field(kind)
        else:
            fields[place[0]] = COMMONS | some({4: LEAVES, place[1]: _field(kind)})
    return some(fields)


def _field(kind: str) -> st.SearchStrategy[Any]:
    match kind.strip("[]"):
        case "number" | "numbers" | "number as text" | "numbers as texts" | "flag":
            return ACTIONS | LEAVES | st.lists(LEAVES, max_size=3)
        case "text" | "texts":
            return st.lists(TEXTS, max_size=3) | LEAVES
        case "User":
            return USERS | LEAVES
        case record:
            return st.deferred(lambda: st.lists(shaped(record), max_size=2) | LEAVES)


PINNED = some(dict.fromkeys(range(2, 7), SHAPED))
FURTHER_FORMS = {
    method: st.builds(lambda own, pinned: {**own, **pinned}, shaped(record), PINNED)
    if event == "room_pin"
    else shaped(record)
    for method, (event, record) in UNDOCUMENTED.items()
}
FURTHER_SHAPED = st.sampled_from(FURTHER).flatmap(lambda method: st.tuples(st.just(method), FURTHER_FORMS[method]))
FURTHER_FULL = {
    method: write({1: {2: 11, 8: full("Text")}, **full(record)}) for method, (_, record) in UNDOCUMENTED.items()
}


def deliver(method: str, payload: bytes, *, msg_id: int = 0) -> str:
    """Take a payload all the way; return the event's name, or why it went no further."""
    envelope = Envelope(method=method, payload=payload, msg_id=msg_id)
    try:
        event = to_event(envelope, ORIGIN, received_at=1_700_000_000_000, room_sequence=1)
    except MessageRefused:
        return "refused"
    try:
        arrived = encode_and_decode(event)
    except NotEncodable:
        return "not encodable"
    assert event.value == arrived
    assert arrived["name"] == event.name
    if event.name == "unknown":
        assert (arrived["method"], arrived["payload"]) == (method, payload)
    return event.name


def test_any_payload_of_any_kind_is_an_event_or_refused() -> None:
    ends: Counter[str] = Counter()

    def check(recipe: Recipe) -> None:
        method = recipe.of(KINDS)
        whole = FURTHER_FULL.get(method, FULL_GIFT if method == "WebcastGiftMessage" else FULL)
        payload = recipe.of((whole, wire_form(recipe), wire_form(recipe) + whole))
        end = deliver(method, spoilt(recipe, payload), msg_id=recipe.number(2))
        assert end != "not encodable"
        ends[end] += 1

    fuzz(check)

    assert ends.keys() >= {"refused", "unknown", "gift", "comment", *(event for event, _ in UNDOCUMENTED.values())}


@pytest.mark.parametrize("method", DOCUMENTED)
def test_arbitrary_bytes_are_an_event_or_refused(method: str) -> None:
    @STEADY
    @given(st.binary(max_size=200))
    def check(payload: bytes) -> None:
        assert deliver(method, payload) != "not encodable"

    check()


@pytest.mark.parametrize("method", DOCUMENTED)
@pytest.mark.parametrize("messages", [FORMLESS, SHAPED], ids=["formless", "shaped"])
def test_valid_protobuf_of_any_fields_is_an_event_or_refused(method: str, messages: st.SearchStrategy[Fields]) -> None:
    @STEADY
    @given(messages, st.integers(-(2**63), 2**63 - 1))
    def check(fields: Fields, msg_id: int) -> None:
        assert deliver(method, write(fields), msg_id=msg_id) != "not encodable"

    check()


@pytest.mark.parametrize("method", DOCUMENTED)
@pytest.mark.parametrize("full", [FULL, FULL_GIFT], ids=["full", "full gift"])
def test_a_spoilt_message_is_an_event_or_refused(method: str, full: bytes) -> None:
    @STEADY
    @given(st.integers(0, len(full) - 1), st.integers(0, 20), st.binary(max_size=20))
    def check(at: int, cut: int, put: bytes) -> None:
        assert deliver(method, full[:at] + put + full[at + cut :]) != "not encodable"

    check()


@STEADY_OVER_ALL_KINDS
@given(st.sampled_from(FURTHER), st.binary(max_size=200))
def test_arbitrary_bytes_of_a_further_kind_are_its_event_or_refused(method: str, payload: bytes) -> None:
    assert deliver(method, payload) in (UNDOCUMENTED[method][0], "refused")


@STEADY_OVER_ALL_KINDS
@given(st.sampled_from(FURTHER), FORMLESS | SHAPED, st.integers(-(2**63), 2**63 - 1))
def test_valid_protobuf_of_any_fields_is_a_further_kinds_event_or_refused(
    method: str, fields: Fields, msg_id: int
) -> None:
    assert deliver(method, write(fields), msg_id=msg_id) in (UNDOCUMENTED[method][0], "refused")


@STEADY_OVER_ALL_KINDS
@given(FURTHER_SHAPED)
def test_the_shape_of_a_further_kind_filled_with_anything_is_its_event_or_refused(found: tuple[str, Fields]) -> None:
    method, fields = found

    assert deliver(method, write(fields)) in (UNDOCUMENTED[method][0], "refused")


@STEADY_OVER_ALL_KINDS
@given(st.sampled_from(FURTHER), st.floats(0, 1, exclude_max=True), st.integers(0, 20), st.binary(max_size=20))
def test_a_spoilt_message_of_a_further_kind_is_its_event_or_refused(
    method: str, place: float, cut: int, put: bytes
) -> None:
    whole = FURTHER_FULL[method]
    at = int(place * len(whole))

    assert deliver(method, whole[:at] + put + whole[at + cut :]) in (UNDOCUMENTED[method][0], "refused")


@pytest.mark.parametrize("method", FURTHER)
def test_a_full_message_of_a_further_kind_is_its_event(method: str) -> None:
    assert deliver(method, FURTHER_FULL[method]) == UNDOCUMENTED[method][0]


@STEADY
@given(st.text(max_size=30).filter(lambda method: kind_of(method) is None), st.binary(max_size=200))
def test_arbitrary_bytes_of_any_other_kind_are_unknown_and_kept(method: str, payload: bytes) -> None:
    name = deliver(method, payload)

    assert name == "unknown"


@STEADY
@given(st.text(max_size=30).filter(lambda method: kind_of(method) is None), FORMLESS)
def test_valid_protobuf_of_any_other_kind_is_unknown_and_kept(method: str, fields: Fields) -> None:
    name = deliver(method, write(fields))

    assert name == "unknown"


@pytest.mark.parametrize("method", DOCUMENTED)
@pytest.mark.parametrize("full", [FULL, FULL_GIFT], ids=["full", "full gift"])
def test_a_message_cut_at_any_byte_is_an_event_or_refused(method: str, full: bytes) -> None:
    ends = {deliver(method, full[:size]) for size in range(len(full))}

    assert "not encodable" not in ends
    assert "refused" in ends


@pytest.mark.parametrize(
    ("method", "fields", "end"),
    [
        ("WebcastChatMessage", {3: "x" * 524_284}, "comment"),
        ("WebcastChatMessage", {3: "x" * 524_285}, "refused"),
        ("WebcastNobodyKnows", {2: "x" * 524_284}, "unknown"),
        ("WebcastNobodyKnows", {2: "x" * 524_285}, "refused"),
        ("WebcastRoomMessage", {2: "x" * 510_000}, "not encodable"),
        ("WebcastChatMessage", {2: {64: [{21: {2: "badge" * 30}}] * 1_600}}, "comment"),
        ("WebcastImDeleteMessage", {2: [2**63 - 1] * 40_000}, "im_delete"),
        ("WebcastLinkMessage", {20: {2: [{5: "x" * 20}] * 2_000}}, "link"),
        ("WebcastLinkMessage", {20: {2: [{5: "x" * 20}] * 6_000}}, "refused"),
        ("WebcastNobodyKnows", {2: [{5: "x" * 20}] * 6_000}, "unknown"),
        ("WebcastChatMessage", {9999: "x" * 510_000}, "comment"),
    ],
    ids=[
        "512 KiB",
        "more",
        "512 KiB of an unknown kind",
        "more of it",
        "record of more than a megabyte",
        "badges",
        "ids",
        "users",
        "more users",
        "many fields of an unknown kind",
        "field that is not read",
    ],
)
def test_a_message_is_an_event_up_to_the_bounds_of_its_bytes_fields_and_record(
    method: str, fields: Fields, end: str
) -> None:
    found = deliver(method, write(fields))

    assert end == found
