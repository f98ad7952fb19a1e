"""The benchmark itself: what it sends, how it judges, and one short run of it."""

import asyncio
import gzip
import os
import sys
from pathlib import Path

import pytest

from producer.local.kafka import Kafka
from producer.webcast.wire import Envelope, FetchResult, PushFrame
from tools.bench import corpus, measures
from tools.bench.avro import Inside
from tools.bench.field import Place, prepare
from tools.bench.subject import here
from tools.bench.yardstick import bucket, evened, percentile, ratio, regressions, table

ROOM = 7_400_000_000_000_001_003


def test_the_same_seed_makes_the_same_frames_and_another_others() -> None:
    assert list(corpus.frames(1, ROOM, 5)) == list(corpus.frames(1, ROOM, 5))
    assert list(corpus.frames(1, ROOM, 5)) != list(corpus.frames(2, ROOM, 5))
    assert len({frame.log_id for room in (ROOM, ROOM + 1) for frame in corpus.frames(1, room, 5)}) == 10


def test_a_frame_has_the_messages_that_it_says_and_their_ids_rise() -> None:
    ids = []
    for frame in corpus.frames(1, ROOM, 30):
        push = PushFrame.FromString(frame.data)
        batch = FetchResult.FromString(gzip.decompress(push.payload))
        assert (push.log_id, len(batch.messages), batch.need_ack) == (frame.log_id, frame.messages, True)
        ids += [Envelope.FromString(data).msg_id for data in batch.messages]
    assert ids == sorted(set(ids))


def test_the_corpus_is_as_large_as_a_large_rooms() -> None:
    """Means that were seen: 6.7 messages a frame, 0.83 kB of the wire a message."""
    frames = list(corpus.frames(1, ROOM, 400))
    messages = sum(frame.messages for frame in frames)
    assert 5.5 < messages / len(frames) < 8
    assert 600 < sum(len(frame.data) for frame in frames) / messages < 1_000


@pytest.mark.parametrize(
    ("now", "before", "is_worse", "is_better"),
    [
        ([1.2, 1.1, 1.3], [1.0, 1.0, 1.0], True, False),
        ([1.2, 0.9, 1.3], [1.0, 1.0, 1.0], False, False),  # noise: once it was the other way round
        ([1.02, 1.01, 1.03], [1.0, 1.0, 1.0], False, False),  # too little to matter
        ([0.8, 0.9, 0.7], [1.0, 1.0, 1.0], False, True),
    ],
)
def test_what_costs_more_in_every_round_is_a_regression(
    now: list[float], before: list[float], is_worse: bool, is_better: bool
) -> None:
    rows = {"µs": {"now": now, "before": before}}

    assert (ratio(now, before).is_worse, ratio(now, before).is_better) == (is_worse, is_better)
    assert regressions(rows) == (["µs"] if is_worse else [])
    assert ("REGRESSION" in table(rows)[0], "better" in table(rows)[0]) == (is_worse, is_better)


def test_one_odd_round_of_five_is_left_aside_and_two_are_noise() -> None:
    assert ratio([1.2, 1.1, 0.9, 1.3, 1.2], [1.0] * 5).is_worse
    assert not ratio([1.2, 0.9, 0.9, 1.3, 1.2], [1.0] * 5).is_worse
    assert ratio([0.8, 0.9, 1.2, 0.7, 0.8], [1.0] * 5).is_better
    assert not ratio([0.8, 1.1, 1.2, 0.7, 0.8], [1.0] * 5).is_better


def test_what_was_measured_while_the_machine_was_slow_is_evened_out() -> None:
    assert evened(150.0, seconds=0.03, usual=0.02) == pytest.approx(100.0)
    assert evened(100.0, seconds=0.02, usual=0.02) == 100.0


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.99)) == (51.0, 100.0, 7.0)


def test_a_histograms_percentile_is_the_bound_of_its_bucket() -> None:
    counts = {0.01: 90.0, 0.1: 98.0, 1.0: 99.0, float("inf"): 100.0}
    assert (bucket(counts, 0.5), bucket(counts, 0.99), bucket(counts, 1.0)) == (0.01, 1.0, float("inf"))


@pytest.mark.skipif(sys.platform != "linux", reason="a worker's cost is read from /proc")
def test_a_short_run_measures_this_tree(tmp_path: Path, kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "SETTLE_SECONDS", 0.0)

    async def main() -> tuple[dict[str, float], bool]:
        place = Place(kafka.bootstrap_servers, tmp_path, max(os.sched_getaffinity(0)), seed=1)
        await prepare(here(), place)
        async with Inside.open(here(), place, count=200) as inside:
            figures = await inside.round()
            is_equal = inside.is_equal
        figures |= await measures.saturated(here(), place, rooms=2, count=20)
        figures |= await measures.memory(here(), place, rooms=3)
        figures |= await measures.saturated(here(), place, rooms=2, count=20, workers=2)
        figures |= await measures.crowd(here(), place, rooms=3, rate=300)
        figures |= await measures.held(here(), place, rooms=2, seconds=0.2)
        return figures | await measures.paced(here(), place, rooms=3, rate=300, seconds=1), is_equal

    figures, is_equal = asyncio.run(main())

    assert is_equal
    assert len(figures) == 16
    # What three rooms take more than one is noise, but it was looked for.
    noise = ("KiB a TLS room", "ms of CPU a TLS room")
    assert all(value > 0 for name, value in figures.items() if not name.startswith(noise))
