"""docs/coverage.md: current, and honest. Skips where the captured messages are not beside this checkout."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from producer.events.event import Origin, Payloads
from producer.events.mapping import METHODS, to_event
from producer.webcast.wire import Envelope
from tests.events.wire_reader import read
from tests.events.wire_writer import varint
from tests.published import NOT_CAPTURED, UNDOCUMENTED
from tools import coverage
from tools.understood import Plan

CAPTURES_ARE_HERE = pytest.mark.skipif(
    not coverage.CAPTURES.exists(), reason="../shared/captures is absent: no real messages here"
)

ORIGIN = Origin(streamer="someone", room_id=1, worker="worker-0", payloads=Payloads.NONE)
Path = tuple[int, ...]

EXCEPT: dict[str, set[Path]] = {
    "WebcastGiftMessage": {(15, 1, 1)},
    "WebcastRoomPinMessage": {(4, 15, 1, 1)},
}
"""URLs of a gift's picture: the documented type has the last alone, and only its bytes count."""


@CAPTURES_ARE_HERE
def test_the_page_is_current() -> None:
    assert (coverage.ROOT / coverage.PAGE).read_text("utf-8") == coverage.page(), "run `python -m tools.coverage`"


@CAPTURES_ARE_HERE
def test_every_field_that_one_in_twenty_messages_has_is_in_the_record_or_has_its_reason() -> None:
    unsaid = {
        f"{method} {'.'.join(map(str, place))}"
        for method, account in coverage.accounts().items()
        for place, messages in account.rest.items()
        if messages / account.messages >= 0.05
    }

    assert unsaid == set()


@CAPTURES_ARE_HERE
def test_at_most_a_tenth_of_the_bytes_is_not_understood_over_all_and_of_each_documented_kind() -> None:
    accounts = coverage.accounts()
    documented = [accounts[method] for method in accounts.keys() - UNDOCUMENTED.keys()]

    assert len(documented) == 8
    assert [account for account in documented if account.not_understood > account.size / 10] == []
    assert sum(account.not_understood for account in accounts.values()) <= 3_460_733 / 10
    assert sum(account.size for account in accounts.values()) == 3_460_733


@CAPTURES_ARE_HERE
def test_every_byte_is_in_one_of_the_sums() -> None:
    for account in coverage.accounts().values():
        assert account.understood >= 0
        assert account.left.total() + account.understood <= account.size
        assert account.left.total() + account.understood >= account.size - 6 * account.messages, "but a rare field"


def messages() -> dict[str, bytes]:
    """Of each kind, the captured message with the most different fields."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for method, payload in coverage.captured():
        found[method].append(payload)
    return {
        method: max(each, key=lambda payload: (len(read(payload)), -len(payload))) for method, each in found.items()
    }


def published(method: str, payload: bytes) -> tuple[str, Any]:
    """The event's name, and its value without the bytes of an unknown one."""
    event = to_event(Envelope(method=method, payload=payload), ORIGIN, received_at=1_703_000_000_000, room_sequence=1)
    return event.name, {field: content for field, content in event.value.items() if field != "payload"}


def leaves(data: bytes, plan: Plan, path: Path = ()) -> Iterator[tuple[Path, bool, bytes]]:
    """Each value: its path, whether the plan counts it, and the message without it."""
    at = 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at)
        number, body = tag >> 3, at
        if tag & 7 == 0:
            _, at = _varint(data, at)
        else:
            size, body = _varint(data, at)
            at = body + size
        inner = plan.get(number)
        if inner:
            for place, counted, changed in leaves(data[body:at], inner, (*path, number)):
                whole = varint(tag) + varint(len(changed)) + changed
                yield place, counted, data[:start] + whole + data[at:]
        else:
            yield (*path, number), number in plan, data[:start] + data[at:]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


CAPTURED = sorted(METHODS - NOT_CAPTURED)


@CAPTURES_ARE_HERE
@pytest.mark.parametrize("method", CAPTURED)
def test_what_counts_changes_the_event_when_it_is_taken_away_and_what_does_not_count_does_not(method: str) -> None:
    payload = messages()[method]
    event = published(method, payload)

    wrong = {
        path
        for path, counted, without in leaves(payload, coverage.plan(method, event[0]))
        # The method is in `meta`, but from the envelope.
        if path not in {(1, 1), (2, 1, 1), (4, 1, 1)}
        if (published(method, without) != event) is not counted
    }

    assert wrong - EXCEPT.get(method, set()) == set()


def test_bytes_are_counted_with_their_tags_and_lengths() -> None:
    chat = b"\x0a\x04\x10\x05\x18\x07" + b"\x12\x05\x08\x05\xf2\x02\x00" + b"\x1a\x02hi" + b"\x22\x01x"

    counted = coverage.understood("WebcastChatMessage", chat, "comment")

    # common with its id, but not the room; the user's id and second id; the comment; nothing of field 4
    assert counted == (2 + 2) + (2 + 2 + 3) + 4


def test_of_a_message_that_is_no_documented_event_only_the_meta_counts() -> None:
    assert coverage.understood("WebcastSocialMessage", b"\x0a\x02\x10\x05\x20\x02", "unknown") == 4
