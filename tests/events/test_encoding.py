"""producer.events.encoding: prefixes byte by byte, and events read by Apache's own Avro library."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import pytest

from producer.errors import NotEncodable
from producer.events import records, schemas
from producer.events.encoding import Encoder, confluent_prefix, single_object_prefix
from producer.events.event import Event, Origin
from producer.events.life import (
    Found,
    connected,
    disconnected,
    gift_finalized,
    live_ended,
    live_started,
    room_stats,
    streamer,
)
from producer.events.mapping import to_event
from producer.events.schemas import Schema
from producer.events.streaks import EndedBy, Given, Source
from producer.webcast.wire import Envelope
from tests import published
from tests.events.decoding import without_logical_types
from tests.events.shapes import full
from tests.events.wire_writer import Fields, write

ROOT = Path(__file__).resolve().parents[2]
EVENTS = schemas.events()
IDS = {name: 258 + at for at, name in enumerate(sorted(EVENTS))}
ORIGIN = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
STARTED = replace(ORIGIN, started_at=1_699_999_000_000)
ROOM: records.RoomInfo = {
    "unique_id": "Ann.New",
    "nickname": "Ann 🌹",
    "title": "Hallo",
    "followers": 5_000_000_000,
    "viewers": 12,
    "visits": 345,
    "likes": None,
}
TOTALS = {
    "title": "Hallo",
    "viewers": 12,
    "total_viewers": 345,
    "visits": 400,
    "likes": 3_000_000_000,
    "shares": 7,
    "follows": None,
    "gifters": 0,
}
SENDER: Fields = {
    1: 6800000000000000001,
    3: "Ann 🌹",
    9: {1: ["https://p/100.webp", "https://p/1080.webp"]},
    22: {3: 2},
    38: "ann",
    64: [{3: 1, 21: {2: "pm_mt_moderator_im", 3: "Moderator"}}],
}


def encoder(*, schema_ids: dict[str, int] | None = None, max_bytes: int = 1_000_000) -> Encoder:
    return compiled(None if schema_ids is None else tuple(schema_ids.items()), max_bytes)


@cache
def compiled(schema_ids: tuple[tuple[str, int], ...] | None, max_bytes: int) -> Encoder:
    """An encoder compiles all schemas: one of each kind will do."""
    ids = None if schema_ids is None else dict(schema_ids)
    return Encoder(EVENTS, topic_prefix="tiktok.live", schema_ids=ids, max_bytes=max_bytes)


def mapped(method: str, fields: Fields) -> Event:
    envelope = Envelope(method=method, payload=write({1: {2: 11, 4: 1_699_999_999_123}, **fields}), msg_id=11)
    return to_event(envelope, ORIGIN, received_at=1_700_000_000_000, room_sequence=3)


GIFT = mapped("WebcastGiftMessage", {2: 5655, 7: SENDER, 15: {1: {1: ["https://p/x"]}, 11: 1, 12: 1}, 23: {6: 5, 8: 6}})
GIVING = {
    "user": GIFT.value["user"],
    "receiver_id": "6",
    "receiver_unique_id": None,
    "receiver_nickname": None,
    "gift_id": "5655",
    "gift_name": None,
    "gift_picture_url": "https://p/x",
    "gift_list_version": None,
}
WORTH = 3, Source.MESSAGE, 1
TIMES = 1_699_999_990_123, 1_699_999_999_123
GIVEN = Given("7:5655:100:6", 3, 5, (0, 5), *WORTH, EndedBy.REPEAT_END, (0, 2), *TIMES, 12, GIVING)
ONE_OF_EACH = [
    mapped("WebcastChatMessage", {2: SENDER, 3: "Hallo 👋"}),
    connected(STARTED, ROOM, at=1_700_000_000_000),
    disconnected(ORIGIN, "silence", at=1_700_000_000_000),
    mapped("WebcastSocialMessage", {2: SENDER, 4: 1}),
    GIFT,
    gift_finalized(GIVEN, ORIGIN, at=1_700_000_000_000),
    mapped("WebcastMemberMessage", {2: SENDER, 10: 1}),
    mapped("WebcastLikeMessage", {2: 15, 3: 3_000_000_000, 5: SENDER}),
    live_ended(STARTED, "room_status", at=1_700_000_000_000),
    live_started(STARTED, Found("api_live", "ann.new", ROOM), at=1_700_000_000_000),
    mapped("WebcastQuestionNewMessage", {2: {2: "Why?", 5: SENDER}}),
    mapped("WebcastSocialMessage", {2: SENDER, 4: 3}),
    streamer("ann", 7, [("team", "red")], worker="worker-0", at=1_700_000_000_000),
    mapped("WebcastNobodyKnows", {2: b"\x00\xff"}),
    room_stats(STARTED, TOTALS, at=1_700_000_000_000),
    mapped("WebcastControlMessage", {2: 1, 4: {8: "app_pause"}}),
    mapped("WebcastControlMessage", {2: 2}),
    mapped("WebcastRoomUserSeqMessage", {3: 120}),
    *(mapped(method, full(record)) for method, (_, record) in published.UNDOCUMENTED.items()),
]
EACH = pytest.mark.parametrize("event", ONE_OF_EACH, ids=[event.name for event in ONE_OF_EACH])


def crc_64_avro(text: str) -> int:
    """As the Avro specification writes it, section Schema Fingerprints."""
    empty = 0xC15D213AA4D7A795
    table = []
    for byte in range(256):
        fingerprint = byte
        for _ in range(8):
            fingerprint = (fingerprint >> 1) ^ (empty & -(fingerprint & 1))
        table.append(fingerprint)
    result = empty
    for byte in text.encode():
        result = (result >> 8) ^ table[(result ^ byte) & 0xFF]
    return result


# ---------------------------------------------------------------------------------------------------------- prefixes


@pytest.mark.parametrize(
    ("schema_id", "expected"),
    [(1, "00 00000001"), (258, "00 00000102"), (0xFFFFFFFF, "00 ffffffff"), (0, "00 00000000")],
)
def test_confluent_prefix_is_a_zero_byte_and_the_id_big_endian(schema_id: int, expected: str) -> None:
    prefix = confluent_prefix(schema_id)

    assert bytes.fromhex(expected) == prefix


def test_the_fingerprint_is_the_one_that_the_avro_specification_publishes() -> None:
    schema = Schema(record="Int", event="int", major="v1", text='"int"', parsed={"type": "int"})

    fingerprint = schema.fingerprint

    assert crc_64_avro('"int"') == 0x7275D51A3F395C8F
    assert bytes.fromhex("8f5c393f1ad57572") == fingerprint


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_single_object_prefix_is_the_marker_and_the_fingerprint_of_apaches_canonical_form(name: str) -> None:
    # Apache's Python makes {"type":"long"} of a long with a logical type; the specification and Apache's Java, "long".
    plain = json.dumps(without_logical_types(json.loads(EVENTS[name].text)))
    canonical = avro.schema.parse(plain).canonical_form

    prefix = single_object_prefix(EVENTS[name])

    assert b"\xc3\x01" + crc_64_avro(canonical).to_bytes(8, "little") == prefix


def test_no_two_events_share_a_fingerprint() -> None:
    fingerprints = {schema.fingerprint for schema in EVENTS.values()}

    assert len(fingerprints) == len(EVENTS) == len(published.EVENTS)


# ----------------------------------------------------------------------------------------------------------- records


def test_a_connect_event_byte_by_byte() -> None:
    event = connected(Origin(streamer="ann", room_id=5, worker="w"), None, at=64)

    record = encoder(schema_ids=dict.fromkeys(EVENTS, 258)).encode(event, key="ann")

    assert record.value == (
        b"\x00\x00\x00\x01\x02"  # magic, schema id
        b"\x0econnect"  # name
        b"\x00\x00"  # started_at, room are null
        b"\x02"  # meta is there
        b"\x1c5:connect:w:64"  # event_id
        b"\x06ann"  # streamer
        b"\x025"  # room_id
        b"\x00\x00\x00"  # message_id, method, created_at are null
        b"\x80\x01"  # received_at: 64 zigzag
        b"\x00"  # room_sequence
        b"\x00"  # is_history
        b"\x02w"  # worker
        b"\x00\x00\x00\x00\x00"  # streak_id, payload, text_repaired, streamer_id, connection are null
    )


@EACH
def test_a_records_topic_is_its_events_and_its_key_the_streamer(event: Event) -> None:
    record = encoder().encode(event, key="ann_🌹")

    assert record.topic == f"tiktok.live.{event.name}.v1"
    assert record.key == b"ann_\xf0\x9f\x8c\xb9"
    assert record.headers == ()


@EACH
def test_with_a_registry_the_prefix_names_its_id_and_without_one_the_schema(event: Event) -> None:
    registered = encoder(schema_ids=IDS).encode(event, key="ann").value
    alone = encoder().encode(event, key="ann").value

    assert registered[:5] == b"\x00" + IDS[event.name].to_bytes(4, "big")
    assert alone[:10] == single_object_prefix(EVENTS[event.name])
    assert registered[5:] == alone[10:]


@EACH
def test_apaches_avro_library_reads_each_kind_of_event_with_the_published_schema(event: Event) -> None:
    schema = avro.schema.parse(EVENTS[event.name].text)
    stream = io.BytesIO(encoder().encode(event, key="ann").value[10:])

    read = avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(stream))

    assert stream.read() == b""
    assert event.value == _with_times_in_ms(read)


def _with_times_in_ms(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _with_times_in_ms(each) for key, each in node.items()}
    if isinstance(node, datetime):
        return round((node - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    return node


def test_one_of_each_event_is_tried() -> None:
    names = [event.name for event in ONE_OF_EACH]

    assert sorted(names) == sorted(EVENTS)


# ---------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("schema_ids", [None, IDS], ids=["single object", "confluent"])
def test_a_record_of_just_the_largest_size_is_encoded_and_one_byte_more_is_refused(
    schema_ids: dict[str, int] | None,
) -> None:
    event = mapped("WebcastNobodyKnows", {2: b"x" * 5_000})
    size = len(encoder(schema_ids=schema_ids).encode(event, key="ann").value)

    record = encoder(schema_ids=schema_ids, max_bytes=size).encode(event, key="ann")
    with pytest.raises(NotEncodable, match=f"{size} bytes"):
        encoder(schema_ids=schema_ids, max_bytes=size - 1).encode(event, key="ann")

    assert len(record.value) == size


def test_a_record_of_more_than_a_megabyte_is_refused_unless_told_otherwise() -> None:
    event = mapped("WebcastRoomMessage", {2: b"x" * 510_000})  # in the record twice: its text, and its bytes

    with pytest.raises(NotEncodable):
        encoder().encode(event, key="ann")


def test_an_event_without_a_schema_is_refused_by_name() -> None:
    with pytest.raises(NotEncodable, match="'nothing'"):
        encoder().encode(Event("nothing", {}), key="ann")


def test_a_value_of_another_event_is_refused() -> None:
    comment = mapped("WebcastChatMessage", {2: SENDER})

    with pytest.raises(NotEncodable, match="write_LikeEvent"):
        encoder().encode(Event("like", comment.value), key="ann")


def test_a_registry_that_lacks_an_id_is_noticed_when_the_encoder_is_made() -> None:
    with pytest.raises(KeyError, match="gift"):
        encoder(schema_ids={name: 1 for name in EVENTS if name != "gift"})


# ----------------------------------------------------------------------------------------------------------- schemas


def test_events_are_the_documented_ones_ours_and_one_for_each_further_kind_by_their_names() -> None:
    found = {name: schema.record for name, schema in EVENTS.items()}

    assert found == published.EVENTS
    assert (len(published.DOCUMENTED), len(published.UNDOCUMENTED)) == (12, 58)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_the_published_text_is_self_contained_keeps_its_docs_and_carries_nothing_of_fastavros(name: str) -> None:
    text = EVENTS[name].text

    parsed = json.loads(text)

    assert parsed == EVENTS[name].parsed
    assert parsed["name"] == f"tiktok.live.v1.{EVENTS[name].record}"
    assert all("doc" in field for field in parsed["fields"])
    assert "__fastavro" not in text
    assert '"logicalType":"timestamp-millis"' in text


def test_the_published_text_is_the_same_in_every_process() -> None:
    print_texts = "from producer.events import schemas; print([each.text for each in schemas.events().values()])"
    here = f"{[schema.text for schema in EVENTS.values()]}\n"

    there = [
        subprocess.run(
            [sys.executable, "-c", print_texts],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout.decode()
        for seed in ("1", "2", "3")
    ]

    assert there == [here] * 3
