"""What comes through a room's socket: any bytes are values or refused, stage by stage, and taken whole."""

import gzip
import zlib
from collections import Counter
from unittest.mock import patch

import pytest
from isal import isal_zlib

from producer.errors import FailedRoomPolling, Fault
from producer.webcast import frames
from producer.webcast.frames import FrameRefused, Limits, Stage
from producer.webcast.protocol import Protocol, RecentIds
from tests.recipes import Recipe, fuzz, push_frame, spoilt

FAULTS = {
    Stage.FRAME: {Fault.MALFORMED},
    Stage.DECOMPRESS: {Fault.MALFORMED, Fault.TOO_LARGE, Fault.UNKNOWN_COMPRESSION},
    Stage.BATCH: {Fault.MALFORMED, Fault.TOO_LARGE, Fault.TOO_MANY},
}
"""What any bytes can be refused for, as small as they are here."""
GZIP_OF_ZEROS = gzip.compress(bytes(1_000), mtime=0)
SMALL = Limits(batch_bytes=200, ratio=3, ratio_free_bytes=100, messages=2)


def test_any_bytes_are_a_value_at_each_stage_or_refused_there() -> None:
    ends: Counter[str] = Counter()

    def check(recipe: Recipe) -> None:
        try:
            found = frames.read_frame(push_frame(recipe))
            payload = frames.unpack(found, SMALL)
            batch = frames.parse_batch(payload, SMALL)
        except FrameRefused as refused:
            assert refused.fault in FAULTS[refused.stage]
            ends[refused.stage] += 1
            ends[refused.fault] += 1
            return
        envelopes, refusals = frames.read_envelopes(batch)
        assert len(payload) <= 200
        assert len(envelopes) + len(refusals) == len(batch.messages) <= 2
        assert all((each.stage, each.fault) == (Stage.ENVELOPE, Fault.MALFORMED) for each in refusals)
        ends["envelopes"] += bool(envelopes)
        ends[Stage.ENVELOPE] += bool(refusals)

    fuzz(check)

    assert ends.keys() == {*FAULTS, *(fault for faults in FAULTS.values() for fault in faults), "envelopes", "envelope"}
    assert all(count > 100 for count in ends.values()), ends


def test_any_bytes_are_inflated_within_the_bound_or_refused_as_by_zlib() -> None:
    ends: Counter[str] = Counter()

    def check(recipe: Recipe) -> None:
        data = recipe.bytes(8) * recipe.number(40)
        data = spoilt(recipe, recipe.of((data, gzip.compress(data, 1, mtime=0), GZIP_OF_ZEROS)))
        try:
            inflated = frames.inflate(data, SMALL)
        except FrameRefused as refused:
            assert refused.stage is Stage.DECOMPRESS
            assert refused.fault in (Fault.MALFORMED, Fault.TOO_LARGE)
            ends[refused.fault] += 1
            with pytest.raises(FrameRefused), patch.object(frames, "inflating", zlib):
                frames.inflate(data, SMALL)
        else:
            assert len(inflated) <= 200
            ends["inflated"] += 1
            with patch.object(frames, "inflating", zlib):
                assert frames.inflate(data, SMALL) == inflated

    assert frames.inflating is isal_zlib
    fuzz(check)

    assert len(ends) == 3
    assert all(count > 100 for count in ends.values()), ends


def test_any_bytes_are_taken_and_what_cannot_be_read_is_refused_with_its_bytes() -> None:
    ends: Counter[str] = Counter()

    def check(recipe: Recipe) -> None:
        subject = Protocol(7, now=100.0, seen=RecentIds())
        subject.frames_to_send()
        for data in (push_frame(recipe), push_frame(recipe)):
            try:
                received = subject.receive(data, 101.0)
            except FailedRoomPolling as closed:
                assert str(closed).isprintable()
                assert len(str(closed)) < 1_000
                ends[closed.reason] += 1
                continue

            ids = [message.msg_id for message in received.messages if message.msg_id]
            assert len(ids) == len(set(ids))
            for refusal in received.refusals:
                assert refusal.data in data or refusal.stage == "envelope"
                ends[f"{refusal.stage}_{refusal.fault}"] += 1
            ends["messages"] += bool(received.messages)
            ends["foreign"] += bool(received.foreign)
            ends["duplicates"] += bool(received.duplicates)
            ends["acknowledged"] += len(subject.frames_to_send())
        ends["ended"] += subject.ended
        ends["barred"] += subject.barred is not None
        ends["entered"] += subject.entered

    fuzz(check)

    assert len(ends) == 14
    assert all(count > 100 for count in ends.values()), ends
