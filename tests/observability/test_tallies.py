"""Plain numbers as series: they say what prometheus-client's own metrics say of the same events."""

from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector

from producer.observability import metrics
from producer.observability.tallies import Level, Spread, Tally

assert metrics.PREFIX  # who imports it has no series with the times at which others were made

BOUNDS = (0.005, 0.1, 1, 10)


def text(*collectors: Collector) -> str:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry).decode()


@pytest.mark.parametrize("values", [(), (0.1, 0.2, 10, 11, 0.0, -1.0, 0.005)])
def test_a_spread_reads_as_a_histogram(values: Sequence[float]) -> None:
    spread = Spread("lag_seconds", "How late.", BOUNDS)
    histogram = Histogram("lag_seconds", "How late.", buckets=BOUNDS, registry=None)
    for value in values:
        spread.observe(value)
        histogram.observe(value)

    assert text(spread) == text(histogram)
    assert ('lag_seconds_bucket{le="0.1"} ' + ("4.0" if values else "0.0")) in text(spread)


def test_a_tally_reads_as_a_counter_and_has_its_values_from_the_start() -> None:
    tally = Tally("records_total", "How many.", "topic", ("a", "b"))
    counter = Counter("records_total", "How many.", ("topic",), registry=None)
    for topic, count in (("a", 0), ("b", 2), ("c", 1), ("b", 3)):
        tally.add(count, topic)
        counter.labels(topic).inc(count)

    assert text(tally) == text(counter)
    assert 'records_total{topic="b"} 5.0' in text(tally)


def test_without_a_label_there_is_one_series() -> None:
    tally, level = Tally("frames_total", "How many."), Level("in_flight", "How many now.")
    counter = Counter("frames_total", "How many.", registry=None)
    gauge = Gauge("in_flight", "How many now.", registry=None)
    tally.add(3)
    counter.inc(3)
    level.value = 7
    gauge.set(7)

    assert text(tally, level) == text(counter, gauge)
