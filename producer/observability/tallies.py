"""Counts of what happens thousands of times a second, as plain numbers: they are made into series when somebody asks.

One of prometheus-client's costs a lock, and with labels a look-up as well: ten times as much.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from math import inf

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Tally(Collector):
    """A counter, with one label or none. Only the loop's thread counts."""

    def __init__(self, name: str, documentation: str, label: str | None = None, values: Iterable[str] = ("",)) -> None:
        """All `values` of the label are there from the start."""
        self.counts: dict[str, int] = dict.fromkeys(values, 0)
        """By the label's value; without one, of the empty text."""
        self._name = name
        self._documentation = documentation
        self._labels = (label,) if label is not None else ()

    def add(self, count: int, value: str = "") -> None:
        """Count. A value of the label that was not there from the start is from now on."""
        self.counts[value] = self.counts.get(value, 0) + count

    def collect(self) -> Iterator[Metric]:
        """Read it."""
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for value, count in self.counts.items():
            family.add_metric((value,) if self._labels else (), count)
        yield family


class Level(Collector):
    """A gauge without labels: its `value`."""

    def __init__(self, name: str, documentation: str) -> None:
        self.value = 0.0
        self._name = name
        self._documentation = documentation

    def collect(self) -> Iterator[Metric]:
        """Read it."""
        yield GaugeMetricFamily(self._name, self._documentation, value=self.value)


class Spread(Collector):
    """A histogram without labels."""

    def __init__(self, name: str, documentation: str, bounds: Sequence[float]) -> None:
        """`bounds` rise; what is above the last is counted too."""
        self._name = name
        self._documentation = documentation
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value, in the first bucket whose bound is not below it."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[Metric]:
        """Read it."""
        below, buckets = 0, []
        for bound, count in zip((*self._bounds, inf), self._counts, strict=True):
            below += count
            buckets.append(("+Inf" if bound == inf else str(float(bound)), below))
        yield HistogramMetricFamily(self._name, self._documentation, buckets=buckets, sum_value=self._sum)
